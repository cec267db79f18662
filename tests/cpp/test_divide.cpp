// header/divide: a file with several slices becomes a header for each, whose attributes are those
// of its frame over those of all frames over those of the file.
#include "csa_writer.hpp"
#include "data_set_writer.hpp"
#include "header/divide.hpp"
#include "header/tables.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <functional>
#include <string>
#include <vector>

using namespace torchdicom;
using test::code_of;
using test::DataSetWriter;

namespace {

using Place3 = std::array<double, 3>;
using Fill = std::function<void(DataSetWriter&)>;
using Slices = std::vector<FileHeader>;

constexpr const char* kAxial = "1\\0\\0\\0\\1\\0";

void doubles(DataSetWriter& writer, Tag tag, const std::vector<double>& values) {
    writer.head(tag, "FD", static_cast<std::uint32_t>(8 * values.size()));
    for (const double value : values) {
        writer.number(std::bit_cast<std::uint64_t>(value), 8);
    }
}

void shorts(DataSetWriter& writer, Tag tag, const std::vector<std::uint32_t>& values) {
    writer.head(tag, "US", static_cast<std::uint32_t>(2 * values.size()));
    for (const std::uint32_t value : values) {
        writer.number(value, 2);
    }
}

/// A macro with one item.
void macro(DataSetWriter& writer, Tag tag, const Fill& fill) {
    writer.sequence(tag).item();
    fill(writer);
    writer.end_item().end_sequence();
}

void text_macro(DataSetWriter& writer, Tag tag, Tag attribute, std::string_view vr,
                const std::string& value) {
    macro(writer, tag, [&](DataSetWriter& inner) { inner.text(attribute, vr, value); });
}

struct Frames {
    std::string modality = "MR";
    std::string image_type = "ORIGINAL\\PRIMARY\\M";
    std::uint32_t count = 1;
    std::uint32_t rows = 2;
    std::uint32_t columns = 2;
    std::string position = "1\\2\\30";
    std::string orientation = kAxial;
    Fill early = [](DataSetWriter& /*writer*/) {}; ///< before the place
    Fill late = [](DataSetWriter& /*writer*/) {};  ///< behind the pixels' form
};

test::Bytes file_of(const Frames& frames) {
    DataSetWriter writer = test::file_start("1.2.840.10008.1.2.1");
    writer.text(tags::ImageType, "CS", frames.image_type);
    writer.text(tags::SOPInstanceUID, "UI", "1.2.3").text(tags::Modality, "CS", frames.modality);
    frames.early(writer);
    writer.text(tags::ImagePositionPatient, "DS", frames.position);
    writer.text(tags::ImageOrientationPatient, "DS", frames.orientation);
    writer.text(tags::NumberOfFrames, "IS", std::to_string(frames.count));
    writer.us(tags::Rows, frames.rows).us(tags::Columns, frames.columns);
    writer.text(tags::PixelSpacing, "DS", "0.5\\0.25").us(tags::BitsAllocated, 8);
    writer.us(tags::PixelRepresentation, 0).text(tags::RescaleSlope, "DS", "1");
    frames.late(writer);
    const test::Bytes pixels(std::size_t{frames.count} * frames.rows * frames.columns);
    return writer.element(tags::PixelData, "OW", pixels).bytes();
}

Slices slices_of(const Frames& frames) {
    LoadStats stats;
    const test::Bytes bytes = file_of(frames);
    return divide(
        read_header({.path = "a", .bytes = bytes}, {.texts = {}, .reads_slices = true}, stats));
}

std::string error_of(const Frames& frames) {
    try {
        static_cast<void>(slices_of(frames));
    } catch (const Error& error) {
        return std::string{code_name(error.code())} + " " + error.place().element;
    }
    return "";
}

/// Functional groups: of all frames, and of each.
Fill groups(const Fill& shared, const std::vector<Fill>& frames) {
    return [=](DataSetWriter& writer) {
        macro(writer, tags::SharedFunctionalGroupsSequence, shared);
        writer.sequence(tags::PerFrameFunctionalGroupsSequence);
        for (const Fill& frame : frames) {
            writer.item();
            frame(writer);
            writer.end_item();
        }
        writer.end_sequence();
    };
}

Frames dose(const std::string& offsets, const std::string& orientation = kAxial) {
    Frames frames{.modality = "RTDOSE", .count = 3, .orientation = orientation};
    frames.late = [offsets](DataSetWriter& writer) {
        writer.text(tags::DoseUnits, "CS", "GY");
        if (!offsets.empty()) {
            writer.text(tags::GridFrameOffsetVector, "DS", offsets);
        }
        writer.text(tags::DoseGridScaling, "DS", "0.25");
    };
    return frames;
}

/// One item of three detectors at z = 30, 40, 50.
Frames nuclear(const std::string& type, const Fill& vectors) {
    Frames frames{.modality = "NM", .image_type = type, .count = 3};
    frames.early = [](DataSetWriter& writer) {
        writer.text(tags::SpacingBetweenSlices, "DS", "-4");
    };
    frames.late = [vectors](DataSetWriter& writer) {
        vectors(writer);
        writer.sequence(tags::DetectorInformationSequence);
        for (const char* position : {"1\\2\\30", "1\\2\\40", "1\\2\\50"}) {
            writer.item().text(tags::ImagePositionPatient, "DS", position);
            writer.text(tags::ImageOrientationPatient, "DS", kAxial).end_item();
        }
        writer.end_sequence();
    };
    return frames;
}

/// A mosaic of 2 x 2 tiles of 2 x 3 pixels, its CSA header in this block of this creator.
Frames mosaic(const test::CsaTags& csa, Tag block = 0x10,
              const std::string& creator = "SIEMENS CSA HEADER") {
    Frames frames{.image_type = "ORIGINAL\\PRIMARY\\M\\MOSAIC", .rows = 4, .columns = 6};
    frames.early = [=](DataSetWriter& writer) {
        writer.text(tags::SpacingBetweenSlices, "DS", "4");
        writer.text(0x0029'0000 | block, "LO", creator);
        writer.element(0x0029'0010 | block << 8U, "OB", test::csa_of(csa));
    };
    return frames;
}

const test::CsaTags kThree{{"NumberOfImagesInMosaic", {"3"}}};

} // namespace

TEST_CASE("a frame's own attributes go before those of all frames, those before the file's") {
    const auto thickness = [](const std::string& value) -> Fill {
        return [value](DataSetWriter& writer) {
            text_macro(writer, tags::PixelMeasuresSequence, tags::SliceThickness, "DS", value);
        };
    };
    const Slices slices =
        slices_of({.count = 3,
                   .early = [](DataSetWriter& w) { w.text(tags::SliceThickness, "DS", "7"); },
                   .late = groups(
                       [&](DataSetWriter& writer) {
                           text_macro(writer, tags::FrameContentSequence, tags::StackID, "SH", "S");
                           thickness("8")(writer);
                           text_macro(writer, tags::PixelValueTransformationSequence,
                                      tags::RescaleSlope, "DS", "3");
                       },
                       {thickness("9"), thickness(""), [](DataSetWriter& writer) {
                            text_macro(writer, tags::PlanePositionSequence,
                                       tags::ImagePositionPatient, "DS", "1\\2\\36");
                        }})});
    REQUIRE(slices.size() == 3);
    CHECK(slices[0].slice_thickness == 9);
    CHECK(slices[1].slice_thickness == 8);
    CHECK(slices[2].slice_thickness == 8);
    CHECK(slices[1].image_position_patient == Place3{1, 2, 30});
    CHECK(slices[2].image_position_patient == Place3{1, 2, 36});
    for (std::size_t i = 0; i < slices.size(); ++i) {
        CHECK(slices[i].stack == "S");
        CHECK(slices[i].rescale_slope == 3);
        CHECK(slices[i].pixel_spacing == std::array{0.5, 0.25});
        CHECK((slices[i].part == FramePart{.is_frame = true, .first = static_cast<int>(i)}));
        CHECK(slices[i].number_of_frames() == 1);
        CHECK(slices[i].frames.size() == 1);
        CHECK(slices[i].frames.bytes(0) == 4);
        CHECK(slices[i].frames.ranges(0)[0].offset == slices[0].frames.ranges(0)[0].offset + 4 * i);
    }
}

TEST_CASE("times and types of frames") {
    const Slices slices = slices_of(
        {.count = 1,
         .late = groups([](DataSetWriter& /*writer*/) {}, {[](DataSetWriter& writer) {
                            macro(writer, tags::CardiacSynchronizationSequence,
                                  [](DataSetWriter& w) {
                                      doubles(w, tags::NominalCardiacTriggerDelayTime, {12.5, 99});
                                  });
                            macro(writer, tags::MRImageFrameTypeSequence, [](DataSetWriter& w) {
                                w.text(tags::FrameType, "CS", "DERIVED\\PRIMARY\\P");
                                w.text(tags::ComplexImageComponent, "CS", "PHASE");
                            });
                            macro(writer, tags::FrameContentSequence, [](DataSetWriter& w) {
                                w.text(tags::FrameAcquisitionDateTime, "DT", "20240310120000.5");
                                w.head(tags::TemporalPositionIndex, "UL", 4).number(70'000, 4);
                                w.us(tags::FrameAcquisitionNumber, 6);
                            });
                            macro(writer, tags::TemporalPositionSequence, [](DataSetWriter& w) {
                                doubles(w, tags::TemporalPositionTimeOffset, {0.25});
                            });
                        }})});
    REQUIRE(slices.size() == 1);
    const SliceTimes& times = slices[0].times;
    CHECK(slices[0].image_type == "DERIVED\\PRIMARY\\PHASE\\P");
    CHECK(times.trigger_time == 12.5);
    CHECK(times.temporal_position == 70'000);
    CHECK(times.acquisition_number == 6);
    CHECK(times.acquisition_day == 19'792);
    CHECK(times.acquisition_time == 43'200.5);
    CHECK(times.frame_reference_time == 250);
}

TEST_CASE("groups of another number of frames are an error, and none of each are none") {
    const Fill nothing = [](DataSetWriter& /*writer*/) {};
    const Frames fewer{.count = 3, .late = groups(nothing, {nothing, nothing})};
    CHECK(error_of(fewer) == "frame_count_mismatch (5200,9230) PerFrameFunctionalGroupsSequence");
    CHECK(slices_of({.count = 3, .late = groups(nothing, {})}).size() == 3);
    const Fill cut = [](DataSetWriter& writer) {
        macro(writer, tags::MREchoSequence,
              [](DataSetWriter& w) { w.head(tags::EffectiveEchoTime, "FD", 4).number(0, 4); });
    };
    CHECK(error_of({.count = 1, .late = groups(cut, {})}) ==
          "invalid_multiplicity (0018,9082) EffectiveEchoTime");
    CHECK(slices_of({.count = 3}).size() == 1); // nothing says what its frames are
}

TEST_CASE("maps of a frame that are malformed are an error when they are used") {
    const Slices slices =
        slices_of({.count = 2,
                   .late = groups([](DataSetWriter& /*writer*/) {},
                                  {[](DataSetWriter& writer) {
                                       macro(writer, tags::RealWorldValueMappingSequence,
                                             [](DataSetWriter& w) {
                                                 w.head(tags::RealWorldValueSlope, "FD", 4);
                                                 w.number(0, 4);
                                             });
                                       text_macro(writer, tags::PixelMeasuresSequence,
                                                  tags::SliceThickness, "DS", "9");
                                   },
                                   [](DataSetWriter& /*writer*/) {}})});
    REQUIRE(slices.size() == 2);
    CHECK(slices[0].has_real_world_maps);
    CHECK(slices[0].slice_thickness == 9); // what follows is read
    CHECK(code_of([&] { static_cast<void>(real_world_maps_of(slices[0])); }) ==
          ErrorCode::invalid_multiplicity);
    CHECK(real_world_maps_of(slices[1]).empty());
}

TEST_CASE("planes of a dose lie along the normal, or where the offsets say") {
    const Slices relative = slices_of(dose("0\\3\\7", "1\\0\\0\\0\\0\\-1"));
    REQUIRE(relative.size() == 3);
    CHECK(relative[0].image_position_patient == Place3{1, 2, 30});
    CHECK(relative[1].image_position_patient == Place3{1, 5, 30});
    CHECK(relative[2].image_position_patient == Place3{1, 9, 30});
    CHECK(relative[2].rescale_slope == 0.25);
    CHECK(relative[2].rescale_type == "GY");
    const Slices absolute = slices_of(dose("30\\25\\20"));
    REQUIRE(absolute.size() == 3);
    CHECK(absolute[0].image_position_patient == Place3{1, 2, 30});
    CHECK(absolute[2].image_position_patient == Place3{1, 2, 20});
    const std::string element = " (3004,000C) GridFrameOffsetVector";
    CHECK(error_of(dose("5\\8\\9", "1\\0\\0\\0\\0\\-1")) == "invalid_geometry" + element);
    CHECK(error_of(dose("-5\\0\\5")) == "invalid_geometry" + element);
    CHECK(error_of(dose("0\\3")) == "invalid_multiplicity" + element);
    CHECK(error_of(dose("")) == "missing_element" + element);
}

TEST_CASE("planes of a dose without an orientation have no place") {
    const Slices slices = slices_of(dose("0\\3\\7", ""));
    REQUIRE(slices.size() == 3);
    CHECK_FALSE(slices[0].image_position_patient);
    CHECK_FALSE(slices[2].image_position_patient);
}

TEST_CASE("what only doses and mosaics use is no error of other images") {
    Frames frames = dose("x");
    CHECK(error_of(frames) == "invalid_decimal_string (3004,000C) GridFrameOffsetVector");
    frames.modality = "CT";
    CHECK(error_of(frames).empty());
    frames = {.modality = "CT", .early = [](DataSetWriter& writer) {
                  writer.text(tags::SpacingBetweenSlices, "DS", "1\\2");
              }};
    CHECK(error_of(frames).empty());
    frames.modality = "NM";
    CHECK(error_of(frames) == "invalid_multiplicity (0018,0088) SpacingBetweenSlices");
}

TEST_CASE("slices of nuclear medicine lie behind the place of their detector") {
    const Slices slices = slices_of(nuclear("A\\B\\RECON GATED TOMO", [](DataSetWriter& writer) {
        shorts(writer, tags::EnergyWindowVector, {1, 1, 1});
        shorts(writer, tags::DetectorVector, {2, 2, 9});
        shorts(writer, tags::RRIntervalVector, {1, 2}); // of another length: as absent
        shorts(writer, tags::TimeSlotVector, {3, 2, 1});
        shorts(writer, tags::SliceVector, {1, 3, 2});
    }));
    REQUIRE(slices.size() == 3);
    CHECK(slices[0].image_position_patient == Place3{1, 2, 40});
    CHECK(slices[1].image_position_patient == Place3{1, 2, 32});
    CHECK(slices[2].image_position_patient == Place3{1, 2, 26}); // there is no ninth: the first
    CHECK(slices[0].stack == "Detector 2");
    CHECK(slices[2].stack == "Detector 9");
    CHECK(slices[0].times.temporal_position == 3);
    const Slices projections = slices_of(nuclear("A\\B\\TOMO", [](DataSetWriter& writer) {
        shorts(writer, tags::EnergyWindowVector, {1, 1, 2});
        shorts(writer, tags::TimeSliceVector, {1, 2, 3});
    }));
    REQUIRE(projections.size() == 3);
    CHECK_FALSE(projections[0].image_position_patient);
    CHECK(projections[2].stack == "EnergyWindow 2");
    CHECK(projections[2].times.temporal_position == 3);
}

TEST_CASE("tiles of a mosaic are slices") {
    const Slices slices = slices_of(mosaic({{"NumberOfImagesInMosaic", {"3"}},
                                            {"SliceNormalVector", {"0", "0", "-1"}},
                                            {"MosaicRefAcqTimes", {"0", "20", "10"}}}));
    REQUIRE(slices.size() == 3);
    for (std::size_t k = 0; k < 3; ++k) {
        CHECK((slices[k].part == FramePart{.is_frame = true,
                                           .tile = static_cast<int>(k),
                                           .frame_rows = 4,
                                           .frame_columns = 6}));
        CHECK(slices[k].rows == 2U);
        CHECK(slices[k].columns == 3U);
        // 1.5 columns of 0.25 mm, 1 row of 0.5 mm.
        CHECK(slices[k].image_position_patient ==
              Place3{1.375, 2.5, 30 - 4 * static_cast<double>(k)});
    }
    CHECK(slices[1].times.slice_time == 20);
}

TEST_CASE("a private block belongs to the creator that names it") {
    CHECK(slices_of(mosaic(kThree, 0x11)).size() == 3);
    CHECK(slices_of(mosaic(kThree, 0xFF)).size() == 3);
    CHECK(slices_of(mosaic(kThree, 0x10, "SIEMENS CSA HEADER ")).size() == 3);
    CHECK(slices_of(mosaic(kThree, 0x10, "ACME")).size() == 1);
    CHECK(slices_of(mosaic(kThree, 0x10, "SIEMENS MR HEADER")).size() == 1); // of group 0019
    Frames stray = mosaic(kThree);
    stray.early = [](DataSetWriter& writer) {
        writer.text(0x0029'0010, "LO", "SIEMENS CSA HEADER");
        writer.element(0x0029'1110, "OB", test::csa_of(kThree)); // of a block without a creator
    };
    CHECK(slices_of(stray).size() == 1);
}

TEST_CASE("a mosaic that does not divide stays whole") {
    CHECK(slices_of(mosaic({})).size() == 1);
    CHECK(slices_of(mosaic({{"NumberOfImagesInMosaic", {"5"}}})).size() == 1); // 4 rows by 3
    Frames frames = mosaic(kThree);
    frames.image_type = "ORIGINAL\\PRIMARY\\M";
    CHECK(slices_of(frames).size() == 1);
    frames = mosaic(kThree);
    frames.modality = "CT";
    CHECK(slices_of(frames).size() == 1);
    CHECK_FALSE(slices_of(frames)[0].part.is_frame);
}

TEST_CASE("a slice is found again, unless the file has changed") {
    Slices planes = slices_of(dose("0\\3\\7"));
    CHECK(&find_slice(planes, {.is_frame = true, .first = 2}) == &planes[2]);
    Slices tiles = slices_of(mosaic(kThree));
    const FramePart second{.is_frame = true, .tile = 1, .frame_rows = 4, .frame_columns = 6};
    CHECK(&find_slice(tiles, second) == &tiles[1]);
    for (const FramePart& part : {FramePart{.is_frame = true, .first = 3},
                                  FramePart{.is_frame = true, .first = -1}, FramePart{}, second}) {
        CHECK(code_of([&] { static_cast<void>(find_slice(planes, part)); }) ==
              ErrorCode::file_changed);
    }
}
