// The marker segments of JPEG (ISO 10918-1 Annex B) and JPEG-LS (ISO 14495-1 Annex C).
#pragma once

#include "decode/codestream.hpp"

namespace torchdicom {

/// `find_codestream` for Encoding::jpeg, jpeg_lossless and jpeg_ls.
[[nodiscard]] Codestream walk_jpeg(ByteSpan frame, Encoding encoding);

} // namespace torchdicom
