// JPEG XL through libjxl, on the thread that calls.
#pragma once

#include "decode/codec.hpp"

#include <string>

namespace torchdicom {

/// DecodeFunction of Encoding::jpeg_xl: the whole image, colours as RGB.
void decode_with_libjxl(const Codestream& stream, const DecodeRequest& request, RowSink& rows);

[[nodiscard]] std::string libjxl_version();

} // namespace torchdicom
