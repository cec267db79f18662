// Headers that say anything become parts with a verdict: which files are one part, in which order,
// and what is said of them.
// Covers: series/choose.cpp series/duplicates.cpp series/geometry.cpp series/judge.cpp
// Covers: series/kind.cpp series/refusals.cpp series/repeats.cpp series/siblings.cpp
// Covers: series/spacing.cpp series/split.cpp series/splitting.cpp
// Covers: series/times.cpp series/concatenation.cpp

#include "fuzz.hpp"
#include "series/policy.hpp"
#include "series/splitting.hpp"
#include "series/times.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

using namespace torchdicom;

namespace {

/// One of the values, as a byte of the input says.
template <typename T, std::size_t N> T pick(fuzz::Input& input, const std::array<T, N>& values) {
    return values[input.byte() % N];
}

constexpr std::array<double, 16> kDistances{0,   1,     2,    3,     6,    9,       2.5, 0.004,
                                            0.1, 1e-12, 1e-5, 12.05, -3.0, 1.2e308, 1e9, 3.05};

constexpr std::array<Orientation, 8> kOrientations{{{1, 0, 0, 0, 1, 0},
                                                    {1, 0, 0, 0, 1, 0},
                                                    {0.9995, 0.0005, 0, 0, 1, 0},
                                                    {0, 1, 0, 0, 0, -1},
                                                    {1, 0, 0, 0, 0.8, 0.6},
                                                    {0, 0, 0, 0, 0, 0},
                                                    {1.7e308, 1, 1, 1, 1, -1.7e308},
                                                    {-0.0, 1, -0.0004, 1, 0, 0}}};

constexpr std::array<PixelSpacing, 7> kSpacings{{{0.5, 0.75},
                                                 {0.5003, 0.75},
                                                 {0.4997, 0.75},
                                                 {0, 1},
                                                 {-1e308, 1e308},
                                                 {1e-300, 1},
                                                 {5e-324, 1}}};

constexpr std::array<std::string_view, 6> kModalities{"CT", "CT", "MR", "PT", "US", ""};

constexpr std::array<std::string_view, 6> kImageTypes{
    "ORIGINAL\\PRIMARY\\AXIAL", "ORIGINAL\\PRIMARY\\LOCALIZER", "DERIVED\\\\ PHASE \\M", "\\\\REAL",
    "A\\B\\MAGNITUDE\\MOSAIC",  "ORIGINAL\\PRIMARY\\IMAGINARY"};

constexpr std::array<std::string_view, 5> kClasses{
    "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.4"};

constexpr std::array<std::string_view, 4> kSyntaxes{"1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1",
                                                    "1.2.840.10008.1.2.4.100",
                                                    "1.2.840.10008.1.2.4.94"};

/// What tells slices at one place from each other, or which part of a file or an object they are.
void change_part(FileHeader& header, fuzz::Input& input, std::uint32_t what) {
    switch (what) {
    case 15: // a frame of the first file
        header.part = {.is_frame = true, .first = input.byte() % 4};
        header.path = "file 0";
        header.sop_instance_uid = "1.2.3.0";
        header.number_of_frames_given = 4;
        header.stack = std::string{input.flag() ? "A" : ""};
        break;
    case 16:
        header.times.trigger_time = pick(input, kDistances);
        break;
    case 17:
        header.concatenation = {.uid = input.flag() ? "1" : "2", .total = input.byte() % 4};
        break;
    case 18:
        header.times.acquisition_time = input.byte() * 339.0;
        if (input.flag()) {
            header.times.acquisition_day = input.byte();
        }
        break;
    case 19:
        header.times.diffusion_b_value = pick(input, kDistances);
        if (input.flag()) {
            header.times.diffusion_gradient = {0, 0, pick(input, kDistances)};
        }
        break;
    case 20: // that follows from a rule, with numbers that are too large
        header.image_position_patient = {
            0, 0, input.flag() ? std::numeric_limits<double>::infinity() : kUnknown};
        break;
    default:
        break;
    }
}

/// What one flag of the input takes away or makes odd.
void change(FileHeader& header, fuzz::Input& input) {
    const std::uint32_t what = input.byte() % 21;
    switch (what) {
    case 0:
        header.image_position_patient.reset();
        if (input.flag()) {
            header.sop_instance_uid.clear();
        }
        break;
    case 1:
        header.image_orientation_patient.reset();
        break;
    case 2:
        header.pixel_spacing.reset();
        header.imager_pixel_spacing = pick(input, kSpacings);
        if (input.flag()) {
            header.image_position_patient.reset();
        }
        break;
    case 3:
        header.rows = input.byte();
        break;
    case 4:
        header.bits_stored = input.byte();
        break;
    case 5:
        header.photometric_interpretation = "MONOCHROME1";
        break;
    case 6:
        header.rescale_type = input.flag() ? "OD" : "US";
        break;
    case 7:
        header.rescale_slope.reset();
        break;
    case 8:
        header.rescale_intercept.reset();
        break;
    case 9:
        header.number_of_frames_given = 2;
        header.image_position_patient.reset();
        break;
    case 10:
        header.times.temporal_position = input.byte() % 4;
        header.instance_number = input.byte();
        break;
    case 11:
        header.echo_time = pick(input, kDistances);
        break;
    case 12:
        header.series_instance_uid = input.flag() ? "" : "1.2.4";
        break;
    case 13:
        header.pixels.reset();
        break;
    case 14:
        header.sop_instance_uid = std::string{input.flag() ? "" : "1"};
        break;
    default:
        change_part(header, input, what);
        break;
    }
}

/// Every second slice is of a second time, by one attribute that all have.
void set_times(std::vector<FileHeader>& headers, std::uint32_t which) {
    constexpr std::array<std::optional<double> SliceTimes::*, 7> kAttributes{
        &SliceTimes::temporal_position,    &SliceTimes::trigger_time,
        &SliceTimes::cardiac_phase,        &SliceTimes::diffusion_b_value,
        &SliceTimes::frame_reference_time, &SliceTimes::acquisition_number,
        &SliceTimes::acquisition_time};
    for (std::size_t i = 0; i < headers.size() && which > 0; ++i) {
        headers[i].times.*kAttributes[(which - 1) % kAttributes.size()] = i % 2 == 0 ? 100 : 86'000;
    }
}

/// A slice like all others, with a few things chosen by the input.
FileHeader header_from(fuzz::Input& input, std::size_t number, ByteSpan content) {
    FileHeader header;
    header.path = "file " + std::to_string(number);
    header.memory = content;
    header.series_instance_uid = "1.2.3";
    header.sop_instance_uid = "1.2.3." + std::to_string(number);
    header.rows = 2;
    header.columns = 3;
    header.bits_allocated = 16;
    header.pixel_representation = 0;
    header.rescale_slope = 1;
    header.rescale_intercept = 0;
    header.pixels = PixelElement{.element = {.tag = tags::PixelData}};
    const double x = input.flag() ? pick(input, kDistances) : 0;
    header.image_position_patient = {x, 0, pick(input, kDistances)};
    header.instance_number = static_cast<std::int32_t>(input.byte()) - 128;
    const std::uint32_t flags = input.byte();
    const auto has = [flags](unsigned bit) { return ((flags >> bit) & 1U) != 0; };
    header.image_orientation_patient = has(0) ? pick(input, kOrientations) : kOrientations[0];
    header.pixel_spacing = has(1) ? pick(input, kSpacings) : kSpacings[0];
    header.modality = has(2) ? pick(input, kModalities) : kModalities[0];
    header.image_type = has(3) ? pick(input, kImageTypes) : kImageTypes[0];
    header.sop_class_uid = has(4) ? pick(input, kClasses) : kClasses[0];
    header.transfer_syntax_uid = has(5) ? pick(input, kSyntaxes) : kSyntaxes[0];
    header.transfer_syntax = find_transfer_syntax(header.transfer_syntax_uid).value();
    if (has(6)) {
        header.instance_number.reset();
    }
    if (has(7)) {
        change(header, input);
    }
    return header;
}

bool is_finite(const Vector3& v) noexcept {
    return std::isfinite(v[0]) && std::isfinite(v[1]) && std::isfinite(v[2]);
}

void check_defect(const Series& series, const Defect& defect) {
    for (const std::size_t slice : defect.slices) {
        fuzz::require(slice < series.slices.size(), "defects name slices that are there");
    }
    for (const auto& [name, number] : defect.measured) {
        fuzz::require(std::isfinite(number) && !name.empty(), "what is measured is a number");
    }
    fuzz::require(!defect.message.empty() && !defect.place.path.empty(), "defects say where");
}

void check_times(const Series& series) {
    fuzz::require(series.times > 0 && series.slices.size() % series.times == 0,
                  "each time has as many slices");
    const bool has_refusal =
        std::ranges::any_of(series.defects, [](const Defect& defect) { return defect.is_refusal; });
    fuzz::require(series.times == 1 || series.affine || has_refusal,
                  "what has times has a place, or is refused");
    const bool is_cine = series.kind == Kind::cine && series.slices.size() > 1;
    const std::size_t times = is_cine ? series.slices.size() : series.times;
    for (const auto& [name, width, values] : coordinates_over_time(series)) {
        fuzz::require(!name.empty() && values.size() == times * width, "a time has its values");
        fuzz::require(std::ranges::all_of(values, [](double one) { return std::isfinite(one); }),
                      "coordinates are numbers");
        fuzz::require(std::ranges::adjacent_find(values, std::not_equal_to{}) != values.end(),
                      "coordinates vary");
    }
}

void check_verdict(const Series& series) {
    check_times(series);
    const bool has_refusal =
        std::ranges::any_of(series.defects, [](const Defect& defect) { return defect.is_refusal; });
    fuzz::require(!series.slices.empty(), "a slice is left");
    fuzz::require(!series.affine || !has_refusal, "what is refused has no affine");
    if (series.affine) {
        fuzz::require(std::ranges::all_of(*series.affine, is_finite), "an affine is finite");
        fuzz::require(is_finite(series.spacing_mm), "distances are finite");
        fuzz::require(series.spacing_mm[0] > 0, "slices lie apart");
    }
    for (const Defect& defect : series.defects) {
        check_defect(series, defect);
    }
    const auto error = fuzz::error_of([&] { static_cast<void>(apply_policy(series, {})); });
    fuzz::require(error.has_value() != is_ok(series), "what is not ok is an error");
    fuzz::require(!error || left_out(*error).files.front() == error->place().path,
                  "an error can become a defect");
}

std::multiset<std::string> keys_of(const std::vector<Series>& parts) {
    std::multiset<std::string> keys;
    for (const Series& part : parts) {
        keys.insert(part.key + " " + std::to_string(part.slices.size()));
    }
    return keys;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::array kContent{std::byte{1}, std::byte{2}};
    fuzz::Input input{data, size};
    std::vector<FileHeader> headers;
    std::size_t with_pixels = 0;
    const std::size_t count = input.byte() % 24;
    const std::uint32_t options = input.byte();
    const std::string wanted = (options & 1U) != 0 ? "1.2.3" : "1.2.4";
    for (std::size_t i = 0; i < count; ++i) {
        headers.push_back(header_from(input, i, ByteSpan{kContent}.first(i % 5 == 4 ? 1 : 2)));
        with_pixels += headers.back().pixels ? 1U : 0U;
    }
    set_times(headers, (options >> 1U) % 8);
    std::vector<Series> parts = split_series(headers);
    std::ranges::reverse(headers);
    fuzz::require(keys_of(parts) == keys_of(split_series(headers)), "the order does not matter");

    std::size_t in_parts = 0;
    LoadStats stats;
    for (Series& part : parts) {
        in_parts += part.slices.size();
        const auto error = fuzz::error_of([&] { judge_series(part, {}, stats); });
        fuzz::require(!error, "nothing in a file is thrown");
        check_verdict(part);
    }
    fuzz::require(in_parts == with_pixels, "each file is in one part");
    static_cast<void>(fuzz::error_of([&] { static_cast<void>(choose_series(parts, {})); }));
    const auto unknown = fuzz::error_of([&] {
        const std::size_t chosen = choose_series(parts, wanted);
        fuzz::require(parts[chosen].series_instance_uid == wanted, "what was asked for is chosen");
    });
    fuzz::require(!unknown || kind_of(unknown->code()) == ErrorKind::series, "or not there");
    return 0;
}
