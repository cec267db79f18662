// Deflated data sets (PS3.5 A.5, RFC 1951) through libdeflate.

#include "base/deflate.hpp"
#include "base/limits.hpp"
#include "header/file_header.hpp"

#include <algorithm>

namespace torchdicom {

namespace {

// Headers of a series differ by a few bytes, and one byte too few means to inflate again.
constexpr std::size_t kSpare = std::size_t{16} << 10U;

std::uint64_t largest_output(std::uint64_t input, std::uint64_t limit) noexcept {
    const std::uint64_t by_ratio = std::min(input, limit) * limits::kMaxDeflateRatio;
    return std::min(std::max(by_ratio, limits::kFreeExpansion), limit);
}

} // namespace

std::vector<std::byte> inflate_data_set(ByteSpan deflated, std::uint64_t offset,
                                        std::uint64_t limit) {
    // The size is not written anywhere and libdeflate wants it all at once: start from what the
    // last file of this thread took, since the files of a series are alike, and double from there.
    thread_local std::size_t guess = 0;
    const std::uint64_t most = largest_output(deflated.size(), limit);
    const bool is_alike = guess != 0 && guess / 16 <= deflated.size(); // else of another kind
    const std::size_t likely = is_alike ? std::max(guess, deflated.size()) : deflated.size() * 4;
    std::size_t capacity = std::min<std::uint64_t>(likely + kSpare, most);
    for (;;) {
        std::vector<std::byte> inflated(capacity);
        std::size_t size = 0;
        const Inflation result = inflate(deflated, inflated, size);
        if (result == Inflation::done) {
            guess = size;
            inflated.resize(size);
            return inflated;
        }
        if (result == Inflation::corrupt) {
            fail(
                ErrorCode::invalid_deflate,
                "The deflated data set is corrupt or cut off. Fetch the file again or leave it out",
                Place{.offset = offset});
        }
        if (capacity >= most) {
            fail(ErrorCode::limit_ratio,
                 "The deflated data set is larger than " + std::to_string(most) +
                     " bytes when inflated. Leave the file out",
                 Place{.offset = offset});
        }
        capacity = std::min<std::uint64_t>(std::uint64_t{capacity} * 2, most);
    }
}

} // namespace torchdicom
