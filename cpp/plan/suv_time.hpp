// Dates and times of PS3.5 6.2 as seconds since 1970-01-01, in no time zone.
#pragma once

#include <optional>
#include <string_view>

namespace torchdicom::suv {

inline constexpr double kDay = 86'400.0;

/// Days since 1970-01-01 of a DA, "YYYYMMDD" or "YYYY.MM.DD"; nothing where it is none.
[[nodiscard]] std::optional<double> days_of(std::string_view date);

/// Seconds since midnight of a TM, "HH[MM[SS[.F]]]" with up to six F, with colons or without.
[[nodiscard]] std::optional<double> seconds_of(std::string_view time);

/// Seconds of a DT with a time of day. One that states its offset from UTC counts only where that
/// is the data set's own (0008,0201): all other times are in that one.
[[nodiscard]] std::optional<double> moment_of(std::string_view date_time, std::string_view offset);

} // namespace torchdicom::suv
