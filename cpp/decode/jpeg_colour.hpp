// What the three components of a lossy JPEG frame are.
#pragma once

#include "decode/codestream.hpp"

namespace torchdicom {

/// Whether they are Y, Cb and Cr, and not R, G and B. The Adobe segment says so (ISO 10918-6
/// 6.5.3), else the JFIF segment (which knows no RGB), else component identifiers that spell "RGB",
/// else the header's PhotometricInterpretation.
[[nodiscard]] bool is_ycc(const CodestreamInfo& info, const PixelFormat& format) noexcept;

/// Turns Y, Cb and Cr side by side into R, G and B in place (ISO 10918-5 clause 7): samples of
/// `precision` bits in cells of `width` bytes, native endian.
void ycc_to_rgb(MutableByteSpan samples, std::size_t width, std::uint32_t precision);

} // namespace torchdicom
