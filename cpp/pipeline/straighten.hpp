// Shifts an image in its plane: bilinear, between rows first and then between columns, in double.
#pragma once

#include "base/bytes.hpp"
#include "plan/finish.hpp"
#include "plan/window.hpp"

#include <span>

namespace torchdicom {

/// An image, and a byte for each pixel: 0 where it is not valid.
struct MaskedImage {
    std::span<const double> values;
    ByteSpan mask;
    Extent size{};
};

/// Where the first pixel of an image comes to lie in a canvas; neither is negative.
struct CanvasPlace {
    double y = 0;
    double x = 0;
};

/// Fills `values` and `mask` with the window of a canvas that an image lies in. A pixel between two
/// others is lower * (1 - w) + upper * w, w = 1 - the fraction of the place; one that any part of
/// is outside of the image has `fill`, and is not valid. Nor is one that is made of any that is
/// not.
void straighten(const MaskedImage& image, const CanvasPlace& place, const Window& window,
                double fill, std::span<double> values, MutableByteSpan mask);

} // namespace torchdicom
