// The steps of judge_series, each in its own file.
#pragma once

#include "series/series.hpp"

namespace torchdicom {

/// The first thing about the first file that makes it nothing to be loaded here (refusals.cpp).
[[nodiscard]] std::optional<Defect> refusal_of(const std::vector<FileHeader>& slices);

/// Takes copies of an instance out of the slices and notes them. False where files of one
/// SOPInstanceUID differ, which is then the last defect (duplicates.cpp).
[[nodiscard]] bool set_copies_aside(Series& series, LoadStats& stats);

/// Sorts slices that have a place along their normal, fills affine and spacing (geometry.cpp).
void settle_geometry(Series& series, const Tolerances& tolerances);

/// How far the slices lie along the normal, and where each stood in path order: both in the order
/// of the slices.
struct Positions {
    Vector3 normal{}; ///< of unit length
    std::vector<double> distances;
    std::vector<std::size_t> path_order;
};

/// Leaves one slice at each position and notes the others (repeats.cpp).
void set_repeats_aside(Series& series, Positions& positions, const Tolerances& tolerances);

/// The distance between neighbours: the median gap, repeats not counted. There are two slices or
/// more (repeats.cpp).
[[nodiscard]] double typical_step(const Positions& positions, const Tolerances& tolerances);

/// Notes slices that are missing or uneven, and the tilt of the gantry. False where that is no
/// stack, which is then the last defect (spacing.cpp).
[[nodiscard]] bool judge_spacing(Series& series, const Positions& positions,
                                 const Tolerances& tolerances);

} // namespace torchdicom
