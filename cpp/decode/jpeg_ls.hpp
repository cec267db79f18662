// JPEG-LS (ISO 14495-1), lossless and near-lossless: 2 to 16 bits, any interleave mode, restart
// intervals, preset parameters, point transform, and the colour transforms of HP's encoder.
#pragma once

#include "decode/codec.hpp"

namespace torchdicom {

/// A DecodeFunction.
void decode_jpeg_ls(const Codestream& stream, const DecodeRequest& request, RowSink& rows);

} // namespace torchdicom
