// When and how a slice was taken: what tells slices at one place from each other.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace torchdicom {

/// Nothing where a file does not say. Classic files have these as attributes, enhanced ones in
/// their functional groups, vendors in elements of their own.
struct SliceTimes {
    std::optional<double> temporal_position;                 ///< a number in a series of them
    std::optional<double> trigger_time;                      ///< milliseconds
    std::optional<double> cardiac_phase;                     ///< per cent of the cycle
    std::optional<double> diffusion_b_value;                 ///< s/mm2
    std::optional<std::array<double, 3>> diffusion_gradient; ///< in the patient, LPS
    std::optional<double> frame_reference_time;              ///< milliseconds
    std::optional<double> acquisition_number;
    std::optional<double> acquisition_day;  ///< since 1970-01-01
    std::optional<double> acquisition_time; ///< seconds since midnight
    std::optional<double> slice_time;       ///< milliseconds, of a slice in a mosaic
};

/// Days since 1970-01-01 of a DA, "YYYYMMDD" or "YYYY.MM.DD"; nothing where it is none (PS3.5 6.2).
[[nodiscard]] std::optional<double> parse_day(std::string_view text);

/// Seconds since midnight of a TM, "HH[MM[SS[.FFFFFF]]]" or the same with colons; nothing where it
/// is none.
[[nodiscard]] std::optional<double> parse_time_of_day(std::string_view text);

/// Both of a DT, whose offset from UTC is passed over.
struct Moment {
    std::optional<double> day;
    std::optional<double> time;
};
[[nodiscard]] Moment parse_moment(std::string_view text);

} // namespace torchdicom
