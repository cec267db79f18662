#include "base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace torchdicom {

namespace {

using Clock = std::chrono::steady_clock;

// Looking for a signal takes the GIL, so not after every item; a person does not notice 20 ms.
constexpr std::chrono::milliseconds kCheckpointInterval{20};

class Loop {
  public:
    Loop(std::size_t count, const ParallelOptions& options,
         const std::function<void(std::size_t)>& work) noexcept
        : count_{count}, options_{options}, work_{work} {}

    void run_as_helper() noexcept {
        while (run_next()) {
        }
    }

    void run_as_caller() noexcept {
        Clock::time_point next = Clock::now() + kCheckpointInterval;
        while (run_next()) {
            if (options_.checkpoint && Clock::now() >= next) {
                check_for_stop();
                next = Clock::now() + kCheckpointInterval;
            }
        }
    }

    void rethrow() const {
        // A stop request outranks an error of an item.
        if (stop_) {
            std::rethrow_exception(stop_);
        }
        if (error_) {
            std::rethrow_exception(error_);
        }
    }

  private:
    bool run_next() noexcept {
        if (is_cancelled_.load(std::memory_order_relaxed)) {
            return false;
        }
        const std::size_t index = next_.fetch_add(1, std::memory_order_relaxed);
        if (index >= count_) {
            return false;
        }
        try {
            work_(index);
        } catch (...) {
            keep_error(index, std::current_exception());
        }
        return true;
    }

    void keep_error(std::size_t index, std::exception_ptr error) noexcept {
        const std::scoped_lock lock{mutex_};
        if (!error_ || index < error_index_) {
            error_ = std::move(error);
            error_index_ = index;
        }
        is_cancelled_.store(true, std::memory_order_relaxed);
    }

    void check_for_stop() noexcept {
        try {
            options_.checkpoint();
        } catch (...) {
            stop_ = std::current_exception();
            is_cancelled_.store(true, std::memory_order_relaxed);
        }
    }

    std::size_t count_;
    const ParallelOptions& options_;
    const std::function<void(std::size_t)>& work_;
    std::atomic<std::size_t> next_{0};
    std::atomic<bool> is_cancelled_{false};
    std::mutex mutex_;
    std::exception_ptr error_;
    std::size_t error_index_ = 0;
    std::exception_ptr stop_; ///< written by the calling thread alone
};

std::vector<std::jthread> start_helpers(Loop& loop, std::size_t count) {
    std::vector<std::jthread> helpers;
    helpers.reserve(count);
    try {
        while (helpers.size() < count) {
            helpers.emplace_back([&loop] { loop.run_as_helper(); });
        }
    } catch (const std::system_error&) {
        return helpers; // no more threads to be had: those that started do the work, more slowly
    }
    return helpers;
}

} // namespace

void parallel_for(std::size_t count, const ParallelOptions& options,
                  const std::function<void(std::size_t)>& work) {
    Loop loop{count, options, work};
    {
        const std::size_t threads =
            std::clamp<std::size_t>(options.threads, 1, std::max<std::size_t>(count, 1));
        const std::vector<std::jthread> helpers = start_helpers(loop, threads - 1);
        loop.run_as_caller();
    } // joins
    loop.rethrow();
}

} // namespace torchdicom
