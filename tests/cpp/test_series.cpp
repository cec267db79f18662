// series/: one part becomes a sorted series with its affine and a verdict, whatever is wrong.
#include "data_set_writer.hpp"
#include "series_builder.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

using namespace torchdicom;
using test::Headers;
using test::image_named;
using test::judged;
using test::paths_of;
using test::slice_at;
using test::slices_at;
using test::verdict_of;

namespace {

using Change = std::function<void(FileHeader&)>;
using Paths = std::vector<std::string>;

constexpr const char* kPosition = " (0020,0032) ImagePositionPatient";

/// The verdict where one thing is changed in all of three slices.
std::string verdict_after_all(const Change& change) {
    Headers headers = slices_at({0, 3, 6});
    for (FileHeader& header : headers) {
        change(header);
    }
    return verdict_of(judged(headers));
}

/// Slices that differ in nothing but place, InstanceNumber and path.
Headers numbered(const std::vector<std::pair<double, std::optional<std::int32_t>>>& slices) {
    Headers headers;
    for (const auto& [z, number] : slices) {
        FileHeader header = slice_at(z);
        header.instance_number = number;
        header.path = std::string(1, static_cast<char>('a' + headers.size()));
        header.sop_instance_uid = header.path;
        headers.push_back(header);
    }
    return headers;
}

} // namespace

TEST_CASE("slices are sorted along the normal, and the affine has its steps and origin") {
    const Series series = judged(slices_at({6, 0, 9, 3}));
    CHECK(paths_of(series) == Paths{"z0", "z3", "z6", "z9"});
    REQUIRE(series.affine);
    CHECK((*series.affine)[0] == Vector3{0, 0, 3});
    CHECK((*series.affine)[1] == Vector3{0, 0.5, 0});
    CHECK((*series.affine)[2] == Vector3{0.75, 0, 0});
    CHECK((*series.affine)[3] == Vector3{10, 20, 0});
    CHECK(series.spacing_mm == Vector3{3, 0.5, 0.75});
    CHECK(series.spacing_source.empty());
    CHECK(series.defects.empty());
    CHECK(series.units == "HU");
    CHECK(series.kind == Kind::volume);
}

TEST_CASE("the normal is rows times columns, so that its sign turns the order") {
    Headers headers = slices_at({0, 3, 6});
    for (FileHeader& header : headers) {
        header.image_orientation_patient = {1, 0, 0, 0, -1, 0};
    }
    const Series series = judged(headers);
    CHECK(series.slices[0].path == "z6");
    CHECK(series.affine.value()[0] == Vector3{0, 0, -3});
    CHECK(series.affine.value()[1] == Vector3{0, -0.5, 0});
    CHECK(series.affine.value()[3] == Vector3{10, 20, 6});
    CHECK(series.spacing_mm == Vector3{3, 0.5, 0.75});
}

TEST_CASE("the affine has the most frequent orientation, of equally frequent ones the smallest") {
    Headers headers = slices_at({0, 3, 6, 9});
    headers[0].image_orientation_patient = {0.9999, 0.0009, 0, 0, 1, 0};
    headers[3].image_orientation_patient = {0.9999, 0.0009, 0, 0, 1, 0};
    CHECK(judged(headers).affine.value()[2] == Vector3{0.75 * 0.9999, 0.75 * 0.0009, 0});
    headers[3].image_orientation_patient = {1, 0, 0, 0, 1, 0};
    CHECK(judged(headers).affine.value()[2] == Vector3{0.75, 0, 0});
}

TEST_CASE("one slice has the step of its thickness, or 1 mm, and a defect that says so") {
    Headers headers = slices_at({5});
    headers[0].slice_thickness = 2.5;
    const Series thick = judged(headers);
    CHECK(thick.affine.value()[0] == Vector3{0, 0, 2.5});
    CHECK(verdict_of(thick) == "assumed_spacing {spacing_mm 2.5} @z5 (0018,0050) SliceThickness");
    headers[0].slice_thickness = 0;
    CHECK(judged(headers).affine.value()[0] == Vector3{0, 0, 1});
}

TEST_CASE("a tilted gantry is a shear, and a defect with its angle") {
    Headers headers = slices_at({0, 3, 6});
    for (FileHeader& header : headers) {
        auto& position = *header.image_position_patient;
        position[1] += position[2]; // 45 degrees
    }
    const Series series = judged(headers);
    CHECK(series.affine.value()[0] == Vector3{0, 3, 3});
    CHECK(series.spacing_mm[0] == std::sqrt(18.0));
    CHECK(verdict_of(series) == std::string{"gantry_tilt {angle_degrees 45} @z6"} + kPosition);
}

TEST_CASE("an image without pixels was cut off; an object that is none is left out") {
    FileHeader header = slice_at(0);
    CHECK_NOTHROW(require_pixels_of_image(header));
    header.pixels.reset();
    CHECK(test::code_of([&] { require_pixels_of_image(header); }) == ErrorCode::no_pixel_data);
    header.rows.reset();
    CHECK_NOTHROW(require_pixels_of_image(header));
    Headers headers = slices_at({0, 3, 6});
    headers[1] = header;
    CHECK(paths_of(judged(headers)) == Paths{"z0", "z6"});
    CHECK(split_series({header}).empty());
}

TEST_CASE("steps far below a millimetre are steps where the pixels are as small") {
    std::vector<double> places;
    for (int i = 0; i < 100; ++i) {
        places.push_back(0.04 * i);
    }
    CHECK(judged(slices_at(places)).defects.empty());
    places.erase(places.begin() + 50);
    CHECK(verdict_of(judged(slices_at(places))).starts_with("missing_slices [49] "));
}

TEST_CASE("slices that are missing are counted, and the affine is the mean step") {
    const Series series = judged(slices_at({0, 3, 9, 12, 15, 24}));
    CHECK(verdict_of(series) ==
          std::string{"missing_slices [1 4] z3 z15 {missing 3, step_mm 3} @z3"} + kPosition);
    CHECK(series.defects[0].message ==
          "3 slices are missing (1 after slice 1, 2 after slice 4), the others are 3 mm apart. "
          "Fetch the files that are not there");
    CHECK(series.affine.value()[0] == Vector3{0, 0, 4.8});
    CHECK(series.slices.size() == 6);
}

TEST_CASE("uneven slices are those further from even steps than the tolerance") {
    const Series series = judged(slices_at({0, 3, 6, 10, 12}));
    CHECK(verdict_of(series) ==
          std::string{"uneven_spacing [3] z10 {largest_mm 1, tolerance_mm 0.15, step_mm 3} @z10"} +
              kPosition);
    CHECK(series.affine.value()[0] == Vector3{0, 0, 3});
    CHECK(verdict_of(judged(slices_at({0, 3, 6, 10, 13}))) ==
          std::string{"uneven_spacing [1 2 3] z3 z6 z10 "
                      "{largest_mm 0.5, tolerance_mm 0.15, step_mm 3} @z6"} +
              kPosition);
    CHECK(judged(slices_at({0, 3, 6.1, 9})).defects.empty()); // 0.1 of 3 mm is within 5 %
}

TEST_CASE("the tolerances decide what is even, tilted or missing") {
    const Headers uneven = slices_at({0, 3, 6.4, 9});
    CHECK(verdict_of(judged(uneven)).starts_with("uneven_spacing"));
    CHECK(judged(uneven, {.spacing = 0.2, .position_mm = 0.05}).defects.empty());
    CHECK(judged(uneven, {.spacing = 0.05, .position_mm = 0.5}).defects.empty());
    const Headers rounded = slices_at({0, 0.3, 0.64, 0.9});
    CHECK(judged(rounded).defects.empty());
    CHECK(verdict_of(judged(rounded, {.spacing = 0.05, .position_mm = 0}))
              .starts_with("uneven_spacing"));
    Headers tilted = slices_at({0, 3, 6});
    tilted[2].image_position_patient = {10, 20.2, 6};
    tilted[1].image_position_patient = {10, 20.1, 3};
    CHECK(verdict_of(judged(tilted)).starts_with("gantry_tilt"));
    CHECK(judged(tilted, {.spacing = 0.05, .position_mm = 0.3}).defects.empty());
}

TEST_CASE("of slices at one position that with the lowest InstanceNumber stays") {
    const Series series = judged(numbered({{0, 1}, {3, 4}, {3, 2}, {3, 3}, {6, 5}}));
    CHECK(paths_of(series) == Paths{"a", "c", "e"});
    CHECK(verdict_of(series) ==
          std::string{"duplicate_positions [1] b d {repeats 2, least 1, most 3} @b"} + kPosition);
    CHECK(series.affine.value()[0] == Vector3{0, 0, 3});
    // A slice without a number comes after all that have one; then the path decides.
    CHECK(paths_of(judged(numbered({{0, {}}, {3, {}}, {3, 9}, {6, 5}}))) == Paths{"a", "c", "d"});
    CHECK(paths_of(judged(numbered({{0, {}}, {3, {}}, {3, {}}, {6, 5}}))) == Paths{"a", "b", "d"});
    CHECK(paths_of(judged(numbered({{3.01, 1}, {3, 1}, {0, 1}, {6, 1}}))) == Paths{"c", "a", "d"});
    CHECK(paths_of(judged(numbered({{0, -1}, {3, 0}, {3, -7}, {6, 5}}))) == Paths{"a", "c", "d"});
}

TEST_CASE("what is left of repeats is judged anew") {
    const Series series = judged(numbered({{0, 2}, {0, 1}, {3, 3}, {9, 4}, {9.1, 5}, {12, 6}}));
    CHECK(verdict_of(series) ==
          std::string{"duplicate_positions [0 2] a e {repeats 2, least 1, most 2} @a"} + kPosition +
              "\nmissing_slices [1] c {missing 1, step_mm 3} @c" + kPosition);
    CHECK(paths_of(series) == Paths{"b", "c", "d", "f"});
}

TEST_CASE("slices that are all at one position are one slice") {
    const Series series = judged(numbered({{5, 3}, {5, 1}, {5, 2}}));
    CHECK(paths_of(series) == Paths{"b"});
    CHECK(verdict_of(series) ==
          std::string{"duplicate_positions [0] a c {repeats 2} @a"} + kPosition +
              "\nassumed_spacing {spacing_mm 1} @b (0018,0050) SliceThickness");
}

TEST_CASE("positions less than a hundredth of a pixel apart are one position") {
    CHECK(verdict_of(judged(slices_at({0, 1e-5}))).starts_with("duplicate_positions [0]"));
    CHECK(verdict_of(judged(slices_at({0, 0.0049}))).starts_with("duplicate_positions [0]"));
    CHECK(judged(slices_at({0, 0.0051})).defects.empty());
    CHECK(verdict_of(judged(slices_at({0, 5, 10, 10.005}))).starts_with("duplicate_positions [2]"));
    Headers tiny = slices_at({5, 5});
    tiny[1].sop_instance_uid = "other";
    tiny[0].pixel_spacing = {5e-324, 1}; // a hundredth of it is 0
    tiny[1].pixel_spacing = {5e-324, 1};
    CHECK(verdict_of(judged(tiny)).starts_with("duplicate_positions [0]"));
}

TEST_CASE("images side by side are no stack, and no patient is light years away") {
    Headers headers = slices_at({0, 5});
    headers[1].image_position_patient = {60, 20, 5};
    const Series series = judged(headers);
    CHECK(verdict_of(series) == std::string{"!invalid_geometry z5 @z5"} + kPosition);
    CHECK(!series.affine);
    CHECK(std::isnan(series.spacing_mm[0]));
    CHECK(series.spacing_mm[2] == 0.75);
    CHECK(verdict_of(judged(slices_at({-1.7e308, 1.7e308})))
              .starts_with("!invalid_geometry z-1000000 @z-1000000"));
    CHECK(verdict_of(judged(slices_at({0, 1, 2, 1e9}))).starts_with("missing_slices [2]"));
}

TEST_CASE("a grid that is none is refused with its file and element, in path order") {
    const std::string spacing = "!invalid_geometry z0 @z0 (0028,0030) PixelSpacing";
    CHECK(verdict_after_all([](FileHeader& h) { h.pixel_spacing.reset(); }) == spacing);
    CHECK(verdict_after_all([](FileHeader& h) { h.pixel_spacing = {0.5, 0}; }) == spacing);
    CHECK(verdict_after_all([](FileHeader& h) { h.pixel_spacing = {-0.5, 1}; }) == spacing);
    const std::string cosines = "!invalid_geometry z0 @z0 (0020,0037) ImageOrientationPatient";
    using Cosines = std::array<double, 6>;
    for (const Cosines& wrong : {Cosines{1.002, 0, 0, 0, 1, 0}, Cosines{0.8, 0.6, 0, 0, 1, 0},
                                 Cosines{0, 0, 0, 0, 0, 0}}) {
        CHECK(verdict_after_all([&](FileHeader& h) { h.image_orientation_patient = wrong; }) ==
              cosines);
    }
    Headers headers = slices_at({6, 3, 0});
    headers[1].image_position_patient = {0, -2e9, 0};
    headers[2].image_position_patient = {0, 0, 2e9};
    CHECK(verdict_of(judged(headers)) == std::string{"!invalid_geometry z3 @z3"} + kPosition);
}

TEST_CASE("slices without place are ordered by InstanceNumber, then path") {
    Headers headers = numbered({{0, {}}, {0, 7}, {0, -2}, {0, {}}, {0, 7}});
    for (FileHeader& header : headers) {
        header.image_position_patient.reset();
    }
    Series series = judged(headers);
    CHECK(paths_of(series) == Paths{"c", "b", "e", "a", "d"});
    CHECK(verdict_of(series) == std::string{"no_position @c"} + kPosition);
    CHECK(!series.affine);
    CHECK(std::isnan(series.spacing_mm[0]));
    CHECK(series.spacing_mm[1] == 0.5);
    CHECK(series.spacing_mm[2] == 0.75);
    CHECK(series.spacing_source.empty());
    for (FileHeader& header : headers) {
        header.image_position_patient = {1, 2, 3};
        header.image_orientation_patient.reset();
        header.pixel_spacing.reset();
        header.imager_pixel_spacing = {1, 1}; // at a detector, which slices have none of
    }
    series = judged(headers);
    CHECK(verdict_of(series) == "no_position @c (0020,0037) ImageOrientationPatient");
    CHECK(std::isnan(series.spacing_mm[1]));
}

TEST_CASE("images and cine have no affine, and say where their spacing is from") {
    FileHeader image = image_named("a", "1.2");
    image.imager_pixel_spacing = {0.1, 0.2};
    Series series = judged({image});
    CHECK(series.kind == Kind::image);
    CHECK(series.defects.empty());
    CHECK(!series.affine);
    CHECK(std::isnan(series.spacing_mm[0]));
    CHECK(series.spacing_mm[1] == 0.5);
    CHECK(series.spacing_source == "PixelSpacing");
    image.number_of_frames_given = 3;
    image.pixel_spacing = {0.5, 0};
    series = judged({image});
    CHECK(series.kind == Kind::cine);
    CHECK(series.defects.empty());
    CHECK(series.spacing_mm[1] == 0.1);
    CHECK(series.spacing_mm[2] == 0.2);
    CHECK(series.spacing_source == "ImagerPixelSpacing");
    image.imager_pixel_spacing = {-1, 1};
    series = judged({image});
    CHECK(std::isnan(series.spacing_mm[2]));
    CHECK(series.spacing_source.empty());
}

TEST_CASE("what is no slice is refused with a code and an element, and nothing else is judged") {
    CHECK(verdict_after_all([](FileHeader& h) {
              h.sop_class_uid = "1.2.840.10008.5.1.4.1.1.66.4";
          }) == "!not_a_volume z0 @z0 (0008,0016) SOPClassUID");
    CHECK(verdict_after_all([](FileHeader& h) {
              h.transfer_syntax_uid = "1.2.840.10008.1.2.4.102";
              h.transfer_syntax = find_transfer_syntax(h.transfer_syntax_uid).value();
          }) == "!not_a_volume z0 @z0 (0002,0010) TransferSyntaxUID");
    CHECK(verdict_after_all([](FileHeader& h) { h.number_of_frames_given = 2; }) ==
          "!unsupported_multi_frame z0 @z0 (0028,0008) NumberOfFrames");
    CHECK(verdict_after_all([](FileHeader& h) { h.image_type += "\\MOSAIC"; }) ==
          "!unsupported_mosaic z0 @z0 (0008,0008) ImageType");
    CHECK(verdict_after_all([](FileHeader& h) { h.photometric_interpretation = "RGB"; }) ==
          "!unsupported_photometric z0 @z0 (0028,0004) PhotometricInterpretation");
    CHECK(verdict_after_all([](FileHeader& h) { h.bits_allocated = 10; }) ==
          "!unsupported_pixel_format z0 @z0 (0028,0100) BitsAllocated");
    CHECK(verdict_after_all([](FileHeader& h) { h.bits_stored = 17; }) ==
          "!invalid_value z0 @z0 (0028,0101) BitsStored");
    CHECK(verdict_after_all([](FileHeader& h) { h.pixel_representation.reset(); }) ==
          "!missing_element z0 @z0 (0028,0103) PixelRepresentation");
    CHECK(verdict_after_all([](FileHeader& h) {
              h.transfer_syntax_uid = "1.2.840.10008.1.2.4.94";
              h.transfer_syntax = find_transfer_syntax(h.transfer_syntax_uid).value();
          }) == "!unsupported_transfer_syntax z0 @z0 (0002,0010) TransferSyntaxUID");
    Headers headers = slices_at({0, 3, 9});
    headers[2].has_modality_lut = true; // a matter of the output, not of the geometry
    headers[1].transfer_syntax.encoding = Encoding::unsupported;
    const Series series = judged(headers);
    CHECK(verdict_of(series).starts_with("!unsupported_transfer_syntax z3 @z3"));
    CHECK(!series.affine);
    CHECK(paths_of(series) == Paths{"z0", "z3", "z9"});
}

TEST_CASE("a refusal takes the place of what was noted before") {
    Series series;
    series.slices = slices_at({0});
    series.defects = {{.code = ErrorCode::localizer}};
    LoadStats stats;
    judge_series(series, {}, stats);
    CHECK(verdict_of(series).starts_with("localizer\nassumed_spacing"));
    series.slices[0].number_of_frames_given = 2;
    judge_series(series, {}, stats);
    CHECK(verdict_of(series).starts_with("!unsupported_multi_frame"));
    CHECK(series.defects.size() == 1);
}

TEST_CASE("copies of a file are set aside, and files that differ are refused") {
    const test::TemporaryFolder folder;
    test::Bytes large(200'000, std::byte{7});
    const test::Bytes same = large;
    large.back() = std::byte{8};
    const std::vector<std::string> written{folder.write("a", same), folder.write("b", same),
                                           folder.write("c", large),
                                           folder.write("d", ByteSpan{same}.first(10))};
    LoadStats stats;
    const auto from_file = [&](double z, std::size_t which) {
        FileHeader header = slice_at(z);
        header.sop_instance_uid = "1.2";
        header.path = written[which];
        header.identity = File{written[which], stats}.identity();
        return header;
    };
    const auto from_memory = [](double z, ByteSpan bytes) {
        FileHeader header = slice_at(z);
        header.sop_instance_uid = "1.2";
        header.path = "<bytes 0>";
        header.memory = bytes;
        return header;
    };
    const std::string instance = " (0008,0018) SOPInstanceUID";
    const Series copied =
        judged({slice_at(3), from_file(0, 0), from_file(0, 1), from_memory(0, same), slice_at(6)});
    CHECK(paths_of(copied) == Paths{written[0], "z3", "z6"});
    CHECK(verdict_of(copied) ==
          "duplicate_files " + written[1] + " <bytes 0> {copies 2} @" + written[1] + instance);
    CHECK(copied.affine.value()[0] == Vector3{0, 0, 3});

    const Series differing = judged({from_file(0, 0), from_file(3, 1), from_file(6, 2)});
    CHECK(verdict_of(differing) == "duplicate_files " + written[1] + " {copies 1} @" + written[1] +
                                       instance + "\n!duplicate_files " + written[0] + " " +
                                       written[2] + " @" + written[2] + instance);
    CHECK(paths_of(differing) == Paths{written[0], written[2]});
    CHECK(!differing.affine);

    const std::uint64_t opens = stats.opens;
    std::vector<Series> parts = split_series({from_file(0, 0), from_file(3, 3)});
    const std::uint64_t opened_here = stats.opens - opens;
    judge_series(parts.front(), {}, stats);
    CHECK(stats.opens - opens == opened_here); // of another size: not even opened
    CHECK(verdict_of(parts.front()).starts_with("!duplicate_files"));

    Headers nameless = slices_at({0, 3, 6});
    for (FileHeader& header : nameless) {
        header.sop_instance_uid.clear();
    }
    CHECK(judged(nameless).defects.empty());
    Headers lost{from_file(0, 0), from_file(3, 1)};
    lost[1].path += "-";
    CHECK(test::code_of([&] { static_cast<void>(judged(lost)); }) == ErrorCode::os_error);
}

TEST_CASE("images that nothing tells apart are refused, and copies of one are one") {
    CHECK(verdict_of(judged({image_named("a", ""), image_named("b", "")})) ==
          "!missing_element b @b (0008,0018) SOPInstanceUID");
    CHECK(judged({image_named("a", "")}).defects.empty());
    const test::Bytes bytes(100);
    Headers copies{image_named("a", "1.2"), image_named("b", "1.2")};
    copies[0].memory = ByteSpan{bytes};
    copies[1].memory = ByteSpan{bytes};
    const Series series = judged(copies);
    CHECK(paths_of(series) == Paths{"a"});
    CHECK(verdict_of(series) == "duplicate_files b {copies 1} @b (0008,0018) SOPInstanceUID");
}

TEST_CASE("the unit is that of the rescaled values, where a file names one that is one") {
    FileHeader header = slice_at(0);
    CHECK(units_of(header) == "HU");
    header.rescale_type = "US";
    CHECK(units_of(header).empty());
    header.modality = "PT";
    header.units = "BQML";
    CHECK(units_of(header) == "BQML");
    header.rescale_slope.reset();
    header.rescale_intercept.reset();
    CHECK(units_of(header).empty());
}
