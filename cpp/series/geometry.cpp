// Slice order and affine from ImagePositionPatient and ImageOrientationPatient (PS3.3 C.7.6.2.1.1).

#include "series/series.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

namespace torchdicom {

namespace {

using Orientation = std::array<double, 6>;

// Direction cosines are text of 16 characters at most; real files round them to 4 to 6 digits.
constexpr double kOrientationTolerance = 1e-3;

// Squares and differences of such numbers are far from the ends of double.
constexpr double kMaxCoordinateMm = 1e9;

Vector3 row_of(const Orientation& orientation) noexcept {
    return {orientation[0], orientation[1], orientation[2]};
}

Vector3 column_of(const Orientation& orientation) noexcept {
    return {orientation[3], orientation[4], orientation[5]};
}

void require_position(const FileHeader& slice) {
    const bool has_position = slice.image_position_patient.has_value();
    if (!has_position || !slice.image_orientation_patient) {
        fail(ErrorCode::no_position,
             "The image has no position in the patient, so that its place in a volume is unknown. "
             "Take its pixels with torchdicom.decode",
             slice.place_of(has_position ? tags::ImageOrientationPatient
                                         : tags::ImagePositionPatient));
    }
}

void check_frame_of_slice(const FileHeader& slice) {
    for (const double coordinate : *slice.image_position_patient) {
        if (std::abs(coordinate) > kMaxCoordinateMm) {
            fail(ErrorCode::invalid_geometry,
                 "No patient is that far away. Correct the file or take its pixels with "
                 "torchdicom.decode",
                 slice.place_of(tags::ImagePositionPatient));
        }
    }
    if (!slice.pixel_spacing || !((*slice.pixel_spacing)[0] > 0 && (*slice.pixel_spacing)[1] > 0)) {
        fail(ErrorCode::invalid_geometry,
             "The distance between pixels is missing or not positive. Correct the file or take its "
             "pixels with torchdicom.decode",
             slice.place_of(tags::PixelSpacing));
    }
    const Vector3 row = row_of(*slice.image_orientation_patient);
    const Vector3 column = column_of(*slice.image_orientation_patient);
    const bool is_unit = std::abs(std::sqrt(dot(row, row)) - 1) <= kOrientationTolerance &&
                         std::abs(std::sqrt(dot(column, column)) - 1) <= kOrientationTolerance;
    if (!is_unit || std::abs(dot(row, column)) > kOrientationTolerance) {
        fail(ErrorCode::invalid_geometry,
             "The direction cosines are not of unit length, or not at a right angle. Correct the "
             "file or take its pixels with torchdicom.decode",
             slice.place_of(tags::ImageOrientationPatient));
    }
}

/// The most frequent orientation, the smallest of those that are equally frequent: one localizer
/// that comes first must not turn the volume, and the order of the files must not matter.
Orientation majority_orientation(const std::vector<FileHeader>& slices) {
    std::map<Orientation, std::size_t> counts;
    for (const FileHeader& slice : slices) {
        ++counts[*slice.image_orientation_patient];
    }
    return std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; })
        ->first;
}

void check_orientations(const std::vector<FileHeader>& slices, const Orientation& majority) {
    for (const FileHeader& slice : slices) {
        for (std::size_t i = 0; i < majority.size(); ++i) {
            if (std::abs((*slice.image_orientation_patient)[i] - majority[i]) >
                kOrientationTolerance) {
                fail(ErrorCode::mixed_orientation,
                     "The slice is not parallel to most of the others. Leave it out, or load the "
                     "orientations apart",
                     slice.place_of(tags::ImageOrientationPatient));
            }
        }
    }
}

Vector3 normal_of(const Orientation& orientation) noexcept {
    const Vector3 r = row_of(orientation);
    const Vector3 c = column_of(orientation);
    const Vector3 n{r[1] * c[2] - r[2] * c[1], r[2] * c[0] - r[0] * c[2],
                    r[0] * c[1] - r[1] * c[0]};
    const double length = std::sqrt(dot(n, n));
    return {n[0] / length, n[1] / length, n[2] / length};
}

/// Sorts the slices along the normal (by path where two are at one place) and returns how far
/// along.
std::vector<double> sort_along(const Vector3& normal, std::vector<FileHeader>& slices) {
    std::vector<double> distances;
    distances.reserve(slices.size());
    for (const FileHeader& slice : slices) {
        distances.push_back(dot(*slice.image_position_patient, normal));
    }
    std::vector<std::size_t> order(slices.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return distances[i]; });
    std::vector<FileHeader> sorted;
    sorted.reserve(slices.size());
    for (const std::size_t i : order) {
        sorted.push_back(std::move(slices[i]));
    }
    slices = std::move(sorted);
    std::ranges::sort(distances);
    return distances;
}

/// The step of a single slice, which no file states: its thickness is the best guess.
Vector3 assume_step(Series& series, const Vector3& normal) {
    const double thickness = series.slices.front().slice_thickness.value_or(0);
    const double step = thickness > 0 ? thickness : 1.0;
    series.defects.push_back(
        {.code = "assumed_spacing",
         .message = "One slice has no neighbour to measure the distance to: SliceThickness, or 1 "
                    "mm where there is none, is taken",
         .measured = {{"spacing_mm", step}}});
    return {normal[0] * step, normal[1] * step, normal[2] * step};
}

Vector3 mean_step(const std::vector<FileHeader>& slices) {
    const Vector3& first = *slices.front().image_position_patient;
    const Vector3& last = *slices.back().image_position_patient;
    const auto steps = static_cast<double>(slices.size() - 1);
    return {(last[0] - first[0]) / steps, (last[1] - first[1]) / steps,
            (last[2] - first[2]) / steps};
}

Vector3 scaled(const Vector3& v, double factor) noexcept {
    return {v[0] * factor, v[1] * factor, v[2] * factor};
}

} // namespace

void settle_geometry(Series& series) {
    for (const FileHeader& slice : series.slices) {
        require_position(slice);
    }
    for (const FileHeader& slice : series.slices) {
        check_frame_of_slice(slice);
    }
    const Orientation orientation = majority_orientation(series.slices);
    check_orientations(series.slices, orientation);
    const Vector3 normal = normal_of(orientation);
    const std::vector<double> distances = sort_along(normal, series.slices);
    Vector3 step{};
    if (series.slices.size() == 1) {
        step = assume_step(series, normal);
    } else {
        judge_spacing(series, normal, distances);
        step = mean_step(series.slices);
    }
    const FileHeader& first = series.slices.front();
    series.affine = {step, scaled(column_of(orientation), (*first.pixel_spacing)[0]),
                     scaled(row_of(orientation), (*first.pixel_spacing)[1]),
                     *first.image_position_patient};
}

Series make_series(std::vector<FileHeader> headers) {
    Series series;
    series.slices = one_series(std::move(headers));
    check_consistency(series.slices);
    settle_geometry(series);
    series.units = units_of(series.slices.front());
    return series;
}

} // namespace torchdicom
