// One error type for the whole core: what happened, where, and what to do about it.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace torchdicom {

/// Which Python class an error becomes.
enum class ErrorKind : std::uint8_t {
    parse, ///< ParseError: the bytes break PS3.5 or PS3.10, or an attribute's value is malformed
    unsupported, ///< UnsupportedError: legal DICOM that this build does not read
    decode,      ///< DecodeError: a frame's codestream is broken or contradicts the header
    series,      ///< SeriesError: the files do not make one volume
    limit,       ///< LimitError: larger than a named limit of base/limits.hpp
    os,          ///< OSError (FileNotFoundError, PermissionError ...): the system refused
    internal,    ///< RuntimeError: a bug of ours
};

/// Each value has one meaning and at least one test; `code_name` is its public spelling.
enum class ErrorCode : std::uint8_t {
    not_dicom,
    truncated_header,
    truncated_pixels,
    length_exceeds_file,
    invalid_vr,
    invalid_sequence,
    invalid_decimal_string,
    invalid_integer_string,
    invalid_multiplicity,
    invalid_value,
    invalid_deflate,
    invalid_offset_table,
    invalid_fragments,
    missing_element,
    no_pixel_data,
    frame_count_mismatch,
    file_changed,
    invalid_index,
    unsupported_transfer_syntax,
    unsupported_pixel_format,
    unsupported_photometric,
    unsupported_functional_groups,
    unsupported_multi_frame,
    unsupported_mosaic,
    no_real_world_map,
    several_real_world_maps,
    no_window,
    suv_not_possible,
    philips_fp_not_possible,
    integer_dtype,
    codestream_mismatch,
    invalid_codestream,
    decoder_failed,
    empty_folder,
    no_dicom_files,
    no_images,
    not_a_volume,
    several_series,
    no_such_series,
    unreadable_file,
    no_position,
    invalid_geometry,
    localizer,
    mixed_orientation,
    mixed_size,
    mixed_pixel_format,
    duplicate_files,
    duplicate_positions,
    missing_slices,
    uneven_spacing,
    gantry_tilt,
    assumed_spacing,
    limit_rows,
    limit_columns,
    limit_frames,
    limit_sequence_depth,
    limit_element_length,
    limit_output_bytes,
    limit_ratio,
    value_overflow,
    os_error,
    internal_error,
};

[[nodiscard]] std::string_view code_name(ErrorCode code) noexcept;
[[nodiscard]] ErrorKind kind_of(ErrorCode code) noexcept;

/// Where an error was seen. Every part may be unknown.
struct Place {
    std::string path{};    ///< file name, or "<bytes>"
    std::string element{}; ///< "(0028,0010)", nested ones "(5200,9230)[3].(0020,9113)"
    std::optional<std::uint64_t>
        offset{}; ///< byte offset in the file (in the inflated data set if deflated)
};

class Error final : public std::exception {
  public:
    Error(ErrorCode code, std::string message, Place place, int system_errno = 0);

    /// The sentence, the advice and the place, for tests and logs of the core.
    [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }
    [[nodiscard]] ErrorCode code() const noexcept { return code_; }
    /// Sentence and advice only; Python adds the place.
    [[nodiscard]] const std::string& message() const noexcept { return message_; }
    [[nodiscard]] const Place& place() const noexcept { return place_; }
    [[nodiscard]] int system_errno() const noexcept { return system_errno_; }

    /// The same error with those parts of the place filled in that were unknown.
    [[nodiscard]] Error located(const Place& fallback) const;

  private:
    ErrorCode code_;
    std::string message_;
    Place place_;
    int system_errno_;
    std::string text_;
};

/// The only place that throws `Error`: cold and never inlined, so that checks stay small.
[[noreturn, gnu::cold, gnu::noinline]] void fail(ErrorCode code, std::string message,
                                                 Place place = {});

/// Throws os_error with errno's text.
[[noreturn, gnu::cold, gnu::noinline]] void fail_errno(int system_errno, std::string_view action,
                                                       const std::string& path);

} // namespace torchdicom
