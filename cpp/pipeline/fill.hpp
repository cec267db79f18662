// What stands where no file has a value.
#pragma once

#include "base/bytes.hpp"
#include "plan/plan.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace torchdicom {

/// The value of voxels that no file has, in units of the output: what the policy says. Else 0 in
/// windows and colours; else the rescaled PixelPaddingValue (0028,0120) of the slice that the
/// voxels follow; else -1024 where the unit is HU, and 0 where it is not. Clip, mean and std of the
/// plan are applied to it, the window is not. `task`: of that slice; `units`: of the rescale.
[[nodiscard]] double fill_value_of(const FileHeader& header, const Plan& plan,
                                   const FrameTask& task, std::size_t channel,
                                   const OutputOptions& options, const std::string& units,
                                   const std::optional<double>& of_policy);

/// Fills a plane of a type with one value. Throws std::invalid_argument, which names fill_value,
/// where an integer type does not hold it.
void fill_plane(double value, DType dtype, MutableByteSpan plane);

} // namespace torchdicom
