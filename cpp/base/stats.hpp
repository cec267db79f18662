// What a load did, counted where it happens: tests assert on these instead of on timings.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace torchdicom {

struct LoadStats {
    std::atomic<std::uint64_t> files{0};       ///< files whose header was read
    std::atomic<std::uint64_t> opens{0};       ///< open(2) calls
    std::atomic<std::uint64_t> bytes_read{0};  ///< bytes that pread(2) returned
    std::atomic<std::uint64_t> allocations{0}; ///< output buffers taken from pool or system
    std::atomic<std::uint64_t> read_ns{0};     ///< time in pread(2), of all threads together
    std::uint64_t threads = 0;                 ///< threads that the call was allowed
    /// When the call began.
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
};

} // namespace torchdicom
