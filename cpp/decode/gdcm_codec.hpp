// GDCM as a decoder of single codestreams. It parses no file of ours and shares no state between
// threads.
#pragma once

#include "base/bytes.hpp"
#include "decode/codestream.hpp"
#include "header/pixel_format.hpp"
#include "header/transfer_syntax.hpp"

#include <string>

namespace torchdicom {

/// Decodes one frame that `check_codestream` has passed; the contract of `decode_frame`.
void decode_with_gdcm(const Codestream& stream, const TransferSyntax& syntax,
                      const PixelFormat& format, MutableByteSpan samples);

/// The version of the library that is linked.
[[nodiscard]] std::string gdcm_version();

} // namespace torchdicom
