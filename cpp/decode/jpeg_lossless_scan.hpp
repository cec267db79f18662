// One scan of a lossless JPEG: its rows in order, restart intervals and first lines included.
#pragma once

#include "base/bytes.hpp"
#include "decode/jpeg_lossless_rows.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace torchdicom {

/// What the markers say about a scan (ISO 10918-1 B.2.2 to B.2.4 and H.2).
struct LosslessScan {
    std::size_t rows = 0; ///< of the image
    std::size_t columns = 0;
    std::uint32_t precision = 0;
    LosslessRowKind loop{};         ///< with predictor and components, which are interleaved
    std::uint32_t shift = 0;        ///< the point transform, below the precision
    std::size_t restart_pixels = 0; ///< pixels in a restart interval; 0: there is one interval
    std::array<std::size_t, kMaxScanComponents> planes{};         ///< which of the frame they are
    std::array<const HuffmanTable*, kMaxScanComponents> tables{}; ///< one a component
    bool has_whole_pixels = false; ///< all components of the frame, in their order
    ByteSpan bytes{};              ///< what follows the scan header
};

/// Takes whole rows, the first of which is row `first` of the image: 16-bit samples of native
/// endian, before the point transform is undone. False: no further row is wanted.
using TakeLosslessRows = std::function<bool(ByteSpan rows, std::size_t first)>;

/// Decodes the rows before `end_row`, some at a time. Throws DecodeError invalid_codestream.
/// Returns the size of the scan, or of all bytes where no further row was wanted.
std::size_t decode_lossless_scan(const LosslessScan& scan, std::size_t end_row,
                                 const TakeLosslessRows& take);

} // namespace torchdicom
