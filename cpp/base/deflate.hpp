// libdeflate, for the data sets and the frames that are deflate streams (RFC 1951).
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace torchdicom {

enum class Inflation : std::uint8_t {
    done,
    too_large, ///< does not fit into the memory that was given
    corrupt,   ///< no deflate stream, or cut off
};

/// Inflates all of a stream; bytes behind its end are left alone. `size` is what came out, where
/// that is done. One decompressor a thread is kept.
[[nodiscard]] Inflation inflate(ByteSpan deflated, MutableByteSpan into, std::size_t& size);

/// The version of libdeflate that this was compiled with: it has no call that tells.
[[nodiscard]] std::string libdeflate_version();

} // namespace torchdicom
