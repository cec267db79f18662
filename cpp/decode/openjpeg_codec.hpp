// JPEG 2000 and HTJ2K through OpenJPEG, on the thread that calls.
#pragma once

#include "decode/codec.hpp"

#include <string>

namespace torchdicom {

/// DecodeFunction of Encoding::jpeg_2000 and htj2k. Decodes as few resolution levels as `reduce`
/// leaves and no code-block outside of the window; undoes the colour transform.
void decode_with_openjpeg(const Codestream& stream, const DecodeRequest& request, RowSink& rows);

[[nodiscard]] std::string openjpeg_version();

} // namespace torchdicom
