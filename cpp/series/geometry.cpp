// Slice order and affine from ImagePositionPatient and ImageOrientationPatient (PS3.3 C.7.6.2.1.1).

#include "header/divide.hpp"
#include "series/judge.hpp"
#include "series/splitting.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace torchdicom {

namespace {

// Direction cosines are text of 16 characters at most; real files round them to 4 to 6 digits.
constexpr double kCosineTolerance = 1e-3;

// Squares and differences of such numbers are far from the ends of double.
constexpr double kMaxCoordinateMm = 1e9;

Vector3 row_of(const Orientation& orientation) noexcept {
    return {orientation[0], orientation[1], orientation[2]};
}

Vector3 column_of(const Orientation& orientation) noexcept {
    return {orientation[3], orientation[4], orientation[5]};
}

Defect invalid_geometry(const FileHeader& slice, Tag tag, const std::string& what) {
    return {.code = ErrorCode::invalid_geometry,
            .message = what + ". Correct the file or take its pixels with torchdicom.decode",
            .files = {slice.path},
            .place = slice.place_of(tag),
            .is_refusal = true};
}

std::optional<Defect> judge_frame_of(const FileHeader& slice) {
    for (const double coordinate : *slice.image_position_patient) {
        if (!(std::abs(coordinate) <= kMaxCoordinateMm)) {
            return invalid_geometry(slice, tags::ImagePositionPatient,
                                    "No patient is that far away");
        }
    }
    if (!slice.pixel_spacing || !((*slice.pixel_spacing)[0] > 0 && (*slice.pixel_spacing)[1] > 0)) {
        return invalid_geometry(slice, tags::PixelSpacing,
                                "The distance between pixels is missing or not positive");
    }
    const Vector3 row = row_of(*slice.image_orientation_patient);
    const Vector3 column = column_of(*slice.image_orientation_patient);
    const bool is_unit = std::abs(std::sqrt(dot(row, row)) - 1) <= kCosineTolerance &&
                         std::abs(std::sqrt(dot(column, column)) - 1) <= kCosineTolerance;
    if (!is_unit || std::abs(dot(row, column)) > kCosineTolerance) {
        return invalid_geometry(
            slice, tags::ImageOrientationPatient,
            "The direction cosines are not of unit length, or not at a right angle");
    }
    return std::nullopt;
}

/// The most frequent orientation, the smallest of those that are equally frequent: the order of the
/// files must not matter. All others are near it, since the series was split by them.
Orientation majority_orientation(const std::vector<FileHeader>& slices) {
    std::map<Orientation, std::size_t> counts;
    for (const FileHeader& slice : slices) {
        ++counts[*slice.image_orientation_patient];
    }
    return std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; })
        ->first;
}

/// Sorts the slices along the normal, by path where two are at one place.
Positions sort_along(const Vector3& normal, std::vector<FileHeader>& slices) {
    Positions positions{.normal = normal, .distances = {}, .path_order = {}};
    positions.distances.reserve(slices.size());
    for (const FileHeader& slice : slices) {
        positions.distances.push_back(dot(*slice.image_position_patient, normal));
    }
    std::vector<std::size_t>& order = positions.path_order;
    order.resize(slices.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return positions.distances[i]; });
    std::vector<FileHeader> sorted;
    sorted.reserve(slices.size());
    for (const std::size_t i : order) {
        sorted.push_back(std::move(slices[i]));
    }
    slices = std::move(sorted);
    std::ranges::sort(positions.distances);
    return positions;
}

Vector3 scaled(const Vector3& v, double factor) noexcept {
    return {v[0] * factor, v[1] * factor, v[2] * factor};
}

/// The step of a single slice, which no file states: its thickness is the best guess.
Vector3 assume_step(Series& series, const Vector3& normal) {
    const FileHeader& only = series.slices.front();
    const double thickness = only.slice_thickness.value_or(0);
    const double step = thickness > 0 ? thickness : 1.0;
    series.defects.push_back(
        {.code = ErrorCode::assumed_spacing,
         .message = "One slice has no neighbour to measure the distance to: SliceThickness, or 1 "
                    "mm where there is none, is taken",
         .measured = {{"spacing_mm", step}},
         .place = only.place_of(tags::SliceThickness)});
    return scaled(normal, step);
}

Vector3 mean_step(std::span<const FileHeader> slices) {
    const Vector3& first = *slices.front().image_position_patient;
    const Vector3& last = *slices.back().image_position_patient;
    const auto steps = static_cast<double>(slices.size() - 1);
    return {(last[0] - first[0]) / steps, (last[1] - first[1]) / steps,
            (last[2] - first[2]) / steps};
}

} // namespace

void settle_geometry(Series& series, const Tolerances& tolerances) {
    for (const FileHeader& slice : series.slices) {
        if (auto refusal = judge_frame_of(slice)) {
            series.defects.push_back(std::move(*refusal));
            return;
        }
    }
    const Orientation orientation = majority_orientation(series.slices);
    Positions positions = sort_along(normal_of_image(orientation), series.slices);
    settle_repeats(series, positions, tolerances);
    Vector3 step{};
    if (positions.distances.size() == 1) {
        step = assume_step(series, positions.normal);
    } else if (judge_spacing(series, positions, tolerances)) {
        step = mean_step(first_stack(series));
    } else {
        return;
    }
    const FileHeader& first = series.slices.front();
    const std::array<Vector3, 4> affine{
        step, scaled(column_of(orientation), (*first.pixel_spacing)[0]),
        scaled(row_of(orientation), (*first.pixel_spacing)[1]), *first.image_position_patient};
    for (std::size_t axis = 0; axis < series.spacing_mm.size(); ++axis) {
        series.spacing_mm[axis] = std::sqrt(dot(affine[axis], affine[axis]));
    }
    series.affine = affine;
    series.normal = positions.normal;
}

} // namespace torchdicom
