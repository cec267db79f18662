// Native pixels: no codec, the file has the cells, or bits that are unpacked to them.
#pragma once

#include "pipeline/pixel_source.hpp"
#include "pipeline/rows.hpp"
#include "plan/plan.hpp"

namespace torchdicom {

/// Reads what is wanted of a native frame and hands it over; of a part of the image only the rows
/// around it are read.
void run_native(const PixelSource& source, const Plan& plan, const FrameTask& task,
                FrameRows& rows);

} // namespace torchdicom
