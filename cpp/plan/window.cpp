#include "plan/window.hpp"

#include <stdexcept>
#include <string>

namespace torchdicom {

Window window_of(const std::optional<Region>& region, const PixelFormat& format) {
    if (!region) {
        return {.y0 = 0, .y1 = format.rows, .x0 = 0, .x1 = format.columns};
    }
    const auto& [y0, y1, x0, x1] = *region;
    const bool is_inside = 0 <= y0 && y0 < y1 && y1 <= std::int64_t{format.rows} && 0 <= x0 &&
                           x0 < x1 && x1 <= std::int64_t{format.columns};
    if (!is_inside) {
        throw std::invalid_argument{
            "region (" + std::to_string(y0) + ", " + std::to_string(y1) + ", " +
            std::to_string(x0) + ", " + std::to_string(x1) + ") is no part of an image of " +
            std::to_string(format.rows) + " rows and " + std::to_string(format.columns) +
            " columns: it is (y0, y1, x0, x1) with 0 <= y0 < y1 <= " + std::to_string(format.rows) +
            " and 0 <= x0 < x1 <= " + std::to_string(format.columns)};
    }
    return {.y0 = static_cast<std::size_t>(y0),
            .y1 = static_cast<std::size_t>(y1),
            .x0 = static_cast<std::size_t>(x0),
            .x1 = static_cast<std::size_t>(x1)};
}

} // namespace torchdicom
