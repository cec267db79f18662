// Are the slices where an affine says they are? (DESIGN part 5: how the spacing is judged)

#include "series/judge.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>

namespace torchdicom {

namespace {

constexpr double kMaxTiltDegrees = 45.0; // a gantry tilts up to 30
constexpr double kTiltPerMm = 1e-3;      // rounding of the cosines gives less

std::string millimetres(double value) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.6g mm", value);
    return text.data();
}

std::string whole(double value) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.0f", value);
    return text.data();
}

/// A defect of some slices, its place the position of one of them.
Defect defect_of(const Series& series, ErrorCode code, std::vector<std::size_t> slices,
                 std::size_t named) {
    Defect defect{.code = code, .slices = std::move(slices)};
    for (const std::size_t i : defect.slices) {
        const std::string& path = series.slices[i].path;
        if (std::ranges::find(defect.files, path) == defect.files.end()) {
            defect.files.push_back(path); // which may hold several of them
        }
    }
    defect.place = series.slices[named].place_of(tags::ImagePositionPatient);
    return defect;
}

/// Gaps that are all whole multiples of the step: slices are missing.
std::optional<Defect> find_missing(const Series& series, const Positions& positions, double step,
                                   double tolerance) {
    std::string where;
    double missing = 0; // not an integer: a position may be anywhere
    std::vector<std::size_t> before;
    for (std::size_t i = 0; i + 1 < positions.distances.size(); ++i) {
        const double gap = positions.distances[i + 1] - positions.distances[i];
        const double multiple = std::round(gap / step);
        if (multiple < 1 || std::abs(gap - multiple * step) > tolerance) {
            return std::nullopt; // uneven, not merely missing
        }
        if (multiple > 1) {
            where += (where.empty() ? "" : ", ") + whole(multiple - 1) + " after slice " +
                     std::to_string(i);
            missing += multiple - 1;
            before.push_back(i);
        }
    }
    if (before.empty()) {
        return std::nullopt;
    }
    const std::size_t first = before.front();
    Defect defect = defect_of(series, ErrorCode::missing_slices, std::move(before), first);
    defect.message = whole(missing) + (missing == 1 ? " slice is" : " slices are") + " missing (" +
                     where + "), the others are " + millimetres(step) +
                     " apart. Fetch the files that are not there";
    defect.measured = {{"missing", missing}, {"step_mm", step}};
    return defect;
}

/// How far each slice lies from where even steps between the first and the last would have it.
std::vector<double> distances_from_even(std::span<const FileHeader> slices) {
    const Vector3& first = *slices.front().image_position_patient;
    const Vector3& last = *slices.back().image_position_patient;
    const auto steps = static_cast<double>(slices.size() - 1);
    std::vector<double> distances;
    distances.reserve(slices.size());
    for (std::size_t i = 0; i < slices.size(); ++i) {
        const Vector3& position = *slices[i].image_position_patient;
        Vector3 off{};
        for (std::size_t axis = 0; axis < off.size(); ++axis) {
            const double ideal =
                first[axis] + (last[axis] - first[axis]) * (static_cast<double>(i) / steps);
            off[axis] = position[axis] - ideal;
        }
        distances.push_back(std::sqrt(dot(off, off)));
    }
    return distances;
}

std::optional<Defect> find_uneven(const Series& series, double step, double tolerance) {
    const std::vector<double> distances = distances_from_even(first_stack(series));
    const auto largest = std::ranges::max_element(distances); // the first of equals
    if (!(*largest > tolerance)) {
        return std::nullopt;
    }
    std::vector<std::size_t> uneven;
    for (std::size_t i = 0; i < distances.size(); ++i) {
        if (distances[i] > tolerance) {
            uneven.push_back(i);
        }
    }
    const auto worst = static_cast<std::size_t>(largest - distances.begin());
    Defect defect = defect_of(series, ErrorCode::uneven_spacing, std::move(uneven), worst);
    defect.message = "The slices are not evenly spaced: slice " + std::to_string(worst) + " lies " +
                     millimetres(*largest) + " from where even steps would have it, and " +
                     millimetres(tolerance) +
                     " is tolerated. Load the evenly spaced parts of the series apart";
    defect.measured = {{"largest_mm", *largest}, {"tolerance_mm", tolerance}, {"step_mm", step}};
    return defect;
}

/// A tilted gantry, or what cannot be one and is refused.
std::optional<Defect> find_tilt(const Series& series, const Vector3& normal,
                                const Tolerances& tolerances) {
    const Vector3& first = *series.slices.front().image_position_patient;
    const FileHeader& last_slice = first_stack(series).back();
    const Vector3& last = *last_slice.image_position_patient;
    const Vector3 v{last[0] - first[0], last[1] - first[1], last[2] - first[2]};
    const double along = dot(v, normal);
    const Vector3 across{v[0] - along * normal[0], v[1] - along * normal[1],
                         v[2] - along * normal[2]};
    const double shift = std::sqrt(dot(across, across));
    if (shift <= tolerances.position_mm || shift <= kTiltPerMm * std::abs(along)) {
        return std::nullopt;
    }
    const double angle = std::atan2(shift, std::abs(along)) * (180.0 / std::numbers::pi);
    const Place place = last_slice.place_of(tags::ImagePositionPatient);
    if (angle > kMaxTiltDegrees) {
        return Defect{.code = ErrorCode::invalid_geometry,
                      .message = "The slices are shifted sideways by more than they are apart: "
                                 "images side by side, and no stack. Load them apart",
                      .files = {last_slice.path},
                      .place = place,
                      .is_refusal = true};
    }
    return Defect{.code = ErrorCode::gantry_tilt,
                  .message = "The slices are not stacked at a right angle: the affine has a shear",
                  .measured = {{"angle_degrees", angle}},
                  .place = place};
}

} // namespace

bool judge_spacing(Series& series, const Positions& positions, const Tolerances& tolerances) {
    const double step = typical_step(positions, tolerances);
    const double tolerance = std::max(tolerances.spacing * step, tolerances.position_mm);
    std::optional<Defect> gaps = find_missing(series, positions, step, tolerance);
    if (!gaps) {
        gaps = find_uneven(series, step, tolerance);
    }
    if (gaps) {
        series.defects.push_back(std::move(*gaps));
    }
    std::optional<Defect> tilt = find_tilt(series, positions.normal, tolerances);
    const bool is_stack = !tilt || !tilt->is_refusal;
    if (tilt) {
        series.defects.push_back(std::move(*tilt));
    }
    return is_stack;
}

} // namespace torchdicom
