// Deflated data sets (PS3.5 A.5, RFC 1951) through libdeflate.

#include "base/deflate.hpp"
#include "base/limits.hpp"
#include "header/file_header.hpp"

#include <algorithm>

namespace torchdicom {

namespace {

// One byte too few means to inflate again, and memory that is not written to costs next to nothing.
constexpr std::uint64_t kUsualRatio = 16; // more than images have, unless much of them is air
constexpr std::size_t kSpare = std::size_t{16} << 10U; // headers of a series differ by less

std::uint64_t largest_output(std::uint64_t input, std::uint64_t limit) noexcept {
    const std::uint64_t by_ratio = std::min(input, limit) * limits::kMaxDeflateRatio;
    return std::min(std::max(by_ratio, limits::kFreeExpansion), limit);
}

} // namespace

UninitializedBytes inflate_data_set(ByteSpan deflated, std::uint64_t offset, std::uint64_t limit) {
    // The size is not written anywhere and libdeflate wants it all at once. Images of a series have
    // one size: start from that of the last file of this thread, where that may be of its kind.
    thread_local std::size_t last = 0;
    const std::uint64_t most = largest_output(deflated.size(), limit);
    const auto usual = std::uint64_t{deflated.size()} * kUsualRatio + kSpare;
    const bool is_alike = last >= deflated.size() && last <= usual;
    std::size_t capacity = std::min(is_alike ? last + kSpare : usual, most);
    for (;;) {
        UninitializedBytes inflated(capacity);
        std::size_t size = 0;
        const Inflation result = inflate(deflated, inflated, size);
        if (result == Inflation::done) {
            last = size;
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
        capacity = std::min(std::max(std::uint64_t{capacity} * 2, usual), most);
    }
}

} // namespace torchdicom
