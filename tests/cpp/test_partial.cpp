// Parts of a series: regions, picked slices, masks.
#include "pipeline/padding.hpp"
#include "small_series.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <stdexcept>
#include <string>
#include <vector>

using namespace torchdicom;
using test::Cells;
using test::counted;
using test::Floats;
using test::floats_of;
using test::image_at;
using test::load;
using test::mask_of;
using test::memory;
using test::request_for;

namespace {

/// What a region holds of an image whose cells count up.
Floats counted_part(std::uint32_t columns, const Region& region) {
    Floats values;
    for (std::int64_t y = region.y0; y < region.y1; ++y) {
        for (std::int64_t x = region.x0; x < region.x1; ++x) {
            values.push_back(static_cast<float>(y * columns + x));
        }
    }
    return values;
}

} // namespace

TEST_CASE("a region of native images is what the whole image has there") {
    // More than one of the parts that a frame is read in, and rows that do not divide them.
    const test::Bytes bytes = test::image_file(image_at(0, 301, 251), counted(301 * 251));
    auto request = request_for({memory(bytes)});
    for (const Region region :
         {Region{0, 301, 0, 251}, Region{0, 301, 3, 250}, Region{290, 301, 0, 251},
          Region{7, 300, 250, 251}, Region{150, 151, 10, 11}}) {
        request.region = region;
        const Cells expected = [&] {
            Cells cells;
            for (const float value : counted_part(251, region)) {
                cells.push_back(static_cast<std::uint32_t>(value) & 0xFFFFU); // 16 bits wrap
            }
            return cells;
        }();
        const Floats values = floats_of(load(request).buffer);
        CHECK(Cells(values.begin(), values.end()) == expected);
    }
}

TEST_CASE("of a native image only the rows that are wanted are read") {
    constexpr std::size_t kHeader = 16'384; // read ahead
    const test::TemporaryFolder folder;
    const std::string path =
        folder.write("a.dcm", test::image_file(image_at(0, 200, 100), counted(200 * 100)));
    auto request = request_for({{.path = path, .bytes = {}}});
    request.region = Region{190, 195, 10, 20};
    LoadStats stats;
    const LoadedSeries loaded = load_series(request, stats);
    CHECK(floats_of(loaded.buffer) == counted_part(100, *request.region));
    CHECK(stats.bytes_read.load() <= kHeader + 5 * 200);
    CHECK(loaded.grid.affine.value()[3] == Vector3{5, 95, 0});
    CHECK(loaded.plan.shape() == std::vector<std::size_t>{1, 5, 10});
}

TEST_CASE("8-bit cells in big endian words stay in place when a row starts within a word") {
    test::DataSetWriter writer = test::file_start("1.2.840.10008.1.2.2");
    writer.switch_to({.order = std::endian::big, .is_explicit = true});
    writer.text(tags::Modality, "CS", "CT").text(tags::ImagePositionPatient, "DS", "0\\0\\0");
    writer.text(tags::ImageOrientationPatient, "DS", "1\\0\\0\\0\\1\\0");
    writer.us(tags::Rows, 4).us(tags::Columns, 3).text(tags::PixelSpacing, "DS", "1\\1");
    writer.us(tags::BitsAllocated, 8).us(tags::PixelRepresentation, 0);
    writer.head(tags::PixelData, "OW", 12);
    for (std::uint32_t i = 0; i < 12; i += 2) {
        writer.number(i + 1, 1).number(i, 1);
    }
    const test::Bytes bytes = writer.bytes();
    auto request = request_for({memory(bytes)});
    for (std::int64_t y0 = 0; y0 < 4; ++y0) {
        for (std::int64_t y1 = y0 + 1; y1 <= 4; ++y1) {
            request.region = Region{y0, y1, 1, 3};
            CHECK(floats_of(load(request).buffer) == counted_part(3, *request.region));
        }
    }
}

TEST_CASE("a region of compressed images is cut out of the decoded frame") {
    const Cells cells = counted(12);
    test::DataSetWriter frame;
    for (const std::uint32_t cell : cells) {
        frame.number(cell, 2);
    }
    const test::Bytes bytes =
        test::encapsulated(image_at(0, 3, 4), "1.2.840.10008.1.2.1.98", frame.bytes());
    auto request = request_for({memory(bytes)});
    CHECK(floats_of(load(request).buffer) == Floats(cells.begin(), cells.end()));
    for (const Region region : {Region{1, 3, 0, 4}, Region{1, 2, 1, 3}, Region{0, 3, 3, 4}}) {
        request.region = region;
        CHECK(floats_of(load(request).buffer) == counted_part(4, region));
    }
}

TEST_CASE("the caller's memory has the shape of the region") {
    const test::Bytes bytes = test::image_file(image_at(0, 3, 4), counted(12));
    std::array<float, 4> values{};
    auto request = request_for({memory(bytes)});
    request.region = Region{1, 3, 1, 3};
    request.out = CallerBuffer{.bytes = std::as_writable_bytes(std::span{values}),
                               .dtype = DType::float32,
                               .shape = {1, 2, 2}};
    CHECK(load(request).buffer.bytes().empty());
    CHECK(values == std::array<float, 4>{5, 6, 9, 10});
    request.region.reset();
    CHECK_THROWS_WITH_AS(static_cast<void>(load(request)),
                         "out has shape (1, 2, 2), and the result has (1, 3, 4)",
                         std::invalid_argument);
}

TEST_CASE("picked slices alone are read, in the order asked for") {
    const std::vector<test::Bytes> files = test::stack(5);
    auto request = request_for(test::sources_of(files));
    request.slices = std::vector<std::int64_t>{-1, 2, 0};
    LoadStats stats;
    const LoadedSeries loaded = load_series(request, stats);
    CHECK(floats_of(loaded.buffer) == Floats{4, 2, 0});
    CHECK(loaded.series.slices.size() == 5);
    CHECK(loaded.plan.tasks[1].header == 2);
    CHECK(loaded.grid.affine.value()[0] == Vector3{0, 0, -6});
    CHECK(loaded.grid.affine.value()[3] == Vector3{0, 0, 12});
    CHECK(loaded.grid.spacing_mm == Vector3{6, 0.5, 0.5});
    request.slices = std::vector<std::int64_t>{5};
    CHECK_THROWS_AS(static_cast<void>(load(request)), std::out_of_range);
}

TEST_CASE("an overflow names the slice by its place in the series") {
    std::vector<test::Bytes> files = test::stack(4);
    files.push_back(test::image_file(image_at(12, 1, 1), {300}));
    auto request = request_for(test::sources_of(files));
    request.output.dtype = DType::uint8;
    request.slices = std::vector<std::int64_t>{0, 4};
    try {
        static_cast<void>(load(request));
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.message() == "The value 300 does not fit the dtype, in slice 4. Ask for a "
                                 "larger dtype, or one of floating point");
        CHECK(error.place().path == "<bytes 4>");
    }
    request.slices = SliceRange{.start = 0, .stop = 4, .step = 1};
    CHECK(load(request).plan.tasks.size() == 4);
}

TEST_CASE("the padding is a value or a range, with the sign of the pixels") {
    FileHeader header;
    CHECK_FALSE(padding_of(header));
    header.pixel_padding_value = 0xF830;
    CHECK(padding_of(header) == PaddingRange{.lowest = 63536, .highest = 63536});
    header.pixel_representation = 1;
    CHECK(padding_of(header) == PaddingRange{.lowest = -2000, .highest = -2000});
    header.pixel_padding_range_limit = 5;
    CHECK(padding_of(header) == PaddingRange{.lowest = -2000, .highest = 5});
    header.pixel_padding_value = 9;
    CHECK(padding_of(header) == PaddingRange{.lowest = 5, .highest = 9});
    header.pixel_representation.reset();
    header.pixel_padding_value.reset();
    CHECK_FALSE(padding_of(header));
}

TEST_CASE("a mask is false where the stored value is padding, before any rescale") {
    test::DataSetWriter writer = test::image_start({.rows = 2, .columns = 3, .slope = "2"});
    writer.us(tags::PixelPaddingValue, 4).us(tags::PixelPaddingRangeLimit, 2);
    writer.head(tags::PixelData, "OW", 12);
    for (std::uint32_t i = 0; i < 6; ++i) {
        writer.number(i, 2);
    }
    const test::Bytes bytes = writer.bytes();
    auto request = request_for({memory(bytes)});
    CHECK(load(request).mask.bytes().empty());
    request.mask = true;
    LoadStats stats;
    const LoadedSeries loaded = load_series(request, stats);
    CHECK(stats.allocations.load() == 2);
    CHECK(mask_of(loaded) == std::vector<int>{1, 1, 0, 0, 0, 1});
    CHECK(floats_of(loaded.buffer) == Floats{-1000, -998, -996, -994, -992, -990});
    request.region = Region{0, 2, 1, 3};
    CHECK(mask_of(load(request)) == std::vector<int>{1, 0, 0, 1});
}

TEST_CASE("a mask is compared in blocks, each with its own part of it") {
    constexpr std::size_t kCount = 5'000;
    Cells cells(kCount, 7);
    cells[1'023] = cells[1'024] = cells[4'999] = 0;
    test::DataSetWriter writer = test::image_start(image_at(0, 50, 100));
    writer.us(tags::PixelPaddingValue, 0);
    writer.head(tags::PixelData, "OW", kCount * 2);
    for (const std::uint32_t cell : cells) {
        writer.number(cell, 2);
    }
    const test::Bytes bytes = writer.bytes();
    auto request = request_for({memory(bytes)});
    request.mask = true;
    const std::vector<int> mask = mask_of(load(request));
    CHECK(std::ranges::count(mask, 0) == 3);
    CHECK(mask[1'023] + mask[1'024] + mask[4'999] == 0);
}

TEST_CASE("without padding in the file all of the mask is true") {
    const test::Bytes bytes = test::image_file(image_at(0, 2, 2), {0, 0, 1, 2});
    auto request = request_for({memory(bytes)});
    request.mask = true;
    CHECK(mask_of(load(request)) == std::vector<int>{1, 1, 1, 1});
}
