// Encapsulated Uncompressed (PS3.5 A.4.11): the frame as it is, in a fragment.
#pragma once

#include "decode/codec.hpp"

namespace torchdicom {

/// A DecodeFunction. Throws also ParseError truncated_pixels where the frame is too short.
void decode_uncompressed(const Codestream& stream, const DecodeRequest& request, RowSink& rows);

} // namespace torchdicom
