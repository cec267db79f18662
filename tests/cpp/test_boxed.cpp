// A box is an optional value: its copies share nothing.
#include "base/boxed.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

using namespace torchdicom;

TEST_CASE("a copy of a box has a value of its own") {
    Boxed<std::vector<int>> one{{1, 2}};
    Boxed<std::vector<int>> other{one};
    other->push_back(3);
    CHECK(*one == std::vector{1, 2});
    CHECK(*other == std::vector{1, 2, 3});
    one = other;
    other.emplace();
    CHECK(*one == std::vector{1, 2, 3});
    CHECK(other->empty());
}

TEST_CASE("a box keeps its value when it is assigned to itself") {
    Boxed<std::vector<int>> one{{1, 2}};
    const Boxed<std::vector<int>>& same = one;
    one = same;
    REQUIRE(one);
    CHECK(*one == std::vector{1, 2});
}

TEST_CASE("a box may be empty, and so is its copy") {
    Boxed<std::vector<int>> one;
    CHECK(!one);
    one = std::vector{1};
    Boxed<std::vector<int>> other{std::move(one)};
    CHECK(*other == std::vector{1});
    other = Boxed<std::vector<int>>{};
    CHECK(!other);
    const Boxed<std::vector<int>> copy{other};
    CHECK(!copy);
}
