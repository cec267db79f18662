// Frames and what is wanted of them from the first bytes of an input, and what must hold of the
// rows that any codec hands on.
#pragma once

#include "decoded.hpp"
#include "fuzz.hpp"
#include "pixel_format_input.hpp"

#include <algorithm>
#include <vector>

namespace torchdicom::fuzz {

/// Nine bytes: those of `pixel_format_from`, and flags for colour, planes, bits and pairs.
inline PixelFormat frame_format_from(Input& input) {
    PixelFormat format = pixel_format_from(input);
    const std::uint32_t flags = input.byte();
    format.planar_configuration = (flags >> 1U) & 1U;
    if ((flags & 1U) != 0) {
        format.samples_per_pixel = 3;
        format.photometric = (flags & 4U) != 0 ? Photometric::ybr_full_422 : Photometric::ybr_full;
    } else if ((flags & 24U) != 0) {
        format.bits_allocated = (flags & 8U) != 0 ? 1 : 12;
        format.bits_stored = format.bits_allocated;
        format.high_bit = format.bits_stored - 1;
    }
    return format;
}

/// Two bytes: rows that are multiples of 2^reduce, or the last edge.
inline Window window_from(Input& input, const PixelFormat& format, std::uint32_t reduce = 0) {
    const std::size_t step = std::size_t{1} << reduce;
    const std::size_t y0 = input.byte() % format.rows / step * step;
    const std::size_t wanted = 1 + input.byte() % (format.rows - y0);
    const std::size_t y1 =
        std::min<std::size_t>((y0 + wanted + step - 1) / step * step, format.rows);
    return {.y0 = y0, .y1 = y1, .x0 = 0, .x1 = format.columns};
}

/// Decodes a frame whole and in part: the part has to be that of the whole.
inline void check_rows(ByteSpan frame, std::string_view syntax, const PixelFormat& format,
                       const Window& window, std::uint32_t reduce = 0,
                       std::string_view codec = {}) {
    const auto decode = [&](ByteSpan bytes, const Window& wanted, test::KeptRows& rows) {
        const std::vector<std::byte> exact{bytes.begin(), bytes.end()};
        return error_of([&] {
            decode_frame(exact,
                         {.syntax = *find_transfer_syntax(syntax),
                          .format = format,
                          .window = wanted,
                          .reduce = reduce,
                          .codec = codec},
                         rows);
        });
    };
    test::KeptRows all{format};
    test::KeptRows part{format};
    const auto failure = decode(frame, whole_image(format), all);
    const auto failure_of_part = decode(frame, window, part);
    if (!failure) {
        require(all.is_whole(), "a decoded frame has all its rows");
        require(!failure_of_part && part.is_whole(), "a part of it has all of its own");
        const std::size_t first = part.area.window.y0 * (all.bytes.size() / all.area.window.rows());
        const ByteSpan same = ByteSpan{all.bytes}.subspan(first, part.bytes.size());
        require(std::ranges::equal(same, part.bytes), "a part has the rows of the whole");
    }
    if (!failure && codec.empty()) { // a library may stop at what follows
        std::vector<std::byte> longer(frame.begin(), frame.end());
        longer.insert(longer.end(), 7, std::byte{0x81});
        test::KeptRows again{format};
        require(!decode(longer, whole_image(format), again), "bytes behind a frame are ignored");
        require(again.bytes == all.bytes, "bytes behind a frame change nothing");
    }
}

} // namespace torchdicom::fuzz
