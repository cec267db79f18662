// One call decodes one frame, whatever its encoding; the codecs stand behind it.
#pragma once

#include "decode/codec.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace torchdicom {

/// Decodes one frame of any encoding but the native ones into rows. Checks the codestream against
/// the format first. Throws DecodeError or UnsupportedError without a path (and ParseError
/// truncated_pixels for an encapsulated uncompressed frame that is too short); safe to call from
/// many threads.
void decode_frame(ByteSpan codestream, const DecodeRequest& request, RowSink& rows);

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
