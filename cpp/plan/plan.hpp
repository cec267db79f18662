// What a load will do, decided before any pixel is read: shape, type, bytes, and one task a frame.
#pragma once

#include "header/file_header.hpp"
#include "header/pixel_format.hpp"
#include "rescale/rescale.hpp"

#include <optional>
#include <span>
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

struct Plan {
    PixelFormat format;
    DType dtype = DType::float32;
    std::vector<FrameTask> tasks; ///< task i fills slot i of the output

    [[nodiscard]] std::size_t slot_bytes() const noexcept {
        return format.samples_per_frame() * size_of(dtype);
    }
};

/// Which frames are wanted: header index and frame index.
using FrameId = std::pair<std::size_t, std::size_t>;

/// All headers have one pixel format. Throws UnsupportedError (integer_dtype,
/// unsupported_modality_lut, unsupported_functional_groups), ParseError invalid_value.
[[nodiscard]] Plan make_plan(std::span<const FileHeader> headers,
                             const std::vector<FrameId>& frames, const OutputOptions& options);

/// Bytes of the whole output. Throws limit_output_bytes where they overflow.
[[nodiscard]] std::size_t output_bytes(const Plan& plan);

} // namespace torchdicom
