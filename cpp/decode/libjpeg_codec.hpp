// libjpeg-turbo for lossy JPEG (ISO 10918-1): baseline, extended and progressive, of 8 bits and, in
// gray, of 12.
#pragma once

#include "decode/codec.hpp"

#include <string>

namespace torchdicom {

/// A DecodeFunction. Colour comes out as RGB. Of 8 bits it halves rows and columns up to three
/// times, by scaling the inverse transform.
void decode_with_libjpeg(const Codestream& stream, const DecodeRequest& request, RowSink& rows);

/// Frames of 8 bits, and gray ones of 12.
[[nodiscard]] bool libjpeg_takes(const CodestreamInfo& info, const PixelFormat& format) noexcept;

/// The version of the library that this was compiled with: it has no call that tells.
[[nodiscard]] std::string libjpeg_version();

} // namespace torchdicom
