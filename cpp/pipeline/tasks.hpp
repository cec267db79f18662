// All tasks of a plan, shared between threads.
#pragma once

#include "base/parallel.hpp"
#include "header/file_header.hpp"
#include "place/output.hpp"
#include "plan/plan.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace torchdicom {

/// Reads, decodes, rescales and places all frames, one task each. Returns how often the codec
/// halved each of them.
[[nodiscard]] std::vector<std::uint32_t>
run_tasks(const Plan& plan, std::span<const FileHeader> headers, const OutputMemory& output,
          const ParallelOptions& parallel, LoadStats& stats);

} // namespace torchdicom
