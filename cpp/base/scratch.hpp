// Memory that a thread uses again for every frame it works on.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <vector>

namespace torchdicom {

/// The first `size` bytes of `memory`, which grows to them and never shrinks; they are whatever
/// they were. For vectors that are thread_local.
[[nodiscard]] inline MutableByteSpan scratch_of(std::vector<std::byte>& memory, std::size_t size) {
    if (memory.size() < size) {
        memory.resize(size);
    }
    return MutableByteSpan{memory}.first(size);
}

} // namespace torchdicom
