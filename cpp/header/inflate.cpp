// Deflated data sets (PS3.5 A.5, RFC 1951) through libdeflate.

#include "base/limits.hpp"
#include "header/file_header.hpp"

#include <algorithm>
#include <libdeflate.h>
#include <memory>

namespace torchdicom {

namespace {

struct FreeDecompressor {
    void operator()(libdeflate_decompressor* decompressor) const noexcept {
        libdeflate_free_decompressor(decompressor);
    }
};

using Decompressor = std::unique_ptr<libdeflate_decompressor, FreeDecompressor>;

libdeflate_decompressor& this_threads_decompressor() {
    thread_local const Decompressor decompressor{libdeflate_alloc_decompressor()};
    if (!decompressor) {
        throw std::bad_alloc{};
    }
    return *decompressor;
}

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
    std::size_t capacity = std::min<std::uint64_t>(std::max(guess, deflated.size() * 4), most);
    for (;;) {
        std::vector<std::byte> inflated(capacity);
        std::size_t size = 0;
        const libdeflate_result result =
            libdeflate_deflate_decompress(&this_threads_decompressor(), deflated.data(),
                                          deflated.size(), inflated.data(), capacity, &size);
        if (result == LIBDEFLATE_SUCCESS) {
            guess = size;
            inflated.resize(size);
            return inflated;
        }
        if (result != LIBDEFLATE_INSUFFICIENT_SPACE) {
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
