// RLE Lossless (PS3.5 Annex G): PackBits of byte planes, the most significant byte of a sample
// first.
#pragma once

#include "decode/codec.hpp"

#include <vector>

namespace torchdicom {

/// The frame's segments, one a byte plane, in the order of the file.
/// Throws DecodeError codestream_mismatch where the pixel format calls for another number of
/// segments, invalid_codestream where the RLE header (G.5) is broken.
[[nodiscard]] std::vector<ByteSpan> find_rle_segments(ByteSpan frame, const PixelFormat& format);

/// A DecodeFunction. PlanarConfiguration says nothing about RLE.
void decode_rle(const Codestream& stream, const DecodeRequest& request, RowSink& rows);

} // namespace torchdicom
