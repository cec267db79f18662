// One call decodes one frame, whatever its encoding; the codecs stand behind it.
#pragma once

#include "base/bytes.hpp"
#include "header/pixel_format.hpp"
#include "header/transfer_syntax.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace torchdicom {

/// Decodes one frame of any encoding but the native ones into `samples`: exactly
/// format.bytes_per_frame() bytes, native endian, bits_allocated wide, planes interleaved, the bits
/// as the codestream gives them (not yet masked to BitsStored). Checks the codestream against
/// `format` first. Throws DecodeError or UnsupportedError without a path (and ParseError
/// truncated_pixels for an encapsulated uncompressed frame that is too short); safe to call from
/// many threads.
void decode_frame(ByteSpan codestream, const TransferSyntax& syntax, const PixelFormat& format,
                  MutableByteSpan samples);

/// Which library decodes a syntax in this build, for `codecs()`.
struct CodecRow {
    std::string_view uid;
    std::string_view name;
    std::string
        library; ///< "torchdicom", "GDCM", "libdeflate + torchdicom"; empty where unsupported
    std::string version; ///< of the foreign library where there is one; empty where unsupported
};

/// One row a transfer syntax, in the order of `transfer_syntaxes`.
[[nodiscard]] std::vector<CodecRow> codec_table();

} // namespace torchdicom
