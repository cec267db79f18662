// header/tables: palettes, segments, modality lookup tables and real-world maps, in every syntax;
// malformed ones are errors for who uses them.
#include "data_set_writer.hpp"
#include "header/divide.hpp"
#include "header/tables.hpp"
#include "pipeline/read_files.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <functional>
#include <string>
#include <vector>

using namespace torchdicom;
using test::bytes_of;
using test::code_of;
using test::DataSetWriter;
using Values = std::vector<std::uint16_t>;

namespace {

constexpr ElementSyntax kExplicit{};
constexpr ElementSyntax kImplicit{.order = std::endian::little, .is_explicit = false};
constexpr ElementSyntax kBig{.order = std::endian::big, .is_explicit = true};

const std::vector<std::pair<std::string, ElementSyntax>> kSyntaxes{
    {"1.2.840.10008.1.2.1", kExplicit},
    {"1.2.840.10008.1.2", kImplicit},
    {"1.2.840.10008.1.2.2", kBig},
};

DataSetWriter& words(DataSetWriter& writer, Tag tag, std::string_view vr, const Values& values) {
    writer.head(tag, vr, static_cast<std::uint32_t>(values.size() * 2));
    for (const std::uint16_t value : values) {
        writer.number(value, 2);
    }
    return writer;
}

DataSetWriter& doubles(DataSetWriter& writer, Tag tag, const std::vector<double>& values) {
    writer.head(tag, "FD", static_cast<std::uint32_t>(values.size() * 8));
    for (const double value : values) {
        writer.number(std::bit_cast<std::uint64_t>(value), 8);
    }
    return writer;
}

FileHeader header_of(const DataSetWriter& writer, bool skip_tables = false) {
    LoadStats stats;
    return read_header({.path = "a.dcm", .bytes = writer.bytes()},
                       {.texts = {}, .skip_tables = skip_tables}, stats);
}

struct PaletteData {
    Values descriptor{4, 0, 16};
    std::string descriptor_vr = "US";
    std::array<Values, 3> data{};
    std::string vr = "OW";
    bool is_segmented = false;
    bool is_signed = false;
    std::string photometric = "PALETTE COLOR";
};

DataSetWriter palette_file(const PaletteData& palette, std::size_t syntax = 0) {
    const auto& [uid, written] = kSyntaxes[syntax];
    DataSetWriter writer = test::file_start(uid);
    writer.switch_to(written).text(tags::PhotometricInterpretation, "CS", palette.photometric);
    writer.us(tags::PixelRepresentation, palette.is_signed ? 1 : 0);
    for (Tag i = 0; i < 3; ++i) {
        words(writer, tags::RedPaletteColorLookupTableDescriptor + i, palette.descriptor_vr,
              palette.descriptor);
    }
    const Tag first = palette.is_segmented ? tags::SegmentedRedPaletteColorLookupTableData
                                           : tags::RedPaletteColorLookupTableData;
    for (Tag i = 0; i < 3; ++i) {
        words(writer, first + i, palette.vr, palette.data[i]);
    }
    return writer;
}

/// The red channel of a palette that has the same data in all.
LookupTable table(Values descriptor, const Values& data, bool is_segmented = false,
                  std::size_t syntax = 0) {
    return palette_of(header_of(palette_file({.descriptor = std::move(descriptor),
                                              .data = {data, data, data},
                                              .is_segmented = is_segmented},
                                             syntax)))
        .red;
}

/// Code and element of what using a table throws; the header itself is read.
std::string error_of(const DataSetWriter& file, const std::function<void(const FileHeader&)>& use) {
    const FileHeader header = header_of(file);
    try {
        use(header);
    } catch (const Error& error) {
        CHECK(error.place().path == "a.dcm");
        const std::string& element = error.place().element;
        return std::string{code_name(error.code())} + " " + element.substr(element.find(' ') + 1);
    }
    return "";
}

std::string palette_error(const PaletteData& palette) {
    return error_of(palette_file(palette),
                    [](const FileHeader& header) { static_cast<void>(palette_of(header)); });
}

std::string segment_error(const Values& descriptor, const Values& data) {
    return palette_error(
        {.descriptor = descriptor, .data = {data, data, data}, .is_segmented = true});
}

std::string maps_error(const DataSetWriter& file) {
    return error_of(
        file, [](const FileHeader& header) { static_cast<void>(real_world_maps_of(header)); });
}

std::string lut_error(const DataSetWriter& file) {
    return error_of(file,
                    [](const FileHeader& header) { static_cast<void>(modality_lut_of(header)); });
}

} // namespace

TEST_CASE("a palette is read in every syntax, signed where the pixels are") {
    for (std::size_t syntax = 0; syntax < kSyntaxes.size(); ++syntax) {
        for (const std::string vr : {"US", "SS", "OW"}) {
            const Palette palette = palette_of(header_of(
                palette_file({.descriptor = {4, 0xFFFE, 16},
                              .descriptor_vr = vr == "OW" ? "US" : vr,
                              .data = {Values{1, 256, 0xFFFF, 9}, {0, 0, 0, 0}, {7, 7, 7, 7}},
                              .vr = vr,
                              .is_signed = true},
                             syntax)));
            CHECK(palette.red.first == -2);
            CHECK(palette.red.bits == 16);
            CHECK(palette.red.values == Values{1, 256, 0xFFFF, 9});
            CHECK(palette.green.values == Values{0, 0, 0, 0});
            CHECK(palette.blue.values == Values{7, 7, 7, 7});
        }
    }
    CHECK(table({1, 0xFFFE, 16}, {5}).first == 65'534);
}

TEST_CASE("a descriptor of no entries means 65,536") {
    Values all(65'536);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = static_cast<std::uint16_t>(65'535 - i);
    }
    CHECK(table({0, 0, 16}, all).values == all);
}

TEST_CASE("entries of 8 bits stand in words or two to a word") {
    CHECK(table({4, 0, 8}, {0x0201, 0x0403}).values == Values{1, 2, 3, 4});
    CHECK(table({4, 0, 8}, {0x0201, 0x0403}).bits == 8);
    CHECK(table({3, 0, 8}, {0x0201, 0x0003}).values == Values{1, 2, 3});
    CHECK(table({4, 0, 8}, {1, 2, 3, 0xFF}).values == Values{1, 2, 3, 0xFF});
    CHECK(table({4, 0, 8}, {1, 2, 3, 0xFF}).bits == 8);
    // The first of two is in the low byte, which is the second in big endian.
    CHECK(table({4, 0, 8}, {0x0201, 0x0403}, false, 2).values == Values{1, 2, 3, 4});
    // What the data shows goes before what the descriptor says.
    CHECK(table({4, 0, 8}, {1, 2, 3, 0x100}).bits == 16);
    CHECK(table({4, 0, 16}, {0x0201, 0x0403}).values == Values{1, 2, 3, 4});
    CHECK(table({4, 0, 16}, {0x0201, 0x0403}).bits == 8);
    CHECK(table({2, 0, 16}, {5, 6, 7}).values == Values{5, 6}); // more than it needs
}

TEST_CASE("segments: values, lines and references (PS3.3 C.7.9.2)") {
    // Three values; a line to 10 over four; a line down to 0 over four, whose halves go to even.
    CHECK(table({11, 0, 16}, {0, 3, 4, 5, 6, 1, 4, 10, 1, 4, 0}, true).values ==
          Values{4, 5, 6, 7, 8, 9, 10, 8, 5, 2, 0});
    // 7.5 and 2.5 of the line above; 0.5 and 1.5 here.
    CHECK(table({5, 0, 16}, {0, 1, 0, 1, 4, 2}, true).values == Values{0, 0, 1, 2, 2});
    CHECK(table({4, 0, 16}, {0, 1, 9, 1, 3, 9}, true).values == Values{9, 9, 9, 9});
    CHECK(table({3, 0, 16}, {0, 1, 0, 1, 2, 65'535}, true).values == Values{0, 32'768, 65'535});
    // Two segments again, from byte 6 on: a line from the last value, and two values.
    const Values copied{0, 1, 8, 1, 2, 4, 0, 2, 1, 2, 2, 2, 6, 0};
    CHECK(table({9, 0, 16}, copied, true).values == Values{8, 6, 4, 1, 2, 3, 4, 1, 2});
    for (const std::size_t syntax : {std::size_t{0}, std::size_t{2}}) {
        // Bytes: 0 2 5 6 | 2 1 (offset 0 in four bytes) | 1 2 10.
        CHECK(
            table({6, 0, 8}, {0x0200, 0x0605, 0x0102, 0, 0, 0x0201, 0x000A}, true, syntax).values ==
            Values{5, 6, 5, 6, 8, 10});
    }
}

TEST_CASE("segments that lead outside of the data, or of the table, are errors") {
    const std::string error = "invalid_value SegmentedRedPaletteColorLookupTableData";
    CHECK(segment_error({4, 0, 16}, {0, 4, 1, 2, 3}) == error);          // ends in a segment
    CHECK(segment_error({4, 0, 16}, {0, 3, 1, 2, 3}) == error);          // ends before 4
    CHECK(segment_error({4, 0, 16}, {0, 5, 1, 2, 3, 4, 5}) == error);    // has more than 4
    CHECK(segment_error({4, 0, 16}, {1, 4, 9}) == error);                // a line from nothing
    CHECK(segment_error({4, 0, 16}, {3, 1, 9}) == error);                // no such kind
    CHECK(segment_error({4, 0, 16}, {0, 0, 0, 4, 1, 2, 3, 4}) == error); // of no length
    CHECK(segment_error({4, 0, 16}, {0, 1, 1, 2, 1, 0xFFFF, 0xFFFF}) == error);
    CHECK(segment_error({4, 0, 16}, {0, 1, 1, 2, 1, 6, 0, 0}) == error); // refers to itself
    CHECK(segment_error({4, 0, 16}, {0, 1, 1, 2}) == error);
    CHECK(segment_error({4, 0, 16}, {}) == error);
}

TEST_CASE("a palette that is malformed is an error when it is used") {
    const std::array<Values, 3> four{Values{1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}};
    CHECK(palette_error({.data = four}).empty());
    CHECK(palette_error({}) == "missing_element RedPaletteColorLookupTableData");
    CHECK(palette_error({.descriptor = {}, .data = four}) ==
          "missing_element RedPaletteColorLookupTableDescriptor");
    CHECK(palette_error({.descriptor = {4, 0}, .data = four}) ==
          "invalid_multiplicity RedPaletteColorLookupTableDescriptor");
    CHECK(palette_error({.descriptor = {4, 0, 12}, .data = four}) ==
          "invalid_value RedPaletteColorLookupTableDescriptor");
    CHECK(palette_error({.descriptor = {9, 0, 16}, .data = four}) ==
          "invalid_value RedPaletteColorLookupTableData");
    CHECK(palette_error({.data = {four[0], four[0], Values{1}}}) ==
          "invalid_value BluePaletteColorLookupTableData");
    const auto error = [](DataSetWriter& file) {
        return error_of(file,
                        [](const FileHeader& header) { static_cast<void>(palette_of(header)); });
    };
    DataSetWriter none = test::file_start(kSyntaxes[0].first);
    none.text(tags::PhotometricInterpretation, "CS", "PALETTE COLOR");
    CHECK(error(none) == "missing_element RedPaletteColorLookupTableDescriptor");
    words(none, tags::RedPaletteColorLookupTableDescriptor, "US", {1, 0, 16});
    CHECK(error(none) == "missing_element RedPaletteColorLookupTableData");
    words(none, tags::RedPaletteColorLookupTableData, "OW", {1});
    CHECK(error(none) == "missing_element GreenPaletteColorLookupTableDescriptor");
    none.element(tags::GreenPaletteColorLookupTableData, "OW", test::Bytes(300'000));
    CHECK(error(none) == "limit_element_length GreenPaletteColorLookupTableData");
}

TEST_CASE("the palette of a gray image is for display, and not read") {
    const FileHeader header =
        header_of(palette_file({.descriptor = {9, 9}, .photometric = "MONOCHROME2"}));
    CHECK(!header.palette);
    CHECK(header.table_faults.empty());
}

TEST_CASE("a modality lookup table is that of the first item, whose lengths are known or not") {
    for (std::size_t syntax = 0; syntax < kSyntaxes.size(); ++syntax) {
        const auto& [uid, written] = kSyntaxes[syntax];
        const auto item = [&written = written](const Values& descriptor, const Values& data) {
            DataSetWriter inner{written};
            words(inner, tags::LUTDescriptor, "SS", descriptor);
            inner.text(tags::ModalityLUTType, "LO", "HU");
            words(inner, tags::LUTData, "US", data);
            return inner.bytes();
        };
        DataSetWriter writer = test::file_start(uid);
        writer.switch_to(written).us(tags::PixelRepresentation, 1);
        const test::Bytes first = item({3, 0xFFFF, 16}, {10, 20, 40'000});
        SUBCASE("undefined") {
            writer.sequence(tags::ModalityLUTSequence).item().raw(first).end_item();
            writer.item().raw(item({1, 0, 16}, {1})).end_item().end_sequence();
        }
        SUBCASE("defined") {
            writer.head(tags::ModalityLUTSequence, "SQ",
                        static_cast<std::uint32_t>(first.size() + 8));
            writer.item(first);
        }
        writer.us(tags::ExtendedOffsetTable - 1, 5);
        const FileHeader header = header_of(writer);
        CHECK(header.has_modality_lut);
        const LookupTable& lut = modality_lut_of(header);
        CHECK(lut.first == -1);
        CHECK(lut.values == Values{10, 20, 40'000});
        CHECK(lut.type == "HU");

        const FileHeader scanned = header_of(writer, true);
        CHECK(scanned.has_modality_lut);
        CHECK(!scanned.modality_lut);
        CHECK(!scanned.has_tables);
    }
}

TEST_CASE("a modality lookup table that is empty is none, a malformed one is no error of a scan") {
    const auto start = [] { return test::file_start(kSyntaxes[0].first); };
    DataSetWriter undefined = start();
    undefined.sequence(tags::ModalityLUTSequence).end_sequence();
    DataSetWriter defined = start();
    defined.head(tags::ModalityLUTSequence, "SQ", 0);
    for (const DataSetWriter& empty : {undefined, defined}) {
        for (const bool skip : {false, true}) {
            CHECK(!header_of(empty, skip).has_modality_lut);
        }
    }
    DataSetWriter bare = start();
    bare.sequence(tags::ModalityLUTSequence).item().end_item().end_sequence();
    CHECK(lut_error(bare) == "missing_element LUTDescriptor");
    DataSetWriter short_one = start();
    short_one.sequence(tags::ModalityLUTSequence).item();
    words(short_one, tags::LUTDescriptor, "US", {4, 0, 16});
    words(short_one, tags::LUTData, "US", {1, 2, 3}).end_item().end_sequence();
    short_one.us(0x0028'9999, 7);
    CHECK(lut_error(short_one) == "invalid_value LUTData");
    // Its item is longer than the sequence: what follows is read all the same.
    DataSetWriter torn = start();
    torn.head(tags::ModalityLUTSequence, "SQ", 18).item(20U).us(0x0028'3002, 1);
    torn.text(tags::LUTLabel, "SH", "after");
    CHECK(lut_error(torn) == "invalid_sequence ModalityLUTSequence");
}

namespace {

/// Items in a sequence of real-world maps.
DataSetWriter& map_item(DataSetWriter& writer, const std::string& label, const std::string& unit) {
    writer.item().sequence(tags::MeasurementUnitsCodeSequence).item();
    writer.text(tags::CodeValue, "SH", unit).text(0x0008'0102, "SH", "UCUM").end_item();
    return writer.end_sequence().text(tags::LUTLabel, "SH", label);
}

} // namespace

TEST_CASE("real-world maps of the data set go before those that frames share") {
    for (const auto& [uid, written] : kSyntaxes) {
        DataSetWriter writer = test::file_start(uid);
        writer.switch_to(written).us(tags::PixelRepresentation, 1);
        writer.sequence(tags::RealWorldValueMappingSequence);
        map_item(writer, "ADC", "mm2/s").us(tags::RealWorldValueLastValueMapped, 100);
        writer.head(tags::RealWorldValueFirstValueMapped, "SS", 2).number(0xFFF6, 2);
        doubles(writer, tags::RealWorldValueIntercept, {-1.5});
        doubles(writer, tags::RealWorldValueSlope, {0.25}).end_item();
        map_item(writer, "table", "1").us(tags::RealWorldValueLastValueMapped, 2);
        doubles(writer, tags::RealWorldValueLUTData, {1, 2.5, -3});
        writer.us(tags::RealWorldValueFirstValueMapped, 0).end_item().end_sequence();
        writer.sequence(tags::SharedFunctionalGroupsSequence).item().end_item().end_sequence();
        const FileHeader header = header_of(writer);
        CHECK(header.has_real_world_maps);
        const auto maps = real_world_maps_of(header);
        REQUIRE(maps.size() == 2);
        CHECK(maps[0].label == "ADC");
        CHECK(maps[0].units == "mm2/s");
        CHECK(maps[0].first == -10);
        CHECK(maps[0].last == 100);
        CHECK(maps[0].slope == 0.25);
        CHECK(maps[0].intercept == -1.5);
        CHECK(maps[0].values.empty());
        CHECK(maps[1].label == "table");
        CHECK(maps[1].first == 0);
        CHECK(maps[1].last == 2);
        CHECK(maps[1].values == std::vector<double>{1, 2.5, -3});
        CHECK(header_of(writer, true).has_real_world_maps);
        CHECK(header_of(writer, true).real_world_maps.empty());
    }
}

TEST_CASE("real-world maps that frames share are found in either form of length") {
    DataSetWriter item;
    map_item(item, "T1", "ms");
    doubles(item, tags::DoubleFloatRealWorldValueLastValueMapped, {2.5});
    doubles(item, tags::DoubleFloatRealWorldValueFirstValueMapped, {-0.5});
    item.us(tags::RealWorldValueFirstValueMapped, 1).us(tags::RealWorldValueLastValueMapped, 3);
    doubles(item, tags::RealWorldValueIntercept, {0});
    doubles(item, tags::RealWorldValueSlope, {2}).end_item();
    const auto file = [&item](Tag pixels, std::size_t bytes) {
        DataSetWriter writer = test::file_start(kSyntaxes[0].first);
        writer.us(tags::Rows, 1).us(tags::Columns, 1).us(tags::BitsAllocated, 32);
        DataSetWriter group;
        group.sequence(0x0028'9110).end_sequence();
        group.head(tags::RealWorldValueMappingSequence, "SQ",
                   static_cast<std::uint32_t>(item.size()));
        group.raw(item.bytes());
        writer.head(tags::SharedFunctionalGroupsSequence, "SQ",
                    static_cast<std::uint32_t>(group.size() + 8));
        writer.item(group.bytes());
        return writer.element(pixels, "OW", test::Bytes(bytes));
    };
    const auto slice_of = [&file](Tag pixels) {
        LoadStats stats;
        const test::Bytes bytes = file(pixels, 4).bytes();
        std::vector<FileHeader> slices = divide(read_header(
            {.path = "a.dcm", .bytes = bytes}, {.texts = {}, .reads_slices = true}, stats));
        REQUIRE(slices.size() == 1);
        return std::move(slices.front());
    };
    const FileHeader integers = slice_of(tags::PixelData);
    REQUIRE(real_world_maps_of(integers).size() == 1);
    CHECK(integers.has_real_world_maps);
    CHECK(integers.functional_groups == tags::SharedFunctionalGroupsSequence);
    CHECK(integers.real_world_maps[0].first == 1);
    CHECK(integers.real_world_maps[0].last == 3);
    CHECK(integers.real_world_maps[0].units == "ms");
    const FileHeader floats = slice_of(tags::FloatPixelData);
    REQUIRE(real_world_maps_of(floats).size() == 1);
    CHECK(floats.real_world_maps[0].first == -0.5);
    CHECK(floats.real_world_maps[0].last == 2.5);
}

TEST_CASE("real-world maps that are malformed are errors when they are used") {
    const auto file = [](const std::function<void(DataSetWriter&)>& fill) {
        DataSetWriter writer = test::file_start(kSyntaxes[0].first);
        writer.sequence(tags::RealWorldValueMappingSequence);
        map_item(writer, "a", "b");
        fill(writer);
        return writer.end_item().end_sequence();
    };
    const auto range = [](DataSetWriter& writer) {
        writer.us(tags::RealWorldValueFirstValueMapped, 0);
        writer.us(tags::RealWorldValueLastValueMapped, 9);
    };
    CHECK(maps_error(file([](DataSetWriter&) {})) ==
          "missing_element RealWorldValueFirstValueMapped");
    CHECK(maps_error(file(range)) == "missing_element RealWorldValueSlope");
    CHECK(maps_error(file([&](DataSetWriter& writer) {
              range(writer);
              doubles(writer, tags::RealWorldValueSlope, {1});
          })) == "missing_element RealWorldValueIntercept");
    CHECK(maps_error(file([](DataSetWriter& writer) {
              doubles(writer, tags::RealWorldValueSlope, {1, 2});
          })) == "invalid_multiplicity RealWorldValueSlope");
    CHECK(maps_error(file([](DataSetWriter& writer) {
              doubles(writer, tags::RealWorldValueSlope,
                      {std::bit_cast<double>(~std::uint64_t{0})});
          })) == "invalid_value RealWorldValueSlope");
    CHECK(maps_error(file([](DataSetWriter& writer) {
              writer.element(tags::RealWorldValueLUTData, "FD", test::Bytes(12));
          })) == "invalid_multiplicity RealWorldValueLUTData");
    DataSetWriter empty = test::file_start(kSyntaxes[0].first);
    empty.sequence(tags::RealWorldValueMappingSequence).end_sequence();
    CHECK(maps_error(empty).empty());
    CHECK(!header_of(empty).has_real_world_maps);
}

TEST_CASE("a header without tables gets those of its file, unless that has changed") {
    const test::TemporaryFolder folder;
    const Values four{1, 2, 3, 4};
    const DataSetWriter file = palette_file({.data = {four, four, four}});
    const std::string path = folder.write("a.dcm", file.bytes());
    LoadStats stats;
    FileHeader header =
        read_header({.path = path, .bytes = {}}, {.texts = {}, .skip_tables = true}, stats);
    CHECK(!header.palette);
    FileHeader later = header;
    complete_header(header, stats);
    CHECK(palette_of(header).green.values == four);
    CHECK(stats.files.load() == 2);
    complete_header(header, stats); // has them
    CHECK(stats.files.load() == 2);

    DataSetWriter changed = file;
    folder.write("a.dcm", changed.us(0x0029'0001, 1).bytes());
    CHECK(code_of([&] { complete_header(later, stats); }) == ErrorCode::file_changed);
}
