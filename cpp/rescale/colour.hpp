// Colour samples, side by side as codecs and files have them, to planes of red, green and blue.
#pragma once

#include "base/bytes.hpp"
#include "header/pixel_format.hpp"

#include <array>

namespace torchdicom {

using Planes = std::array<MutableByteSpan, 3>;

/// What a plane of this colour image is: one sample a pixel, of the same cells.
[[nodiscard]] PixelFormat plane_format(const PixelFormat& format, bool from_ybr) noexcept;

/// Takes the samples apart; each plane has as many cells as there are pixels.
void split_samples(ByteSpan pixels, const PixelFormat& format, const Planes& planes) noexcept;

/// The same from YBR_FULL at full resolution (PS3.3 C.7.6.3.1.2), calculated in double and rounded,
/// halves up; the cells then hold values of BitsStored bits, lowest bit first.
void split_ybr(ByteSpan pixels, const PixelFormat& format, const Planes& planes) noexcept;

} // namespace torchdicom
