// Frames of native layout (PS3.5 8.1 and 8.2) to rows of cells, for the codecs whose output has it.
#pragma once

#include "decode/codec.hpp"

namespace torchdicom {

/// The bytes of one frame that starts at a byte: 1 and 12 bits are packed, and YBR_FULL_422 has
/// four samples for two pixels.
[[nodiscard]] std::size_t native_frame_bytes(const PixelFormat& format) noexcept;

/// Hands the rows of the window on, all columns of them. `frame` has `native_frame_bytes`: little
/// endian samples, planes as PlanarConfiguration says, the first pixel in the lowest bit of a byte.
void put_native_rows(ByteSpan frame, const DecodeRequest& request, RowSink& rows);

} // namespace torchdicom
