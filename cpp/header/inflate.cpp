// Deflated data sets (PS3.5 A.5, RFC 1951) through libdeflate.

#include "base/deflate.hpp"
#include "base/limits.hpp"
#include "header/file_header.hpp"

#include <algorithm>

namespace torchdicom {

namespace {

// One byte too few means to inflate again, and memory that is not written to costs next to nothing.
constexpr double kUsualRatio = 16; // more than images have, unless much of them is air
constexpr double kMargin = 1.25;   // files of a series are alike
constexpr std::size_t kSpare = std::size_t{16} << 10U;

std::uint64_t largest_output(std::uint64_t input, std::uint64_t limit) noexcept {
    const std::uint64_t by_ratio = std::min(input, limit) * limits::kMaxDeflateRatio;
    return std::min(std::max(by_ratio, limits::kFreeExpansion), limit);
}

} // namespace

UninitializedBytes inflate_data_set(ByteSpan deflated, std::uint64_t offset, std::uint64_t limit) {
    // The size is not written anywhere and libdeflate wants it all at once: start from the ratio
    // that the last file of this thread had.
    thread_local double ratio = kUsualRatio;
    const std::uint64_t most = largest_output(deflated.size(), limit);
    const auto times = [&](double count) {
        return static_cast<std::uint64_t>(static_cast<double>(deflated.size()) * count) + kSpare;
    };
    // A ratio that an empty image had is no reason to ask for gigabytes.
    const std::uint64_t usual = std::max(times(kUsualRatio), limits::kFreeExpansion);
    std::size_t capacity = std::min({times(ratio * kMargin), usual, most});
    for (;;) {
        UninitializedBytes inflated(capacity);
        std::size_t size = 0;
        const Inflation result = inflate(deflated, inflated, size);
        if (result == Inflation::done) {
            ratio = static_cast<double>(size) / static_cast<double>(deflated.size());
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
        capacity = std::min(std::max(std::uint64_t{capacity} * 2, times(kUsualRatio)), most);
    }
}

} // namespace torchdicom
