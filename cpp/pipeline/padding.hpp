// Which pixels are valid, told by the stored value, before any rescale: those that are no padding
// (PS3.3 C.7.5.1.1.2), and that a real-world value map holds for (C.7.6.16.2.11).
#pragma once

#include "header/file_header.hpp"
#include "plan/values.hpp"
#include "rescale/rescale.hpp"

#include <cstdint>
#include <optional>

namespace torchdicom {

/// The stored values that stand for padding, both ends included.
struct PaddingRange {
    std::int64_t lowest = 0;
    std::int64_t highest = 0;

    friend bool operator==(const PaddingRange&, const PaddingRange&) = default;
};

/// PixelPaddingValue itself, signed as PixelRepresentation says.
[[nodiscard]] std::optional<std::int64_t> padding_value_of(const FileHeader& header) noexcept;

/// PixelPaddingValue, up or down to PixelPaddingRangeLimit where there is one, signed as
/// PixelRepresentation says; nothing where the file names no padding.
[[nodiscard]] std::optional<PaddingRange> padding_of(const FileHeader& header) noexcept;

/// Fills masks of the frames of one file.
class PaddingMask {
  public:
    /// Colours of three samples are never padding, nor are numbers in floating point.
    PaddingMask(const FileHeader& header, const PixelFormat& format, const Mapping& mapping = {});

    /// A byte for each pixel: 1, or 0 where it is not valid. `cells` is native endian.
    void fill(ByteSpan cells, MutableByteSpan mask) const;

    /// Whether any stored value is not valid.
    [[nodiscard]] bool may_mask() const noexcept { return padding_ || range_; }

  private:
    struct Range {
        double first = 0;
        double last = 0;
    };

    Converter to_stored_;
    std::size_t pixel_bytes_;
    std::optional<PaddingRange> padding_;
    std::optional<Range> range_; ///< where it does not hold every stored value
};

} // namespace torchdicom
