// Which slices and times of a series a load wants, and where and when they are.
#pragma once

#include "pipeline/load.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace torchdicom {

/// What of a series is wanted: places on both axes, in the order wanted.
struct Picks {
    std::vector<std::size_t> times;
    std::vector<std::size_t> slices;
    std::vector<FrameId> frames; ///< the slices of each time together
};

/// Throws std::out_of_range for a slice or time that is not there, std::invalid_argument where none
/// is selected, and for times of a series without an axis t.
[[nodiscard]] Picks picks_of(const Series& series, const LoadRequest& request);

/// Where the voxels of the slices that are wanted lie; `levels`: of a wavelet, that were left out.
[[nodiscard]] Grid grid_of(const Series& series, std::span<const std::size_t> picks,
                           const Plan& plan, std::uint32_t levels, const LoadRequest& request);

/// What the attributes say along both axes, of the places that are wanted.
[[nodiscard]] std::vector<Coordinate> picked_over_time(const Series& series, const Picks& picks);
[[nodiscard]] std::vector<Coordinate> picked_over_slices(const Series& series, const Picks& picks);

} // namespace torchdicom
