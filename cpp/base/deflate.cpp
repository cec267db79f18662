#include "base/deflate.hpp"

#include <libdeflate.h>
#include <memory>
#include <new>

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

} // namespace

Inflation inflate(ByteSpan deflated, MutableByteSpan into, std::size_t& size) {
    const libdeflate_result result =
        libdeflate_deflate_decompress(&this_threads_decompressor(), deflated.data(),
                                      deflated.size(), into.data(), into.size(), &size);
    switch (result) {
    case LIBDEFLATE_SUCCESS:
        return Inflation::done;
    case LIBDEFLATE_INSUFFICIENT_SPACE:
        return Inflation::too_large;
    default:
        return Inflation::corrupt;
    }
}

// NOLINTNEXTLINE(modernize-use-string-view): the table of codecs has one type for all versions
std::string libdeflate_version() { return LIBDEFLATE_VERSION_STRING; }

} // namespace torchdicom
