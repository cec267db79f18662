// Which part of a series is wanted, and where and when its voxels then lie.
#pragma once

#include "header/pixel_format.hpp"
#include "series/series.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace torchdicom {

/// Positions as a slice of Python has them; never out of range.
struct SliceRange {
    std::optional<std::int64_t> start{};
    std::optional<std::int64_t> stop{};
    std::int64_t step = 1;
};

/// Positions in slice order, a range or one by one; negative ones count from the end.
using SliceSelection = std::variant<SliceRange, std::vector<std::int64_t>>;

/// The positions of `count` slices that are wanted, in the order wanted; all without a selection.
/// Throws std::out_of_range for a slice that is not there, std::invalid_argument where none is
/// selected.
[[nodiscard]] std::vector<std::size_t> pick_slices(const std::optional<SliceSelection>& selection,
                                                   std::size_t count);

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
};

/// The whole image without a region. Throws std::invalid_argument, naming the size of the image,
/// for a region that is empty or not inside of it.
[[nodiscard]] Window window_of(const std::optional<Region>& region, const PixelFormat& format);

/// Where voxels lie in the patient, in millimetres.
struct Grid {
    std::optional<std::array<Vector3, 4>> affine{}; ///< columns as in Series
    Vector3 spacing_mm{};                           ///< z, y, x; NaN where unknown
};

/// What of the grid is left: evenly spaced picks move the origin and scale the step along z (a
/// single one keeps it), others have no affine; a window moves the origin.
[[nodiscard]] Grid select_slices(Grid grid, std::span<const std::size_t> picks);
[[nodiscard]] Grid select_window(Grid grid, const Window& window);

/// Milliseconds from the first frame to each (PS3.3 C.7.6.5.1): by FrameTimeVector where it has a
/// value for every frame, else by FrameTime; nothing where the file has neither.
[[nodiscard]] std::optional<std::vector<double>> frame_times_ms(const FileHeader& header);

} // namespace torchdicom
