// GDCM as a decoder of single codestreams. It parses no file of ours and shares no state between
// threads.
#pragma once

#include "decode/codec.hpp"

#include <string>

namespace torchdicom {

/// A DecodeFunction.
void decode_with_gdcm(const Codestream& stream, const DecodeRequest& request, RowSink& rows);

/// The version of the library that is linked.
[[nodiscard]] std::string gdcm_version();

} // namespace torchdicom
