// Stores that bypass the caches: for memory that is large and was touched before.
#pragma once

#include <cstddef>

namespace torchdicom {

/// Copies past the caches; plain where the processor or the alignment does not allow it.
void stream_copy(const std::byte* from, std::size_t count, std::byte* to) noexcept;

/// Behind the last copy of a task: other threads then see them.
void finish_streaming() noexcept;

} // namespace torchdicom
