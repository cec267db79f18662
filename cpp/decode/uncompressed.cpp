#include "decode/uncompressed.hpp"

#include "decode/native_rows.hpp"

#include <string>

namespace torchdicom {

void decode_uncompressed(const Codestream& stream, const DecodeRequest& request, RowSink& rows) {
    const std::size_t size = native_frame_bytes(request.format);
    if (stream.bytes.size() < size) {
        fail(ErrorCode::truncated_pixels,
             "The frame has " + std::to_string(stream.bytes.size()) +
                 " bytes and its size calls for " + std::to_string(size) +
                 "; the file is cut off: get it again from its source",
             Place{.element = "(7FE0,0010) PixelData"});
    }
    put_native_rows(stream.bytes, request, rows);
}

} // namespace torchdicom
