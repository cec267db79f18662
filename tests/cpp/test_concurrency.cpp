// Whole loads side by side, stopped half way, and over a fork: each has its own values, and nothing
// of one is left for the next. Written to be run under ThreadSanitizer too.
#include "base/limits.hpp"
#include "data_set_writer.hpp"
#include "pipeline/load.hpp"
#include "place/pool.hpp"
#include "sanitizers.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace torchdicom;

namespace {

constexpr std::size_t kSlices = 6;
constexpr std::uint32_t kEdge = 32;

/// A folder with one series, and the values that a load of it gives.
class SeriesOnDisk {
  public:
    explicit SeriesOnDisk(std::uint32_t first) {
        std::vector<std::uint32_t> cells(kEdge * kEdge);
        for (std::size_t slice = 0; slice < kSlices; ++slice) {
            std::iota(cells.begin(), cells.end(), first + 100 * static_cast<std::uint32_t>(slice));
            std::ranges::copy(cells, std::back_inserter(expected_));
            const std::string z = std::to_string(slice);
            const test::Image image{.rows = kEdge,
                                    .columns = kEdge,
                                    .instance = "1.2." + z,
                                    .position = "0\\0\\" + z,
                                    .intercept = "0"};
            folder_.write(z + ".dcm", test::image_file(image, cells));
        }
    }

    [[nodiscard]] LoadRequest request(ParallelOptions parallel) const {
        LoadRequest wanted;
        wanted.sources = {{.path = folder_.path(""), .bytes = {}}};
        wanted.parallel = std::move(parallel);
        return wanted;
    }

    [[nodiscard]] bool loads_right(std::size_t threads) const {
        LoadStats stats;
        const LoadedSeries loaded =
            load_series(request({.threads = threads, .checkpoint = {}}), stats);
        std::vector<float> values(expected_.size());
        const MutableByteSpan into = std::as_writable_bytes(std::span{values});
        const MutableByteSpan bytes = loaded.buffer.bytes();
        std::copy_n(bytes.begin(), std::min(bytes.size(), into.size()), into.begin());
        return bytes.size() == into.size() && values == expected_;
    }

  private:
    test::TemporaryFolder folder_;
    std::vector<float> expected_;
};

/// Threads that load until this dies, each a series of its own, and count what came out wrong.
class Loaders {
  public:
    Loaders(std::size_t count, std::size_t threads_each) {
        for (std::size_t i = 0; i < count; ++i) {
            series_.push_back(
                std::make_unique<SeriesOnDisk>(1000 * static_cast<std::uint32_t>(i + 1)));
        }
        for (const auto& series : series_) {
            threads_.emplace_back([this, threads_each, &one = *series] {
                while (!is_done_) {
                    wrong_ += one.loads_right(threads_each) ? 0 : 1;
                    ++loads_;
                }
            });
        }
    }
    ~Loaders() { stop(); }
    Loaders(const Loaders&) = delete;
    Loaders& operator=(const Loaders&) = delete;

    [[nodiscard]] int loads() const { return loads_; }
    void wait_for(int loads) const {
        while (loads_ < loads) {
            std::this_thread::yield();
        }
    }
    /// How many loads there were, and how many of them gave other values.
    std::pair<int, int> stop() {
        is_done_ = true;
        threads_.clear(); // joins
        return {loads_, wrong_};
    }

  private:
    std::vector<std::unique_ptr<SeriesOnDisk>> series_;
    std::atomic<bool> is_done_{false};
    std::atomic<int> loads_{0};
    std::atomic<int> wrong_{0};
    std::vector<std::jthread> threads_;
};

/// Whether `work` is true in a child of its own within 20 seconds.
template <typename Work> bool is_true_in_child(const Work& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(20); // a deadlock ends the child, not the test
        bool is_true = false;
        try {
            is_true = work();
        } catch (...) { // the exit status says it
        }
        ::_exit(is_true ? 0 : 1);
    }
    int status = 0;
    return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

} // namespace

TEST_CASE("loads in several threads at once have each its own values") {
    Loaders loaders{4, 2};
    std::size_t most = 0;
    while (loaders.loads() < 60) {
        most = std::max(most, pooled_bytes());
    }
    CHECK(most <= limits::kMaxPooledBytes);
    for (int i = 0; i < 20; ++i) {
        empty_pool(); // takes the memory from under nobody
    }
    const auto [loads, wrong] = loaders.stop();
    CHECK(loads >= 60);
    CHECK(wrong == 0);
}

TEST_CASE("a stop in the middle of loads leaves the values of all others right") {
    const SeriesOnDisk series{7};
    Loaders loaders{2, 2};
    constexpr std::size_t kEndless = 100'000'000;
    for (int i = 0; i < 10; ++i) {
        std::atomic<std::size_t> wrong{0};
        const ParallelOptions stopping{.threads = 3,
                                       .checkpoint = [] { throw std::runtime_error{"stop"}; }};
        const auto load_for_ever = [&] {
            parallel_for(kEndless, stopping,
                         [&](std::size_t) { wrong += series.loads_right(1) ? 0U : 1U; });
        };
        CHECK_THROWS_WITH_AS(load_for_ever(), "stop", std::runtime_error);
        CHECK(wrong == 0);
        CHECK(series.loads_right(3));
    }
    CHECK(loaders.stop().second == 0);
}

TEST_CASE("an error in one of many loads at once is that load's alone") {
    const test::TemporaryFolder empty;
    Loaders loaders{2, 2};
    for (int i = 0; i < 50; ++i) {
        LoadStats stats;
        LoadRequest request;
        request.sources = {{.path = empty.path(""), .bytes = {}}};
        request.parallel.threads = 2;
        CHECK_THROWS_AS(static_cast<void>(load_series(request, stats)), Error);
    }
    loaders.wait_for(20);
    CHECK(loaders.stop().second == 0);
}

// While a thread lives, what it keeps between frames is no leak; so these end, and then it is one.
TEST_CASE("a thread that ends keeps nothing of what it inflated with") {
    const test::Bytes stored = test::bytes_of({1, 2, 0, 0xFD, 0xFF, 10, 20}); // RFC 1951, 3.2.4
    std::atomic<int> right{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            const auto inflated = inflate_data_set(stored, 0);
            right += std::ranges::equal(inflated, test::bytes_of({10, 20})) ? 1 : 0;
        });
    }
    threads.clear(); // joins
    CHECK(right == 3);
}

TEST_CASE("a child forked between two loads loads with threads of its own") {
    const SeriesOnDisk series{70};
    for (int i = 0; i < 5; ++i) {
        CHECK(series.loads_right(3));
        CHECK(is_true_in_child([&] { return series.loads_right(3) && series.loads_right(3); }));
        CHECK(series.loads_right(3));
    }
}

// AddressSanitizer's allocator has locks of its own that a fork does not free: with other threads
// in it, a child may hang at its first allocation. No code of ours is concerned, so not in that
// build.
#ifndef TORCHDICOM_ADDRESS_SANITIZER
TEST_CASE("a child forked in the middle of other threads' loads can load") {
#ifdef TORCHDICOM_THREAD_SANITIZER
    constexpr std::size_t kThreads = 1; // it cannot follow threads that start in such a child
#else
    constexpr std::size_t kThreads = 2;
#endif
    const SeriesOnDisk series{700};
    Loaders loaders{2, 2};
    for (int i = 0; i < 20; ++i) {
        loaders.wait_for(4 * i);
        CHECK(is_true_in_child([&] { return series.loads_right(kThreads); }));
    }
    CHECK(loaders.stop().second == 0);
    CHECK(series.loads_right(2));
}
#endif
