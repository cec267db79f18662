#include "pipeline/tasks.hpp"

#include "base/parallel.hpp"
#include "pipeline/frame.hpp"

#include <optional>
#include <string>

namespace torchdicom {

namespace {

FrameSlot slot_of(const OutputMemory& output, const Plan& plan, std::size_t task) {
    FrameSlot slot{.mask = output.mask_slot(task), .stream = output.may_stream()};
    for (std::size_t channel = 0; channel < plan.channels; ++channel) {
        slot.planes.at(channel) = output.plane(plan.plane_index(task, channel));
    }
    return slot;
}

} // namespace

std::vector<std::uint32_t> run_tasks(const Plan& plan, std::span<const FileHeader> headers,
                                     const OutputMemory& output, const ParallelOptions& parallel,
                                     LoadStats& stats) {
    std::optional<PixelSource> only; // the frames of one file share its descriptor
    if (headers.size() == 1) {
        only.emplace(headers.front(), stats);
    }
    const SharedFinish shared{plan};
    std::vector<std::uint32_t> levels(plan.tasks.size());
    parallel_for(plan.tasks.size(), parallel, [&](std::size_t i) {
        const FrameTask& task = plan.tasks[i];
        std::optional<PixelSource> own;
        const PixelSource& source = only ? *only : own.emplace(headers[task.header], stats);
        try {
            levels[i] = run_frame(source, plan, task, slot_of(output, plan, i), &shared);
        } catch (const Error& error) {
            if (error.code() != ErrorCode::value_overflow) {
                throw;
            }
            const std::size_t slice = headers.size() == 1 ? i : task.header;
            fail(error.code(),
                 error.message() + ", in slice " + std::to_string(slice) +
                     ". Ask for a larger dtype, or one of floating point",
                 error.place());
        }
    });
    return levels;
}

} // namespace torchdicom
