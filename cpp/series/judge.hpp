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

/// Makes slices at one position times of it, where that can be, and else leaves one slice at each
/// position and notes the others (repeats.cpp). The positions are then those of the first time.
void settle_repeats(Series& series, Positions& positions, const Tolerances& tolerances);

/// Slices at one position: [first, end) of those in order.
struct Gathering {
    std::size_t first = 0;
    std::size_t end = 0;

    [[nodiscard]] std::size_t size() const noexcept { return end - first; }
};

/// For each time one slice of each gathering, all slices of the first time, then those of the next.
/// Nothing where no attribute tells the times (times.cpp).
[[nodiscard]] std::optional<std::vector<std::size_t>>
find_times(const Series& series, const Positions& positions, std::span<const Gathering> gatherings);

/// The distance between neighbours: the median gap, repeats not counted. There are two slices or
/// more (repeats.cpp).
[[nodiscard]] double typical_step(const Positions& positions, const Tolerances& tolerances);

/// Notes slices that are missing or uneven, and the tilt of the gantry. False where that is no
/// stack, which is then the last defect (spacing.cpp).
[[nodiscard]] bool judge_spacing(Series& series, const Positions& positions,
                                 const Tolerances& tolerances);

} // namespace torchdicom
