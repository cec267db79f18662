// Stored cells to output values: mask, sign, rescale and conversion in one pass over the frame.
#pragma once

#include "base/bytes.hpp"
#include "header/pixel_format.hpp"
#include "rescale/kernel.hpp"

#include <cstddef>

namespace torchdicom {

/// Picks the fastest kernel that is exact for the frame's format, slope and intercept.
class Converter {
  public:
    Converter(const PixelFormat& format, const Rescale& rescale, DType dtype);

    /// Fills `output` from as many cells; `cells` is native endian. `stream` writes past the
    /// caches: for memory that is large and was touched before. Throws value_overflow with the
    /// value where an integer output does not hold it: too large, or, of numbers in floating point,
    /// not whole.
    void convert(ByteSpan cells, MutableByteSpan output, bool stream) const;

  private:
    void convert_block(const std::byte* cells, std::size_t count, std::byte* output) const;
    [[noreturn]] void fail_overflow(const std::byte* cells, std::size_t count) const;

    PixelFormat format_;
    DType dtype_;
    Arithmetic arithmetic_;
    KernelParameters parameters_;
    Kernel kernel_;
    Kernel to_double_; ///< the plain double form, to name the value that did not fit
};

/// Reverses each group of 2, 4 or 8 bytes in place; nothing for groups of 1.
void swap_cells(MutableByteSpan cells, std::size_t group_bytes) noexcept;

} // namespace torchdicom
