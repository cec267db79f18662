// Lossless JPEG (ISO 10918-1 Annex H, Huffman coded: process 14 of PS3.5 A.4.1).
#pragma once

#include "decode/codec.hpp"

namespace torchdicom {

/// A DecodeFunction: every predictor, point transform, precision, restart interval and Huffman
/// table; components interleaved or in scans of their own. Gives the rows of the window, whole.
/// JPEG knows no sign: the cells are the low bits of what was coded, not extended.
/// Throws DecodeError invalid_codestream, and decoder_failed for subsampled components.
void decode_jpeg_lossless(const Codestream& stream, const DecodeRequest& request, RowSink& rows);

} // namespace torchdicom
