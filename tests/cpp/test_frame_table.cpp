// header/frame_table and fragments: where frames lie, from arithmetic, the basic and the extended
// offset table, or the number of fragments.
#include "data_set_writer.hpp"
#include "header/file_header.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace torchdicom;
using test::bytes_of;
using test::code_of;
using test::DataSetWriter;
using test::Image;
using Numbers = std::vector<std::uint64_t>;

namespace {

FileHeader header_of(const DataSetWriter& file) {
    LoadStats stats;
    return read_header(Source{.path = "a.dcm", .bytes = file.bytes()}, {}, stats);
}

/// The code of the error that the header throws; path and element are those of the pixel data.
std::optional<ErrorCode> error_of(const DataSetWriter& file,
                                  const std::string& element = "(7FE0,0010) PixelData") {
    try {
        static_cast<void>(header_of(file));
    } catch (const Error& error) {
        CHECK(error.place().path == "a.dcm");
        CHECK(error.place().element == element);
        return error.code();
    }
    return std::nullopt;
}

/// An RLE file up to its pixel data; nothing here looks into the fragments.
Image encapsulated(const std::string& frames) {
    return {.frames = frames, .transfer_syntax = "1.2.840.10008.1.2.5"};
}

DataSetWriter& add_table(DataSetWriter& file, const Numbers& offsets) {
    file.head(tags::PixelData, "OB", DataSetWriter::kUndefined);
    file.item(static_cast<std::uint32_t>(offsets.size() * 4));
    for (const std::uint64_t offset : offsets) {
        file.number(offset, 4);
    }
    return file;
}

/// Fragments of 2, 4 and 6 bytes: items start at 0, 10 and 22.
DataSetWriter three_fragments(const std::string& frames, const Numbers& offsets) {
    DataSetWriter file = test::image_start(encapsulated(frames));
    return add_table(file, offsets)
        .item(test::Bytes(2))
        .item(test::Bytes(4))
        .item(test::Bytes(6))
        .end_sequence();
}

/// The same with an extended offset table.
DataSetWriter extended(const std::string& frames, const Numbers& offsets, const Numbers& lengths) {
    DataSetWriter file = test::image_start(encapsulated(frames));
    for (const auto& [tag, values] : {std::pair{tags::ExtendedOffsetTable, &offsets},
                                      {tags::ExtendedOffsetTableLengths, &lengths}}) {
        file.head(tag, "OV", static_cast<std::uint32_t>(values->size() * 8));
        for (const std::uint64_t value : *values) {
            file.number(value, 8);
        }
    }
    return add_table(file, {})
        .item(test::Bytes(2))
        .item(test::Bytes(4))
        .item(test::Bytes(6))
        .end_sequence();
}

/// The lengths of each frame's ranges, so that "2 4|6" is two fragments and then one.
std::string lengths_of(const FileHeader& header) {
    std::string text;
    for (std::size_t frame = 0; frame < header.frames.size(); ++frame) {
        text.append(frame == 0 ? "" : "|");
        std::string_view joint;
        for (const ByteRange& range : header.frames.ranges(frame)) {
            text.append(joint).append(std::to_string(range.length));
            joint = " ";
        }
    }
    return text;
}

std::string lengths_of(const DataSetWriter& file) { return lengths_of(header_of(file)); }

DataSetWriter native(const Image& image, std::size_t bytes) {
    DataSetWriter file = test::image_start(image);
    return file.element(tags::PixelData, "OW", test::Bytes(bytes));
}

} // namespace

TEST_CASE("native frames lie one behind the other; more bytes than needed are left alone") {
    const DataSetWriter file = native({.frames = "3"}, 38);
    const FileHeader header = header_of(file);
    const std::uint64_t start = file.size() - 38;
    REQUIRE(header.frames.size() == 3);
    CHECK(header.frames.ranges(0)[0] == ByteRange{start, 12});
    CHECK(header.frames.ranges(2)[0] == ByteRange{start + 24, 12});
    CHECK(header.frames.bytes(1) == 12);
}

TEST_CASE("native pixel data that is short is truncated, or has another number of frames") {
    CHECK(error_of(native({}, 11)) == ErrorCode::truncated_pixels);
    CHECK(error_of(native({}, 0)) == ErrorCode::truncated_pixels);
    CHECK(error_of(native({.frames = "3"}, 24)) == ErrorCode::frame_count_mismatch);
    CHECK(error_of(native({.frames = "3"}, 25)) == ErrorCode::truncated_pixels);
    CHECK(error_of(native({.frames = "3"}, 6)) == ErrorCode::truncated_pixels);
    DataSetWriter cut = test::image_start({});
    cut.head(tags::PixelData, "OW", 12).raw(test::Bytes(10));
    CHECK(error_of(cut) == ErrorCode::truncated_pixels);
}

TEST_CASE("attributes that frames need are checked before their number is trusted") {
    const std::string frames = "(0028,0008) NumberOfFrames";
    CHECK(error_of(native({.frames = "0"}, 12), frames) == ErrorCode::invalid_value);
    CHECK(error_of(native({.frames = "-1"}, 12), frames) == ErrorCode::invalid_value);
    CHECK(error_of(native({.frames = "1000001"}, 12), frames) == ErrorCode::limit_frames);
    CHECK(error_of(native({.frames = "1000000"}, 12)) == ErrorCode::frame_count_mismatch);
    const std::string rows = "(0028,0010) Rows";
    const std::string columns = "(0028,0011) Columns";
    CHECK(error_of(native({.rows = 0}, 12), rows) == ErrorCode::invalid_value);
    CHECK(error_of(native({.columns = 0}, 12), columns) == ErrorCode::invalid_value);
    CHECK(error_of(native({.rows = 32'769}, 12), rows) == ErrorCode::limit_rows);
    CHECK(error_of(native({.columns = 65'535}, 12), columns) == ErrorCode::limit_columns);
    CHECK(error_of(native({.rows = 32'768}, 12)) == ErrorCode::truncated_pixels);
    DataSetWriter bare = test::file_start("1.2.840.10008.1.2.1");
    bare.us(tags::Rows, 2).us(tags::Columns, 3).element(tags::PixelData, "OW", test::Bytes(12));
    CHECK(error_of(bare, "(0028,0100) BitsAllocated") == ErrorCode::missing_element);
}

TEST_CASE("without an offset table one frame takes all fragments, or each takes one") {
    CHECK(lengths_of(three_fragments("", {})) == "2 4 6");
    CHECK(lengths_of(three_fragments("1", {})) == "2 4 6");
    CHECK(lengths_of(three_fragments("3", {})) == "2|4|6");
    CHECK(error_of(three_fragments("2", {})) == ErrorCode::frame_count_mismatch);
    CHECK(error_of(three_fragments("4", {})) == ErrorCode::frame_count_mismatch);
    DataSetWriter file = test::image_start(encapsulated("1"));
    CHECK(error_of(add_table(file, {}).end_sequence()) == ErrorCode::frame_count_mismatch);
}

TEST_CASE("without an offset table, frames of JPEG and JPEG 2000 end at their markers") {
    const auto file = [](const std::string& frames, const std::string& syntax) {
        DataSetWriter writer =
            test::image_start({.frames = frames, .transfer_syntax = "1.2.840.10008.1.2." + syntax});
        return add_table(writer, {})
            .item(test::Bytes(2))
            .item(bytes_of({1, 0xFF, 0xD9, 0}))
            .item(bytes_of({1, 2, 3, 4, 0xFF, 0xD9}))
            .item(test::Bytes(8))
            .end_sequence();
    };
    for (const std::string syntax : {"4.50", "4.70", "4.80", "4.90"}) {
        CHECK(lengths_of(file("3", syntax)) == "2 4|6|8");
        CHECK(lengths_of(file("1", syntax)) == "2 4 6 8");
        CHECK(lengths_of(file("4", syntax)) == "2|4|6|8");
        CHECK(error_of(file("2", syntax)) == ErrorCode::frame_count_mismatch);
        CHECK(error_of(file("5", syntax)) == ErrorCode::frame_count_mismatch);
    }
    CHECK(error_of(file("3", "5")) == ErrorCode::frame_count_mismatch); // RLE has no marker
}

TEST_CASE("the ranges are those of the fragments' contents") {
    const DataSetWriter file = three_fragments("2", {0, 22});
    const FileHeader header = header_of(file);
    const std::uint64_t first = file.size() - 8 - 36; // delimiter; three items of 8 + 2, 4, 6
    REQUIRE(header.frames.size() == 2);
    REQUIRE(header.frames.ranges(0).size() == 2);
    CHECK(header.frames.ranges(0)[0] == ByteRange{first + 8, 2});
    CHECK(header.frames.ranges(0)[1] == ByteRange{first + 18, 4});
    CHECK(header.frames.ranges(1)[0] == ByteRange{first + 30, 6});
    CHECK(header.frames.bytes(0) == 6);
}

TEST_CASE("a basic offset table says which fragments make a frame") {
    CHECK(lengths_of(three_fragments("1", {0})) == "2 4 6");
    CHECK(lengths_of(three_fragments("2", {0, 10})) == "2|4 6");
    CHECK(lengths_of(three_fragments("2", {0, 22})) == "2 4|6");
    CHECK(lengths_of(three_fragments("3", {0, 10, 22})) == "2|4|6");
}

TEST_CASE("a basic offset table that does not fit the fragments is an error") {
    for (const Numbers& offsets :
         {Numbers{0}, {0, 10, 22}, {10, 22}, {0, 11}, {0, 0}, {22, 0}, {0, 34}, {0, 0xFFFF'FFFF}}) {
        CAPTURE(offsets.size());
        CHECK(error_of(three_fragments("2", offsets)) == ErrorCode::invalid_offset_table);
    }
}

TEST_CASE("an extended offset table has a fragment for each frame, without its padding") {
    CHECK(lengths_of(extended("3", {0, 10, 22}, {1, 4, 5})) == "1|4|5");
    CHECK(error_of(extended("3", {0, 10, 22}, {2, 4, 7})) == ErrorCode::invalid_offset_table);
    CHECK(error_of(extended("3", {0, 10, 22}, {2, 4})) == ErrorCode::invalid_offset_table);
    CHECK(error_of(extended("3", {0, 10}, {2, 4, 6})) == ErrorCode::invalid_offset_table);
    CHECK(error_of(extended("3", {0, 22, 10}, {2, 4, 6})) == ErrorCode::invalid_offset_table);
    CHECK(error_of(extended("2", {0, 22}, {2, 6})) == ErrorCode::invalid_offset_table);
    CHECK(error_of(extended("3", {0, 10, 22}, {})) == ErrorCode::invalid_offset_table);
    constexpr std::uint64_t kLargest = ~std::uint64_t{0};
    CHECK(error_of(extended("3", {0, 10, kLargest}, {2, 4, 6})) == ErrorCode::invalid_offset_table);
    CHECK(error_of(extended("3", {0, 10, 22}, {2, 4, kLargest})) ==
          ErrorCode::invalid_offset_table);
}

TEST_CASE("fragments that are damaged or cut off are errors at their item") {
    const DataSetWriter start = test::image_start(encapsulated("1"));
    const auto table = [&start] {
        DataSetWriter file = start;
        add_table(file, {});
        return file;
    };
    CHECK(error_of(DataSetWriter{start}.head(tags::PixelData, "OB", DataSetWriter::kUndefined)) ==
          ErrorCode::invalid_fragments);
    CHECK(error_of(table().item(4).raw(test::Bytes(3))) == ErrorCode::truncated_pixels);
    CHECK(error_of(table().item(test::Bytes(2)).raw(test::Bytes(7))) ==
          ErrorCode::truncated_pixels);
    CHECK(error_of(table().item(test::Bytes(2)).end_item()) == ErrorCode::invalid_fragments);
    CHECK(error_of(table().item(DataSetWriter::kUndefined)) == ErrorCode::invalid_fragments);
    CHECK(error_of(table().us(tags::Rows, 1)) == ErrorCode::invalid_fragments);
    // A missing delimiter loses nothing.
    CHECK(lengths_of(table().item(test::Bytes(2))) == "2");
}

TEST_CASE("fragments go with an encapsulated transfer syntax, and with no other") {
    DataSetWriter defined = test::image_start(encapsulated(""));
    CHECK(error_of(defined.element(tags::PixelData, "OB", test::Bytes(12))) ==
          ErrorCode::invalid_fragments);
    DataSetWriter undefined = test::image_start({});
    CHECK(error_of(add_table(undefined, {}).item(test::Bytes(12)).end_sequence()) ==
          ErrorCode::invalid_fragments);
    // What has no decoder is not looked into, and no pixel data has no frames.
    DataSetWriter unknown = test::image_start({.transfer_syntax = "1.2.3"});
    CHECK(header_of(unknown.element(tags::PixelData, "OB", {})).frames.size() == 0);
    CHECK(header_of(test::image_start({})).frames.size() == 0);
}
