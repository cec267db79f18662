// plan/selection: which slices and pixels are wanted, and where they then lie.
#include "plan/selection.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace torchdicom;

namespace {

using Picks = std::vector<std::size_t>;
using List = std::vector<std::int64_t>;

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

Picks range_of(std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
               std::int64_t step, std::size_t count = 5) {
    return pick_places(SliceSelection{SliceRange{.start = start, .stop = stop, .step = step}},
                       count, "slice");
}

Picks list_of(List positions, std::size_t count = 5) {
    return pick_places(SliceSelection{std::move(positions)}, count, "slice");
}

PixelFormat image_of(std::uint32_t rows, std::uint32_t columns) {
    PixelFormat format;
    format.rows = rows;
    format.columns = columns;
    return format;
}

Grid a_grid() {
    return {.affine = std::array<Vector3, 4>{{{0, 3, 4}, {0, 2, 0}, {1, 0, 0}, {10, 20, 30}}},
            .spacing_mm = {5, 2, 1}};
}

} // namespace

TEST_CASE("without a selection all slices are wanted, with a list those in its order") {
    CHECK(pick_places(std::nullopt, 3, "slice") == Picks{0, 1, 2});
    CHECK(list_of({3}) == Picks{3});
    CHECK(list_of({-1, 0, -5, 0}) == Picks{4, 0, 0, 0});
}

TEST_CASE("a slice that is not there is out of range, and the message says how many there are") {
    for (const std::int64_t slice : {std::int64_t{5}, std::int64_t{-6}, kLeast, kMost}) {
        const std::string text =
            "slice " + std::to_string(slice) + " is not there: the series has 5 slices";
        CHECK_THROWS_WITH_AS(static_cast<void>(list_of({0, slice})), text.c_str(),
                             std::out_of_range);
    }
    CHECK_THROWS_WITH_AS(static_cast<void>(list_of({1}, 1)),
                         "slice 1 is not there: the series has 1 slice", std::out_of_range);
}

TEST_CASE("ranges are those of Python's slices") {
    CHECK(range_of({}, {}, 1) == Picks{0, 1, 2, 3, 4});
    CHECK(range_of(1, 4, 2) == Picks{1, 3});
    CHECK(range_of(-2, {}, 1) == Picks{3, 4});
    CHECK(range_of({}, -3, 1) == Picks{0, 1});
    CHECK(range_of({}, {}, -1) == Picks{4, 3, 2, 1, 0});
    CHECK(range_of(3, 0, -2) == Picks{3, 1});
    CHECK(range_of(3, -100, -3) == Picks{3, 0});
    CHECK(range_of(-100, 100, 3) == Picks{0, 3});
    CHECK(range_of(kLeast, kMost, kMost) == Picks{0});
    CHECK(range_of(kMost, kLeast, kLeast) == Picks{4});
}

TEST_CASE("a selection of nothing is refused, and a step of 0") {
    CHECK_THROWS_WITH_AS(static_cast<void>(range_of(5, {}, 1)),
                         "slices selects none of the 5 slices", std::invalid_argument);
    CHECK_THROWS_AS(static_cast<void>(range_of(3, 3, 1)), std::invalid_argument);
    CHECK_THROWS_AS(static_cast<void>(range_of(0, 4, -1)), std::invalid_argument);
    CHECK_THROWS_AS(static_cast<void>(list_of({})), std::invalid_argument);
    CHECK_THROWS_AS(static_cast<void>(range_of({}, {}, 0)), std::invalid_argument);
}

TEST_CASE("a region is inside of the image and holds a pixel") {
    const Window whole = window_of(std::nullopt, image_of(7, 9));
    CHECK(whole.rows() == 7);
    CHECK(whole.columns() == 9);
    const Window part = window_of(Region{.y0 = 2, .y1 = 7, .x0 = 8, .x1 = 9}, image_of(7, 9));
    CHECK(part.y0 == 2);
    CHECK(part.rows() == 5);
    CHECK(part.x0 == 8);
    CHECK(part.columns() == 1);
}

TEST_CASE("a region that is not is refused, and the message has the size") {
    for (const Region region : {Region{0, 8, 0, 9}, Region{0, 7, 0, 10}, Region{-1, 7, 0, 9},
                                Region{0, 7, -1, 9}, Region{3, 3, 0, 9}, Region{4, 3, 0, 9},
                                Region{0, 7, 5, 5}, Region{kLeast, kMost, 0, 9}}) {
        CHECK_THROWS_AS(static_cast<void>(window_of(region, image_of(7, 9))),
                        std::invalid_argument);
    }
    CHECK_THROWS_WITH_AS(static_cast<void>(window_of(Region{0, 8, 1, 9}, image_of(7, 9))),
                         "region (0, 8, 1, 9) is no part of an image of 7 rows and 9 columns: it "
                         "is (y0, y1, x0, x1) with 0 <= y0 < y1 <= 7 and 0 <= x0 < x1 <= 9",
                         std::invalid_argument);
}

TEST_CASE("evenly spaced slices move the origin and scale the step") {
    const Grid third = select_slices(a_grid(), Picks{1, 3, 5});
    REQUIRE(third.affine);
    CHECK((*third.affine)[0] == Vector3{0, 6, 8});
    CHECK((*third.affine)[1] == Vector3{0, 2, 0});
    CHECK((*third.affine)[3] == Vector3{10, 23, 34});
    CHECK(third.spacing_mm == Vector3{10, 2, 1});

    const Grid back = select_slices(a_grid(), Picks{4, 3});
    REQUIRE(back.affine);
    CHECK((*back.affine)[0] == Vector3{0, -3, -4});
    CHECK((*back.affine)[3] == Vector3{10, 32, 46});
    CHECK(back.spacing_mm == Vector3{5, 2, 1});

    const Grid one = select_slices(a_grid(), Picks{2});
    REQUIRE(one.affine);
    CHECK((*one.affine)[0] == Vector3{0, 3, 4});
    CHECK((*one.affine)[3] == Vector3{10, 26, 38});
    CHECK(one.spacing_mm == Vector3{5, 2, 1});
}

TEST_CASE("other slices have no affine, and no spacing along z") {
    for (const Picks& picks : {Picks{0, 1, 3}, Picks{2, 2}, Picks{0, 1, 0}}) {
        const Grid uneven = select_slices(a_grid(), picks);
        CHECK_FALSE(uneven.affine);
        CHECK(std::isnan(uneven.spacing_mm[0]));
        CHECK(uneven.spacing_mm[1] == 2);
    }
    const Grid none = select_slices({.affine = {}, .spacing_mm = {kUnknown, 2, 1}}, Picks{0, 1});
    CHECK_FALSE(none.affine);
    CHECK(std::isnan(none.spacing_mm[0]));
}

TEST_CASE("a window moves the origin, and leaves the steps alone") {
    const Grid part = select_window(a_grid(), {.y0 = 3, .y1 = 4, .x0 = 5, .x1 = 9});
    REQUIRE(part.affine);
    CHECK((*part.affine)[3] == Vector3{15, 26, 30});
    CHECK((*part.affine)[0] == Vector3{0, 3, 4});
    CHECK(part.spacing_mm == Vector3{5, 2, 1});
    CHECK_FALSE(select_window({}, {.y0 = 3, .y1 = 4, .x0 = 5, .x1 = 9}).affine);
}

TEST_CASE("pixels that become one are whole, or at the edge of the image") {
    const auto window = [](const Region& region) { return window_of(region, image_of(7, 9), 2); };
    CHECK(reduced(window({0, 7, 0, 9}), 2) == Window{0, 2, 0, 3});
    CHECK(reduced(window({4, 7, 4, 8}), 2) == Window{1, 2, 1, 2});
    for (const Region region :
         {Region{0, 6, 0, 9}, Region{2, 7, 0, 9}, Region{0, 7, 1, 9}, Region{0, 7, 0, 7}}) {
        CHECK_THROWS_AS(static_cast<void>(window(region)), std::invalid_argument);
    }
}

TEST_CASE("reduced images have larger pixels, whose first lies amid those it is made of") {
    const Grid means = reduce_grid(a_grid(), 2, 0);
    REQUIRE(means.affine);
    CHECK((*means.affine)[0] == Vector3{0, 3, 4});
    CHECK((*means.affine)[1] == Vector3{0, 8, 0});
    CHECK((*means.affine)[2] == Vector3{4, 0, 0});
    CHECK((*means.affine)[3] == Vector3{11.5, 23, 30});
    CHECK(means.spacing_mm == Vector3{5, 8, 4});
    const Grid levels = reduce_grid(a_grid(), 2, 2);
    REQUIRE(levels.affine);
    CHECK((*levels.affine)[3] == Vector3{10, 20, 30});
    CHECK((*levels.affine)[1] == Vector3{0, 8, 0});
    const Grid both = reduce_grid(a_grid(), 2, 1);
    REQUIRE(both.affine);
    CHECK((*both.affine)[3] == Vector3{11, 22, 30});
    const Grid none = reduce_grid({.affine = {}, .spacing_mm = {kUnknown, 2, 1}}, 1, 0);
    CHECK_FALSE(none.affine);
    CHECK(none.spacing_mm[1] == 4);
}

TEST_CASE("frame times are those of the vector, else of the interval, else unknown") {
    using Times = std::vector<double>;
    FileHeader header;
    header.number_of_frames_given = 3;
    CHECK_FALSE(frame_times_ms({&header, 1}));
    header.frame_time = 40;
    CHECK(frame_times_ms({&header, 1}) == Times{0, 40, 80});
    header.frame_time_vector = {7, 30, 50}; // the first frame starts the clock, whatever is there
    CHECK(frame_times_ms({&header, 1}) == Times{0, 30, 80});
    header.frame_time_vector = {0, 30};
    CHECK(frame_times_ms({&header, 1}) == Times{0, 40, 80});
}
