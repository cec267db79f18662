// The entropy-coded bytes of JPEG-LS as plain bits: the stuffed ones are taken out once, before
// anything is decoded, so that reading them is a load and a shift.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>

namespace torchdicom {

/// Zeros that are kept behind the bits. No code but one that is too long starts with so many, so
/// that decoding stops there without looking for the end at every sample.
inline constexpr std::size_t kJpegLsPadding = 32;

/// Bits that were unstuffed, and how many of the scan's bytes they took.
struct JpegLsBits {
    std::size_t bits = 0;
    std::size_t bytes = 0; ///< up to the next marker, or to the end
};

/// Copies bytes without the bit that is stuffed behind each FF (ISO 14495-1 A.1), up to the first
/// marker, and puts zeros behind them. `bits` has at least `kJpegLsPadding` bytes more than `data`.
[[nodiscard]] JpegLsBits unstuff_jpeg_ls(ByteSpan data, MutableByteSpan bits) noexcept;

/// A place in unstuffed bits. At least 57 of the 64 bits that `peek` gives are there; behind the
/// end they are zeros.
class JpegLsCursor {
  public:
    JpegLsCursor() = default;
    JpegLsCursor(ByteSpan bytes, std::size_t bits) noexcept : bytes_{bytes}, end_{bits} {}

    [[gnu::always_inline]] [[nodiscard]] std::uint64_t peek() const noexcept {
        return load_number<std::uint64_t>(bytes_, at_ / 8, std::endian::big) << (at_ % 8);
    }
    [[gnu::always_inline]] void skip(std::size_t count) noexcept { at_ += count; }
    /// Up to 32 bits as a number.
    [[nodiscard]] std::uint32_t take(std::uint32_t count) noexcept {
        const std::uint64_t window = peek();
        at_ += count;
        return static_cast<std::uint32_t>(window >> 1U >> (63U - count));
    }
    [[nodiscard]] bool is_past_end() const noexcept { return at_ > end_; }
    [[nodiscard]] std::size_t position() const noexcept { return at_; }
    [[nodiscard]] std::size_t end() const noexcept { return end_; }
    /// Whether bits are left that are no padding of the last byte (or of FF, which has one more
    /// behind it).
    [[nodiscard]] bool has_rest() const noexcept;

  private:
    ByteSpan bytes_;
    std::size_t at_ = 0;
    std::size_t end_ = 0;
};

} // namespace torchdicom
