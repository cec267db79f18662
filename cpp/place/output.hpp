// Where the values go: memory of the pool, or the caller's own.
#pragma once

#include "place/pool.hpp"
#include "plan/plan.hpp"

#include <optional>
#include <vector>

namespace torchdicom {

/// Memory that the caller handed in, with what it says it is.
struct CallerBuffer {
    MutableByteSpan bytes;
    DType dtype = DType::float32;
    std::vector<std::size_t> shape;
};

class OutputMemory {
  public:
    /// One allocation for all frames, or none where the caller brought the memory, and one for the
    /// mask where the plan has one. Throws LimitError limit_output_bytes; std::invalid_argument
    /// where the caller's memory does not have the plan's shape and dtype.
    OutputMemory(const Plan& plan, const std::optional<CallerBuffer>& caller, LoadStats& stats);

    /// Plane by plane as the plan counts them.
    [[nodiscard]] MutableByteSpan plane(std::size_t index) const noexcept {
        return bytes_.subspan(index * plane_bytes_, plane_bytes_);
    }
    /// A byte for each value of a plane, task by task; empty where the plan has no mask.
    [[nodiscard]] MutableByteSpan mask_slot(std::size_t index) const noexcept {
        return mask_.bytes().subspan(index * mask_slot_bytes_, mask_slot_bytes_);
    }
    /// Whether stores that bypass the caches pay.
    [[nodiscard]] bool may_stream() const noexcept { return may_stream_; }
    /// The pool's memory, handed on; empty where it was the caller's.
    [[nodiscard]] Buffer take_buffer() noexcept { return std::move(buffer_); }
    [[nodiscard]] Buffer take_mask() noexcept { return std::move(mask_); }

  private:
    Buffer buffer_;
    Buffer mask_;
    MutableByteSpan bytes_;
    std::size_t plane_bytes_;
    std::size_t mask_slot_bytes_;
    bool may_stream_ = false;
};

} // namespace torchdicom
