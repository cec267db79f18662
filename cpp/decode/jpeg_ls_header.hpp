// What the marker segments of a JPEG-LS codestream say (ISO 14495-1 Annex C), ready for decoding.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <vector>

namespace torchdicom {

/// C.2.3, ILV.
enum class JpegLsInterleave : std::uint8_t { none, line, sample };

/// The colour transforms that HP's encoder announces in an APP8 segment "mrfx"; they are no part of
/// the standard.
enum class JpegLsColour : std::uint8_t { none, hp1, hp2, hp3 };

/// C.2.4.1.1; all values are there, the default ones too, and allow decoding.
struct JpegLsPreset {
    std::int32_t maxval = 0;
    std::int32_t t1 = 0;
    std::int32_t t2 = 0;
    std::int32_t t3 = 0;
    std::int32_t reset = 0;
    friend bool operator==(const JpegLsPreset&, const JpegLsPreset&) = default;
};

struct JpegLsScan {
    std::vector<std::size_t> components; ///< numbers in the order of the frame header
    JpegLsInterleave interleave{};       ///< `none` where there is one component
    std::int32_t near = 0;               ///< largest difference from the source; 0: lossless
    std::uint32_t point_transform = 0;   ///< lowest bits that were cut off
    JpegLsPreset preset{};
    std::uint32_t restart_interval = 0; ///< rows between two restart markers; 0: there are none
    ByteSpan data;                      ///< entropy-coded bytes, restart markers among them
};

struct JpegLsFrame {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::uint32_t components = 0;
    std::uint32_t precision = 0;
    JpegLsColour colour{};
    std::vector<JpegLsScan> scans; ///< each component is in one of them
};

/// Reads a codestream that `check_codestream` has passed. Throws DecodeError: invalid_codestream
/// where it is broken, decoder_failed for what is not decoded here (mapping tables, subsampled
/// components, oversize images, ISO 14495-2).
[[nodiscard]] JpegLsFrame read_jpeg_ls(ByteSpan codestream);

/// The preset with its zeros replaced by the defaults of C.2.4.1.1.1. Throws invalid_codestream
/// where a value is out of its range.
[[nodiscard]] JpegLsPreset complete_preset(JpegLsPreset given, std::int32_t near,
                                           std::uint32_t precision);

} // namespace torchdicom
