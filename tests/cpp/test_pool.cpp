// place/pool: memory is used again, never by two at once, and a forked child is not locked out.
#include "base/limits.hpp"
#include "place/pool.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <new>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace torchdicom;

namespace {

constexpr std::size_t kHugePage = 2'097'152;

std::byte* start_of(const Buffer& buffer) { return buffer.bytes().data(); }

bool is_filled_with(const Buffer& buffer, std::byte value) {
    const MutableByteSpan bytes = buffer.bytes();
    return std::all_of(bytes.begin(), bytes.end(), [value](std::byte b) { return b == value; });
}

/// Allocates and writes, and says in its exit status whether that took less than a second.
[[noreturn]] void run_child() {
    ::alarm(1);
    for (int i = 0; i < 10; ++i) {
        const Buffer buffer{kHugePage};
        buffer.bytes()[0] = std::byte{1};
    }
    ::_exit(0);
}

} // namespace

TEST_CASE("a buffer has the size asked for, starts at a huge page, and can be written") {
    empty_pool();
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kHugePage, kHugePage + 1}) {
        CAPTURE(size);
        empty_pool();
        const Buffer buffer{size};
        CHECK(buffer.bytes().size() == size);
        CHECK(std::bit_cast<std::uintptr_t>(start_of(buffer)) % kHugePage == 0);
        CHECK(!buffer.was_touched());
        std::ranges::fill(buffer.bytes(), std::byte{0xA5});
        CHECK(is_filled_with(buffer, std::byte{0xA5}));
    }
    CHECK(pooled_bytes() == 2 * kHugePage); // what the last one took
}

TEST_CASE("released memory is used again, and says that it was touched") {
    empty_pool();
    std::byte* first = nullptr;
    {
        const Buffer buffer{3 * kHugePage};
        first = start_of(buffer);
        CHECK(pooled_bytes() == 0); // in use
    }
    CHECK(pooled_bytes() == 3 * kHugePage);
    {
        const Buffer again{3 * kHugePage - 5};
        CHECK(start_of(again) == first);
        CHECK(again.bytes().size() == 3 * kHugePage - 5);
        CHECK(again.was_touched());
        CHECK(pooled_bytes() == 0);
    }
    CHECK(empty_pool() == 3 * kHugePage);
    CHECK(pooled_bytes() == 0);
    CHECK(empty_pool() == 0);
    CHECK(!Buffer{3 * kHugePage}.was_touched());
    empty_pool();
}

TEST_CASE("memory serves requests of two thirds its size at least, the smallest that fits first") {
    empty_pool();
    {
        const Buffer six{6 * kHugePage};
    }
    CHECK(!Buffer{3 * kHugePage}.was_touched()); // too small a part; now 6 and 3 are there
    CHECK(pooled_bytes() == 9 * kHugePage);
    CHECK(!Buffer{7 * kHugePage}.was_touched()); // 6 is too small; now 7 too
    {
        const Buffer five{5 * kHugePage};
        CHECK(five.was_touched());
        CHECK(pooled_bytes() == 10 * kHugePage); // 6 went, 7 and 3 are left
    }
    CHECK(empty_pool() == 16 * kHugePage);
}

TEST_CASE("memory in use is given to nobody else, whatever happens meanwhile") {
    empty_pool();
    std::vector<std::jthread> threads;
    std::atomic<int> failures{0};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([t, &failures] {
            for (int i = 0; i < 200; ++i) {
                const Buffer buffer{kHugePage};
                const auto mark = static_cast<std::byte>(t);
                std::memset(start_of(buffer), t, 4096);
                std::this_thread::yield();
                const auto page = buffer.bytes().first(4096);
                failures += std::ranges::count(page, mark) == 4096 ? 0 : 1;
            }
        });
    }
    threads.clear(); // joins
    CHECK(failures == 0);
    CHECK(pooled_bytes() <= 4 * kHugePage);
    CHECK(empty_pool() >= kHugePage);
}

TEST_CASE("a buffer that was moved leaves nothing behind and is given back once") {
    empty_pool();
    {
        Buffer first{kHugePage};
        std::byte* const start = start_of(first);
        first.bytes()[0] = std::byte{7};
        Buffer second{std::move(first)};
        CHECK(start_of(second) == start);
        CHECK(second.bytes()[0] == std::byte{7});
        Buffer third{2 * kHugePage};
        third = std::move(second);
        CHECK(start_of(third) == start);
        CHECK(third.bytes().size() == kHugePage);
        Buffer& self = third;
        third = std::move(self);
        CHECK(start_of(third) == start);
        third = Buffer{};
        CHECK(third.bytes().empty());
    }
    CHECK(empty_pool() == 3 * kHugePage);
}

TEST_CASE("a size that no system has is bad_alloc") {
    CHECK_THROWS_AS(Buffer{std::size_t{1} << 62U}, std::bad_alloc);
}

TEST_CASE("the pool keeps no more than its limit") {
    empty_pool();
    {
        // Untouched pages cost nothing.
        const Buffer first{limits::kMaxPooledBytes - kHugePage};
        const Buffer second{2 * kHugePage};
        const Buffer third{kHugePage};
    }
    // Given back in reverse: 1 and 2 pages fit, the large one then does not.
    CHECK(empty_pool() == 3 * kHugePage);
}

TEST_CASE("a child that is forked while other threads use the pool can use it too") {
    empty_pool();
    std::atomic<bool> is_done{false};
    std::vector<std::jthread> threads;
    for (int t = 0; t < 2; ++t) {
        threads.emplace_back([&is_done] {
            while (!is_done) {
                const Buffer buffer{kHugePage};
            }
        });
    }
    int locked_out = 0;
    for (int i = 0; i < 50; ++i) {
        const pid_t child = ::fork();
        if (child == 0) {
            run_child();
        }
        REQUIRE(child > 0);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        locked_out += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
    }
    is_done = true;
    threads.clear(); // joins
    CHECK(locked_out == 0);
    CHECK(Buffer{kHugePage}.bytes().size() == kHugePage); // the parent's lock is free again
    empty_pool();
}

TEST_CASE("a size that no memory has is bad_alloc, and does not wrap") {
    CHECK_THROWS_AS(Buffer{~std::size_t{0}}, std::bad_alloc);
    CHECK_THROWS_AS(Buffer{~std::size_t{0} - kHugePage}, std::bad_alloc);
}
