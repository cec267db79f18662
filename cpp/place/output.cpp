#include "place/output.hpp"

#include "base/checked.hpp"
#include "base/limits.hpp"

#include <stdexcept>
#include <string>

namespace torchdicom {

namespace {

// Smaller outputs stay in the last-level cache, where who reads them next finds them.
constexpr std::size_t kStreamFrom = std::size_t{16} << 20U;

std::string text_of(const std::vector<std::size_t>& shape) {
    std::string text = "(";
    for (const std::size_t extent : shape) {
        text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
    }
    return text + ")";
}

void check_caller(const Plan& plan, const CallerBuffer& caller) {
    const std::vector<std::size_t> shape = plan.shape();
    if (caller.shape != shape) {
        throw std::invalid_argument{"out has shape " + text_of(caller.shape) +
                                    ", and the result has " + text_of(shape)};
    }
    if (caller.dtype != plan.dtype || caller.bytes.size() != output_bytes(plan)) {
        throw std::invalid_argument{
            "out has another dtype than the result: make it with the dtype asked for"};
    }
}

/// Memory of the pool. Throws limit_output_bytes, with what to do about it.
Buffer allocate(std::size_t wanted, const std::string& what, const std::string& advice,
                LoadStats& stats) {
    if (wanted > limits::kMaxOutputBytes) {
        fail(ErrorCode::limit_output_bytes,
             what + " would take " + std::to_string(wanted) + " bytes, and the limit is " +
                 std::to_string(limits::kMaxOutputBytes) + ". " + advice);
    }
    Buffer buffer{wanted};
    stats.allocations.fetch_add(1, std::memory_order_relaxed);
    return buffer;
}

} // namespace

OutputMemory::OutputMemory(const Plan& plan, const std::optional<CallerBuffer>& caller,
                           LoadStats& stats)
    : plane_bytes_{plan.plane_bytes()},
      mask_slot_bytes_{plan.has_mask ? plan.values_per_plane() : 0} {
    if (caller) {
        check_caller(plan, *caller);
        bytes_ = caller->bytes;
    } else {
        buffer_ =
            allocate(output_bytes(plan), "The result",
                     "Ask for a smaller dtype, or hand in memory of that size with out=", stats);
        bytes_ = buffer_.bytes();
        may_stream_ = buffer_.was_touched() && bytes_.size() >= kStreamFrom;
    }
    if (plan.has_mask) {
        mask_ = allocate(checked_mul(mask_slot_bytes_, plan.tasks.size(), "The size of the mask"),
                         "The mask", "Load fewer slices or a smaller region at a time", stats);
    }
}

} // namespace torchdicom
