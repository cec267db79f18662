// A libjxl decoder that reads from a span; what the header check and the codec share.
#pragma once

#include "base/bytes.hpp"

#include <jxl/decode.h>

#include <memory>

namespace torchdicom {

struct JxlRelease {
    void operator()(JxlDecoder* decoder) const noexcept { JxlDecoderDestroy(decoder); }
};
using JxlDecoderPointer = std::unique_ptr<JxlDecoder, JxlRelease>;

/// A decoder on this thread alone that stops at `event`, and leaves rows and columns in the order
/// of the codestream. The bytes must outlive it. Throws invalid_codestream where they are not JPEG
/// XL.
[[nodiscard]] JxlDecoderPointer open_jpegxl(ByteSpan frame, JxlDecoderStatus event);

} // namespace torchdicom
