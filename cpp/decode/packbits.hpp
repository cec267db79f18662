// PackBits of one RLE segment (PS3.5 G.3), unpacked piece by piece.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>

namespace torchdicom {

/// Unpacks a segment into memory of the caller's. A run may cross the end of a piece (G.3.1 forbids
/// that at the end of a row, and writers do it): what is too much waits behind the piece for the
/// next.
class PackBits {
  public:
    /// Bytes behind a piece that are written to: the longest run, and a copy of fixed size.
    static constexpr std::size_t kSlack = 128 + 64;

    /// `plane` is for the longest piece and `kSlack` more; `number` is for the message.
    PackBits(ByteSpan segment, MutableByteSpan plane, std::size_t number) noexcept
        : segment_{segment}, plane_{plane}, number_{number} {}

    /// The next `count` bytes, until the next call. Throws invalid_codestream where the segment
    /// ends before that.
    [[nodiscard]] ByteSpan next(std::size_t count);

  private:
    void unpack_fast(std::size_t count) noexcept;
    void unpack_one(std::size_t count);

    ByteSpan segment_;
    MutableByteSpan plane_;
    std::size_t number_;
    std::size_t at_ = 0;   ///< in the segment
    std::size_t last_ = 0; ///< bytes that the last call gave
    std::size_t done_ = 0; ///< bytes of the plane that are unpacked
};

} // namespace torchdicom
