// series/: headers that were made by hand become a sorted series with its affine, or each reason
// why not.
#include "data_set_writer.hpp"
#include "series/series.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

using namespace torchdicom;

namespace {

using Headers = std::vector<FileHeader>;
using Change = std::function<void(FileHeader&)>;

/// An axial CT slice at z, 4 rows of 6 pixels, 0.5 mm between rows and 0.75 between columns.
FileHeader slice_at(double z) {
    FileHeader header;
    header.path = "z";
    header.path += std::to_string(static_cast<int>(std::clamp(z, -1e6, 1e6)));
    header.transfer_syntax = find_transfer_syntax("1.2.840.10008.1.2.1").value();
    header.series_instance_uid = "1.2.3";
    header.modality = "CT";
    header.image_type = "ORIGINAL\\PRIMARY\\AXIAL";
    header.sop_instance_uid = "1.2.3.";
    header.sop_instance_uid += std::to_string(z);
    header.rows = 4;
    header.columns = 6;
    header.bits_allocated = 16;
    header.pixel_representation = 1;
    header.image_position_patient = {10, 20, z};
    header.image_orientation_patient = {1, 0, 0, 0, 1, 0};
    header.pixel_spacing = {0.5, 0.75};
    header.rescale_slope = 1;
    header.rescale_intercept = -1024;
    header.pixels = PixelElement{.element = {.tag = tags::PixelData}};
    return header;
}

Headers slices_at(const std::vector<double>& places) {
    Headers headers;
    for (const double z : places) {
        headers.push_back(slice_at(z));
    }
    return headers;
}

/// The error of a series as "code path element", "" where there is none.
std::string error_of(const Headers& headers) {
    try {
        static_cast<void>(make_series(headers));
    } catch (const Error& error) {
        const Place& place = error.place();
        return std::string{code_name(error.code())} + (place.path.empty() ? "" : " ") + place.path +
               (place.element.empty() ? "" : " ") + place.element;
    }
    return "";
}

/// The same where one thing is changed in the last of three slices.
std::string error_after(const Change& change) {
    Headers headers = slices_at({0, 3, 6});
    change(headers.back());
    return error_of(headers);
}

/// The same where it is changed in all of them.
std::string error_after_all(const Change& change) {
    Headers headers = slices_at({0, 3, 6});
    for (FileHeader& header : headers) {
        change(header);
    }
    return error_of(headers);
}

std::string message_of(const Headers& headers) {
    try {
        static_cast<void>(make_series(headers));
    } catch (const Error& error) {
        return error.message();
    }
    return "";
}

} // namespace

TEST_CASE("slices are sorted along the normal, and the affine has its steps and origin") {
    const Series series = make_series(slices_at({6, 0, 9, 3}));
    REQUIRE(series.slices.size() == 4);
    CHECK(series.slices[0].path == "z0");
    CHECK(series.slices[1].path == "z3");
    CHECK(series.slices[2].path == "z6");
    CHECK(series.slices[3].path == "z9");
    CHECK(series.affine[0] == Vector3{0, 0, 3});
    CHECK(series.affine[1] == Vector3{0, 0.5, 0});
    CHECK(series.affine[2] == Vector3{0.75, 0, 0});
    CHECK(series.affine[3] == Vector3{10, 20, 0});
    CHECK(series.defects.empty());
    CHECK(series.units == "HU");
}

TEST_CASE("the normal is rows times columns, so that its sign turns the order") {
    Headers headers = slices_at({0, 3, 6});
    for (FileHeader& header : headers) {
        header.image_orientation_patient = {1, 0, 0, 0, -1, 0};
    }
    const Series series = make_series(headers);
    CHECK(series.slices[0].path == "z6");
    CHECK(series.affine[0] == Vector3{0, 0, -3});
    CHECK(series.affine[1] == Vector3{0, -0.5, 0});
    CHECK(series.affine[3] == Vector3{10, 20, 6});
}

TEST_CASE("one slice has the step of its thickness, or 1 mm, and a defect that says so") {
    Headers headers = slices_at({5});
    headers[0].slice_thickness = 2.5;
    const Series thick = make_series(headers);
    CHECK(thick.affine[0] == Vector3{0, 0, 2.5});
    REQUIRE(thick.defects.size() == 1);
    CHECK(thick.defects[0].code == "assumed_spacing");
    CHECK(thick.defects[0].measured[0].first == "spacing_mm");
    CHECK(thick.defects[0].measured[0].second == 2.5);
    headers[0].slice_thickness = 0;
    CHECK(make_series(headers).affine[0] == Vector3{0, 0, 1});
}

TEST_CASE("a tilted gantry is a shear, and a defect with its angle") {
    Headers headers = slices_at({0, 3, 6});
    for (FileHeader& header : headers) {
        auto& position = *header.image_position_patient;
        position[1] += position[2]; // 45 degrees
    }
    const Series series = make_series(headers);
    CHECK(series.affine[0] == Vector3{0, 3, 3});
    REQUIRE(series.defects.size() == 1);
    CHECK(series.defects[0].code == "gantry_tilt");
    CHECK(series.defects[0].measured[0].first == "angle_degrees");
    CHECK(series.defects[0].measured[0].second == doctest::Approx(45.0).epsilon(1e-12));
}

TEST_CASE("objects that are no images are left out, and nothing left is no_images") {
    const auto strip = [](FileHeader& header) {
        header.pixels.reset();
        header.rows.reset();
        header.columns.reset();
    };
    Headers headers = slices_at({0, 3, 6});
    strip(headers[2]);
    CHECK(make_series(headers).slices.size() == 2);
    strip(headers[0]);
    strip(headers[1]);
    CHECK(error_of(headers) == "no_images z0");
}

TEST_CASE("an image without pixels was cut off, and is not left out") {
    Headers headers = slices_at({0, 3, 6});
    headers[2].pixels.reset();
    CHECK(error_of(headers) == "no_pixel_data z6 (7FE0,0010) PixelData");
}

TEST_CASE("a slice without slope among others that have one is on another scale") {
    Headers headers = slices_at({0, 3, 6});
    headers[1].rescale_slope.reset();
    CHECK(error_of(headers) == "mixed_pixel_format z3 (0028,1053) RescaleSlope");
    headers[1].rescale_slope = 1;
    headers[1].rescale_intercept.reset();
    CHECK(error_of(headers) == "mixed_pixel_format z3 (0028,1052) RescaleIntercept");
}

TEST_CASE("steps far below a millimetre are steps where the pixels are as small") {
    std::vector<double> places;
    for (int i = 0; i < 100; ++i) {
        places.push_back(0.04 * i);
    }
    CHECK(make_series(slices_at(places)).slices.size() == 100);
    places.erase(places.begin() + 50);
    CHECK(error_of(slices_at(places)).starts_with("missing_slices"));
}

TEST_CASE("positions less than a hundredth of a pixel apart are one position") {
    CHECK(error_of(slices_at({0, 1e-5})).starts_with("duplicate_positions"));
    CHECK(error_of(slices_at({0, 0.0049})).starts_with("duplicate_positions"));
    CHECK(make_series(slices_at({0, 0.0051})).slices.size() == 2);
    CHECK(error_of(slices_at({0, 5, 10, 10.005})).starts_with("duplicate_positions"));
}

TEST_CASE("images side by side are no stack, and no patient is light years away") {
    Headers headers = slices_at({0, 5});
    headers[1].image_position_patient = {60, 20, 5};
    CHECK(error_of(headers).starts_with("invalid_geometry z5"));
    CHECK(error_of(slices_at({-1.7e308, 1.7e308})).starts_with("invalid_geometry"));
    CHECK(error_of(slices_at({0, 1, 2, 1e9})).starts_with("missing_slices"));
}

TEST_CASE("files that differ in what tells series apart are several, each in the message") {
    const std::vector<Change> changes{
        [](FileHeader& h) { h.series_instance_uid = "1.2.4"; },
        [](FileHeader& h) { h.sop_class_uid = "1.2.840.10008.5.1.4.1.1.4"; },
        [](FileHeader& h) { h.modality = "MR"; },
        [](FileHeader& h) { h.image_type = "DERIVED\\PRIMARY\\AXIAL"; },
        [](FileHeader& h) { h.image_type = "ORIGINAL\\PRIMARY\\AXIAL\\PHASE MAP"; },
        [](FileHeader& h) { h.echo_time = 2.5; },
        [](FileHeader& h) { h.repetition_time = 2.5; },
        [](FileHeader& h) { h.flip_angle = 2.5; },
        [](FileHeader& h) { h.echo_numbers = "2"; },
        [](FileHeader& h) { h.receive_coil_name = "HEAD"; },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        CAPTURE(i);
        CHECK(error_after(changes[i]) == "several_series");
    }
    Headers headers = slices_at({0, 3, 6});
    headers[2].series_instance_uid = "0.9";
    headers[2].series_description = "a\nb";
    CHECK(message_of(headers) ==
          "There are 2 series, and one makes a volume. Load the files of one of them:\n"
          "  1.2.3: CT, 2 files of 4x6, \"\" (z0)\n"
          "  0.9: CT, 1 file of 4x6, \"a?b\" (z6)");
}

TEST_CASE("what is no slice, or differs from the others, has a code and an element each") {
    CHECK(error_after([](FileHeader& h) { h.image_type = "ORIGINAL\\PRIMARY\\LOCALIZER"; }) ==
          "localizer z6 (0008,0008) ImageType");
    CHECK(error_after([](FileHeader& h) { h.functional_groups = tags::DoseGridScaling; }) ==
          "unsupported_functional_groups z6 (3004,000E) DoseGridScaling");
    CHECK(error_after([](FileHeader& h) { h.number_of_frames_given = 2; }) ==
          "unsupported_multi_frame z6 (0028,0008) NumberOfFrames");
    CHECK(error_after([](FileHeader& h) { h.image_type = "ORIGINAL\\PRIMARY\\M\\MOSAIC"; }) ==
          "several_series");
    CHECK(error_after_all([](FileHeader& h) { h.image_type += "\\MOSAIC"; }) ==
          "unsupported_mosaic z0 (0008,0008) ImageType");
    CHECK(error_after([](FileHeader& h) { h.bits_stored = 12; }) ==
          "mixed_pixel_format z6 (0028,0100) BitsAllocated");
    CHECK(error_after([](FileHeader& h) { h.photometric_interpretation = "MONOCHROME1"; }) ==
          "mixed_pixel_format z6 (0028,0004) PhotometricInterpretation");
    CHECK(error_after([](FileHeader& h) { h.rescale_type = "OD"; }) ==
          "mixed_pixel_format z6 (0028,1054) RescaleType");
    CHECK(error_after([](FileHeader& h) { h.rows = 5; }) == "mixed_size z6 (0028,0010) Rows");
    CHECK(error_after([](FileHeader& h) { h.pixel_spacing = {0.5, 0.752}; }) ==
          "mixed_size z6 (0028,0030) PixelSpacing");
    CHECK(error_after([](FileHeader& h) { h.pixel_spacing = {0.5, 0.7507}; }) == "");
    CHECK(error_after([](FileHeader& h) { h.sop_instance_uid = "1.2.3.0.000000"; }) ==
          "duplicate_files z6 (0008,0018) SOPInstanceUID");
    CHECK(error_after_all([](FileHeader& h) { h.sop_instance_uid.clear(); }) == "");
}

TEST_CASE("a slice without place, or with an impossible one, is an error that names the element") {
    CHECK(error_after([](FileHeader& h) { h.image_position_patient.reset(); }) ==
          "no_position z6 (0020,0032) ImagePositionPatient");
    CHECK(error_after([](FileHeader& h) { h.image_orientation_patient.reset(); }) ==
          "no_position z6 (0020,0037) ImageOrientationPatient");
    CHECK(error_after_all([](FileHeader& h) { h.pixel_spacing.reset(); }) ==
          "invalid_geometry z0 (0028,0030) PixelSpacing");
    CHECK(error_after_all([](FileHeader& h) { h.pixel_spacing = {0.5, 0}; }) ==
          "invalid_geometry z0 (0028,0030) PixelSpacing");
    const std::string cosines = "invalid_geometry z6 (0020,0037) ImageOrientationPatient";
    CHECK(error_after([](FileHeader& h) {
              h.image_orientation_patient = {1.002, 0, 0, 0, 1, 0};
          }) == cosines);
    CHECK(error_after([](FileHeader& h) {
              h.image_orientation_patient = {0.8, 0.6, 0, 0, 1, 0};
          }) == cosines);
    CHECK(error_after([](FileHeader& h) {
              h.image_orientation_patient = {1, 0, 0, 0, 0.8, 0.6};
          }) == "mixed_orientation z6 (0020,0037) ImageOrientationPatient");
}

TEST_CASE("the orientation of most slices counts, not that of the first") {
    Headers headers = slices_at({0, 3, 6});
    headers[0].image_orientation_patient = {1, 0, 0, 0, 0, -1};
    CHECK(error_of(headers) == "mixed_orientation z0 (0020,0037) ImageOrientationPatient");
}

TEST_CASE("positions that repeat, are missing or uneven are told apart") {
    const std::string position = " (0020,0032) ImagePositionPatient";
    CHECK(error_of(slices_at({0, 3, 3.1, 6, 9})) == "duplicate_positions z3" + position);
    CHECK(error_of(slices_at({0, 3, 9, 12})) == "missing_slices z3" + position);
    CHECK(error_of(slices_at({0, 3, 6, 10, 13})) == "uneven_spacing z6" + position);
    CHECK(error_of(slices_at({0, 3, 6.1, 9})) == ""); // 0.1 of 3 mm is within 5 %
    CHECK(message_of(slices_at({0, 3, 9, 12, 15, 24})) ==
          "3 slices are missing (1 after slice 1, 2 after slice 4), the others are 3 mm apart. "
          "Fetch the files that are not there");
    Headers twice = slices_at({5, 5});
    twice[1].sop_instance_uid = "1.2.3.other";
    CHECK(error_of(twice) == "duplicate_positions z5" + position);
}
