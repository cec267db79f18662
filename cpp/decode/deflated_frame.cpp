#include "decode/deflated_frame.hpp"

#include "base/deflate.hpp"
#include "decode/native_rows.hpp"

#include <string>

namespace torchdicom {

void decode_deflated_frame(const Codestream& stream, const DecodeRequest& request, RowSink& rows) {
    const std::size_t expected = native_frame_bytes(request.format);
    const MutableByteSpan native = decode_scratch(Scratch::frame, expected + 1);
    std::size_t size = 0;
    const Inflation result = inflate(stream.bytes, native, size);
    if (result == Inflation::corrupt) {
        fail(ErrorCode::invalid_deflate, "The deflated frame of " +
                                             std::to_string(stream.bytes.size()) +
                                             " bytes is corrupt or cut off. Fetch the file again "
                                             "or leave it out");
    }
    if (result == Inflation::too_large || size < expected) {
        fail_mismatch("The deflated frame holds " +
                      (result == Inflation::too_large ? "more than " + std::to_string(expected)
                                                      : std::to_string(size)) +
                      " bytes, and the header calls for " + std::to_string(expected));
    }
    put_native_rows(native.first(expected), request, rows);
}

} // namespace torchdicom
