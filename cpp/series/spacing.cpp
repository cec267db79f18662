// Are the slices where an affine says they are? (DESIGN part 5: how the spacing is judged)

#include "series/series.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>

namespace torchdicom {

namespace {

constexpr double kSpacingTolerance = 0.05;    // of the step: PET bed positions jitter by 1-3 %
constexpr double kPositionToleranceMm = 0.05; // many scanners write positions to 0.1 mm
constexpr double kSamePosition = 0.05;        // of the step: a real CT has two 0.005 mm apart
constexpr double kSamePixel = 0.01;           // of a pixel
constexpr double kMaxTiltDegrees = 45.0;      // a gantry tilts up to 30
constexpr double kTiltPerMm = 1e-3;           // rounding of the cosines gives less

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

double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

[[noreturn]] void fail_position(const FileHeader& a, const FileHeader& b) {
    fail(ErrorCode::duplicate_positions,
         a.path + " and " + b.path +
             " lie at the same position: a time series, several echoes, or a slice that was "
             "exported twice. Load the files of one repeat",
         b.place_of(tags::ImagePositionPatient));
}

/// The distance between neighbours; distances that are no more than repeats don't count.
double typical_step(const Series& series, const std::vector<double>& gaps) {
    const double largest = *std::ranges::max_element(gaps);
    std::vector<double> steps;
    std::ranges::copy_if(gaps, std::back_inserter(steps), [largest](double gap) {
        return gap > kPositionToleranceMm || gap >= kSamePosition * largest;
    });
    const double step = median(std::move(steps));
    const auto& [between_rows, between_columns] = *series.slices.front().pixel_spacing;
    // Rounding alone moves positions by less than that; a stack of slices has larger steps.
    if (step < kSamePixel * std::min(between_rows, between_columns)) {
        fail_position(series.slices[0], series.slices[1]);
    }
    return step;
}

void refuse_repeats(const Series& series, const std::vector<double>& gaps, double step) {
    for (std::size_t i = 0; i < gaps.size(); ++i) {
        if (gaps[i] < kSamePosition * step) {
            fail_position(series.slices[i], series.slices[i + 1]);
        }
    }
}

/// Gaps that are all whole multiples of the step: slices are missing.
void refuse_missing(const Series& series, const std::vector<double>& gaps, double step,
                    double tolerance) {
    std::string where;
    double missing = 0; // not an integer: a position may be anywhere
    const FileHeader* first_before = nullptr;
    for (std::size_t i = 0; i < gaps.size(); ++i) {
        const double multiple = std::round(gaps[i] / step);
        if (multiple < 1 || std::abs(gaps[i] - multiple * step) > tolerance) {
            return; // uneven, not merely missing
        }
        if (multiple > 1) {
            where += (where.empty() ? "" : ", ") + whole(multiple - 1) + " after slice " +
                     std::to_string(i);
            missing += multiple - 1;
            first_before = first_before == nullptr ? &series.slices[i] : first_before;
        }
    }
    if (missing > 0) {
        fail(ErrorCode::missing_slices,
             whole(missing) + (missing == 1 ? " slice is" : " slices are") + " missing (" + where +
                 "), the others are " + millimetres(step) +
                 " apart. Fetch the files that are not there",
             first_before->place_of(tags::ImagePositionPatient));
    }
}

void refuse_uneven(const Series& series, double tolerance) {
    const Vector3& first = *series.slices.front().image_position_patient;
    const Vector3& last = *series.slices.back().image_position_patient;
    const auto steps = static_cast<double>(series.slices.size() - 1);
    double largest = 0;
    std::size_t worst = 0;
    for (std::size_t i = 0; i < series.slices.size(); ++i) {
        const Vector3& position = *series.slices[i].image_position_patient;
        Vector3 off{};
        for (std::size_t axis = 0; axis < off.size(); ++axis) {
            const double ideal =
                first[axis] + (last[axis] - first[axis]) * (static_cast<double>(i) / steps);
            off[axis] = position[axis] - ideal;
        }
        if (const double distance = std::sqrt(dot(off, off)); distance > largest) {
            largest = distance;
            worst = i;
        }
    }
    if (largest > tolerance) {
        fail(ErrorCode::uneven_spacing,
             "The slices are not evenly spaced: slice " + std::to_string(worst) + " lies " +
                 millimetres(largest) + " from where even steps would have it, and " +
                 millimetres(tolerance) +
                 " is tolerated. Load the evenly spaced parts of the series apart",
             series.slices[worst].place_of(tags::ImagePositionPatient));
    }
}

/// A tilted gantry is allowed and noted; what cannot be one is refused.
void judge_tilt(Series& series, const Vector3& normal) {
    const Vector3& first = *series.slices.front().image_position_patient;
    const Vector3& last = *series.slices.back().image_position_patient;
    const Vector3 v{last[0] - first[0], last[1] - first[1], last[2] - first[2]};
    const double along = dot(v, normal);
    const Vector3 across{v[0] - along * normal[0], v[1] - along * normal[1],
                         v[2] - along * normal[2]};
    const double shift = std::sqrt(dot(across, across));
    if (shift > kPositionToleranceMm && shift > kTiltPerMm * std::abs(along)) {
        const double angle = std::atan2(shift, std::abs(along)) * (180.0 / std::numbers::pi);
        if (angle > kMaxTiltDegrees) {
            fail(
                ErrorCode::invalid_geometry,
                "The slices are shifted sideways by more than they are apart: images side by side, "
                "and no stack. Load them apart",
                series.slices.back().place_of(tags::ImagePositionPatient));
        }
        series.defects.push_back(
            {.code = "gantry_tilt",
             .message = "The slices are not stacked at a right angle: the affine has a shear",
             .measured = {{"angle_degrees", angle}}});
    }
}

} // namespace

void judge_spacing(Series& series, const Vector3& normal, const std::vector<double>& distances) {
    std::vector<double> gaps;
    for (std::size_t i = 1; i < distances.size(); ++i) {
        gaps.push_back(distances[i] - distances[i - 1]);
    }
    const double step = typical_step(series, gaps);
    refuse_repeats(series, gaps, step);
    const double tolerance = std::max(kSpacingTolerance * step, kPositionToleranceMm);
    refuse_missing(series, gaps, step, tolerance);
    refuse_uneven(series, tolerance);
    judge_tilt(series, normal);
}

} // namespace torchdicom
