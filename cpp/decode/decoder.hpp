// One call decodes one frame, whatever its encoding; the codecs stand behind it.
#pragma once

#include "decode/codec.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace torchdicom {

/// Decodes one frame of any encoding but the native ones into rows. Checks the codestream against
/// the format first. Throws DecodeError or UnsupportedError without a path, the latter also where
/// the codec that is asked for does not read the frame (and ParseError truncated_pixels or
/// invalid_deflate for a frame that is too short); safe to call from many threads.
void decode_frame(ByteSpan codestream, const DecodeRequest& request, RowSink& rows);

/// Which library decodes a syntax in this build, for `codecs()`.
struct CodecRow {
    std::string_view uid;
    std::string_view name;
    std::string library; ///< of the first choice, or "libdeflate + torchdicom"; empty: unsupported
    std::string version; ///< of the foreign library where there is one; empty: unsupported
    std::vector<std::string_view> codecs; ///< what `codec=` may name, the first choice first
};

/// One row a transfer syntax, in the order of `transfer_syntaxes`.
[[nodiscard]] std::vector<CodecRow> codec_table();

/// What `codec=` may name, each once, in order of preference.
[[nodiscard]] std::vector<std::string_view> codec_names();

} // namespace torchdicom
