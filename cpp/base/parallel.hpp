// Parallel loops whose threads live for one call: nothing survives a fork, nothing is configured.
#pragma once

#include <cstddef>
#include <functional>

namespace torchdicom {

struct ParallelOptions {
    std::size_t threads = 1;
    /// Called now and then by the calling thread, between two items; throws to stop the loop, as
    /// after Ctrl-C. May be empty.
    std::function<void()> checkpoint;
};

/// Calls work(i) for every i in [0, count), the calling thread taking its share.
///
/// Indices are handed out in ascending order. After a throw no further index is handed out, and the
/// error of the lowest index that threw is thrown again once all threads have stopped: every index
/// below it was handed out before and has finished, so the error does not depend on the threads.
void parallel_for(std::size_t count, const ParallelOptions& options,
                  const std::function<void(std::size_t)>& work);

} // namespace torchdicom
