// The start of a file, read as far as the parser asks for it and never twice.
#pragma once

#include "base/bytes.hpp"
#include "base/file.hpp"
#include "base/uninitialized.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace torchdicom {

/// Bytes that a header read has fetched anyway: the load takes them from here, not from the disk.
struct FetchedBytes {
    std::uint64_t offset = 0;
    UninitializedBytes bytes;

    /// The part of [start, start + count) from `start` on that was fetched; may be empty.
    [[nodiscard]] ByteSpan part(std::uint64_t start, std::uint64_t count) const noexcept;
};

class ByteWindow {
  public:
    /// Over memory that outlives the window.
    explicit ByteWindow(ByteSpan bytes) noexcept : memory_{bytes}, size_{bytes.size()} {}
    /// Over a file: one pread of at most 16 KiB holds most headers whole.
    explicit ByteWindow(const File& file) noexcept : file_{&file}, size_{file.identity().size} {}
    ~ByteWindow();
    ByteWindow(const ByteWindow&) = delete;
    ByteWindow& operator=(const ByteWindow&) = delete;
    ByteWindow(ByteWindow&&) = delete;
    ByteWindow& operator=(ByteWindow&&) = delete;

    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// The bytes [offset, offset + count), valid until the next call.
    /// Throws truncated_header where the file ends before that.
    [[nodiscard]] ByteSpan at(std::uint64_t offset, std::size_t count) {
        if (file_ == nullptr || !holds(offset, count)) {
            return look(offset, count);
        }
        needed_ = std::max(needed_, offset + count);
        return ByteSpan{fetched_.bytes}.subspan(offset - fetched_.offset, count);
    }

    /// The same for a few bytes amid pixels: nothing is read beyond them.
    [[nodiscard]] ByteSpan peek(std::uint64_t offset, std::size_t count);

    /// What is in memory of the file, moved out; nothing for a window over memory.
    [[nodiscard]] FetchedBytes take() noexcept;

  private:
    [[nodiscard]] ByteSpan look(std::uint64_t offset, std::size_t count);
    void fetch(std::uint64_t offset, std::size_t count);
    [[nodiscard]] bool holds(std::uint64_t offset, std::size_t count) const noexcept {
        return offset >= fetched_.offset && offset - fetched_.offset <= fetched_.bytes.size() &&
               count <= fetched_.bytes.size() - (offset - fetched_.offset);
    }

    ByteSpan memory_;
    const File* file_ = nullptr;
    std::uint64_t size_;
    std::uint64_t needed_ = 0; ///< where the furthest byte that was asked for ends
    FetchedBytes fetched_;
    std::array<std::byte, 16> peeked_{};
};

} // namespace torchdicom
