// The codes of JPEG-LS errors (ISO 14495-1 A.5.3).
#pragma once

#include "decode/jpeg_ls_bits.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>

namespace torchdicom {

/// Errors of 16 bits are coded as less; with this bound on them A of a context stays in 32 bits,
/// and k below 20.
inline constexpr std::uint32_t kMaxJpegLsCode = (1U << 17U) - 1;

/// Codes of fewer zeros are read at once: so many, a one and k bits are less than 57.
inline constexpr std::uint32_t kFewJpegLsZeros = 32;

/// Throws invalid_codestream: at this place starts `what`, or the scan has ended.
[[noreturn, gnu::cold, gnu::noinline]] void fail_jpeg_ls_code(const JpegLsCursor& cursor,
                                                              const std::string& what);

struct JpegLsLongCode {
    std::uint32_t code = 0;
    std::size_t bits = 0;
};

/// The codes that are rare: of many zeros, or with the number itself behind `escape` zeros. The
/// cursor comes by value, so that the caller's stays in registers. Throws invalid_codestream.
[[nodiscard, gnu::cold, gnu::noinline]] JpegLsLongCode long_jpeg_ls_code(JpegLsCursor cursor,
                                                                         std::uint32_t k,
                                                                         std::uint32_t escape,
                                                                         std::uint32_t code_bits);

/// The next code, at most `kMaxJpegLsCode`; `k` is taken modulo 32. Throws invalid_codestream.
[[nodiscard, gnu::always_inline]] inline std::uint32_t read_jpeg_ls_code(JpegLsCursor& cursor,
                                                                         std::uint32_t k,
                                                                         std::uint32_t escape,
                                                                         std::uint32_t code_bits) {
    const std::uint64_t window = cursor.peek();
    const auto zeros = static_cast<std::uint32_t>(std::countl_zero(window | 1U));
    // The one behind the zeros comes along as bit k.
    const std::uint64_t tail = window << zeros >> (~k & 63U);
    const auto code = static_cast<std::uint32_t>(tail) + ((zeros - 1) << (k & 31U));
    if (zeros >= std::min(escape, kFewJpegLsZeros) || code > kMaxJpegLsCode) [[unlikely]] {
        const JpegLsLongCode rare = long_jpeg_ls_code(cursor, k & 31U, escape, code_bits);
        cursor.skip(rare.bits);
        return rare.code;
    }
    cursor.skip(zeros + 1 + (k & 31U));
    return code;
}

} // namespace torchdicom
