// libjpeg-turbo for lossy JPEG of 8 bits (ISO 10918-1): baseline, extended and progressive.
#pragma once

#include "decode/codec.hpp"

#include <string>

namespace torchdicom {

/// A DecodeFunction. Colour comes out as RGB. Halves rows and columns up to three times, by scaling
/// the inverse transform.
void decode_with_libjpeg(const Codestream& stream, const DecodeRequest& request, RowSink& rows);

/// Frames of 8 bits: the library that is linked has no other.
[[nodiscard]] bool libjpeg_takes(const CodestreamInfo& info, const PixelFormat& format) noexcept;

/// The version of the library that this was compiled with: it has no call that tells.
[[nodiscard]] std::string libjpeg_version();

} // namespace torchdicom
