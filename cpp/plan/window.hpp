// Which pixels of an image are wanted.
#pragma once

#include "header/pixel_format.hpp"

#include <algorithm>
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

/// Rows that follow each other, `end` not among them.
struct RowRange {
    std::size_t first = 0;
    std::size_t end = 0;

    [[nodiscard]] std::size_t size() const noexcept { return end - first; }
};

/// Those of the rows that the window has; may be none.
[[nodiscard]] inline RowRange rows_in(const Window& window, const RowRange& rows) noexcept {
    const std::size_t first = std::clamp(window.y0, rows.first, rows.end);
    return {.first = first, .end = std::clamp(window.y1, first, rows.end)};
}

/// The most often that rows and columns can be halved.
inline constexpr std::uint32_t kMaxReduce = 8;

/// The whole image without a region. Throws std::invalid_argument, naming the size of the image,
/// for a region that is empty, not inside of it, or has an edge inside of the image that is no
/// multiple of 2^reduce.
[[nodiscard]] Window window_of(const std::optional<Region>& region, const PixelFormat& format,
                               std::uint32_t reduce = 0);

/// The window in an image that was halved so often: a rest at the far edge is a pixel too.
[[nodiscard]] inline Window reduced(const Window& window, std::uint32_t halvings) noexcept {
    const std::size_t rest = (std::size_t{1} << halvings) - 1;
    return {.y0 = window.y0 >> halvings,
            .y1 = (window.y1 + rest) >> halvings,
            .x0 = window.x0 >> halvings,
            .x1 = (window.x1 + rest) >> halvings};
}

} // namespace torchdicom
