// From the samples of a lossless JPEG to the cells of an image.
#pragma once

#include "base/bytes.hpp"
#include "decode/jpeg_lossless_scan.hpp"
#include "header/pixel_format.hpp"

namespace torchdicom {

/// Writes whole rows of a scan's 16-bit samples to their places in whole rows of cells, shifted by
/// the point transform. Cells of components that the scan does not have are left alone. What a
/// broken encoder made too large for a cell loses its high bits.
void store_lossless(ByteSpan samples, const LosslessScan& scan, const PixelFormat& format,
                    MutableByteSpan cells);

} // namespace torchdicom
