// Loads a series that is repaired on the way: its slices first, then those of the repaired stack.
#pragma once

#include "pipeline/load.hpp"
#include "plan/repair.hpp"

#include <functional>

namespace torchdicom {

/// Loads slices of a judged series as they are.
using LoadSlices = std::function<LoadedSeries(Series, const LoadRequest&)>;

/// What is asked for of the repaired stack, of which slices and region are a part. The slices that
/// it takes are loaded into memory of their own, as double where values are interpolated; the mask
/// is always made. Throws what `load_slices` throws, unsupported_pixel_format where colours or
/// indices would be interpolated, and std::invalid_argument for an integer dtype then, for a
/// fill_value that the dtype does not hold, and for a resize.
[[nodiscard]] LoadedSeries load_repaired(Series series, const Repair& repair,
                                         const LoadRequest& request, const LoadSlices& load_slices,
                                         LoadStats& stats);

} // namespace torchdicom
