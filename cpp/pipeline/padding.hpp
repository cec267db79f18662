// Which pixels are padding (PS3.3 C.7.5.1.1.2): told by the stored value, before any rescale.
#pragma once

#include "header/file_header.hpp"
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

/// PixelPaddingValue, up or down to PixelPaddingRangeLimit where there is one, signed as
/// PixelRepresentation says; nothing where the file names no padding.
[[nodiscard]] std::optional<PaddingRange> padding_of(const FileHeader& header) noexcept;

/// Fills masks of the frames of one file.
class PaddingMask {
  public:
    PaddingMask(const FileHeader& header, const PixelFormat& format);

    /// A byte for each cell: 1, or 0 where it is padding. `cells` is native endian.
    void fill(ByteSpan cells, MutableByteSpan mask) const;

  private:
    Converter to_stored_;
    std::size_t cell_bytes_;
    std::optional<PaddingRange> padding_;
};

} // namespace torchdicom
