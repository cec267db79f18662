#include "place/pool.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <pthread.h>
#include <sys/mman.h>
#include <utility>
#include <vector>

namespace torchdicom {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20U;

// A buffer may serve a request of at least two thirds its size: series of one kind differ by a few
// slices, and a larger share would hold memory that nobody sees.
constexpr std::size_t fits_at_most(std::size_t wanted) noexcept { return wanted + wanted / 2; }

struct Block {
    std::byte* data = nullptr;
    std::size_t capacity = 0;
};

/// Fresh pages, aligned so that all of them can be huge ones.
Block map_pages(std::size_t capacity) {
    const std::size_t reserved = capacity + kHugePage;
    void* const memory = ::mmap(nullptr, reserved, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        throw std::bad_alloc{};
    }
    auto* const start = static_cast<std::byte*>(memory);
    const std::size_t before =
        (kHugePage - std::bit_cast<std::uintptr_t>(start) % kHugePage) % kHugePage;
    if (before > 0) {
        ::munmap(start, before);
    }
    std::byte* const data = start + before;
    if (const std::size_t after = reserved - before - capacity; after > 0) {
        ::munmap(data + capacity, after);
    }
    ::madvise(data, capacity, MADV_HUGEPAGE); // advice: without it the pages are small ones
    return {data, capacity};
}

class Pool {
  public:
    Pool() { free_.reserve(kMaxBlocks); }

    /// The smallest block that holds `capacity` without waste, or one without data.
    Block take(std::size_t capacity) {
        const std::scoped_lock lock{mutex_};
        auto best = free_.end();
        for (auto block = free_.begin(); block != free_.end(); ++block) {
            const bool fits =
                block->capacity >= capacity && block->capacity <= fits_at_most(capacity);
            if (fits && (best == free_.end() || block->capacity < best->capacity)) {
                best = block;
            }
        }
        if (best == free_.end()) {
            return {};
        }
        const Block block = *best;
        free_.erase(best);
        bytes_ -= block.capacity;
        return block;
    }

    /// Keeps the block, or unmaps it where the pool is full.
    void give_back(Block block) noexcept {
        {
            const std::scoped_lock lock{mutex_};
            if (bytes_ + block.capacity <= limits::kMaxPooledBytes &&
                free_.size() < free_.capacity()) {
                free_.push_back(block);
                bytes_ += block.capacity;
                return;
            }
        }
        ::munmap(block.data, block.capacity);
    }

    std::size_t clear() {
        std::vector<Block> unmapped;
        unmapped.reserve(kMaxBlocks);
        {
            const std::scoped_lock lock{mutex_};
            unmapped.swap(free_);
            bytes_ = 0;
        }
        std::size_t total = 0;
        for (const Block& block : unmapped) {
            ::munmap(block.data, block.capacity);
            total += block.capacity;
        }
        return total;
    }

    std::size_t bytes() {
        const std::scoped_lock lock{mutex_};
        return bytes_;
    }

    void before_fork() { mutex_.lock(); }
    void after_fork_in_parent() { mutex_.unlock(); }
    // The child has one thread, and a mutex that was locked in another process: a new one.
    void after_fork_in_child() { std::construct_at(&mutex_); }

  private:
    static constexpr std::size_t kMaxBlocks = 1'024;

    std::mutex mutex_;
    std::vector<Block> free_; ///< never grows beyond its reserve, so that give_back cannot throw
    std::size_t bytes_ = 0;
};

Pool& the_pool() {
    // Never destroyed: tensors may outlive every static object.
    static Pool* const pool = std::make_unique<Pool>().release();
    return *pool;
}

/// A fork while another thread holds the mutex would leave it locked in the child for ever. When
/// the library is loaded, since a fork may also fall into the first use of the pool.
// NOLINTNEXTLINE(bugprone-throwing-static-initialization): no memory for a pool, no library
[[maybe_unused]] const int kForkHandlers = [] {
    static_cast<void>(the_pool());
    return ::pthread_atfork([] { the_pool().before_fork(); },
                            [] { the_pool().after_fork_in_parent(); },
                            [] { the_pool().after_fork_in_child(); });
}();

} // namespace

Buffer::Buffer(std::size_t size) : size_{size} {
    if (size > std::numeric_limits<std::size_t>::max() - 2 * kHugePage) {
        throw std::bad_alloc{};
    }
    const std::size_t capacity =
        (std::max<std::size_t>(size, 1) + kHugePage - 1) / kHugePage * kHugePage;
    Block block = the_pool().take(capacity);
    was_touched_ = block.data != nullptr;
    if (!was_touched_) {
        block = map_pages(capacity);
    }
    data_ = block.data;
    capacity_ = block.capacity;
}

Buffer::~Buffer() {
    if (data_ != nullptr) {
        the_pool().give_back({data_, capacity_});
    }
}

Buffer::Buffer(Buffer&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)}, size_{std::exchange(other.size_, 0)},
      capacity_{std::exchange(other.capacity_, 0)}, was_touched_{other.was_touched_} {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(was_touched_, other.was_touched_);
    return *this;
}

std::size_t pooled_bytes() { return the_pool().bytes(); }

std::size_t empty_pool() { return the_pool().clear(); }

} // namespace torchdicom
