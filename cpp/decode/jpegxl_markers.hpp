// The image header of JPEG XL (ISO 18181-1), raw or in its container (ISO 18181-2).
#pragma once

#include "decode/codestream.hpp"

namespace torchdicom {

/// `find_codestream` for Encoding::jpeg_xl: what libjxl reads in the first bytes; no pixel is
/// decoded. Throws invalid_codestream or decoder_failed (what DICOM has no place for: animations,
/// samples of more than 16 bits or in floating point, extra channels).
[[nodiscard]] Codestream read_jpegxl_header(ByteSpan frame);

} // namespace torchdicom
