// The entropy-coded data of a JPEG scan without its stuffed bytes and restart markers.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>

namespace torchdicom {

/// Unstuffs the restart intervals of one scan piece by piece, so that a piece is read while it is
/// in a cache. After `prepare` a reader may read `margin` bytes from the position on without a
/// check of its own; behind the interval's data they are zeros. Then it says how far it came.
class EntropyBytes {
  public:
    /// `scan` starts behind the scan header and may go on behind the scan. The buffer takes
    /// `buffer_size(margin)` bytes.
    EntropyBytes(ByteSpan scan, MutableByteSpan buffer, std::size_t margin) noexcept
        : scan_{scan}, buffer_{buffer}, margin_{margin} {}

    [[nodiscard]] static constexpr std::size_t buffer_size(std::size_t margin) noexcept {
        return 4 * margin + (std::size_t{32} << 10U);
    }

    /// Makes the next `margin` bytes readable.
    void prepare() noexcept;

    [[nodiscard]] ByteSpan bytes() const noexcept { return buffer_; }
    [[nodiscard]] std::size_t bit() const noexcept { return bit_; }

    /// Moves on to another bit of `bytes()`. False where the interval ended before that.
    [[nodiscard]] bool advance(std::size_t bit) noexcept {
        bit_ = bit;
        return bit_ <= 8 * end_;
    }

    /// Moves behind the next restart marker, which must be the one of this number (0 to 7); what is
    /// left of the interval is padding. Throws DecodeError invalid_codestream.
    void next_interval(std::size_t number);

    /// Where the scan ends: at a marker that is not RST, or at the end of `scan`.
    [[nodiscard]] std::size_t find_end() noexcept;

  private:
    void fill() noexcept;

    ByteSpan scan_;
    MutableByteSpan buffer_;
    std::size_t margin_;
    std::size_t at_ = 0;  // in the scan: what is not unstuffed yet
    std::size_t end_ = 0; // in the buffer: of the unstuffed bytes
    std::size_t bit_ = 0; // in the buffer: the next to be read
    bool is_whole_ = false;
};

} // namespace torchdicom
