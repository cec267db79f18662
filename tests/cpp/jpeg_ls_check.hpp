// What the tests of decode/jpeg_ls share: pictures, and what they decode to.
#pragma once

#include "decoded.hpp"
#include "jpeg_ls_encoder.hpp"

#include <array>
#include <bit>
#include <optional>
#include <random>

namespace torchdicom::test {

using Planes = std::vector<std::vector<int>>;

inline std::vector<std::byte> decode(ByteSpan frame, const PixelFormat& format,
                                     std::string_view codec = "torchdicom") {
    return decoded_bytes(frame, ".4.81", format, {.codec = codec});
}

/// Samples of a pixel side by side, in native cells.
inline std::vector<std::byte> cells_of(const Planes& planes, const PixelFormat& format) {
    std::vector<std::byte> cells;
    const std::size_t width = format.bytes_per_sample();
    for (std::size_t at = 0; at < planes[0].size(); ++at) {
        for (const std::vector<int>& plane : planes) {
            const auto value = static_cast<std::uint32_t>(plane[at]);
            for (std::size_t i = 0; i < width; ++i) {
                const std::size_t byte =
                    std::endian::native == std::endian::little ? i : width - 1 - i;
                cells.push_back(static_cast<std::byte>(value >> (8 * byte) & 0xFFU));
            }
        }
    }
    return cells;
}

enum class Content : std::uint8_t { noise, smooth, runs, edges };

inline Planes image(Content content, std::size_t components, std::size_t rows, std::size_t columns,
                    int maxval, std::uint32_t seed) {
    std::mt19937 random{seed};
    const auto below = [&random](int bound) {
        return static_cast<int>(random() % static_cast<std::uint32_t>(bound));
    };
    Planes planes(components, std::vector<int>(rows * columns));
    for (std::size_t at = 0; at < rows * columns; ++at) {
        const auto x = static_cast<int>(at % columns);
        const auto y = static_cast<int>(at / columns);
        const bool is_speck = below(12) == 0;
        for (std::size_t i = 0; i < components; ++i) {
            int value = below(maxval + 1);
            if (content == Content::smooth) {
                value = maxval / 2 + x - 2 * y + static_cast<int>(i) + below(2 + maxval / 64);
            } else if (content == Content::runs) {
                value = is_speck ? value : maxval / 3;
            } else if (content == Content::edges) {
                value = (x / 5 + y / 3) % 2 == 0 ? 0 : maxval;
            }
            planes[i][at] = std::clamp(value, 0, maxval);
        }
    }
    return planes;
}

inline constexpr std::array kContents{Content::noise, Content::smooth, Content::runs,
                                      Content::edges};

inline std::optional<ErrorCode> failure(ByteSpan frame, const PixelFormat& format) {
    return code_of([&] { decode(frame, format); });
}

} // namespace torchdicom::test
