// Numbers that mean the same and were rounded differently.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace torchdicom {

/// For each value the centre of its cluster. A centre is the most frequent value of those that are
/// left, the smallest of equally frequent ones, and takes all that `is_near(value, centre)`: the
/// order of the values does not matter.
template <std::size_t N, typename IsNear>
[[nodiscard]] std::map<std::array<double, N>, std::array<double, N>>
cluster_centres(const std::vector<std::array<double, N>>& values, const IsNear& is_near) {
    std::map<std::array<double, N>, std::size_t> left;
    for (const std::array<double, N>& value : values) {
        ++left[value];
    }
    std::map<std::array<double, N>, std::array<double, N>> centres;
    while (!left.empty()) {
        // The first of equals is the smallest: a map is sorted.
        const std::array<double, N> centre =
            std::ranges::max_element(left, {}, [](const auto& entry) {
                return entry.second;
            })->first;
        std::erase_if(left, [&](const auto& entry) {
            const bool is_taken = entry.first == centre || is_near(entry.first, centre);
            if (is_taken) {
                centres.emplace(entry.first, centre);
            }
            return is_taken;
        });
    }
    return centres;
}

/// For each value the text of its centre.
template <std::size_t N, typename IsNear, typename ToText>
[[nodiscard]] std::map<std::array<double, N>, std::string>
cluster_texts(const std::vector<std::array<double, N>>& values, const IsNear& is_near,
              const ToText& to_text) {
    std::map<std::array<double, N>, std::string> texts;
    for (const auto& [value, centre] : cluster_centres(values, is_near)) {
        texts.emplace(value, to_text(centre));
    }
    return texts;
}

} // namespace torchdicom
