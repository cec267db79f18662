// Deflated Image Frame Compression (PS3.5 A.4.13): each frame is a deflate stream of its own over
// the frame's native bytes.
#pragma once

#include "decode/codec.hpp"

namespace torchdicom {

/// A DecodeFunction. Throws ParseError invalid_deflate where the stream is corrupt or cut off,
/// codestream_mismatch where it holds more or fewer bytes than the frame has, but for one of
/// padding.
void decode_deflated_frame(const Codestream& stream, const DecodeRequest& request, RowSink& rows);

} // namespace torchdicom
