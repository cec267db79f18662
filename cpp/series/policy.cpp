#include "series/policy.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace torchdicom {

namespace {

using enum Action;

/// A code and its actions, the default first. Where there are fewer than four, the last is there
/// again.
struct Row {
    ErrorCode code;
    std::array<Action, 4> possible;
};

constexpr std::array kRows{
    Row{ErrorCode::missing_slices, {raise, warn, allow, fill}},
    Row{ErrorCode::uneven_spacing, {raise, warn, allow, resample}},
    Row{ErrorCode::duplicate_files, {drop, raise, raise, raise}},
    Row{ErrorCode::duplicate_positions, {raise, drop, drop, drop}},
    Row{ErrorCode::gantry_tilt, {allow, warn, raise, resample}},
    Row{ErrorCode::localizer, {drop, raise, raise, raise}},
    Row{ErrorCode::mixed_orientation, {split, raise, raise, raise}},
    Row{ErrorCode::mixed_size, {split, raise, raise, raise}},
    Row{ErrorCode::mixed_pixel_format, {split, raise, raise, raise}},
    Row{ErrorCode::no_position, {warn, allow, raise, raise}},
    Row{ErrorCode::assumed_spacing, {allow, warn, raise, raise}},
    Row{ErrorCode::unreadable_file, {raise, drop, drop, drop}},
    Row{ErrorCode::truncated_pixels, {raise, drop, drop, drop}},
    Row{ErrorCode::frame_count_mismatch, {raise, drop, drop, drop}},
    Row{ErrorCode::codestream_mismatch, {raise, drop, drop, drop}},
};

constexpr std::array<std::string_view, 7> kActionNames{"raise", "warn", "allow",   "drop",
                                                       "split", "fill", "resample"};

/// The place of a code in the table; its end where there is none.
template <typename Predicate> std::size_t find_row(const Predicate& is_wanted) noexcept {
    return static_cast<std::size_t>(std::ranges::find_if(kRows, is_wanted) - kRows.begin());
}

std::string list_of(const Row& row) {
    std::string text;
    for (std::size_t i = 0; i < row.possible.size(); ++i) {
        if (i == 0 || row.possible[i] != row.possible[i - 1]) {
            text += (text.empty() ? "'" : ", '") + std::string{name_of(row.possible[i])} + "'";
        }
    }
    return text;
}

[[noreturn]] void fail_action(const Row& row, std::string_view action) {
    throw std::invalid_argument{std::string{code_name(row.code)} + "='" + std::string{action} +
                                "' is not possible; possible are " + list_of(row)};
}

} // namespace

std::string_view name_of(Action action) noexcept {
    return kActionNames[static_cast<std::size_t>(action)];
}

Policy::Policy() noexcept {
    static_assert(kRows.size() == std::tuple_size_v<decltype(actions)>);
    std::ranges::transform(kRows, actions.begin(), [](const Row& row) { return row.possible[0]; });
}

Action Policy::of(ErrorCode code) const noexcept {
    const std::size_t i = find_row([code](const Row& row) { return row.code == code; });
    return i < actions.size() ? actions[i] : allow;
}

void Policy::set(std::string_view code, std::string_view action) {
    const std::size_t i = find_row([code](const Row& row) { return code_name(row.code) == code; });
    if (i == kRows.size()) {
        throw std::invalid_argument{"'" + std::string{code} + "' is no defect that a policy names"};
    }
    const Row& row = kRows[i];
    const auto* const possible = std::ranges::find(
        row.possible, action, [](Action candidate) { return name_of(candidate); });
    if (possible == row.possible.end()) {
        fail_action(row, action);
    }
    actions[i] = *possible;
}

void Policy::set_tolerance(std::string_view name, double value) {
    if (name == "spacing_tolerance") {
        if (!(value > 0 && value < 0.5)) {
            throw std::invalid_argument{"spacing_tolerance=" + std::to_string(value) +
                                        " is not possible; it is above 0 and below 0.5"};
        }
        tolerances.spacing = value;
    } else if (name == "position_tolerance_mm") {
        if (!(value >= 0 && std::isfinite(value))) {
            throw std::invalid_argument{"position_tolerance_mm=" + std::to_string(value) +
                                        " is not possible; it is 0 or more and finite"};
        }
        tolerances.position_mm = value;
    } else {
        throw std::invalid_argument{"'" + std::string{name} + "' is no tolerance of a policy"};
    }
}

void Policy::set_fill_value(double value) {
    if (!std::isfinite(value)) {
        throw std::invalid_argument{"fill_value is a finite number"};
    }
    fill_value = value;
}

std::vector<std::string> apply_policy(const Series& series, const Policy& policy) {
    std::vector<std::string> warnings;
    for (const Defect& defect : series.defects) {
        const Action action = policy.of(defect.code);
        // Files of an object that was cut into several leave no gap that could be filled.
        if (action == fill && defect.slices.empty()) {
            fail(defect.code,
                 defect.message + ": missing_slices='fill' cannot tell where their slices were, "
                                  "and only 'allow' loads the rest without them",
                 defect.place);
        }
        if (defect.is_refusal || action == raise) {
            throw_defect(defect);
        }
        if (action == warn) {
            warnings.push_back(defect.message);
        }
    }
    return warnings;
}

bool is_ok(const Series& series) {
    const Policy by_default;
    return std::ranges::none_of(series.defects, [&](const Defect& defect) {
        return defect.is_refusal || by_default.of(defect.code) == raise;
    });
}

} // namespace torchdicom
