// A frame, or what is wanted of it, decoded into numbers.
#pragma once

#include "decoded.hpp"
#include "formula_images.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <limits>
#include <string_view>
#include <vector>

namespace torchdicom::test {

/// What a sink was given.
struct Decoded {
    Pixels image;
    DecodedArea area;
    std::size_t puts = 0;
};

/// Cells as the header's sign says.
inline std::vector<std::int64_t> numbers_of(ByteSpan cells, const PixelFormat& format) {
    const std::size_t width = format.bytes_per_sample();
    std::vector<std::int64_t> values;
    for (std::size_t at = 0; at < cells.size(); at += width) {
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < width; ++i) {
            const std::size_t place =
                std::endian::native == std::endian::little ? i : width - 1 - i;
            bits |= std::to_integer<std::uint32_t>(cells[at + i]) << (8 * place);
        }
        const std::int64_t range = std::int64_t{1} << (8 * width);
        values.push_back(format.is_signed && bits >= range / 2 ? bits - range : std::int64_t{bits});
    }
    return values;
}

/// Decodes through `decode_frame`, checks and all. `most`: as of KeptRows.
inline Decoded decoded_image(const StreamWriter& frame, std::string_view syntax,
                             const PixelFormat& format, const Asked& asked = {},
                             std::size_t most = std::numeric_limits<std::size_t>::max()) {
    KeptRows rows{format, most};
    decode_into(rows, frame.span(), syntax, format, asked);
    CHECK((rows.is_whole() || rows.calls == most));
    return {.image = {.rows = rows.area.window.rows(),
                      .columns = rows.area.window.columns() * format.samples_per_pixel,
                      .values = numbers_of(rows.bytes, format)},
            .area = rows.area,
            .puts = rows.calls};
}

} // namespace torchdicom::test
