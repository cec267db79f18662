// plan/values: which rescale or table makes the values of a file, and in which unit they are.
#include "plan/plan.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

using namespace torchdicom;
using test::code_of;

namespace {

constexpr OutputOptions kModality{};
constexpr Output kRealWorld = Output::real_world;

FileHeader gray_header() {
    FileHeader header;
    header.rows = 1;
    header.columns = 1;
    header.bits_allocated = 16;
    header.pixel_representation = 0;
    header.has_tables = true;
    return header;
}

void add_map(FileHeader& header, const std::string& label, double slope) {
    header.has_real_world_maps = true;
    header.real_world_maps.push_back({.label = label,
                                      .units = "mm2/s",
                                      .first = 0,
                                      .last = 9,
                                      .slope = slope,
                                      .intercept = 1,
                                      .values = {}});
}

Mapping map(const FileHeader& header, const OutputOptions& options) {
    return mapping_of(header, pixel_format_of(header), options);
}

std::optional<ErrorCode> error_of(const FileHeader& header, const OutputOptions& options) {
    return code_of([&] { static_cast<void>(map(header, options)); });
}

} // namespace

TEST_CASE("a Modality LUT stands before slope and intercept, and has a unit of its own") {
    FileHeader header = gray_header();
    header.rescale_slope = 2;
    header.has_modality_lut = true;
    header.modality_lut = LookupTable{.first = 0, .bits = 16, .values = {1, 2}, .type = "OD"};
    const Mapping mapping = map(header, kModality);
    CHECK(mapping.table == Table::modality_lut);
    CHECK(mapping.rescale.slope == 1);
    CHECK(units_of(header, mapping, "HU") == "OD");
    header.modality_lut->type = "US";
    CHECK(units_of(header, mapping, "HU").empty());
    CHECK(map(header, {.output = Output::stored}).table == Table::none);
    CHECK(needs_tables(header, Output::modality));
    CHECK_FALSE(needs_tables(header, Output::stored));
}

TEST_CASE("one of several real-world maps is chosen by its label") {
    FileHeader header = gray_header();
    CHECK(error_of(header, {.output = kRealWorld}) == ErrorCode::no_real_world_map);
    add_map(header, "a", 2);
    CHECK(map(header, {.output = kRealWorld}).rescale.slope == 2);
    CHECK(error_of(header, {.output = kRealWorld, .rwvm = "b"}) ==
          ErrorCode::several_real_world_maps);
    add_map(header, "b", 3);
    CHECK(error_of(header, {.output = kRealWorld}) == ErrorCode::several_real_world_maps);
    const Mapping mapping = map(header, {.output = kRealWorld, .rwvm = "b"});
    CHECK(mapping.rescale.slope == 3);
    CHECK(mapping.real_world == 1);
    CHECK(units_of(header, mapping, {}) == "mm2/s");
}

TEST_CASE("the only map is the modality where there is nothing else") {
    FileHeader header = gray_header();
    add_map(header, "a", 2);
    CHECK(map(header, kModality).rescale.intercept == 1);
    CHECK(needs_tables(header, Output::modality));
    header.rescale_intercept = -5;
    CHECK(map(header, kModality).rescale.intercept == -5);
    CHECK_FALSE(map(header, kModality).real_world);
    header.rescale_intercept.reset();
    add_map(header, "b", 3);
    CHECK(map(header, kModality).rescale.slope == 1);
}

TEST_CASE("colours are no real-world values, and palettes are looked up but for stored") {
    FileHeader header = gray_header();
    header.photometric_interpretation = "PALETTE COLOR";
    const LookupTable table{.first = 0, .bits = 8, .values = {1}, .type = {}};
    header.palette = Palette{.red = table, .green = table, .blue = table};
    CHECK(map(header, kModality).table == Table::palette);
    CHECK(map(header, {.output = kRealWorld}).table == Table::palette);
    CHECK(map(header, {.output = Output::stored}).table == Table::none);
    CHECK(error_of(header, {.output = kRealWorld, .rwvm = "a"}) == ErrorCode::no_real_world_map);
}

TEST_CASE("an integer type needs a map of whole numbers") {
    FileHeader header = gray_header();
    add_map(header, "a", 0.5);
    const OutputOptions options{.output = kRealWorld, .dtype = DType::int32};
    CHECK(code_of([&] {
              static_cast<void>(make_plan(std::span{&header, 1}, {{0, 0}}, options));
          }) == ErrorCode::integer_dtype);
}
