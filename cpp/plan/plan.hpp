// What a load will do, decided before any pixel is read: shape, type, bytes, and one task a frame.
#pragma once

#include "header/file_header.hpp"
#include "header/pixel_format.hpp"
#include "plan/conversion.hpp"
#include "plan/finish.hpp"
#include "plan/selection.hpp"
#include "plan/values.hpp"

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace torchdicom {

/// One frame: where it is, where it goes, how its values are made.
struct FrameTask {
    std::size_t header = 0; ///< index of its file's header
    std::size_t frame = 0;  ///< 0-based among those of the header
    std::size_t top = 0;    ///< first row of the slice in the frame: of a mosaic, a tile
    std::size_t left = 0;
    Mapping mapping{};
};

/// Which dims the output has before y and x; c is there in colour alone.
enum class Stack : std::uint8_t {
    frames, ///< (n, c, y, x): frames without geometry
    z,      ///< (c, z, y, x): slices
    t_and_z ///< (t, c, z, y, x): slices at each of several times
};

struct Plan {
    PixelFormat format;       ///< of whole frames
    Extent slice;             ///< rows and columns of a slice: of a frame, or of a tile in it
    Window window;            ///< what is wanted of each slice, in its pixels
    std::uint32_t reduce = 0; ///< how often rows and columns are halved then
    std::string codec{};      ///< the codec that is to decode; empty: the first choice
    DType dtype = DType::float32;
    Stack stack = Stack::frames;
    std::size_t slices = 1;       ///< along z, where there are several times
    std::size_t colours = 1;      ///< planes that a frame is decoded to: 3 for colour
    std::size_t channels = 1;     ///< of the result: the same, or 3 where gray is repeated
    bool rounds_means = false;    ///< whether the means of a reduction are made whole
    bool has_mask = false;        ///< whether a mask is made beside the values
    std::optional<Finish> finish; ///< what is done behind the rescale
    std::vector<FrameTask> tasks; ///< task i fills slot i of the output

    /// Rows and columns of the result.
    [[nodiscard]] std::size_t rows() const noexcept { return extent().rows; }
    [[nodiscard]] std::size_t columns() const noexcept { return extent().columns; }
    [[nodiscard]] Extent extent() const noexcept { return resizes() ? *finish->size : decoded(); }
    /// The same before any resize.
    [[nodiscard]] Extent decoded() const noexcept {
        const Window left = reduced(window, reduce);
        return {.rows = left.rows(), .columns = left.columns()};
    }
    [[nodiscard]] bool resizes() const noexcept { return finish && finish->size; }
    [[nodiscard]] bool takes_whole_frames() const noexcept {
        return window.rows() == format.rows && window.columns() == format.columns;
    }
    /// Whether the values are indices of a palette, which have no mean.
    [[nodiscard]] bool has_indices() const noexcept {
        return format.photometric == Photometric::palette && colours == 1;
    }
    /// A plane is one channel of one frame.
    [[nodiscard]] std::size_t values_per_plane() const noexcept { return rows() * columns(); }
    [[nodiscard]] std::size_t plane_bytes() const noexcept {
        return values_per_plane() * size_of(dtype);
    }
    /// Where a plane stands among all planes of the output. Tasks are in the order of the times,
    /// the slices of each together.
    [[nodiscard]] std::size_t plane_index(std::size_t task, std::size_t channel) const noexcept {
        const std::size_t together = stack == Stack::z ? tasks.size() : slices;
        return (task / together * channels + channel) * together + task % together;
    }
    /// The window in the pixels of the task's frame.
    [[nodiscard]] Window window_in_frame(const FrameTask& task) const noexcept {
        return {.y0 = task.top + window.y0,
                .y1 = task.top + window.y1,
                .x0 = task.left + window.x0,
                .x1 = task.left + window.x1};
    }
    [[nodiscard]] bool has_tiles() const noexcept {
        return slice.rows != format.rows || slice.columns != format.columns;
    }
    [[nodiscard]] std::vector<std::size_t> shape() const;
    /// The same without c.
    [[nodiscard]] std::vector<std::size_t> mask_shape() const;
    /// How often a codec may halve this frame: never before a table is looked up.
    [[nodiscard]] std::uint32_t codec_reduce(const FrameTask& task) const noexcept;
};

/// The format of a slice by itself.
[[nodiscard]] PixelFormat slice_format(const Plan& plan) noexcept;

/// Which frames are wanted: header index and frame index.
using FrameId = std::pair<std::size_t, std::size_t>;

/// A plan for these frames, whole, without a mask. All headers have one pixel format. Throws what
/// `mapping_of` does, and integer_dtype.
[[nodiscard]] Plan make_plan(std::span<const FileHeader> headers,
                             const std::vector<FrameId>& frames, const OutputOptions& options);

/// Adds what is done behind the rescale, once window and reduction are settled. `of_window` is the
/// file whose window all frames have where the options take it; it was read with that, and with its
/// tables. Throws no_window, invalid_value and invalid_decimal_string for windows,
/// unsupported_pixel_format for indices that have no mean, and std::invalid_argument for options
/// that do not fit the plan.
void settle_finish(const FileHeader& of_window, const OutputOptions& options, Plan& plan);

/// Bytes of the whole output. Throws limit_output_bytes where they overflow.
[[nodiscard]] std::size_t output_bytes(const Plan& plan);

} // namespace torchdicom
