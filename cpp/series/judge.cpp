// The verdict: everything is measured, and nothing that a file contains is thrown.

#include "series/judge.hpp"

#include "series/kind.hpp"

#include <algorithm>

namespace torchdicom {

namespace {

/// Images in one part that nothing tells apart: each is a series of its own, by its
/// SOPInstanceUID, and these have none.
std::optional<Defect> nameless_images(const Series& series) {
    if (!is_alone(series.kind)) {
        return std::nullopt;
    }
    const auto other = std::ranges::find_if(series.slices, [&](const FileHeader& slice) {
        return slice.path != series.slices.front().path; // of one file they are its frames
    });
    if (other == series.slices.end()) {
        return std::nullopt;
    }
    const FileHeader& second = *other;
    return Defect{.code = ErrorCode::missing_element,
                  .message = "Several images have no SOPInstanceUID to tell them by. Load their "
                             "files one by one",
                  .files = {second.path},
                  .place = second.place_of(tags::SOPInstanceUID),
                  .is_refusal = true};
}

/// Slices without place: all that is left is the number that the scanner gave them.
void order_by_number(Series& series) {
    std::ranges::stable_sort(series.slices, {}, [](const FileHeader& slice) {
        return std::pair{!slice.instance_number, slice.instance_number.value_or(0)};
    });
    const FileHeader& first = series.slices.front();
    const Tag absent =
        first.image_position_patient ? tags::ImageOrientationPatient : tags::ImagePositionPatient;
    series.defects.push_back({.code = ErrorCode::no_position,
                              .message =
                                  "The slices have no position in the patient: they are ordered by "
                                  "InstanceNumber, and there is no affine",
                              .place = first.place_of(absent)});
}

bool is_positive(const std::optional<std::array<double, 2>>& spacing) noexcept {
    return spacing && (*spacing)[0] > 0 && (*spacing)[1] > 0;
}

/// What is known of the distances where there is no affine.
void settle_pixel_spacing(Series& series) {
    const FileHeader& first = series.slices.front();
    const bool is_image = is_alone(series.kind);
    // PS3.3 10.7.1.1: at the detector; PixelSpacing, where it is there too, is calibrated.
    if (is_positive(first.pixel_spacing)) {
        series.spacing_mm = {kUnknown, (*first.pixel_spacing)[0], (*first.pixel_spacing)[1]};
        series.spacing_source = is_image ? "PixelSpacing" : "";
    } else if (is_image && is_positive(first.imager_pixel_spacing)) {
        const auto& [between_rows, between_columns] = *first.imager_pixel_spacing;
        series.spacing_mm = {kUnknown, between_rows, between_columns};
        series.spacing_source = "ImagerPixelSpacing";
    }
}

/// Stops at the first refusal, with the slices in the order that they have by then.
void find_defects(Series& series, const Tolerances& tolerances, LoadStats& stats) {
    if (auto refusal = refusal_of(series.slices)) {
        series.defects = {std::move(*refusal)};
        return;
    }
    if (!set_copies_aside(series, stats)) {
        return;
    }
    if (auto refusal = nameless_images(series)) {
        series.defects.push_back(std::move(*refusal));
        return;
    }
    if (is_alone(series.kind)) {
        return;
    }
    if (has_place(series.slices.front())) {
        settle_geometry(series, tolerances);
    } else {
        order_by_number(series);
    }
}

} // namespace

void judge_series(Series& series, const Tolerances& tolerances, LoadStats& stats) {
    find_defects(series, tolerances, stats);
    if (!series.affine) {
        settle_pixel_spacing(series);
    }
    series.units = units_of(series.slices.front());
}

Defect left_out(const Error& error) {
    const bool has_own_code = error.code() == ErrorCode::truncated_pixels ||
                              error.code() == ErrorCode::frame_count_mismatch ||
                              error.code() == ErrorCode::codestream_mismatch;
    return {.code = has_own_code ? error.code() : ErrorCode::unreadable_file,
            .message = error.message(),
            .files = {error.place().path},
            .place = error.place()};
}

void throw_defect(const Defect& defect) { fail(defect.code, defect.message, defect.place); }

} // namespace torchdicom
