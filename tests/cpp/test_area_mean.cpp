// rescale/area_mean: blocks of pixels become their mean, at the far edges of those there are.
#include "rescale/area_mean.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace torchdicom;

namespace {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

Rows means_of(const Rows& rows, std::uint32_t halvings, bool rounds) {
    AreaMean mean{rows.front().size(), halvings, rounds};
    Rows found;
    for (std::size_t y = 0; y < rows.size(); ++y) {
        mean.add(rows[y]);
        if (mean.is_full() || y + 1 == rows.size()) {
            const auto means = mean.take();
            found.emplace_back(means.begin(), means.end());
        }
    }
    return found;
}

} // namespace

TEST_CASE("the mean of four, and at the edges of two and of one") {
    const Rows rows{{1, 2, 3}, {3, 4, 6}, {10, 20, 7}};
    CHECK(means_of(rows, 1, false) == Rows{{2.5, 4.5}, {15, 7}});
    CHECK(means_of(rows, 2, false) == Rows{{56.0 / 9}});
    CHECK(means_of(rows, 0, false) == rows);
}

TEST_CASE("halves are rounded to even, below zero too") {
    const Rows rows{{0, 1, 1, 2, -1, -2, -3, -2}};
    CHECK(means_of(rows, 1, true) == Rows{{0, 2, -2, -2}});
}

TEST_CASE("a mask is true where all of the block is") {
    AreaAll all{3, 1};
    const std::vector<std::byte> first{std::byte{1}, std::byte{1}, std::byte{1}};
    const std::vector<std::byte> second{std::byte{1}, std::byte{0}, std::byte{1}};
    all.add(first);
    all.add(second);
    const ByteSpan found = all.take();
    CHECK(std::vector<std::byte>(found.begin(), found.end()) ==
          std::vector<std::byte>{std::byte{0}, std::byte{1}});
    all.add(first); // starts anew
    CHECK(all.take().front() == std::byte{1});
}
