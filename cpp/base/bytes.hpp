// Bounds-checked reading of little and big endian numbers: the only place that turns bytes into
// numbers.
#pragma once

#include "base/error.hpp"

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace torchdicom {

using ByteSpan = std::span<const std::byte>;
using MutableByteSpan = std::span<std::byte>;

template <std::unsigned_integral T> [[nodiscard]] constexpr T byte_swap(T value) noexcept {
    if constexpr (sizeof(T) == 1) {
        return value;
    } else if constexpr (sizeof(T) == 2) {
        return __builtin_bswap16(value);
    } else if constexpr (sizeof(T) == 4) {
        return __builtin_bswap32(value);
    } else {
        return __builtin_bswap64(value);
    }
}

/// The number at `bytes[at]`. The caller has checked that it lies inside.
template <std::unsigned_integral T>
[[nodiscard]] T load_number(ByteSpan bytes, std::size_t at, std::endian order) noexcept {
    T value{};
    std::memcpy(&value, bytes.subspan(at, sizeof(T)).data(), sizeof(T));
    return order == std::endian::native ? value : byte_swap(value);
}

[[nodiscard]] inline std::string_view as_text(ByteSpan bytes) noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): char may alias any byte
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A cursor over bytes that never passes their end.
///
/// Every reader throws `code` at the offset where the bytes ran out; `base` is the offset of the
/// first byte in the file, for that message.
class ByteReader {
  public:
    ByteReader(ByteSpan bytes, std::endian order, ErrorCode code, std::uint64_t base = 0) noexcept
        : bytes_{bytes}, order_{order}, code_{code}, base_{base} {}

    [[nodiscard]] std::size_t position() const noexcept { return position_; }
    [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size() - position_; }
    [[nodiscard]] std::uint64_t offset() const noexcept { return base_ + position_; }

    template <std::unsigned_integral T> [[nodiscard]] T read() {
        require(sizeof(T));
        const T value = load_number<T>(bytes_, position_, order_);
        position_ += sizeof(T);
        return value;
    }

    [[nodiscard]] ByteSpan take(std::size_t count) {
        require(count);
        const ByteSpan taken = bytes_.subspan(position_, count);
        position_ += count;
        return taken;
    }

    void skip(std::size_t count) {
        require(count);
        position_ += count;
    }

  private:
    void require(std::size_t count) const {
        if (count > remaining()) {
            fail(code_,
                 std::to_string(count) + " more bytes are needed and " +
                     std::to_string(remaining()) + " are left",
                 Place{.offset = offset()});
        }
    }

    ByteSpan bytes_;
    std::endian order_;
    ErrorCode code_;
    std::uint64_t base_;
    std::size_t position_ = 0;
};

} // namespace torchdicom
