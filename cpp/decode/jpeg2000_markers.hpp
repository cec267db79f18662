// The main header and tile-parts of JPEG 2000 (ISO 15444-1 Annex A), and the JP2 boxes around
// (Annex I).
#pragma once

#include "decode/codestream.hpp"

namespace torchdicom {

/// `find_codestream` for Encoding::jpeg_2000 and htj2k: either may have both kinds of code-blocks.
[[nodiscard]] Codestream walk_jpeg2000(ByteSpan frame);

} // namespace torchdicom
