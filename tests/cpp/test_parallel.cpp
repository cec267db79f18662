// base/parallel: every index once, the error of the lowest index, and a caller who can stop it.
#include "base/parallel.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace torchdicom;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kAllThreads[] = {0, 1, 2, 7, 64};

/// How often each index was worked on.
std::vector<int> visits(std::size_t count, std::size_t threads) {
    std::vector<std::atomic<int>> counts(count);
    parallel_for(count, {.threads = threads, .checkpoint = {}},
                 [&](std::size_t i) { ++counts[i]; });
    return {counts.begin(), counts.end()};
}

/// The text of what the loop throws, "" where it throws nothing.
template <typename Work>
std::string error_of(std::size_t count, const ParallelOptions& options, const Work& work) {
    try {
        parallel_for(count, options, work);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "";
}

} // namespace

TEST_CASE("every index is worked on once, with any number of threads") {
    for (const std::size_t threads : kAllThreads) {
        for (const std::size_t count : {0U, 1U, 2U, 63U, 1000U}) {
            CAPTURE(threads);
            CAPTURE(count);
            CHECK(visits(count, threads) == std::vector<int>(count, 1));
        }
    }
}

TEST_CASE("one thread is the caller, and no more threads work than are allowed") {
    for (const std::size_t threads : {std::size_t{1}, std::size_t{3}}) {
        std::mutex mutex;
        std::set<std::thread::id> seen;
        parallel_for(50, {.threads = threads, .checkpoint = {}}, [&](std::size_t) {
            std::this_thread::sleep_for(200us);
            const std::scoped_lock lock{mutex};
            seen.insert(std::this_thread::get_id());
        });
        CHECK(seen.size() <= threads);
        CHECK((threads > 1 || seen.count(std::this_thread::get_id()) == 1));
    }
}

TEST_CASE("one thread works on the indices in ascending order") {
    std::vector<std::size_t> order;
    parallel_for(5, {}, [&](std::size_t i) { order.push_back(i); });
    CHECK(order == std::vector<std::size_t>{0, 1, 2, 3, 4});
}

TEST_CASE("the error of the lowest index that throws is the one thrown, whoever is first") {
    for (int repeat = 0; repeat < 30; ++repeat) {
        // 3 throws last of all: 5 and 7 have thrown long before.
        const auto work = [](std::size_t i) {
            if (i == 3) {
                std::this_thread::sleep_for(3ms);
            }
            if (i == 3 || i == 5 || i == 7) {
                throw std::runtime_error{std::to_string(i)};
            }
        };
        for (const std::size_t threads : kAllThreads) {
            CAPTURE(threads);
            CHECK(error_of(20, {.threads = threads, .checkpoint = {}}, work) == "3");
        }
    }
}

TEST_CASE("after an error no further index is handed out, and all below it have finished") {
    for (const std::size_t threads : kAllThreads) {
        std::vector<std::atomic<int>> done(20'000);
        const auto work = [&](std::size_t i) {
            if (i == 4) {
                throw std::runtime_error{"4"};
            }
            std::this_thread::sleep_for(1ms);
            ++done[i];
        };
        CHECK(error_of(done.size(), {.threads = threads, .checkpoint = {}}, work) == "4");
        CHECK((done[0] == 1 && done[1] == 1 && done[2] == 1 && done[3] == 1));
        CHECK(done[4] == 0);
        CHECK(done[19'999] == 0);
    }
}

TEST_CASE("an error that is no std::exception arrives as it is") {
    CHECK_THROWS_AS(parallel_for(8, {.threads = 4, .checkpoint = {}}, [](std::size_t) { throw 7; }),
                    int);
}

TEST_CASE("the checkpoint is called by the calling thread alone") {
    const std::thread::id caller = std::this_thread::get_id();
    int calls = 0;
    bool is_caller = true;
    const ParallelOptions options{.threads = 3, .checkpoint = [&] {
                                      ++calls;
                                      is_caller = is_caller && std::this_thread::get_id() == caller;
                                  }};
    parallel_for(150, options, [](std::size_t) { std::this_thread::sleep_for(2ms); });
    CHECK(calls >= 1);
    CHECK(is_caller);
}

TEST_CASE("what the checkpoint throws stops the loop, and outranks the error of an item") {
    for (const std::size_t threads : kAllThreads) {
        std::atomic<std::size_t> done{0};
        const ParallelOptions options{.threads = threads,
                                      .checkpoint = [] { throw std::runtime_error{"stop"}; }};
        const auto work = [&](std::size_t) {
            std::this_thread::sleep_for(1ms);
            ++done;
        };
        CHECK(error_of(100'000, options, work) == "stop");
        CHECK(done < 100'000);
    }
    // The item that makes the checkpoint due throws too.
    const ParallelOptions options{.threads = 1,
                                  .checkpoint = [] { throw std::runtime_error{"stop"}; }};
    CHECK(error_of(2, options, [](std::size_t) {
              std::this_thread::sleep_for(40ms);
              throw std::runtime_error{"item"};
          }) == "stop");
}

TEST_CASE("loops inside a loop work") {
    std::atomic<int> calls{0};
    parallel_for(4, {.threads = 2, .checkpoint = {}}, [&](std::size_t) {
        parallel_for(5, {.threads = 2, .checkpoint = {}}, [&](std::size_t) { ++calls; });
    });
    CHECK(calls == 20);
}
