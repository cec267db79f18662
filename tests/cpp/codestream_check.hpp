// What the tests of decode/codestream share: a pixel format to disagree with, and the check's
// verdict.
#pragma once

#include "decode/codestream.hpp"
#include "stream_writer.hpp"

#include <cstdint>
#include <optional>

namespace torchdicom::test {

inline constexpr auto kInvalid = ErrorCode::invalid_codestream;
inline constexpr auto kMismatch = ErrorCode::codestream_mismatch;

inline constexpr PixelFormat kFormat{
    .rows = 4, .columns = 6, .bits_allocated = 16, .bits_stored = 16, .high_bit = 15};

inline std::optional<ErrorCode> check(ByteSpan bytes, Encoding encoding,
                                      PixelFormat format = kFormat) {
    return code_of([&] { check_codestream(bytes, encoding, format); });
}

inline std::optional<ErrorCode> check(const StreamWriter& bytes, Encoding encoding,
                                      PixelFormat format = kFormat) {
    return check(bytes.span(), encoding, format);
}

} // namespace torchdicom::test
