// Numbers that stand in binary: FD, FL, UL, US.
#pragma once

#include "header/element_reader.hpp"
#include "header/values.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <optional>
#include <vector>

namespace torchdicom {

template <typename T>
[[nodiscard]] T binary_at(ByteSpan value, std::size_t index, std::endian order) {
    if constexpr (std::is_same_v<T, double>) {
        return std::bit_cast<double>(load_number<std::uint64_t>(value, index * sizeof(T), order));
    } else if constexpr (std::is_same_v<T, float>) {
        return std::bit_cast<float>(load_number<std::uint32_t>(value, index * sizeof(T), order));
    } else {
        return load_number<T>(value, index * sizeof(T), order);
    }
}

/// N doubles (FD); nothing where there is no value, or one that is no number. Throws
/// invalid_multiplicity where there are fewer or more.
template <std::size_t N>
[[nodiscard]] std::optional<std::array<double, N>> read_doubles(const Element& element,
                                                                ElementReader& reader) {
    const ByteSpan value = reader.value(element);
    if (value.empty()) {
        return std::nullopt;
    }
    if (value.size() != N * sizeof(double)) {
        fail_multiplicity(element, N, value.size() / sizeof(double));
    }
    std::array<double, N> numbers{};
    for (std::size_t i = 0; i < N; ++i) {
        numbers[i] = binary_at<double>(value, i, reader.order());
        if (!std::isfinite(numbers[i])) {
            return std::nullopt;
        }
    }
    return numbers;
}

/// The first of the values of a type; nothing where there is none, or where it is no number.
/// Throws invalid_multiplicity where a value is cut off.
template <typename T>
[[nodiscard]] std::optional<double> read_binary(const Element& element, ElementReader& reader) {
    const ByteSpan value = reader.value(element);
    if (value.empty()) {
        return std::nullopt;
    }
    if (value.size() < sizeof(T)) {
        fail_multiplicity(element, 1, 0);
    }
    const auto number = static_cast<double>(binary_at<T>(value, 0, reader.order()));
    return std::isfinite(number) ? std::optional{number} : std::nullopt;
}

/// All FD values; none where one of them is no number.
[[nodiscard]] inline std::vector<double> read_double_list(const Element& element,
                                                          ElementReader& reader) {
    const ByteSpan value = reader.value(element);
    std::vector<double> numbers(value.size() / sizeof(double));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        numbers[i] = binary_at<double>(value, i, reader.order());
        if (!std::isfinite(numbers[i])) {
            return {};
        }
    }
    return numbers;
}

/// All US values, of an element that has one for each frame.
[[nodiscard]] inline std::vector<std::uint32_t> read_shorts(const Element& element,
                                                            ElementReader& reader) {
    const ByteSpan value = reader.value(element, limits::kMaxFrames * sizeof(std::uint16_t));
    std::vector<std::uint32_t> numbers(value.size() / sizeof(std::uint16_t));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        numbers[i] = binary_at<std::uint16_t>(value, i, reader.order());
    }
    return numbers;
}

} // namespace torchdicom
