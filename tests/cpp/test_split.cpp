// series/: which files are one part, under which key, and which part is chosen.
#include "series/clusters.hpp"
#include "series/kind.hpp"
#include "series/splitting.hpp"
#include "series_builder.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

using namespace torchdicom;
using test::Headers;
using test::image_named;
using test::paths_of;
using test::slice_at;
using test::slices_at;
using test::verdict_of;

namespace {

using Change = std::function<void(FileHeader&)>;
using Paths = std::vector<std::string>;

FileHeader changed(FileHeader header, const Change& change) {
    change(header);
    return header;
}

/// Three slices, the last one changed.
Headers last_changed(const Change& change) {
    Headers headers = slices_at({0, 3, 6});
    change(headers.back());
    return headers;
}

/// "z0 z3 | z6": the files of each part.
std::string parts_of(const Headers& headers) {
    std::string text;
    for (const Series& part : split_series(headers)) {
        text += text.empty() ? "" : " |";
        for (const std::string& path : paths_of(part)) {
            text.append(text.empty() ? "" : " ").append(path);
        }
    }
    return text;
}

std::string text_after(std::size_t place, const Change& change) {
    const FileHeader header = changed(slice_at(0), change);
    return splitting_of(header, kind_of(header))[place];
}

FileHeader localizer_at(double z) {
    return changed(slice_at(z),
                   [](FileHeader& h) { h.image_type = "ORIGINAL\\PRIMARY\\LOCALIZER"; });
}

/// The code, a blank and the message.
std::string error_of(const std::vector<Series>& parts, const std::optional<std::string>& wanted) {
    try {
        return std::to_string(choose_series(parts, wanted));
    } catch (const Error& error) {
        return std::string{code_name(error.code())} + " " + error.message();
    }
}

} // namespace

TEST_CASE("the kind of a file is decided by itself") {
    const auto kind = [](const Change& change) { return kind_of(changed(slice_at(0), change)); };
    const auto nowhere = [](FileHeader& h) { h.image_position_patient.reset(); };
    CHECK(kind([](FileHeader&) {}) == Kind::volume);
    CHECK(kind(nowhere) == Kind::volume);
    for (const char* slices : {"MR", "PT", "NM"}) {
        CHECK(kind([&](FileHeader& h) {
                  nowhere(h);
                  h.modality = slices;
              }) == Kind::volume);
    }
    CHECK(kind([&](FileHeader& h) {
              nowhere(h);
              h.modality = "MG";
          }) == Kind::image);
    CHECK(kind([&](FileHeader& h) {
              h.image_orientation_patient.reset();
              h.modality = "";
          }) == Kind::image);
    CHECK(kind([&](FileHeader& h) { h.modality = "MG"; }) == Kind::volume);
    CHECK(kind([&](FileHeader& h) {
              nowhere(h);
              h.sop_class_uid = "1.2.840.10008.5.1.4.1.1.7";
          }) == Kind::image);
    CHECK(kind([&](FileHeader& h) { h.sop_class_uid = "1.2.840.10008.5.1.4.1.1.7"; }) ==
          Kind::volume);

    const auto cine = [&](FileHeader& h) {
        nowhere(h);
        h.modality = "US";
        h.number_of_frames_given = 20;
    };
    CHECK(kind(cine) == Kind::cine);
    CHECK(kind([&](FileHeader& h) {
              cine(h);
              h.modality = "NM";
          }) == Kind::volume);
    CHECK(kind([&](FileHeader& h) {
              cine(h);
              h.image_position_patient = {0, 0, 0};
          }) == Kind::volume);
    CHECK(kind([&](FileHeader& h) {
              cine(h);
              h.functional_groups = tags::SharedFunctionalGroupsSequence;
          }) == Kind::volume);
    CHECK(kind([&](FileHeader& h) {
              cine(h);
              h.image_type = "DERIVED\\PRIMARY\\ LOCALIZER";
          }) == Kind::localizer);

    for (const char* foreign : {"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7",
                                "1.2.840.10008.5.1.4.1.1.77.1.6"}) {
        CHECK(kind([&](FileHeader& h) { h.sop_class_uid = foreign; }) == Kind::other);
    }
    for (const char* video :
         {"1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.102.1", "1.2.840.10008.1.2.4.108"}) {
        CHECK(kind([&](FileHeader& h) {
                  cine(h);
                  h.transfer_syntax_uid = video;
              }) == Kind::other);
    }
    for (const char* none : {"1.2.840.10008.1.2.4.109", "1.2.840.10008.1.2.4.10",
                             "1.2.840.10008.1.2.4.1001", "1.2.840.10008.1.2.4.90"}) {
        CHECK(kind([&](FileHeader& h) {
                  cine(h);
                  h.transfer_syntax_uid = none;
              }) == Kind::cine);
    }
    CHECK(name_of(Kind::volume) == "volume");
    CHECK(name_of(Kind::other) == "other");
}

TEST_CASE("the splitting values are texts that do not change") {
    const Series series = split_series({slice_at(0)}).front();
    CHECK(series.splitting ==
          std::vector<std::string>{"1.2.840.10008.5.1.4.1.1.2", "CT", "ORIGINAL", "", "", "", "",
                                   "", "", "", "volume", "4x6", "0.5\\0.75", "16/16/15/s/1/",
                                   "HU/slope/intercept", "1.000\\0.000\\0.000\\0.000\\1.000\\0.000",
                                   "", ""});
    CHECK(text_after(2, [](FileHeader& h) { h.image_type = " DERIVED \\X"; }) == "DERIVED");
    CHECK(text_after(2, [](FileHeader& h) { h.image_type.clear(); }).empty());
    CHECK(text_after(3, [](FileHeader& h) { h.image_type += "\\PHASE MAP"; }) == "P");
    CHECK(text_after(3, [](FileHeader& h) { h.image_type = "M\\M\\OTHER\\REAL\\P"; }) == "R");
    CHECK(text_after(4, [](FileHeader& h) { h.image_type += "\\LOCALIZER"; }) == "localizer");
    CHECK(text_after(5, [](FileHeader& h) { h.echo_time = 4.6; }) == "4.6");
    CHECK(text_after(5, [](FileHeader& h) { h.echo_time = 1e-7; }) == "1e-07");
    CHECK(text_after(5, [](FileHeader& h) { h.echo_time = 0; }) == "0");
    CHECK(text_after(6, [](FileHeader& h) { h.repetition_time = 2000; }) == "2000");
    CHECK(text_after(6, [](FileHeader& h) { h.repetition_time = 12345678901.5; }) ==
          "1.23456789e+10");
    CHECK(text_after(7, [](FileHeader& h) { h.flip_angle = 1.0 / 3; }) == "0.3333333333");
    CHECK(text_after(8, [](FileHeader& h) { h.echo_numbers = "1"; }) == "1");
    CHECK(text_after(9, [](FileHeader& h) { h.receive_coil_name = "HEAD"; }) == "HEAD");
    CHECK(text_after(11, [](FileHeader& h) { h.rows.reset(); }) == "0x6");
    CHECK(text_after(14, [](FileHeader& h) { h.rescale_slope.reset(); }) == "HU//intercept");
    CHECK(text_after(14, [](FileHeader& h) { h.rescale_type = "US"; }) == "/slope/intercept");
    CHECK(text_after(16, [](FileHeader&) {}).empty());
    const FileHeader image = image_named("a", "1.2.9");
    CHECK(splitting_of(image, kind_of(image))[16] == "1.2.9");
    CHECK(split_series({image}).front().splitting[15] == "none");
}

TEST_CASE("the pixel format is a text of what the header states") {
    const auto format = [](const Change& change) { return text_after(13, change); };
    CHECK(format([](FileHeader& h) {
              h.bits_stored = 12;
              h.high_bit = 13;
              h.pixel_representation = 0;
              h.samples_per_pixel = 3;
              h.photometric_interpretation = "RGB";
          }) == "16/12/13/u/3/RGB");
    CHECK(format([](FileHeader& h) { h.bits_stored = 12; }) == "16/12/11/s/1/");
    CHECK(format([](FileHeader& h) { h.bits_stored = 0; }) == "16/0/0/s/1/");
    CHECK(format([](FileHeader& h) { h.pixel_representation = 2; }) == "16/16/15/u/1/");
    CHECK(format([](FileHeader& h) {
              h.pixel_representation.reset();
              h.bits_allocated.reset();
          }) == "0/0/0/u/1/");
}

TEST_CASE("numbers of the grid are rounded as printf rounds them") {
    CHECK(pixel_spacing_text({0.70312499, 0.7}) == "0.7031\\0.7");
    CHECK(pixel_spacing_text({-0.0, 12345.6}) == "0\\1.235e+04");
    CHECK(orientation_text({0.99996, -0.0004, 0, -0.00051, 0.5, -1}) ==
          "1.000\\0.000\\0.000\\-0.001\\0.500\\-1.000");
    // The largest double has 309 digits.
    const double largest = 1.7976931348623157e308;
    CHECK(orientation_text({largest, 0, 0, 0, 0, 0}).size() == 313 + 5 * 6);
    CHECK(pixel_spacing_text({-largest, 5e-324}) == "-1.798e+308\\4.941e-324");
}

TEST_CASE("a key is the UID, and a hash of the values where the UID has several parts") {
    const std::vector<std::string> texts{"a", "b"};
    CHECK(hash_of(texts) == "e2613e6f");
    CHECK(hash_of(std::span<const std::string>{}) == "4fd0bfc1");
    Headers headers = slices_at({0, 3, 6});
    CHECK(split_series(headers).front().key == "1.2.3");
    headers[2].echo_time = 4.6;
    const std::vector<Series> parts = split_series(headers);
    REQUIRE(parts.size() == 2);
    CHECK(parts[0].key == "1.2.3#bf1f86c5");
    CHECK(parts[1].key == "1.2.3#0abba7a5");
    CHECK(parts[1].series_instance_uid == "1.2.3");
    for (FileHeader& header : headers) {
        header.series_instance_uid.clear();
        header.echo_time.reset();
    }
    CHECK(split_series(headers).front().key == "#bf1f86c5");
}

TEST_CASE("files that differ in one of the values are different parts") {
    const std::vector<Change> changes{
        [](FileHeader& h) { h.series_instance_uid = "1.2.4"; },
        [](FileHeader& h) { h.series_instance_uid.clear(); },
        [](FileHeader& h) { h.sop_class_uid = "1.2.840.10008.5.1.4.1.1.4"; },
        [](FileHeader& h) { h.modality = "MR"; },
        [](FileHeader& h) { h.image_type = "DERIVED\\PRIMARY\\AXIAL"; },
        [](FileHeader& h) { h.image_type = "ORIGINAL\\PRIMARY\\AXIAL\\PHASE MAP"; },
        [](FileHeader& h) { h.image_type = "ORIGINAL\\PRIMARY\\LOCALIZER"; },
        [](FileHeader& h) { h.echo_time = 2.5; },
        [](FileHeader& h) { h.repetition_time = 2.5; },
        [](FileHeader& h) { h.flip_angle = 2.5; },
        [](FileHeader& h) { h.echo_numbers = "2"; },
        [](FileHeader& h) { h.receive_coil_name = "HEAD"; },
        [](FileHeader& h) { h.rows = 5; },
        [](FileHeader& h) { h.pixel_spacing = {0.5, 0.752}; },
        [](FileHeader& h) { h.pixel_spacing.reset(); },
        [](FileHeader& h) { h.bits_stored = 12; },
        [](FileHeader& h) { h.bits_allocated = 8; },
        [](FileHeader& h) { h.high_bit = 14; },
        [](FileHeader& h) { h.pixel_representation = 0; },
        [](FileHeader& h) { h.samples_per_pixel = 3; },
        [](FileHeader& h) { h.columns = 5; },
        [](FileHeader& h) {
            h.units = "BQML";
            h.modality = "PT";
        },
        [](FileHeader& h) { h.transfer_syntax_uid = "1.2.840.10008.1.2.4.100"; },
        [](FileHeader& h) { h.photometric_interpretation = "MONOCHROME1"; },
        [](FileHeader& h) { h.rescale_type = "OD"; },
        [](FileHeader& h) { h.rescale_slope.reset(); },
        [](FileHeader& h) { h.rescale_intercept.reset(); },
        [](FileHeader& h) { h.image_orientation_patient = {1, 0, 0, 0, 0.8, 0.6}; },
        [](FileHeader& h) { h.image_orientation_patient.reset(); },
        [](FileHeader& h) { h.image_position_patient.reset(); },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        CAPTURE(i);
        CHECK(parts_of(last_changed(changes[i])) == "z0 z3 | z6");
    }
    const std::vector<Change> harmless{
        [](FileHeader& h) { h.series_description = "other"; },
        [](FileHeader& h) { h.slice_thickness = 7; },
        [](FileHeader& h) { h.rescale_slope = 7; },
        [](FileHeader& h) { h.pixel_spacing = {0.5, 0.7507}; },
        [](FileHeader& h) { h.image_orientation_patient = {0.99999, 0.0009, 0, 0, 1, 0}; },
        [](FileHeader& h) { h.image_type = "ORIGINAL\\SECONDARY\\OTHER"; },
        [](FileHeader& h) { h.sop_instance_uid.clear(); },
    };
    for (std::size_t i = 0; i < harmless.size(); ++i) {
        CAPTURE(i);
        CHECK(parts_of(last_changed(harmless[i])) == "z0 z3 z6");
    }
}

TEST_CASE("images and cine are series of their own, and parts stand in path order") {
    CHECK(parts_of({image_named("a", "3"), image_named("b", "1"), image_named("c", "2")}) ==
          "a | b | c");
    CHECK(parts_of({image_named("a", "3"), image_named("b", "1"), image_named("c", "3")}) ==
          "a c | b");
    Headers mixed{localizer_at(1), slice_at(2), image_named("c", "1"), localizer_at(3),
                  slice_at(4)};
    CHECK(parts_of(mixed) == "z1 z3 | z2 z4 | c");
}

TEST_CASE("clusters do not depend on the order of the values") {
    using Value = std::array<double, 1>;
    const auto is_near = [](const Value& a, const Value& b) { return std::abs(a[0] - b[0]) <= 1; };
    std::vector<Value> values{{0}, {0.9}, {0.9}, {1.8}, {2.7}, {5}};
    std::ranges::sort(values);
    do {
        const auto centres = cluster_centres(values, is_near);
        REQUIRE(centres.at({0}) == Value{0.9});
        REQUIRE(centres.at({0.9}) == Value{0.9});
        REQUIRE(centres.at({1.8}) == Value{0.9});
        REQUIRE(centres.at({2.7}) == Value{2.7}); // near 1.8, which is taken
        REQUIRE(centres.at({5}) == Value{5});
    } while (std::ranges::next_permutation(values).found);
    CHECK(cluster_centres(std::vector<Value>{{1}, {2}}, is_near).at({2}) ==
          Value{1}); // the smaller
    CHECK(cluster_centres(std::vector<Value>{}, is_near).empty());
}

TEST_CASE("orientations and spacings that scanners round differently are one") {
    Headers headers = slices_at({0, 3, 6, 9, 12});
    headers[0].pixel_spacing = {0.5003, 0.75}; // near the others, which are equal
    headers[1].pixel_spacing = {0.4997, 0.75}; // not near the first one
    headers[2].image_orientation_patient = {0.9994, 0.0008, 0, 0, 1, 0};
    headers[3].image_orientation_patient = {0.9994, -0.0008, 0, 0, 1, 0};
    const std::vector<Series> parts = split_series(headers);
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].splitting[12] == "0.5\\0.75");
    CHECK(parts[0].splitting[15] == "1.000\\0.000\\0.000\\0.000\\1.000\\0.000");
    // Spacings first: orientations are compared among those of one grid.
    headers[0].pixel_spacing = {0.6, 0.75};
    headers[0].image_orientation_patient = {0.9994, 0.0008, 0, 0, 1, 0};
    const std::vector<Series> two = split_series(headers);
    REQUIRE(two.size() == 2);
    CHECK(two[0].splitting[15] == "0.999\\0.001\\0.000\\0.000\\1.000\\0.000");
    CHECK(two[1].splitting[15] == "1.000\\0.000\\0.000\\0.000\\1.000\\0.000");
}

TEST_CASE("parts do not depend on which file comes first") {
    Headers headers = slices_at({0, 3, 6, 9, 12});
    headers[1].pixel_spacing = {0.5003, 0.75};
    headers[2].pixel_spacing = {0.5008, 0.75};
    headers[3].image_orientation_patient = {1, 0, 0, 0, 0, -1};
    std::vector<std::size_t> order(headers.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    do {
        Headers permuted;
        for (const std::size_t i : order) {
            permuted.push_back(headers[i]);
        }
        std::vector<std::string> found;
        for (const Series& part : split_series(permuted)) {
            Paths paths = paths_of(part);
            std::ranges::sort(paths);
            found.push_back(part.key + ":" + paths.front() + "," + paths.back() + "," +
                            std::to_string(paths.size()));
        }
        std::ranges::sort(found);
        REQUIRE(found.size() == 3);
        const auto count = [&](const std::string& part) {
            return std::ranges::count_if(
                found, [&](const std::string& text) { return text.ends_with(part); });
        };
        REQUIRE(count(":z0,z3,3") == 1);
        REQUIRE(count(":z6,z6,1") == 1);
        REQUIRE(count(":z9,z9,1") == 1);
    } while (std::ranges::next_permutation(order).found);
}

TEST_CASE("a part says which localizers its UID has") {
    Headers headers{localizer_at(7), slice_at(0), localizer_at(8), slice_at(3)};
    headers[2].image_orientation_patient = {1, 0, 0, 0, 0, -1}; // a localizer part of its own
    std::vector<Series> parts = split_series(headers);
    REQUIRE(parts.size() == 3);
    CHECK(verdict_of(parts[0]).empty());
    CHECK(verdict_of(parts[1]) == "localizer z7 z8 {files 2} @z7 (0008,0008) ImageType");
    CHECK(verdict_of(parts[2]).empty());
    headers[1].series_instance_uid = "1.2.4";
    headers[3].series_instance_uid = "1.2.4";
    parts = split_series(headers);
    CHECK(verdict_of(parts[1]).empty());
}

TEST_CASE("a part says which other sizes, formats and orientations its UID has") {
    const auto verdicts = [](const Change& change) {
        Headers headers = slices_at({0, 3, 6, 9});
        change(headers[1]);
        change(headers[3]);
        const std::vector<Series> parts = split_series(headers);
        REQUIRE(parts.size() == 2);
        CHECK(parts[0].key != parts[1].key);
        return verdict_of(parts[0]) + " / " + verdict_of(parts[1]);
    };
    const auto expected = [](const std::string& code, const std::string& element) {
        return code + " z3 {parts 2} @z3 " + element + " / " + code + " z0 {parts 2} @z0 " +
               element;
    };
    CHECK(verdicts([](FileHeader& h) { h.columns = 9; }) ==
          expected("mixed_size", "(0028,0010) Rows"));
    CHECK(verdicts([](FileHeader& h) { h.pixel_spacing = {0.6, 0.75}; }) ==
          expected("mixed_size", "(0028,0030) PixelSpacing"));
    CHECK(verdicts([](FileHeader& h) { h.bits_stored = 12; }) ==
          expected("mixed_pixel_format", "(0028,0100) BitsAllocated"));
    CHECK(verdicts([](FileHeader& h) { h.photometric_interpretation = "MONOCHROME1"; }) ==
          expected("mixed_pixel_format", "(0028,0004) PhotometricInterpretation"));
    CHECK(verdicts([](FileHeader& h) { h.rescale_type = "OD"; }) ==
          expected("mixed_pixel_format", "(0028,1054) RescaleType"));
    CHECK(verdicts([](FileHeader& h) { h.rescale_slope.reset(); }) ==
          expected("mixed_pixel_format", "(0028,1053) RescaleSlope"));
    CHECK(verdicts([](FileHeader& h) { h.rescale_intercept.reset(); }) ==
          expected("mixed_pixel_format", "(0028,1052) RescaleIntercept"));
    CHECK(verdicts([](FileHeader& h) { h.image_position_patient.reset(); }) ==
          expected("mixed_orientation", "(0020,0037) ImageOrientationPatient"));
    CHECK(verdicts([](FileHeader& h) { h.echo_time = 5; }) == " / ");
}

TEST_CASE("only volumes of one UID are mixed, and the values are counted among all of them") {
    Headers headers = slices_at({0, 3, 6, 9});
    headers[1].rows = 5;
    headers[2].rows = 7;
    headers[2].echo_time = 3;
    headers[3].rows = 9;
    headers[3].image_type = "ORIGINAL\\PRIMARY\\LOCALIZER";
    const std::vector<Series> parts = split_series(headers);
    REQUIRE(parts.size() == 4);
    CHECK(verdict_of(parts[0]) == "localizer z9 {files 1} @z9 (0008,0008) ImageType\n"
                                  "mixed_size z3 z6 {parts 3} @z3 (0028,0010) Rows");
    CHECK(verdict_of(parts[3]).empty());
    for (FileHeader& header : headers) {
        header.series_instance_uid.clear(); // is no identity
    }
    for (const Series& part : split_series(headers)) {
        CHECK(part.defects.empty());
    }
    const std::vector<Series> images = split_series(
        {image_named("a", "1"), changed(image_named("b", "2"), [](FileHeader& h) { h.rows = 9; })});
    CHECK(images[0].defects.empty());
}

TEST_CASE("the only part that is no localizer is chosen, or the only one") {
    CHECK(error_of(split_series(slices_at({0, 3})), {}) == "0");
    CHECK(error_of(split_series({localizer_at(7), slice_at(0), slice_at(3)}), {}) == "1");
    CHECK(error_of(split_series({localizer_at(7), localizer_at(8)}), {}) == "0");
    CHECK(error_of({}, {}).starts_with("no_images "));
    CHECK(error_of({}, "1.2.3").starts_with("no_images "));
}

TEST_CASE("several candidates are listed, each with the key to paste") {
    Headers headers = slices_at({0, 3, 6});
    headers[2].series_instance_uid = "0.9";
    headers[2].series_description = "a\nb";
    headers.push_back(localizer_at(7));
    headers.push_back(image_named("c", "1"));
    headers.back().series_instance_uid = "0.7";
    const std::vector<Series> parts = split_series(headers);
    CHECK(error_of(parts, {}) ==
          "several_series There are 3 series, and one is loaded at a time. Name one of them, or "
          "load its files:\n"
          "  series=\"" +
              parts[0].key +
              "\": CT, 2 files of 4x6, \"\" (z0)\n"
              "  series=\"0.9\": CT, 1 file of 4x6, \"a?b\" (z6)\n"
              "  series=\"0.7\": DX image, 1 file of 4x6, \"\" (c)\n"
              "Besides, 1 localizer file is left aside.");
    CHECK(parts[0].key.starts_with("1.2.3#"));
}

TEST_CASE("parts of one UID are listed with what differs") {
    Headers headers = slices_at({0, 3, 6});
    headers[0].echo_time = 4.6;
    headers[2].echo_time = 80;
    headers[2].rows = 5;
    const std::string message = error_of(split_series(headers), {});
    CHECK(message.find("\"\", EchoTime 4.6, Rows x Columns 4x6 (z0)") != std::string::npos);
    CHECK(message.find("\"\", EchoTime none, Rows x Columns 4x6 (z3)") != std::string::npos);
    CHECK(message.find("\"\", EchoTime 80, Rows x Columns 5x6 (z6)") != std::string::npos);
}

TEST_CASE("a part is named by its key, or by its UID where that is enough") {
    Headers headers = slices_at({0, 3, 6});
    headers[1].series_instance_uid = "1.2.4";
    headers[2].image_type = "ORIGINAL\\PRIMARY\\LOCALIZER";
    std::vector<Series> parts = split_series(headers);
    REQUIRE(parts.size() == 3);
    CHECK(error_of(parts, "1.2.4") == "1");
    CHECK(error_of(parts, "1.2.3") == "0"); // not the localizer
    CHECK(error_of(parts, parts[0].key) == "0");
    CHECK(error_of(parts, parts[2].key) == "2");
    headers[1].series_instance_uid = "1.2.3";
    headers[1].echo_time = 4;
    parts = split_series(headers);
    const std::string message = error_of(parts, "1.2.3");
    CHECK(message.starts_with("several_series There are 2 series"));
    CHECK(message.find("series=\"" + parts[1].key + "\"") != std::string::npos);
    CHECK(error_of(parts, parts[1].key) == "1");
    parts[1].key = parts[0].key; // as if two hashes were equal
    CHECK(error_of(parts, parts[1].key).starts_with("several_series"));
}

TEST_CASE("a part that is not there is an error with the keys that are") {
    CHECK(error_of(split_series(slices_at({0})), "1.2") ==
          "no_such_series There is no series \"1.2\". These are there:\n  1.2.3");
    Headers headers;
    for (int i = 0; i < 23; ++i) {
        headers.push_back(image_named("p", std::to_string(i)));
        headers.back().series_instance_uid = "1." + std::to_string(i);
    }
    const std::string message = error_of(split_series(headers), "2");
    CHECK(message.find("\n  1.19\n  and 3 more") != std::string::npos);
    CHECK(message.find("1.20") == std::string::npos);
}
