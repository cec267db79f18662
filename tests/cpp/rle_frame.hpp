// RLE frames (PS3.5 G.5) for the tests.
#pragma once

#include "stream_writer.hpp"

#include <cstdint>
#include <vector>

namespace torchdicom::test {

/// An RLE frame of these segments, PackBits bytes each.
inline StreamWriter rle_frame(const std::vector<StreamWriter>& segments) {
    StreamWriter bytes;
    bytes.u32_little(static_cast<std::uint32_t>(segments.size()));
    std::size_t at = 64;
    for (const StreamWriter& segment : segments) {
        bytes.u32_little(static_cast<std::uint32_t>(at));
        at += segment.size();
    }
    while (bytes.size() < 64) {
        bytes.u8(0);
    }
    for (const StreamWriter& segment : segments) {
        bytes.append(segment);
    }
    return bytes;
}

} // namespace torchdicom::test
