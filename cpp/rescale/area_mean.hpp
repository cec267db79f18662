// Rows and columns are halved by the mean of 2^n x 2^n pixels, at the far edges of those there are.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace torchdicom {

/// Sums rows of one plane to rows of means.
class AreaMean {
  public:
    /// `columns` of the rows that come; the first pixel starts a block. `rounds`: means become
    /// whole, halves to even.
    AreaMean(std::size_t columns, std::uint32_t halvings, bool rounds);

    /// Adds a row, each value to the sum of its block.
    void add(std::span<const double> row);
    [[nodiscard]] bool is_full() const noexcept { return rows_ == block_; }
    /// The means of the rows since the last call; there is at least one. Valid until the next add.
    [[nodiscard]] std::span<const double> take();

  private:
    std::size_t columns_;
    std::size_t block_; ///< pixels along an edge
    bool rounds_;
    std::size_t rows_ = 0; ///< in the sums
    std::vector<double> sums_;
};

/// The same for masks: true where all pixels of the block are.
class AreaAll {
  public:
    AreaAll(std::size_t columns, std::uint32_t halvings);

    void add(ByteSpan row);
    [[nodiscard]] ByteSpan take();

  private:
    std::uint32_t halvings_;
    bool is_new_ = true;
    std::vector<std::byte> all_;
};

} // namespace torchdicom
