// pipeline/rows: rows as codecs hand them over become values in their slots.
#include "pipeline/rows.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <numeric>
#include <vector>

using namespace torchdicom;
using test::code_of;

namespace {

using Octets = std::vector<std::uint8_t>;

/// A header of 8-bit pixels.
FileHeader header_of(std::uint32_t rows, std::uint32_t columns, const std::string& photometric) {
    FileHeader header;
    header.rows = rows;
    header.columns = columns;
    header.samples_per_pixel = photometric == "RGB" || photometric == "YBR_FULL" ? 3 : 1;
    header.photometric_interpretation = photometric;
    header.planar_configuration = 0;
    header.bits_allocated = 8;
    header.pixel_representation = 0;
    header.transfer_syntax = *find_transfer_syntax("1.2.840.10008.1.2.4.90");
    header.has_tables = true;
    return header;
}

Plan plan_of(const FileHeader& header, const Region& region, std::uint32_t reduce) {
    Plan plan = make_plan(std::span{&header, 1}, {{0, 0}}, {.output = Output::stored});
    plan.window = window_of(region, plan.format, reduce);
    plan.reduce = reduce;
    return plan;
}

/// The planes and the mask that a frame's rows give, handed over in parts of so many rows.
struct Placed {
    Placed(const FileHeader& header, const Plan& plan, const DecodedArea& area,
           const Octets& pixels, std::size_t rows_at_once, bool has_mask = false)
        : mask(has_mask ? plan.values_per_plane() : 0, std::byte{7}) {
        FrameSlot slot{.mask = mask};
        for (std::size_t channel = 0; channel < plan.channels; ++channel) {
            planes.at(channel).resize(plan.values_per_plane(), 0xEE);
            slot.planes.at(channel) = std::as_writable_bytes(std::span{planes.at(channel)});
        }
        FrameRows rows{header, plan, plan.tasks.front(), slot};
        rows.start(area);
        const std::size_t row_bytes = area.window.columns() * plan.format.samples_per_pixel;
        const std::size_t part = rows_at_once * row_bytes;
        const ByteSpan all = std::as_bytes(std::span{pixels});
        for (std::size_t done = 0; done < all.size(); done += part) {
            const bool wants_more = rows.put(all.subspan(done, std::min(part, all.size() - done)));
            if (!wants_more) {
                break;
            }
        }
        reduced = rows.finish();
    }

    std::array<Octets, 3> planes{};
    std::vector<std::byte> mask;
    std::uint32_t reduced = 0;
};

Octets counted(std::size_t count) {
    Octets values(count);
    std::iota(values.begin(), values.end(), std::uint8_t{0});
    return values;
}

} // namespace

TEST_CASE("of the rows of a codec those are placed that are wanted, however they come") {
    const FileHeader header = header_of(5, 4, "MONOCHROME2");
    const Plan plan = plan_of(header, {1, 4, 1, 3}, 0);
    const DecodedArea whole{.window = whole_image(plan.format)};
    for (const std::size_t at_once : {1U, 2U, 5U}) {
        const Placed placed{header, plan, whole, counted(20), at_once};
        CHECK(placed.planes[0] == Octets{5, 6, 9, 10, 13, 14});
    }
    // A codec that decodes a part alone: rows 1 to 5, columns 1 to 4.
    const DecodedArea part{.window = {.y0 = 1, .y1 = 5, .x0 = 1, .x1 = 4}};
    CHECK(Placed{header, plan, part, counted(12), 3}.planes[0] == Octets{0, 1, 3, 4, 6, 7});
}

TEST_CASE("what a codec has not reduced is averaged, from the blocks of the image's origin") {
    const FileHeader header = header_of(8, 8, "MONOCHROME2");
    const Plan plan = plan_of(header, {4, 8, 0, 8}, 2);
    // The codec halved once: 4 x 4 pixels, of which rows 2 and 3 are wanted.
    const DecodedArea halved{.window = {.y0 = 0, .y1 = 4, .x0 = 0, .x1 = 4}, .reduced = 1};
    for (const std::size_t at_once : {1U, 4U}) {
        const Placed placed{header, plan, halved, counted(16), at_once};
        CHECK(placed.planes[0] == Octets{10, 12}); // 8 9 12 13: 10.5; 10 11 14 15: 12.5
        CHECK(placed.reduced == 1);
    }
}

TEST_CASE("colours go to planes, YBR as RGB unless the codec has seen to it") {
    const FileHeader header = header_of(1, 2, "YBR_FULL");
    const Plan plan = plan_of(header, {0, 1, 0, 2}, 0);
    CHECK(plan.shape() == std::vector<std::size_t>{1, 3, 1, 2});
    const Octets pixels{0, 128, 255, 9, 128, 128};
    DecodedArea area{.window = whole_image(plan.format)};
    CHECK(Placed{header, plan, area, pixels, 1}.planes ==
          std::array<Octets, 3>{Octets{178, 9}, {0, 9}, {0, 9}});
    area.is_rgb = true;
    CHECK(Placed{header, plan, area, pixels, 1}.planes ==
          std::array<Octets, 3>{Octets{0, 9}, {128, 128}, {255, 128}});
}

TEST_CASE("a mask is not valid where any pixel of a block is padding") {
    FileHeader header = header_of(2, 4, "MONOCHROME2");
    header.pixel_padding_value = 6;
    Plan plan = plan_of(header, {0, 2, 0, 4}, 1);
    const DecodedArea whole{.window = whole_image(plan.format)};
    CHECK(Placed{header, plan, whole, counted(8), 1, true}.mask ==
          std::vector<std::byte>{std::byte{1}, std::byte{0}});
    const DecodedArea halved{.window = {.y0 = 0, .y1 = 1, .x0 = 0, .x1 = 2}, .reduced = 1};
    CHECK(code_of([&] { Placed{header, plan, halved, counted(2), 1, true}; }) ==
          ErrorCode::unsupported_pixel_format);
    header.pixel_padding_value.reset();
    CHECK(Placed{header, plan, halved, counted(2), 1, true}.mask ==
          std::vector<std::byte>{std::byte{1}, std::byte{1}});
}

TEST_CASE("a codec that gives too little is found out") {
    const FileHeader header = header_of(4, 4, "MONOCHROME2");
    const Plan plan = plan_of(header, {0, 4, 0, 4}, 1);
    const DecodedArea whole{.window = whole_image(plan.format)};
    CHECK(code_of([&] { Placed{header, plan, whole, counted(12), 1}; }) ==
          ErrorCode::internal_error);
    const DecodedArea part{.window = {.y0 = 1, .y1 = 4, .x0 = 0, .x1 = 4}};
    CHECK(code_of([&] { Placed{header, plan, part, counted(12), 1}; }) ==
          ErrorCode::internal_error);
    const DecodedArea too_small{.window = {.y0 = 0, .y1 = 1, .x0 = 0, .x1 = 1}, .reduced = 2};
    CHECK(code_of([&] { Placed{header, plan, too_small, counted(1), 1}; }) ==
          ErrorCode::internal_error);
}

TEST_CASE("planes of a volume stand channel by channel, those of frames frame by frame") {
    FileHeader header = header_of(2, 3, "RGB");
    Plan plan = make_plan(std::span{&header, 1}, {{0, 0}, {0, 0}}, {});
    CHECK(plan.dtype == DType::uint8);
    CHECK(plan.shape() == std::vector<std::size_t>{2, 3, 2, 3});
    CHECK(plan.plane_index(1, 2) == 5);
    plan.stack = Stack::z;
    CHECK(plan.shape() == std::vector<std::size_t>{3, 2, 2, 3});
    CHECK(plan.mask_shape() == std::vector<std::size_t>{2, 2, 3});
    CHECK(plan.plane_index(1, 2) == 5);
    CHECK(plan.plane_index(1, 0) == 1);
    plan.stack = Stack::t_and_z;
    CHECK(plan.shape() == std::vector<std::size_t>{2, 3, 1, 2, 3});
    CHECK(plan.plane_index(1, 0) == 3);
    header.bits_allocated = 16;
    CHECK(make_plan(std::span{&header, 1}, {{0, 0}}, {}).dtype == DType::int32);
}
