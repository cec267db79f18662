// header/columns: what an index keeps of a file comes back exactly, and a damaged index is refused
// with its column, never trusted.
#include "data_set_writer.hpp"
#include "full_header.hpp"
#include "header/columns.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

using namespace torchdicom;
using test::bare_header;
using test::code_of;
using test::full_header;
using test::kept_of;

namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

FileHeader header_at(const Columns& columns, std::size_t record) {
    return Records{view_of(columns)}.header_at(record);
}

/// Two records, the second with all attributes.
Columns two_records() {
    Columns columns = make_columns();
    append(bare_header(), columns);
    append(full_header(), columns);
    return columns;
}

Column& column_of(Columns& columns, std::string_view name) {
    for (Column& column : columns) {
        if (column.spec.name == name) {
            return column;
        }
    }
    throw std::out_of_range{"no such column"};
}

/// The column that the invalid_index names when all records are read; empty where none is thrown.
std::string damaged_column(const Columns& columns) {
    try {
        const Records records{view_of(columns)};
        for (std::size_t i = 0; i < records.size(); ++i) {
            static_cast<void>(records.header_at(i));
        }
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::invalid_index);
        CHECK(error.message().starts_with("The index is damaged, or of another version: "));
        return error.place().element;
    }
    return "";
}

/// A frame of the file, or a tile of 4 by 5 of a frame of 8 by 15.
FileHeader part_of_file(bool is_tile) {
    FileHeader header = full_header();
    header.part = {.is_frame = true, .first = is_tile ? 0 : 1};
    if (is_tile) {
        header.part.tile = 5;
        header.part.frame_rows = 8;
        header.part.frame_columns = 15;
    }
    header.frames = {};
    header.frames.add_fragment({150, 20});
    header.frames.end_frame();
    return header;
}

struct Damage {
    std::string_view column; ///< the one that is changed
    std::function<void(Column&)> change;
    std::string_view named{}; ///< the one that the error names, where that is another
};

/// The last record's only, or last, number.
auto number(std::int64_t value) {
    return [value](Column& column) { column.integers.back() = value; };
}

auto decimal(double value) {
    return [value](Column& column) { column.decimals.back() = value; };
}

auto last_offset(std::int64_t value) {
    return [value](Column& column) { column.offsets.back() = value; };
}

auto first_offset(std::int64_t value) {
    return [value](Column& column) { column.offsets.front() = value; };
}

void check_damage(const std::vector<Damage>& damages, const FileHeader& last = full_header()) {
    for (const Damage& damage : damages) {
        Columns columns = make_columns();
        append(bare_header(), columns);
        append(last, columns);
        damage.change(column_of(columns, damage.column));
        CAPTURE(damage.column);
        const std::string_view named = damage.named.empty() ? damage.column : damage.named;
        CHECK(damaged_column(columns) == std::string{named});
    }
}

} // namespace

TEST_CASE("every attribute comes back exactly") {
    const Columns columns = two_records();
    CHECK((kept_of(header_at(columns, 0)) == kept_of(bare_header())));
    CHECK((kept_of(header_at(columns, 1)) == kept_of(full_header())));
    CHECK(header_at(columns, 1).identity.inode == 0);
    CHECK(std::signbit((*header_at(columns, 1).image_position_patient)[1]));
    CHECK(Records{view_of(columns)}.series_instance_uid_at(1) == "1.2.3.5");
}

TEST_CASE("what a file was read to comes back exactly") {
    const test::TemporaryFolder folder;
    Columns columns = make_columns();
    std::vector<FileHeader> headers;
    LoadStats stats;
    for (const test::Image& image :
         {test::Image{}, test::Image{.rows = 1, .columns = 2, .frames = "3"},
          test::Image{.position = "", .intercept = "", .slope = ""}}) {
        const std::string name = std::to_string(headers.size());
        const std::string path = folder.write(name, test::image_file(image, {1, 2, 3, 4, 5, 6}));
        headers.push_back(read_header(Source{.path = path, .bytes = {}}, {}, stats));
        append(headers.back(), columns);
    }
    for (std::size_t i = 0; i < headers.size(); ++i) {
        const FileHeader header = header_at(columns, i);
        CHECK((kept_of(header) == kept_of(headers[i])));
        CHECK(header.identity == headers[i].identity); // though its inode is not known
    }
}

TEST_CASE("a frame and a tile come back exactly") {
    Columns columns = make_columns();
    append(part_of_file(false), columns);
    append(part_of_file(true), columns);
    CHECK((kept_of(header_at(columns, 0)) == kept_of(part_of_file(false))));
    CHECK((kept_of(header_at(columns, 1)) == kept_of(part_of_file(true))));
    const Records records{view_of(columns)};
    CHECK(records.frame_at(0) == 1);
    CHECK(records.tile_at(0) == 0);
    CHECK(records.frame_at(1) == 0);
    CHECK(records.tile_at(1) == 5);
}

TEST_CASE("a position beyond all numbers comes back: it is refused where it is judged") {
    FileHeader header = part_of_file(false);
    header.image_position_patient = std::array{0.0, -0.0, std::numeric_limits<double>::infinity()};
    Columns columns = make_columns();
    append(header, columns);
    CHECK((kept_of(header_at(columns, 0)) == kept_of(header)));
}

TEST_CASE("pixels in a syntax that is not read have no frames") {
    FileHeader header = full_header();
    header.transfer_syntax_uid = "1.2.840.10008.1.2.4.102";
    header.transfer_syntax = *find_transfer_syntax(header.transfer_syntax_uid);
    header.frames = {};
    header.rows.reset();
    Columns columns = make_columns();
    append(header, columns);
    CHECK((kept_of(header_at(columns, 0)) == kept_of(header)));
}

TEST_CASE("columns have names of their own, and none may identify a person") {
    std::set<std::string_view> names;
    for (const ColumnSpec& spec : core_columns()) {
        names.insert(spec.name);
    }
    CHECK(names.size() == core_columns().size());
    CHECK(core_columns().front().name == "path");
    CHECK(core_columns().back().name == "ranges_per_frame");
    CHECK(names.count("series_description") == 0);
    CHECK(name_of(ColumnType::integer) == "int64");
    CHECK(name_of(ColumnType::word) == "word");
    CHECK(name_of(ColumnType::decimal_list) == "list<float64>");
}

TEST_CASE("columns whose parts differ in length are refused") {
    CHECK(damaged_column(two_records()).empty());
    check_damage({
        {"size", [](Column& c) { c.integers.pop_back(); }},
        {"is_explicit", [](Column& c) { c.bytes.push_back(1); }},
        {"rows", [](Column& c) { c.integers.push_back(1); }},
        {"rows", [](Column& c) { c.valid.pop_back(); }},
        {"rows",
         [](Column& c) {
             c.integers.pop_back();
             c.valid.pop_back();
         }},
        {"flip_angle", [](Column& c) { c.decimals.clear(); }},
        {"sop_instance_uid", [](Column& c) { c.offsets.clear(); }},
        {"sop_instance_uid", [](Column& c) { c.offsets.pop_back(); }},
        {"modality", [](Column& c) { c.offsets.clear(); }},
        {"modality", [](Column& c) { c.words.clear(); }},
        {"modality", [](Column& c) { c.words.push_back(0); }},
        {"pixel_spacing", [](Column& c) { c.offsets.push_back(c.offsets.back()); }},
    });
    Columns columns = two_records();
    columns.pop_back();
    CHECK(damaged_column(columns) == "columns");
    columns.clear();
    CHECK(damaged_column(columns) == "columns");
}

TEST_CASE("offsets that lead outside of the values, or backwards, are refused") {
    check_damage({
        {"path", last_offset(1'000'000)},
        {"path", last_offset(kLargest)},
        {"path", last_offset(-1)},
        {"path", first_offset(-1)},
        {"path", first_offset(kLargest)},
        {"modality", [](Column& c) { c.offsets[1] = 3; }},
        {"modality", [](Column& c) { c.bytes.pop_back(); }},
        {"modality", [](Column& c) { c.offsets.pop_back(); }},
        {"modality", [](Column& c) { c.words.front() = -2; }},
        {"modality", [](Column& c) { c.words.front() = 1; }},
        {"modality", [](Column& c) { c.words.back() = std::numeric_limits<int>::max(); }},
        {"modality", [](Column& c) { c.words.back() = std::numeric_limits<int>::min(); }},
        {"image_position_patient", last_offset(4)},
        {"frame_time_vector", last_offset(-1)},
        {"range_offset", last_offset(kLargest)},
    });
}

TEST_CASE("offsets need not start at 0, and what lies before is not read") {
    Columns columns = two_records();
    Column& modality = column_of(columns, "modality");
    modality.bytes = {'X', 'C', 'T', 'Y'};
    modality.offsets = {1, 3};
    CHECK((kept_of(header_at(columns, 1)) == kept_of(full_header())));
}

TEST_CASE("a word is kept once, whatever lies between, and none is no word") {
    Column column = make_column({.name = "modality", .type = ColumnType::word});
    for (const std::string_view text : {"CT", "CT", "", "MR", "", "CT", "C"}) {
        append_text(text, column);
    }
    CHECK(column.words == std::vector<std::int32_t>{0, 0, -1, 1, -1, 0, 2});
    CHECK(column.offsets == std::vector<std::int64_t>{0, 2, 4, 5});
    CHECK(std::string{column.bytes.begin(), column.bytes.end()} == "CTMRC");
}

TEST_CASE("columns that are appended are the columns of all records") {
    Columns columns = make_columns();
    for (const FileHeader& header : {full_header(), bare_header(), full_header()}) {
        Columns more = make_columns();
        append(bare_header(), more);
        append(header, more);
        for (std::size_t k = 0; k < columns.size(); ++k) {
            append(more[k], columns[k]);
        }
    }
    CHECK((kept_of(header_at(columns, 1)) == kept_of(full_header())));
    CHECK((kept_of(header_at(columns, 3)) == kept_of(bare_header())));
    CHECK((kept_of(header_at(columns, 5)) == kept_of(full_header())));
    CHECK(column_of(columns, "modality").words == std::vector<std::int32_t>{-1, 0, -1, -1, -1, 0});
    CHECK(column_of(columns, "modality").offsets == std::vector<std::int64_t>{0, 2});
}

TEST_CASE("records come in the order that is asked for") {
    Columns columns = two_records();
    for (Column& column : columns) {
        reorder(std::array<std::int64_t, 3>{1, 0, 1}, column);
    }
    CHECK((kept_of(header_at(columns, 0)) == kept_of(full_header())));
    CHECK((kept_of(header_at(columns, 1)) == kept_of(bare_header())));
    CHECK((kept_of(header_at(columns, 2)) == kept_of(full_header())));
}

TEST_CASE("numbers that no header can have are refused") {
    check_damage({
        {"size", number(-1)},
        {"rows", number(-1)},
        {"rows", number(0)},
        {"rows", number(32'769)},
        {"columns", number(65'536)},
        {"columns", [](Column& c) { c.valid.back() = 0; }},
        {"bits_allocated", number(kLargest)},
        {"pixel_padding_value", number(-2000)},
        {"instance_number", number(std::int64_t{1} << 31)},
        {"number_of_frames", number(0)},
        {"number_of_frames", number(1'000'001)},
        {"number_of_frames", number(3), "ranges_per_frame"},
        {"functional_groups", number(-1)},
        {"functional_groups", number(std::int64_t{1} << 32)},
        {"rescale_slope", decimal(std::numeric_limits<double>::quiet_NaN())},
        {"pixel_spacing", decimal(std::numeric_limits<double>::infinity())},
        {"frame_time_vector", decimal(-std::numeric_limits<double>::infinity())},
        {"image_position_patient", last_offset(2)},
    });
}

TEST_CASE("parts that no file can have are refused") {
    const auto no_frame = [](Column& c) { c.bytes.back() = 0; };
    check_damage({{"first_frame", number(1)},
                  {"tile", number(1)},
                  {"frame_rows", number(8)},
                  {"frame_columns", number(15), "tile"}});
    check_damage({{"first_frame", number(-1)},
                  {"first_frame", number(2)},
                  {"first_frame", number(kLargest)},
                  {"is_frame", no_frame, "first_frame"},
                  {"tile", number(1)},
                  {"tile", number(-1)},
                  {"number_of_frames", number(1), "first_frame"},
                  {"ranges_per_frame", [](Column& c) { c.offsets.back() = c.offsets.front(); }}},
                 part_of_file(false));
    check_damage({{"tile", number(6)},
                  {"tile", number(-1)},
                  {"tile", number(kLargest)},
                  {"frame_rows", number(0), "tile"},
                  {"frame_rows", number(-1)},
                  {"frame_rows", number(3)},
                  {"frame_rows", number(7), "tile"}, // room for one row of tiles
                  {"frame_rows", number(32'769)},
                  {"frame_rows", number(kLargest)},
                  {"frame_columns", number(0), "frame_rows"},
                  {"frame_columns", number(4), "frame_rows"},
                  {"frame_columns", number(14), "tile"},
                  {"frame_columns", number(kLargest), "frame_rows"},
                  {"is_frame", no_frame, "frame_rows"},
                  {"rows", [](Column& c) { c.valid.back() = 0; }}},
                 part_of_file(true));
}

TEST_CASE("pixels and frames outside of the file are refused") {
    check_damage({
        {"pixel_tag", number(tags::Rows)},
        {"pixel_tag", number(-1)},
        {"pixel_tag", [](Column& c) { c.valid.back() = 0; }, "ranges_per_frame"},
        {"pixel_vr", last_offset(1)},
        {"data_set_end", number(5001)},
        {"data_set_end", number(kLargest)},
        {"data_set_end", number(111), "pixel_value_offset"},
        {"pixel_offset", number(113), "pixel_value_offset"},
        {"pixel_value_offset", number(4991)},
        {"pixel_value_offset", number(151), "range_offset"},
        {"range_offset", number(-1)},
        {"range_offset", number(201)},
        {"range_offset", number(kLargest)},
        {"range_length", number(-1)},
        {"range_length", number(4791), "range_offset"},
        {"range_length", number(kLargest), "range_offset"},
        {"range_length", last_offset(2)},
        {"range_offset", last_offset(2), "range_length"},
        {"ranges_per_frame", number(0)},
        {"ranges_per_frame", number(-1)},
        {"ranges_per_frame", number(2)},
        {"ranges_per_frame", number(kLargest)},
        {"ranges_per_frame", last_offset(1)},
        {"ranges_per_frame", [](Column& c) { c.integers = {1, 1}; }},
    });
}

TEST_CASE("the ranges of a frame cannot add up to more than the file") {
    FileHeader header = full_header();
    header.frames = {};
    header.frames.add_fragment({150, 4000});
    header.frames.add_fragment({150, 4000});
    header.frames.end_frame();
    header.frames.add_fragment({150, 4000});
    header.frames.end_frame();
    Columns columns = make_columns();
    append(header, columns);
    CHECK(damaged_column(columns) == "range_length");
}

TEST_CASE("a path that no file can have is refused") {
    check_damage({
        {"path", [](Column& c) { c.bytes.back() = 0; }},
        {"path", [](Column& c) { c.offsets = {0, 4, 4}; }},
    });
}

TEST_CASE("the error names the file of the record") {
    Columns columns = two_records();
    column_of(columns, "size").integers.back() = -1;
    try {
        static_cast<void>(header_at(columns, 1));
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.place().path == full_header().path);
        CHECK(error.message() == "The index is damaged, or of another version: the number -1. Scan "
                                 "the files again with torchdicom.scan");
    }
}
