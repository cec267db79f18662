// Native pixel data to cells, where the file does not have them as they stand in memory.
#pragma once

#include "base/bytes.hpp"
#include "header/pixel_format.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace torchdicom {

/// Cells of 8 bits from single bits, the lowest of a byte first (PS3.5 8.1.1), from bit
/// `first_bit` of the bytes on.
void unpack_bits(ByteSpan packed, std::size_t first_bit, MutableByteSpan cells) noexcept;

/// Cells of 16 bits from 12 each, which follow each other as single bits do: `first_bit` is a
/// multiple of 4.
void unpack_12_bits(ByteSpan packed, std::size_t first_bit, MutableByteSpan cells) noexcept;

/// Y0 Y1 Cb Cr, a pair of pixels, to Y0 Cb Cr Y1 Cb Cr.
void unpack_422(ByteSpan packed, std::size_t cell_bytes, MutableByteSpan cells) noexcept;

/// Whichever of these the format calls for; `first_bit` is that of a whole pixel, or pair.
void unpack(ByteSpan packed, std::size_t first_bit, const PixelFormat& format,
            MutableByteSpan cells) noexcept;

/// Planes to samples side by side.
void interleave(const std::array<ByteSpan, 3>& planes, std::size_t cell_bytes,
                MutableByteSpan cells) noexcept;

} // namespace torchdicom
