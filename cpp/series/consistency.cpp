// What every slice of a volume has in common, and what none may be.

#include "header/pixel_format.hpp"
#include "header/values.hpp"
#include "series/series.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

namespace torchdicom {

namespace {

// PixelSpacing is text: the same grid may be written with more or fewer digits.
constexpr double kSpacingTolerance = 1e-3;

void refuse_what_is_no_slice(const FileHeader& header) {
    if (header.functional_groups) {
        fail(ErrorCode::unsupported_functional_groups,
             "Enhanced images and dose grids are not loaded as volumes yet. Take their frames as "
             "stored with torchdicom.decode",
             header.place_of(*header.functional_groups));
    }
    if (header.number_of_frames() > 1) {
        fail(ErrorCode::unsupported_multi_frame,
             "The file has " + std::to_string(header.number_of_frames()) +
                 " frames, and such files are not loaded as volumes yet. Take its frames with "
                 "torchdicom.decode",
             header.place_of(tags::NumberOfFrames));
    }
    for (std::size_t i = 0; i < count_values(header.image_type); ++i) {
        if (trimmed(nth_value(header.image_type, i)) == "MOSAIC") {
            fail(ErrorCode::unsupported_mosaic,
                 "A Siemens mosaic holds many slices in one image, and such files are not loaded "
                 "as volumes yet. Take the image with torchdicom.decode",
                 header.place_of(tags::ImageType));
        }
    }
}

[[noreturn]] void fail_mixed(ErrorCode code, const std::string& what, const FileHeader& first,
                             const FileHeader& other, Tag tag) {
    fail(code,
         what + ": " + first.path + " and " + other.path +
             " cannot be slices of one volume. Load them apart",
         other.place_of(tag));
}

bool is_same_cell(const PixelFormat& a, const PixelFormat& b) noexcept {
    return a.bits_allocated == b.bits_allocated && a.bits_stored == b.bits_stored &&
           a.high_bit == b.high_bit && a.is_signed == b.is_signed;
}

void check_pixel_format(const FileHeader& first, const FileHeader& other) {
    if (!is_same_cell(pixel_format_of(first), pixel_format_of(other))) {
        fail_mixed(ErrorCode::mixed_pixel_format, "The pixel formats differ", first, other,
                   tags::BitsAllocated);
    }
    if (first.photometric_interpretation != other.photometric_interpretation) {
        fail_mixed(ErrorCode::mixed_pixel_format, "The photometric interpretations differ", first,
                   other, tags::PhotometricInterpretation);
    }
    if (units_of(first) != units_of(other)) {
        fail_mixed(ErrorCode::mixed_pixel_format,
                   "The units differ ('" + units_of(first) + "' and '" + units_of(other) + "')",
                   first, other, tags::RescaleType);
    }
}

/// One slice without a slope among others that have one would be on another scale.
void check_rescale_presence(const FileHeader& first, const FileHeader& other) {
    if (first.rescale_slope.has_value() != other.rescale_slope.has_value()) {
        fail_mixed(ErrorCode::mixed_pixel_format, "One has a slope and the other has none", first,
                   other, tags::RescaleSlope);
    }
    if (first.rescale_intercept.has_value() != other.rescale_intercept.has_value()) {
        fail_mixed(ErrorCode::mixed_pixel_format, "One has an intercept and the other has none",
                   first, other, tags::RescaleIntercept);
    }
}

bool is_same_spacing(double a, double b) noexcept {
    return std::abs(a - b) <= kSpacingTolerance * std::max(std::abs(a), std::abs(b));
}

void check_size(const FileHeader& first, const FileHeader& other) {
    if (first.rows != other.rows || first.columns != other.columns) {
        fail_mixed(ErrorCode::mixed_size, "Rows or Columns differ", first, other, tags::Rows);
    }
    const auto& a = first.pixel_spacing;
    const auto& b = other.pixel_spacing;
    const bool is_same =
        a.has_value() == b.has_value() &&
        (!a || (is_same_spacing((*a)[0], (*b)[0]) && is_same_spacing((*a)[1], (*b)[1])));
    if (!is_same) {
        fail_mixed(ErrorCode::mixed_size, "PixelSpacing differs", first, other, tags::PixelSpacing);
    }
}

void check_instances(const std::vector<FileHeader>& slices) {
    std::unordered_map<std::string_view, const FileHeader*> seen;
    for (const FileHeader& slice : slices) {
        if (slice.sop_instance_uid.empty()) {
            continue; // not an identity
        }
        const auto [entry, is_new] = seen.emplace(slice.sop_instance_uid, &slice);
        if (!is_new) {
            fail(ErrorCode::duplicate_files,
                 entry->second->path + " and " + slice.path +
                     " are the same instance. Leave one of them out",
                 slice.place_of(tags::SOPInstanceUID));
        }
    }
}

} // namespace

std::string units_of(const FileHeader& header) {
    constexpr std::array<std::string_view, 8> kRescaleTypes{"HU", "OD",  "MGML",   "Z_EFF",
                                                            "ED", "EDW", "HU_MOD", "PCT"};
    if (!header.rescale_slope && !header.rescale_intercept) {
        return {};
    }
    if (header.modality == "PT") {
        return header.units;
    }
    // PS3.3 C.11.1.1.2: a CT image without Rescale Type is in Hounsfield units.
    if (header.modality == "CT" && header.rescale_type.empty()) {
        return "HU";
    }
    const bool is_unit =
        std::ranges::find(kRescaleTypes, header.rescale_type) != kRescaleTypes.end();
    return is_unit ? header.rescale_type : std::string{};
}

void check_consistency(const std::vector<FileHeader>& slices) {
    for (const FileHeader& slice : slices) {
        refuse_what_is_no_slice(slice);
        check_decodable(slice);
    }
    for (const FileHeader& slice : slices) {
        check_pixel_format(slices.front(), slice);
        check_rescale_presence(slices.front(), slice);
    }
    for (const FileHeader& slice : slices) {
        check_size(slices.front(), slice);
    }
    check_instances(slices);
}

} // namespace torchdicom
