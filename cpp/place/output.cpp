#include "place/output.hpp"

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
    const std::vector<std::size_t> shape{plan.tasks.size(), plan.format.rows, plan.format.columns};
    if (caller.shape != shape) {
        throw std::invalid_argument{"out has shape " + text_of(caller.shape) +
                                    ", and the result has " + text_of(shape)};
    }
    if (caller.dtype != plan.dtype || caller.bytes.size() != output_bytes(plan)) {
        throw std::invalid_argument{
            "out has another dtype than the result: make it with the dtype asked for"};
    }
}

} // namespace

OutputMemory::OutputMemory(const Plan& plan, const std::optional<CallerBuffer>& caller,
                           LoadStats& stats)
    : slot_bytes_{plan.slot_bytes()} {
    if (caller) {
        check_caller(plan, *caller);
        bytes_ = caller->bytes;
        return;
    }
    const std::size_t wanted = output_bytes(plan);
    if (wanted > limits::kMaxOutputBytes) {
        fail(ErrorCode::limit_output_bytes,
             "The result would take " + std::to_string(wanted) + " bytes, and the limit is " +
                 std::to_string(limits::kMaxOutputBytes) +
                 ". Ask for a smaller dtype, or hand in memory of that size with out=");
    }
    buffer_ = Buffer{wanted};
    stats.allocations.fetch_add(1, std::memory_order_relaxed);
    bytes_ = buffer_.bytes();
    may_stream_ = buffer_.was_touched() && wanted >= kStreamFrom;
}

} // namespace torchdicom
