// header/: elements in every syntax, damaged ones, bytes that are read once, deflated data sets.
#include "data_set_writer.hpp"
#include "header/byte_window.hpp"
#include "header/element_reader.hpp"
#include "header/file_header.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <thread>
#include <vector>

using namespace torchdicom;
using test::bytes_of;
using test::code_of;
using test::DataSetWriter;

namespace {

constexpr ElementSyntax kExplicit{};
constexpr ElementSyntax kImplicit{.order = std::endian::little, .is_explicit = false};
constexpr ElementSyntax kBig{.order = std::endian::big, .is_explicit = true};

/// The tags at the top level, every value passed over.
std::vector<Tag> walk(ByteSpan bytes, ElementSyntax syntax = kExplicit) {
    ByteWindow window{bytes};
    ElementReader reader{window, syntax, 0};
    std::vector<Tag> found;
    while (!reader.at_end()) {
        const Element element = reader.next();
        found.push_back(element.tag);
        reader.skip(element);
    }
    return found;
}

/// The code and offset of the error that walking throws, "" where it throws none.
std::string error_of(ByteSpan bytes, ElementSyntax syntax = kExplicit) {
    try {
        static_cast<void>(walk(bytes, syntax));
    } catch (const Error& error) {
        return std::string{code_name(error.code())} + " " +
               std::to_string(error.place().offset.value_or(999));
    }
    return "";
}

DataSetWriter nested(std::size_t depth) {
    DataSetWriter writer;
    for (std::size_t i = 0; i < depth; ++i) {
        writer.sequence(0x0040'A730).item();
    }
    for (std::size_t i = 0; i < depth; ++i) {
        writer.end_item().end_sequence();
    }
    return writer;
}

} // namespace

TEST_CASE("elements read the same in implicit, explicit and big endian syntax") {
    for (const ElementSyntax syntax : {kExplicit, kImplicit, kBig}) {
        const auto bytes = DataSetWriter{syntax}
                               .us(tags::Rows, 0x1234)
                               .element(0x7FE0'0010, "OW", bytes_of({1, 2, 3, 4}))
                               .bytes();
        ByteWindow window{bytes};
        ElementReader reader{window, syntax, 0};
        const Element rows = reader.next();
        CHECK(rows.tag == 0x0028'0010);
        CHECK(rows.offset == 0);
        CHECK(rows.value_offset == 8);
        CHECK(load_number<std::uint16_t>(reader.value(rows), 0, syntax.order) == 0x1234);
        const Element pixels = reader.next();
        CHECK(pixels.tag == 0x7FE0'0010);
        CHECK(pixels.offset == 10);
        CHECK(pixels.length == 4);
        CHECK(pixels.value_offset == (syntax.is_explicit ? 22 : 18));
        CHECK(pixels.vr == (syntax.is_explicit ? std::array{'O', 'W'} : std::array{'\0', '\0'}));
        reader.skip(pixels);
        CHECK(reader.at_end());
    }
}

TEST_CASE("sequences of undefined length are passed over, items and all") {
    for (const ElementSyntax syntax : {kExplicit, kImplicit, kBig}) {
        DataSetWriter writer{syntax};
        writer.sequence(0x0008'1140).item().us(0x0008'0001, 1).sequence(0x0008'1199).end_sequence();
        writer.end_item().item(bytes_of({1, 2, 3, 4})).item(0).end_sequence().us(tags::Rows, 5);
        CHECK(walk(writer.bytes(), syntax) == std::vector<Tag>{0x0008'1140, 0x0028'0010});
    }
}

TEST_CASE("a sequence of VR UN is in implicit little endian, whatever is around it") {
    for (const ElementSyntax syntax : {kExplicit, kBig}) {
        DataSetWriter writer{syntax};
        writer.sequence(0x0009'1001, "UN").switch_to(kImplicit).item().us(0x0008'0001, 1);
        writer.sequence(0x0009'1002).item().end_item().end_sequence().end_item().end_sequence();
        writer.switch_to(syntax).us(tags::Rows, 5);
        CHECK(walk(writer.bytes(), syntax) == std::vector<Tag>{0x0009'1001, 0x0028'0010});
    }
}

TEST_CASE("sequences nest 32 deep and no deeper") {
    CHECK(walk(nested(32).bytes()) == std::vector<Tag>{0x0040'A730});
    CHECK(error_of(nested(33).bytes()) == "limit_sequence_depth 640"); // 32 heads of 12 + 8 bytes
}

TEST_CASE("damaged elements are errors at their offset") {
    const auto us = DataSetWriter{}.us(tags::Rows, 5);
    CHECK(error_of(ByteSpan{us.bytes()}.first(7)) == "truncated_header 0");
    CHECK(error_of(ByteSpan{us.bytes()}.first(9)) == "length_exceeds_file 0");
    CHECK(error_of(DataSetWriter{us}.head(0x0028'0011, "XX", 0).bytes()) == "invalid_vr 10");
    CHECK(error_of(DataSetWriter{us}.head(0x0029'0011, "OB", 3).number(0, 2).bytes()) ==
          "length_exceeds_file 10");
    const auto long_head = DataSetWriter{us}.head(0x0029'0011, "OB", 0);
    CHECK(error_of(ByteSpan{long_head.bytes()}.first(20)) == "truncated_header 10");
    CHECK(error_of(DataSetWriter{}.sequence(0x0008'1140).us(tags::Rows, 1).bytes()) ==
          "invalid_sequence 12");
    CHECK(error_of(DataSetWriter{}.sequence(0x0008'1140).item().end_sequence().bytes()) ==
          "invalid_sequence 20");
    CHECK(error_of(DataSetWriter{}.sequence(0x0008'1140).item(9).bytes()) ==
          "length_exceeds_file 12");
    CHECK(error_of(DataSetWriter{}.sequence(0x0008'1140).bytes()) == "truncated_header 12");
    // Pixel data that is cut off is judged where the frames are known; inside a sequence the next
    // element is missing.
    CHECK(error_of(DataSetWriter{}.head(tags::PixelData, "OW", 9).bytes()) == "");
    CHECK(error_of(DataSetWriter{}
                       .sequence(0x0088'0200)
                       .item()
                       .head(tags::PixelData, "OW", 0xFFFF'FFFE)
                       .bytes()) == "truncated_header 4294967326");
}

TEST_CASE("a value that is read may not be longer than the limit") {
    const auto bytes = DataSetWriter{}.head(0x0008'103E, "UT", 65'537).raw(test::Bytes(65'537));
    ByteWindow window{bytes.bytes()};
    ElementReader reader{window, kExplicit, 0};
    const Element element = reader.next();
    CHECK(code_of([&] { static_cast<void>(reader.value(element)); }) ==
          ErrorCode::limit_element_length);
    CHECK(reader.value(element, 65'537).size() == 65'537);
    CHECK(reader.at_end());
}

namespace {

void read_with_window(const File& file, const LoadStats& stats) {
    ByteWindow window{file};
    CHECK(window.size() == 70'000);
    CHECK(window.at(0, 8)[7] == std::byte{7});
    CHECK(stats.bytes_read.load() == 16'384);
    CHECK(window.at(16'376, 8)[7] == std::byte{16'383 % 251});
    CHECK(stats.bytes_read.load() == 16'384);
    const ByteSpan across = window.at(16'380, 20'000); // four bytes of it are there
    CHECK(across[0] == std::byte{16'380 % 251});
    CHECK(across[19'999] == std::byte{36'379 % 251});
    CHECK(stats.bytes_read.load() == 36'380);
    CHECK(window.peek(36'376, 8)[7] == std::byte{36'383 % 251}); // four are there, four are not
    CHECK(stats.bytes_read.load() == 36'384);
    CHECK(window.peek(60'000, 16)[15] == std::byte{60'015 % 251});
    CHECK(stats.bytes_read.load() == 36'400);
    CHECK(window.at(69'990, 10)[9] == std::byte{69'999 % 251});
    CHECK(stats.bytes_read.load() == 36'410);
    CHECK(code_of([&] { static_cast<void>(window.at(69'990, 11)); }) ==
          ErrorCode::truncated_header);
    CHECK(code_of([&] { static_cast<void>(window.peek(69'999, 2)); }) ==
          ErrorCode::truncated_header);
    const FetchedBytes taken = window.take();
    CHECK(taken.offset == 69'990);
    CHECK(taken.part(69'995, 100).size() == 5);
    CHECK(taken.part(69'989, 1).empty());
    CHECK(taken.part(70'000, 1).empty());
}

} // namespace

TEST_CASE("a window over a file grows past 16 KiB and reads no byte twice") {
    const test::TemporaryFolder folder;
    test::Bytes bytes(70'000);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>(i % 251);
    }
    LoadStats stats;
    const File file{folder.write("a", bytes), stats};
    // A thread reads as far ahead as its last file needed: this one has had none.
    std::jthread{[&] { read_with_window(file, stats); }}.join();
}

TEST_CASE("a deflated data set inflates within its limit, or is an error at its offset") {
    // RFC 1951 by hand: one stored block of 5 bytes; 2000 zeros with fixed codes.
    const auto stored = bytes_of({1, 5, 0, 0xFA, 0xFF, 10, 20, 30, 40, 50});
    const auto zeros = bytes_of({0x63, 0x60, 0x18, 0x05, 0xA3, 0x60, 0x14, 0x8C, 0x82, 0x51, 0x30,
                                 0x0A, 0x46, 0xC1, 0x50, 0x07, 0x00});
    CHECK(std::ranges::equal(inflate_data_set(stored, 0), bytes_of({10, 20, 30, 40, 50})));
    CHECK(std::ranges::equal(inflate_data_set(zeros, 0), test::Bytes(2000)));
    CHECK(inflate_data_set(zeros, 0, 2000).size() == 2000);
    const auto error = [](ByteSpan deflated, std::uint64_t limit) {
        try {
            static_cast<void>(inflate_data_set(deflated, 77, limit));
        } catch (const Error& thrown) {
            CHECK(thrown.place().offset == 77);
            return code_name(thrown.code());
        }
        return std::string_view{};
    };
    CHECK(error(zeros, 1999) == "limit_ratio");
    CHECK(error(stored, 4) == "limit_ratio");
    CHECK(error(bytes_of({7, 1, 2, 3}), 100) == "invalid_deflate"); // no such type of block
    CHECK(error(ByteSpan{stored}.first(9), 100) == "invalid_deflate");
    CHECK(error({}, 100) == "invalid_deflate");
}

TEST_CASE("what tells a series' time, padding and spacing at the detector is kept") {
    const auto header_of = [](const DataSetWriter& writer) {
        LoadStats stats;
        return read_header({.path = "<bytes>", .bytes = writer.bytes()}, {}, stats);
    };
    for (const ElementSyntax syntax : {kExplicit, kImplicit, kBig}) {
        const auto uid = syntax.order == std::endian::big ? "1.2.840.10008.1.2.2"
                         : syntax.is_explicit             ? "1.2.840.10008.1.2.1"
                                                          : "1.2.840.10008.1.2";
        DataSetWriter writer = test::file_start(uid);
        writer.switch_to(syntax).text(tags::FrameTime, "DS", "33.3");
        writer.text(tags::FrameTimeVector, "DS", "0\\ 40 \\41.5\\1e1");
        writer.text(tags::ImagerPixelSpacing, "DS", "0.1\\0.2");
        writer.us(tags::PixelPaddingValue, 0xF830).us(tags::PixelPaddingRangeLimit, 7);
        const FileHeader header = header_of(writer);
        CHECK(header.frame_time == 33.3);
        CHECK(header.frame_time_vector == std::vector<double>{0, 40, 41.5, 10});
        CHECK(header.imager_pixel_spacing == std::array{0.1, 0.2});
        CHECK(header.pixel_padding_value == 0xF830U);
        CHECK(header.pixel_padding_range_limit == 7U);
    }
    const FileHeader none = header_of(test::file_start("1.2.840.10008.1.2.1")
                                          .text(tags::FrameTime, "DS", "")
                                          .text(tags::FrameTimeVector, "DS", " ")
                                          .head(tags::PixelPaddingValue, "US", 0));
    CHECK(!none.frame_time);
    CHECK(none.frame_time_vector.empty());
    CHECK(!none.imager_pixel_spacing);
    CHECK(!none.pixel_padding_value);

    const auto code = [&](Tag tag, const std::string& value) {
        DataSetWriter writer = test::file_start("1.2.840.10008.1.2.1");
        writer.text(tag, "DS", value);
        return code_of([&] { static_cast<void>(header_of(writer)); });
    };
    CHECK(code(tags::FrameTime, "33,3") == ErrorCode::invalid_decimal_string);
    CHECK(code(tags::FrameTime, "1\\2") == ErrorCode::invalid_multiplicity);
    CHECK(code(tags::FrameTimeVector, "1\\\\2") == ErrorCode::invalid_decimal_string);
    CHECK(code(tags::FrameTimeVector, "1\\x") == ErrorCode::invalid_decimal_string);
    CHECK(code(tags::ImagerPixelSpacing, "0.1") == ErrorCode::invalid_multiplicity);
}

TEST_CASE("a time for each of many frames is read, however long that is") {
    std::string times = "0";
    for (int i = 1; i < 50'000; ++i) {
        times += "\\40";
    }
    DataSetWriter writer = test::file_start("1.2.840.10008.1.2");
    writer.switch_to(kImplicit).text(tags::FrameTimeVector, "DS", times);
    LoadStats stats;
    const FileHeader header = read_header({.path = "x", .bytes = writer.bytes()}, {}, stats);
    REQUIRE(header.frame_time_vector.size() == 50'000);
    CHECK(header.frame_time_vector.back() == 40);
}
