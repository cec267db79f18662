// The steps behind the rescale but for the resize, on values of one channel of the result.
#pragma once

#include "header/pixel_format.hpp"
#include "plan/finish.hpp"
#include "rescale/rescale.hpp"

#include <span>
#include <vector>

namespace torchdicom {

/// What is the same for all channels of the result: window or clip, and inversion, in place.
void finish_values(const Finish& finish, std::span<double> values) noexcept;

/// The values of one channel to results, behind `finish_values`.
class ValueFinish {
  public:
    /// `channel` of the result.
    ValueFinish(const Finish& finish, std::size_t channel, DType dtype);

    /// Fills `output` from as many values. `stream` as in Converter.
    void put(std::span<const double> values, MutableByteSpan output, bool stream) const;

  private:
    bool normalises_;
    std::size_t value_bytes_;
    double mean_ = 0;
    double std_ = 1;
    Converter narrow_;
};

/// The result of every cell that there is, worked out once: of cells of 8 and 16 bits.
class FinishTable {
  public:
    FinishTable(const PixelFormat& format, const Rescale& rescale, const Finish& finish,
                std::size_t channel, DType dtype);

    /// How many cells there are, 0 where a table would be too long.
    [[nodiscard]] static std::size_t entries_of(const PixelFormat& format) noexcept;

    /// Fills `output` from as many cells. `stream` as in Converter.
    void look_up(ByteSpan cells, MutableByteSpan output, bool stream) const;

  private:
    std::size_t cell_bytes_;
    std::size_t value_bytes_;
    std::vector<std::byte> results_;
};

} // namespace torchdicom
