// Which part of a series is wanted, and where and when its voxels then lie.
#pragma once

#include "plan/finish.hpp"
#include "plan/window.hpp"
#include "series/series.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
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

/// Those of `count` places on an axis that are wanted, in the order wanted; all without a
/// selection. `what` is there: "slice", "time". Throws std::out_of_range for one that is not there,
/// std::invalid_argument where none is selected.
[[nodiscard]] std::vector<std::size_t> pick_places(const std::optional<SliceSelection>& selection,
                                                   std::size_t count, std::string_view what);

/// Where voxels lie in the patient, in millimetres.
struct Grid {
    std::optional<std::array<Vector3, 4>> affine{}; ///< columns as in Series
    Vector3 spacing_mm{};                           ///< z, y, x; NaN where unknown
};

/// What of the grid is left: evenly spaced picks move the origin and scale the step along z (a
/// single one keeps it), others have no affine; a window moves the origin.
[[nodiscard]] Grid select_slices(Grid grid, std::span<const std::size_t> picks);
[[nodiscard]] Grid select_window(Grid grid, const Window& window);

/// The grid of images whose rows and columns were halved so often, `levels` of that by levels of a
/// wavelet, whose first sample stays where it is; the rest by means, which lie amid their pixels.
[[nodiscard]] Grid reduce_grid(Grid grid, std::uint32_t halvings, std::uint32_t levels);

/// The grid of images that were resized: their outer edges stay where they are.
[[nodiscard]] Grid resize_grid(Grid grid, const Extent& from, const Extent& to);

/// Milliseconds from the first frame of a cine to each (PS3.3 C.7.6.5.1): by FrameTimeVector where
/// it has a value for every frame, else by FrameTime; nothing where the file has neither.
[[nodiscard]] std::optional<std::vector<double>>
frame_times_ms(std::span<const FileHeader> of_cine);

} // namespace torchdicom
