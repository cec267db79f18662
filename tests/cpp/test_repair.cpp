// plan/repair and pipeline/repair: what is to be done about a stack, and doing it.
#include "pipeline/fill.hpp"
#include "pipeline/straighten.hpp"
#include "plan/repair.hpp"
#include "series_builder.hpp"
#include "small_series.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

using namespace torchdicom;

namespace {

Policy policy_with(const std::string& code, const std::string& action) {
    Policy policy;
    policy.set(code, action);
    return policy;
}

const Policy kFill = policy_with("missing_slices", "fill");
const Policy kEven = policy_with("uneven_spacing", "resample");
const Policy kStraight = policy_with("gantry_tilt", "resample");

/// "0 1 1+ 2" : the slices of the files, "+" for one that is filled, ":w" for one between.
std::string text_of(const Repair& repair) {
    std::string text;
    for (const RepairedSlice& slice : repair.slices) {
        text += (text.empty() ? "" : " ") + std::to_string(slice.before);
        if (slice.is_filled) {
            text += "+";
        }
        if (slice.weight) {
            text += ":" + std::to_string(*slice.weight).substr(0, 5);
        }
    }
    return text;
}

std::string repaired(const std::vector<double>& places, const Policy& policy) {
    const auto repair = repair_of(test::judged(test::slices_at(places)), policy);
    return repair ? text_of(*repair) : "none";
}

/// Slices that go `down` and `right` by so many millimetres each; pixels are 0.5 by 0.75 mm.
Series tilted(double down, double right) {
    test::Headers headers = test::slices_at({0, 5, 10});
    for (FileHeader& header : headers) {
        const double k = (*header.image_position_patient)[2] / 5;
        header.image_position_patient = {10 + right * k, 20 + down * k, 5 * k};
    }
    return test::judged(std::move(headers));
}

struct Straightened {
    std::vector<double> values;
    std::vector<int> mask;

    friend bool operator==(const Straightened&, const Straightened&) = default;
};

/// Rows of two pixels on a canvas of which this window is wanted; -1 stands outside.
Straightened straightened(const std::vector<double>& values, const CanvasPlace& place,
                          const Window& window, const std::vector<int>& valid) {
    std::vector<std::byte> mask;
    for (const int one : valid) {
        mask.push_back(static_cast<std::byte>(one));
    }
    const std::size_t count = window.rows() * window.columns();
    Straightened result{.values = std::vector<double>(count), .mask = {}};
    std::vector<std::byte> result_mask(count);
    straighten({.values = values, .mask = mask, .size = {.rows = values.size() / 2, .columns = 2}},
               place, window, -1, result.values, result_mask);
    for (const std::byte one : result_mask) {
        result.mask.push_back(std::to_integer<int>(one));
    }
    return result;
}

LoadRequest repairing(const Policy& policy, const std::vector<test::Bytes>& files) {
    LoadRequest request = test::request_for(test::sources_of(files));
    request.policy = policy;
    return request;
}

/// Slices of one pixel at 0, 1, 3, 4 that hold 1, 2, 3, 4.
std::vector<test::Bytes> with_gap() {
    std::vector<test::Bytes> files;
    for (const int z : {0, 1, 3, 4}) {
        const auto value = static_cast<std::uint32_t>(files.size() + 1);
        files.push_back(test::image_file(test::image_at(z, 1, 1), {value}));
    }
    return files;
}

} // namespace

TEST_CASE("a gap of k steps gets k - 1 slices") {
    CHECK(repaired({0, 2, 6, 8, 10, 16}, kFill) == "0 1 1+ 2 3 4 4+ 4+ 5");
    CHECK(repaired({0, 2, 4}, kFill) == "none");
    CHECK(repaired({0, 2, 6, 8}, Policy{}) == "none");
    CHECK(repaired({0, 2, 6, 8}, kEven) == "none");
    const auto repair = repair_of(test::judged(test::slices_at({0, 2, 6, 8})), kFill);
    CHECK(repair.value().affine[0] == Vector3{0, 0, 2});
    CHECK(repair->slices[2].position_mm == Vector3{10, 20, 4});
    CHECK(!repair->interpolates());
}

TEST_CASE("an even grid starts at the first slice and ends before the last") {
    CHECK(repaired({0, 2, 4.5, 6, 8}, kEven) == "0 1 1:0.800 3 4");
    CHECK(repaired({0, 2, 4.5, 6, 8, 9.5}, kEven) == "0 1 1:0.800 3 4");
    CHECK(repaired({0, 2, 4.000001, 6.9, 8, 10}, kEven) == "0 1 2 2:0.689 4 5");
    CHECK(repaired({0, 2, 4.5, 6, 8}, kFill) == "none");
}

TEST_CASE("a stack that would have slices without end is refused") {
    const Series series = test::judged(test::slices_at({0, 0.1, 0.2, 200000}));
    try {
        static_cast<void>(repair_of(series, kFill));
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::limit_frames);
        CHECK(!error.place().path.empty());
    }
}

TEST_CASE("each slice has the offset of its position, and the canvas room for all") {
    const auto repair = repair_of(tilted(0.5, -0.375), kStraight);
    REQUIRE(repair);
    CHECK(repair->is_straight);
    CHECK(repair->slices[2].offset.y == 2);
    CHECK(repair->slices[2].offset.x == -1);
    const Canvas whole = canvas_of(*repair, {.rows = 4, .columns = 6}, 0);
    CHECK(std::vector{whole.top, whole.bottom, whole.left, whole.right} ==
          std::vector<std::size_t>{0, 2, 1, 0});
    const auto affine = affine_of(*repair, whole, 0);
    CHECK(affine[0] == Vector3{0, 0, 5});
    CHECK(affine[3] == Vector3{9.25, 20, 0});
    const Canvas halved = canvas_of(*repair, {.rows = 2, .columns = 3}, 1);
    CHECK(std::vector{halved.top, halved.bottom, halved.left, halved.right} ==
          std::vector<std::size_t>{0, 1, 1, 0});
    CHECK(affine_of(*repair, halved, 1)[3] == Vector3{8.5, 20, 0});
    CHECK(!repair_of(tilted(0.5, 0), Policy{}));
}

TEST_CASE("an offset that is a whole one but for rounding is whole") {
    RepairedSlice slice;
    slice.offset = {.y = 2.0000009, .x = -1.9999991};
    CHECK(offset_of(slice, 0).y == 2);
    CHECK(offset_of(slice, 0).x == -2);
    CHECK(offset_of(slice, 1).x == -1);
    slice.offset = {.y = 2.0000011, .x = 0.5};
    CHECK(offset_of(slice, 0).y == 2.0000011);
    CHECK(offset_of(slice, 0).x == 0.5);
}

TEST_CASE("an image is shifted between rows, then between columns") {
    const std::vector<double> image{1, 2, 3, 4};
    const std::vector<int> valid{1, 1, 1, 1};
    const Window all{.y0 = 0, .y1 = 3, .x0 = 0, .x1 = 3};
    CHECK(straightened(image, {.y = 1, .x = 0}, all, valid) ==
          Straightened{{-1, -1, -1, 1, 2, -1, 3, 4, -1}, {0, 0, 0, 1, 1, 0, 1, 1, 0}});
    CHECK(straightened(image, {.y = 0.25, .x = 0.5}, all, valid) ==
          Straightened{{-1, -1, -1, -1, 3, -1, -1, -1, -1}, {0, 0, 0, 0, 1, 0, 0, 0, 0}});
    CHECK(straightened(image, {.y = 0, .x = 0.5}, all, {1, 1, 0, 1}) ==
          Straightened{{-1, 1.5, -1, -1, 3.5, -1, -1, -1, -1}, {0, 1, 0, 0, 0, 0, 0, 0, 0}});
    CHECK(straightened(image, {.y = 1, .x = 1}, {.y0 = 1, .y1 = 2, .x0 = 1, .x1 = 3}, valid) ==
          Straightened{{1, 2}, {1, 1}});
}

TEST_CASE("what is not finite does not spread to where its weight is 0") {
    const double infinity = std::numeric_limits<double>::infinity();
    const Straightened found = straightened({infinity, 2, 3, 4}, {.y = 0, .x = 0},
                                            {.y0 = 0, .y1 = 2, .x0 = 0, .x1 = 2}, {1, 1, 1, 1});
    CHECK(found.values == std::vector<double>{infinity, 2, 3, 4});
}

TEST_CASE("a plane is filled with a value of its type, or of none") {
    std::vector<std::int16_t> plane(3);
    fill_plane(-7, DType::int16, std::as_writable_bytes(std::span{plane}));
    CHECK(plane == std::vector<std::int16_t>{-7, -7, -7});
    for (const double wrong : {0.5, 32768.0}) {
        CHECK_THROWS_AS(fill_plane(wrong, DType::int16, std::as_writable_bytes(std::span{plane})),
                        std::invalid_argument);
    }
}

TEST_CASE("a load fills, says where nothing was, and takes parts of the repaired stack") {
    const std::vector<test::Bytes> files = with_gap();
    LoadRequest request = repairing(kFill, files);
    request.policy.set_fill_value(9);
    const LoadedSeries loaded = test::load(request);
    CHECK(test::floats_of(loaded.buffer) == test::Floats{1, 2, 9, 3, 4});
    CHECK(test::mask_of(loaded) == std::vector<int>{1, 1, 0, 1, 1});
    CHECK(loaded.series.slices.size() == 4);
    CHECK(loaded.grid.affine.value()[0] == Vector3{0, 0, 1});
    CHECK(loaded.made.at(2) == Vector3{0, 0, 2});
    CHECK(!loaded.made.at(1));
    request.slices = std::vector<std::int64_t>{-1, 2};
    CHECK(test::floats_of(test::load(request).buffer) == test::Floats{4, 9});
    request.slices = std::vector<std::int64_t>{5};
    CHECK_THROWS_AS(test::load(request), std::out_of_range);
}

TEST_CASE("a load without a repair to do has no mask, and its slices are of files") {
    const std::vector<test::Bytes> files = test::stack(3);
    const LoadedSeries loaded = test::load(repairing(kFill, files));
    CHECK(loaded.mask.bytes().empty());
    CHECK(loaded.made.empty());
}
