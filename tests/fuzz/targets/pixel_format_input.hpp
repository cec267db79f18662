// A pixel format, as `pixel_format_of` could give it, from the first bytes of an input.
#pragma once

#include "fuzz.hpp"
#include "header/pixel_format.hpp"

namespace torchdicom::fuzz {

/// Eight bytes: rows and columns, cell, stored bits, high bit, sign.
inline PixelFormat pixel_format_from(Input& input) {
    PixelFormat format;
    format.rows = input.two_bytes() % 64 + 1;
    format.columns = input.two_bytes() % 64 + 1;
    format.bits_allocated = 8U << (input.byte() % 3);
    format.bits_stored = input.byte() % format.bits_allocated + 1;
    const std::uint32_t room = format.bits_allocated - format.bits_stored + 1;
    format.high_bit = format.bits_stored - 1 + input.byte() % room;
    format.is_signed = input.flag();
    return format;
}

} // namespace torchdicom::fuzz
