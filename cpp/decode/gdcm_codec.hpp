// GDCM as a decoder of single codestreams. It parses no file of ours and shares no state between
// threads.
#pragma once

#include "decode/codec.hpp"

#include <string>

namespace torchdicom {

/// A DecodeFunction. Colour of lossy JPEG comes out as RGB.
void decode_with_gdcm(const Codestream& stream, const DecodeRequest& request, RowSink& rows);

/// Frames of one or three components. Not JPEG with a JFIF segment of another version than 1:
/// GDCM's library warns of it, and GDCM ends the process over a warning before the first scan. Nor
/// lossless JPEG of fewer than 8 bits, over which it ends the process too.
[[nodiscard]] bool gdcm_takes(const CodestreamInfo& info, const PixelFormat& format) noexcept;

/// The version of the library that is linked.
[[nodiscard]] std::string gdcm_version();

} // namespace torchdicom
