#include "decode/jpeg_ls_codes.hpp"

#include "decode/codestream.hpp"

namespace torchdicom {

void fail_jpeg_ls_code(const JpegLsCursor& cursor, const std::string& what) {
    if (cursor.position() + 64 > cursor.end()) {
        fail_invalid("The JPEG-LS scan ends at bit " + std::to_string(cursor.end()) +
                     ", before its last row is whole");
    }
    fail_invalid("Bit " + std::to_string(cursor.position()) + " of the JPEG-LS scan starts " +
                 what);
}

JpegLsLongCode long_jpeg_ls_code(JpegLsCursor cursor, std::uint32_t k, std::uint32_t escape,
                                 std::uint32_t code_bits) {
    const std::size_t start = cursor.position();
    const auto zeros = static_cast<std::uint32_t>(std::countl_zero(cursor.peek()));
    if (zeros > escape) {
        fail_jpeg_ls_code(cursor, "a code of more than " + std::to_string(escape) + " zeros");
    }
    cursor.skip(zeros + 1);
    const std::uint32_t code =
        zeros == escape ? cursor.take(code_bits) + 1 : (zeros << k) + cursor.take(k);
    if (code > kMaxJpegLsCode || cursor.is_past_end()) {
        fail_jpeg_ls_code(cursor, "behind an error of " + std::to_string(code) + " in its code");
    }
    return {.code = code, .bits = cursor.position() - start};
}

} // namespace torchdicom
