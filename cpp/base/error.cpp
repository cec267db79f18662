#include "base/error.hpp"

#include <array>
#include <cstddef>
#include <system_error>
#include <utility>

namespace torchdicom {

namespace {

struct CodeRow {
    ErrorCode code;
    std::string_view name;
    ErrorKind kind;
};

using enum ErrorKind;

constexpr std::array kCodes{
    CodeRow{ErrorCode::not_dicom, "not_dicom", parse},
    CodeRow{ErrorCode::truncated_header, "truncated_header", parse},
    CodeRow{ErrorCode::truncated_pixels, "truncated_pixels", parse},
    CodeRow{ErrorCode::length_exceeds_file, "length_exceeds_file", parse},
    CodeRow{ErrorCode::invalid_vr, "invalid_vr", parse},
    CodeRow{ErrorCode::invalid_sequence, "invalid_sequence", parse},
    CodeRow{ErrorCode::invalid_decimal_string, "invalid_decimal_string", parse},
    CodeRow{ErrorCode::invalid_integer_string, "invalid_integer_string", parse},
    CodeRow{ErrorCode::invalid_multiplicity, "invalid_multiplicity", parse},
    CodeRow{ErrorCode::invalid_value, "invalid_value", parse},
    CodeRow{ErrorCode::invalid_deflate, "invalid_deflate", parse},
    CodeRow{ErrorCode::invalid_offset_table, "invalid_offset_table", parse},
    CodeRow{ErrorCode::invalid_fragments, "invalid_fragments", parse},
    CodeRow{ErrorCode::missing_element, "missing_element", parse},
    CodeRow{ErrorCode::no_pixel_data, "no_pixel_data", parse},
    CodeRow{ErrorCode::frame_count_mismatch, "frame_count_mismatch", parse},
    CodeRow{ErrorCode::file_changed, "file_changed", parse},
    CodeRow{ErrorCode::invalid_index, "invalid_index", parse},
    CodeRow{ErrorCode::unsupported_transfer_syntax, "unsupported_transfer_syntax", unsupported},
    CodeRow{ErrorCode::unsupported_pixel_format, "unsupported_pixel_format", unsupported},
    CodeRow{ErrorCode::unsupported_photometric, "unsupported_photometric", unsupported},
    CodeRow{ErrorCode::unsupported_functional_groups, "unsupported_functional_groups", unsupported},
    CodeRow{ErrorCode::unsupported_multi_frame, "unsupported_multi_frame", unsupported},
    CodeRow{ErrorCode::unsupported_mosaic, "unsupported_mosaic", unsupported},
    CodeRow{ErrorCode::no_real_world_map, "no_real_world_map", unsupported},
    CodeRow{ErrorCode::several_real_world_maps, "several_real_world_maps", unsupported},
    CodeRow{ErrorCode::no_window, "no_window", unsupported},
    CodeRow{ErrorCode::suv_not_possible, "suv_not_possible", unsupported},
    CodeRow{ErrorCode::philips_fp_not_possible, "philips_fp_not_possible", unsupported},
    CodeRow{ErrorCode::integer_dtype, "integer_dtype", unsupported},
    CodeRow{ErrorCode::codestream_mismatch, "codestream_mismatch", decode},
    CodeRow{ErrorCode::invalid_codestream, "invalid_codestream", decode},
    CodeRow{ErrorCode::decoder_failed, "decoder_failed", decode},
    CodeRow{ErrorCode::empty_folder, "empty_folder", series},
    CodeRow{ErrorCode::no_dicom_files, "no_dicom_files", series},
    CodeRow{ErrorCode::no_images, "no_images", series},
    CodeRow{ErrorCode::not_a_volume, "not_a_volume", series},
    CodeRow{ErrorCode::several_series, "several_series", series},
    CodeRow{ErrorCode::no_such_series, "no_such_series", series},
    CodeRow{ErrorCode::unreadable_file, "unreadable_file", series},
    CodeRow{ErrorCode::no_position, "no_position", series},
    CodeRow{ErrorCode::invalid_geometry, "invalid_geometry", series},
    CodeRow{ErrorCode::localizer, "localizer", series},
    CodeRow{ErrorCode::mixed_orientation, "mixed_orientation", series},
    CodeRow{ErrorCode::mixed_size, "mixed_size", series},
    CodeRow{ErrorCode::mixed_pixel_format, "mixed_pixel_format", series},
    CodeRow{ErrorCode::duplicate_files, "duplicate_files", series},
    CodeRow{ErrorCode::duplicate_positions, "duplicate_positions", series},
    CodeRow{ErrorCode::missing_slices, "missing_slices", series},
    CodeRow{ErrorCode::uneven_spacing, "uneven_spacing", series},
    CodeRow{ErrorCode::gantry_tilt, "gantry_tilt", series},
    CodeRow{ErrorCode::assumed_spacing, "assumed_spacing", series},
    CodeRow{ErrorCode::limit_rows, "limit_rows", limit},
    CodeRow{ErrorCode::limit_columns, "limit_columns", limit},
    CodeRow{ErrorCode::limit_frames, "limit_frames", limit},
    CodeRow{ErrorCode::limit_sequence_depth, "limit_sequence_depth", limit},
    CodeRow{ErrorCode::limit_element_length, "limit_element_length", limit},
    CodeRow{ErrorCode::limit_output_bytes, "limit_output_bytes", limit},
    CodeRow{ErrorCode::limit_ratio, "limit_ratio", limit},
    CodeRow{ErrorCode::value_overflow, "value_overflow", limit},
    CodeRow{ErrorCode::os_error, "os_error", os},
    CodeRow{ErrorCode::internal_error, "internal_error", internal},
};

/// The table is indexed by the enum, so it must be complete and in its order.
constexpr bool table_is_in_order() {
    for (std::size_t i = 0; i < kCodes.size(); ++i) {
        if (static_cast<std::size_t>(kCodes[i].code) != i) {
            return false;
        }
    }
    return kCodes.size() == static_cast<std::size_t>(ErrorCode::internal_error) + 1;
}
static_assert(table_is_in_order());

const CodeRow& row_of(ErrorCode code) noexcept { return kCodes[static_cast<std::size_t>(code)]; }

std::string render(ErrorCode code, const std::string& message, const Place& place) {
    std::string text = message + " [" + std::string{code_name(code)} + "]";
    std::string_view joint = " - at ";
    if (!place.element.empty()) {
        text.append(joint).append(place.element);
        joint = ", ";
    }
    if (place.offset) {
        text.append(joint).append("byte ").append(std::to_string(*place.offset));
        joint = " of ";
    }
    if (!place.path.empty()) {
        text.append(joint).append(place.path);
    }
    return text;
}

} // namespace

std::string_view code_name(ErrorCode code) noexcept { return row_of(code).name; }

ErrorKind kind_of(ErrorCode code) noexcept { return row_of(code).kind; }

Error::Error(ErrorCode code, std::string message, Place place, int system_errno)
    : code_{code}, message_{std::move(message)}, place_{std::move(place)},
      system_errno_{system_errno}, text_{render(code_, message_, place_)} {}

Error Error::located(const Place& fallback) const {
    Place place = place_;
    if (place.path.empty()) {
        place.path = fallback.path;
    }
    if (place.element.empty()) {
        place.element = fallback.element;
    }
    if (!place.offset) {
        place.offset = fallback.offset;
    }
    return Error{code_, message_, std::move(place), system_errno_};
}

void fail(ErrorCode code, std::string message, Place place) {
    throw Error{code, std::move(message), std::move(place)};
}

void fail_errno(int system_errno, std::string_view action, const std::string& path) {
    const std::string reason = std::error_code{system_errno, std::generic_category()}.message();
    throw Error{ErrorCode::os_error, std::string{action} + ": " + reason, Place{.path = path},
                system_errno};
}

} // namespace torchdicom
