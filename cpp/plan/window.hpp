// Which pixels of an image are wanted.
#pragma once

#include "header/pixel_format.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace torchdicom {

/// Rows y0 to y1 and columns x0 to x1 of an image as a caller has them, half-open.
struct Region {
    std::int64_t y0 = 0;
    std::int64_t y1 = 0;
    std::int64_t x0 = 0;
    std::int64_t x1 = 0;
};

/// The same, known to lie in an image and to hold at least a pixel.
struct Window {
    std::size_t y0 = 0;
    std::size_t y1 = 0;
    std::size_t x0 = 0;
    std::size_t x1 = 0;

    [[nodiscard]] std::size_t rows() const noexcept { return y1 - y0; }
    [[nodiscard]] std::size_t columns() const noexcept { return x1 - x0; }
    friend bool operator==(const Window&, const Window&) = default;
};

/// The whole image without a region. Throws std::invalid_argument, naming the size of the image,
/// for a region that is empty or not inside of it.
[[nodiscard]] Window window_of(const std::optional<Region>& region, const PixelFormat& format);

} // namespace torchdicom
