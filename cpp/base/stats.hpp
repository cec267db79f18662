// What a load did, counted where it happens: tests assert on these instead of on timings.
#pragma once

#include <atomic>
#include <cstdint>

namespace torchdicom {

struct LoadStats {
    std::atomic<std::uint64_t> files{0};       ///< files whose header was read
    std::atomic<std::uint64_t> opens{0};       ///< open(2) calls
    std::atomic<std::uint64_t> bytes_read{0};  ///< bytes that pread(2) returned
    std::atomic<std::uint64_t> allocations{0}; ///< output buffers taken from pool or system
    std::uint64_t threads = 0;                 ///< threads that the call was allowed
};

} // namespace torchdicom
