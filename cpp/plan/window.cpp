#include "plan/window.hpp"

#include <stdexcept>
#include <string>

namespace torchdicom {

namespace {

std::string text_of(const Region& region) {
    return "region (" + std::to_string(region.y0) + ", " + std::to_string(region.y1) + ", " +
           std::to_string(region.x0) + ", " + std::to_string(region.x1) + ")";
}

/// Blocks of pixels that become one are counted from the image's origin.
void require_whole_blocks(const Region& region, const PixelFormat& format, std::uint32_t reduce) {
    const auto block = static_cast<std::int64_t>(std::uint64_t{1} << reduce);
    const auto is_edge = [block](std::int64_t edge, std::uint32_t end) {
        return edge % block == 0 || edge == std::int64_t{end};
    };
    if (!is_edge(region.y0, format.rows) || !is_edge(region.y1, format.rows) ||
        !is_edge(region.x0, format.columns) || !is_edge(region.x1, format.columns)) {
        throw std::invalid_argument{
            text_of(region) + " cuts pixels that become one with reduce=" + std::to_string(reduce) +
            ": its edges are multiples of " + std::to_string(block) + ", or those of the image, " +
            std::to_string(format.rows) + " rows and " + std::to_string(format.columns) +
            " columns"};
    }
}

} // namespace

Window window_of(const std::optional<Region>& region, const PixelFormat& format,
                 std::uint32_t reduce) {
    if (!region) {
        return {.y0 = 0, .y1 = format.rows, .x0 = 0, .x1 = format.columns};
    }
    const auto& [y0, y1, x0, x1] = *region;
    const bool is_inside = 0 <= y0 && y0 < y1 && y1 <= std::int64_t{format.rows} && 0 <= x0 &&
                           x0 < x1 && x1 <= std::int64_t{format.columns};
    if (!is_inside) {
        throw std::invalid_argument{
            text_of(*region) + " is no part of an image of " + std::to_string(format.rows) +
            " rows and " + std::to_string(format.columns) +
            " columns: it is (y0, y1, x0, x1) with 0 <= y0 < y1 <= " + std::to_string(format.rows) +
            " and 0 <= x0 < x1 <= " + std::to_string(format.columns)};
    }
    require_whole_blocks(*region, format, reduce);
    return {.y0 = static_cast<std::size_t>(y0),
            .y1 = static_cast<std::size_t>(y1),
            .x0 = static_cast<std::size_t>(x0),
            .x1 = static_cast<std::size_t>(x1)};
}

} // namespace torchdicom
