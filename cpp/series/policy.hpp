// What a load makes of each defect: the verdict measures, the policy judges (DESIGN part 5).
#pragma once

#include "series/series.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torchdicom {

enum class Action : std::uint8_t {
    raise,    ///< the defect becomes an error
    warn,     ///< its message becomes a warning
    allow,    ///< it stands in the verdict, no more
    drop,     ///< the files responsible are left out
    split,    ///< the parts are series of their own
    fill,     ///< slices take the places of those that are missing (plan/repair.hpp)
    resample, ///< the values are interpolated onto a straight and even grid
};

[[nodiscard]] std::string_view name_of(Action action) noexcept;

struct Policy {
    /// Each code at its default.
    Policy() noexcept;

    /// allow for a code that a policy says nothing about.
    [[nodiscard]] Action of(ErrorCode code) const noexcept;

    /// Throws std::invalid_argument, naming what is possible.
    void set(std::string_view code, std::string_view action);

    /// "spacing_tolerance", of the step, above 0 and below 0.5; "position_tolerance_mm", 0 or more
    /// and finite. Throws std::invalid_argument.
    void set_tolerance(std::string_view name, double value);

    /// Throws std::invalid_argument for what is not finite.
    void set_fill_value(double value);

    std::array<Action, 15> actions{}; ///< in the order of the table in policy.cpp
    Tolerances tolerances;
    std::optional<double> fill_value{}; ///< of voxels that no file has; nothing: by the files
};

/// Throws the first defect that is a refusal, or that the policy raises, as the error of its code;
/// returns the messages to warn with.
[[nodiscard]] std::vector<std::string> apply_policy(const Series& series, const Policy& policy);

} // namespace torchdicom
