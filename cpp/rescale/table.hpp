// Stored values looked up in a table: a palette, a Modality LUT, a Real World Value LUT.
#pragma once

#include "header/lookup_table.hpp"
#include "rescale/rescale.hpp"

#include <span>
#include <vector>

namespace torchdicom {

/// Looks up the stored values of cells; those below the table are its first entry, those above it
/// its last.
class StoredLookup {
  public:
    explicit StoredLookup(const PixelFormat& format);

    /// output[i] = values[stored value of cell i - first]. `output` has as many as there are cells.
    void look_up(ByteSpan cells, std::int64_t first, std::span<const std::uint16_t> values,
                 MutableByteSpan output) const;
    void look_up(ByteSpan cells, std::int64_t first, std::span<const double> values,
                 MutableByteSpan output) const;

  private:
    template <typename Value>
    void look_up_all(ByteSpan cells, std::int64_t first, std::span<const Value> values,
                     MutableByteSpan output) const;

    Converter to_stored_;
    std::size_t cell_bytes_;
};

/// What the values of a table are: 16 bits of an integer, or a double.
[[nodiscard]] PixelFormat entry_format(const PixelFormat& format, bool is_double) noexcept;

} // namespace torchdicom
