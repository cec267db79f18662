// What a load will do, decided before any pixel is read: shape, type, bytes, and one task a frame.
#pragma once

#include "header/file_header.hpp"
#include "header/pixel_format.hpp"
#include "plan/selection.hpp"
#include "rescale/rescale.hpp"

#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace torchdicom {

enum class Output : std::uint8_t {
    stored,   ///< as stored, no rescale
    modality, ///< after slope and intercept (PS3.3 C.11.1)
};

struct OutputOptions {
    Output output = Output::modality;
    std::optional<DType> dtype; ///< nothing: float32, or for stored the type that the bits call for
};

/// One frame: where it is, where it goes, how its values are made.
struct FrameTask {
    std::size_t header = 0; ///< index of its file's header
    std::size_t frame = 0;  ///< 0-based in that file
    Rescale rescale;
};

/// Which dims the output has before y and x: the tasks run along the first.
enum class Stack : std::uint8_t {
    z,      ///< slices, or frames without geometry
    t_and_z ///< frames over time, each with one slice
};

struct Plan {
    PixelFormat format; ///< of whole frames
    Window window;      ///< what is wanted of each frame
    DType dtype = DType::float32;
    Stack stack = Stack::z;
    bool has_mask = false;        ///< whether a mask is made beside the values
    std::vector<FrameTask> tasks; ///< task i fills slot i of the output

    [[nodiscard]] bool takes_whole_frames() const noexcept {
        return window.rows() == format.rows && window.columns() == format.columns;
    }
    [[nodiscard]] std::size_t values_per_slot() const noexcept {
        return window.rows() * window.columns() * format.samples_per_pixel;
    }
    [[nodiscard]] std::size_t slot_bytes() const noexcept {
        return values_per_slot() * size_of(dtype);
    }
    /// (z, y, x) or (t, z, y, x).
    [[nodiscard]] std::vector<std::size_t> shape() const;
};

/// Which frames are wanted: header index and frame index.
using FrameId = std::pair<std::size_t, std::size_t>;

/// A plan for these frames, whole, without a mask. All headers have one pixel format. Throws
/// UnsupportedError (integer_dtype, unsupported_modality_lut, unsupported_functional_groups),
/// ParseError invalid_value.
[[nodiscard]] Plan make_plan(std::span<const FileHeader> headers,
                             const std::vector<FrameId>& frames, const OutputOptions& options);

/// Bytes of the whole output. Throws limit_output_bytes where they overflow.
[[nodiscard]] std::size_t output_bytes(const Plan& plan);

} // namespace torchdicom
