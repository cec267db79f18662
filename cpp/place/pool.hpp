// Output memory: huge pages, and used again, since first touch costs more than decoding.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>

namespace torchdicom {

/// Memory from the pool, which goes back there when the buffer dies. Move-only.
class Buffer {
  public:
    Buffer() noexcept = default;
    /// Takes `size` bytes, aligned to 2 MiB, contents undefined. Throws std::bad_alloc.
    explicit Buffer(std::size_t size);
    ~Buffer();
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    [[nodiscard]] MutableByteSpan bytes() const noexcept { return {data_, size_}; }
    /// Whether its pages are mapped already: streaming stores pay only then.
    [[nodiscard]] bool was_touched() const noexcept { return was_touched_; }

  private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    bool was_touched_ = false;
};

/// What the pool holds at this moment, in bytes, of buffers that nobody uses.
[[nodiscard]] std::size_t pooled_bytes();

/// Gives the memory that nobody uses back to the system; returns the bytes.
std::size_t empty_pool();

} // namespace torchdicom
