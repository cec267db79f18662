// One task: read a frame, decode it, put what is wanted of it as values into its slot.
#pragma once

#include "pipeline/pixel_source.hpp"
#include "pipeline/rows.hpp"
#include "plan/plan.hpp"

namespace torchdicom {

/// Reads, decodes, rescales and places one frame, or of a native one those rows alone that are
/// wanted. The slot's planes have exactly the values of the plan's, and its mask as many bytes, or
/// none where no mask is wanted. `shared`: of a plan with a finish. Returns how many levels of a
/// wavelet were left out to reduce it. Throws DecodeError, LimitError and UnsupportedError with the
/// path.
std::uint32_t run_frame(const PixelSource& source, const Plan& plan, const FrameTask& task,
                        FrameSlot slot, const SharedFinish* shared = nullptr);

} // namespace torchdicom
