// Memory that is not zeroed before it is filled: pages that nobody writes to are never touched.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace torchdicom {

/// An allocator whose elements are left as they are where they are made of nothing.
template <typename T> struct UninitializedAllocator : std::allocator<T> {
    // NOLINTNEXTLINE(readability-identifier-naming): the name that allocators have it under
    template <typename U> struct rebind {
        using other = UninitializedAllocator<U>;
    };

    template <typename U> void construct(U* at) noexcept { ::new (static_cast<void*>(at)) U; }
    template <typename U, typename... Arguments> void construct(U* at, Arguments&&... arguments) {
        std::construct_at(at, std::forward<Arguments>(arguments)...);
    }
};

/// Bytes that `resize` leaves uninitialised. Whoever makes them writes them all, or shrinks them to
/// what was written, before anybody reads.
using UninitializedBytes = std::vector<std::byte, UninitializedAllocator<std::byte>>;

} // namespace torchdicom
