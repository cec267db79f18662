// Bilinear resizing with antialiasing, as torchvision's resize(antialias=True): along x, then along
// y, so that no more rows are kept than one of the result is made of.
#pragma once

#include "base/bytes.hpp"
#include "rescale/rescale.hpp"
#include "rescale/resize_kernel.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace torchdicom {

/// Which pixels along one axis each pixel of the result is made of, and how much of each.
class ResizeAxis {
  public:
    /// From `from` pixels to `to`, both at least 1.
    ResizeAxis(std::size_t from, std::size_t to);

    [[nodiscard]] std::size_t from() const noexcept { return from_; }
    [[nodiscard]] std::size_t to() const noexcept { return firsts_.size(); }
    /// Whether every pixel stays what it is.
    [[nodiscard]] bool is_identity() const noexcept { return from_ == to(); }
    /// The first pixel that pixel `i` of the result is made of, and the one behind the last; both
    /// rise with i.
    [[nodiscard]] std::size_t first(std::size_t i) const noexcept { return firsts_[i]; }
    [[nodiscard]] std::size_t end(std::size_t i) const noexcept {
        return firsts_[i] + offsets_[i + 1] - offsets_[i];
    }
    /// One for each of them, none of them 0, which add up to 1.
    [[nodiscard]] std::span<const double> weights(std::size_t i) const noexcept {
        return std::span{weights_}.subspan(offsets_[i], offsets_[i + 1] - offsets_[i]);
    }
    /// Those of pixel `i` of the result and of what follows, for the inner loops.
    [[nodiscard]] RowTaps taps(std::size_t i) const noexcept {
        return {&firsts_[i], &offsets_[i], weights_.data()};
    }
    /// The most pixels that one of the result is made of.
    [[nodiscard]] std::size_t most_taps() const noexcept;
    /// The most pixels of the result that are begun and not complete when pixels come in order.
    [[nodiscard]] std::size_t most_open() const noexcept;

  private:
    std::size_t from_;
    std::vector<std::size_t> firsts_;
    std::vector<std::size_t> offsets_; ///< into the weights, and their end
    std::vector<double> weights_;
};

/// Along y: rows as they come to rows of the result as they are complete.
/// `Value`: double; or std::byte, 1 where all pixels are that count.
template <typename Value> class RowSums {
  public:
    /// Of rows of `width` values. `axis` must outlive this.
    RowSums(const ResizeAxis& axis, std::size_t width);

    /// Takes the next row, and calls `done(row, values)` for each row of the result that it
    /// completes; it may change the values.
    template <typename Done> void put(std::span<const Value> row, const Done& done) {
        take(row);
        while (next_done_ < axis_->to() && axis_->end(next_done_) == next_row_) {
            done(next_done_, complete(next_done_));
            ++next_done_;
        }
    }

  private:
    void take(std::span<const Value> row);
    [[nodiscard]] std::span<Value> complete(std::size_t i);
    [[nodiscard]] std::span<Value> slot(std::size_t number) noexcept;

    const ResizeAxis* axis_;
    std::size_t width_;
    bool keeps_sums_; ///< the kept rows are sums of the result's, else rows that came
    std::size_t slots_;
    std::size_t next_row_ = 0;  ///< of those that come
    std::size_t next_open_ = 0; ///< of the result, where sums are kept
    std::size_t next_done_ = 0;
    std::vector<Value> kept_; ///< a ring of rows
    std::vector<Value> sum_;  ///< where rows that came are kept
};

extern template class RowSums<double>;
extern template class RowSums<std::byte>;

/// The values of one plane, kLanes rows at a time.
class ValueResizer {
  public:
    /// Of cells of so many bytes. The axes must outlive this.
    ValueResizer(const ResizeAxis& rows, const ResizeAxis& columns, std::size_t cell_bytes);

    /// Takes the next rows of cells, whole ones, which `to_double` makes values, and calls `done`
    /// as RowSums does.
    template <typename Done> void put(ByteSpan rows, const Converter& to_double, const Done& done) {
        while (!rows.empty()) {
            rows = rows.subspan(gather(rows, to_double));
            for (std::size_t i = 0; i < resized_; ++i) {
                sums_.put(std::span{wide_}.subspan(i * columns_->to(), columns_->to()), done);
            }
            resized_ = 0;
        }
    }

  private:
    [[nodiscard]] std::size_t gather(ByteSpan rows, const Converter& to_double);
    void resize(ByteSpan block, std::size_t count, const Converter& to_double);
    void resize_part(ByteSpan block, std::size_t from, std::size_t to, const Converter& to_double);

    const ResizeAxis* rows_;
    const ResizeAxis* columns_;
    std::size_t cell_bytes_;
    const ResizeKernels* kernels_;
    std::size_t next_row_ = 0;            ///< of those that come
    std::size_t waiting_ = 0;             ///< rows that have come and are not resized yet
    std::size_t resized_ = 0;             ///< rows that are, along x
    std::vector<std::byte> rows_waiting_; ///< kLanes of them
    std::vector<std::byte> cells_;        ///< of some columns, the rows side by side
    std::vector<double> values_;          ///< of those
    std::vector<double> wide_;            ///< kLanes rows of the result's width
    RowSums<double> sums_;
};

/// A mask, a byte a pixel, row by row.
class MaskResizer {
  public:
    /// Both must outlive this.
    MaskResizer(const ResizeAxis& rows, const ResizeAxis& columns);

    /// Takes the next rows, whole ones, and calls `done` as RowSums does.
    template <typename Done> void put(ByteSpan rows, const Done& done) {
        for (std::size_t at = 0; at < rows.size(); at += columns_->from()) {
            resize(rows.subspan(at, columns_->from()));
            sums_.put(row_, done);
        }
    }

  private:
    void resize(ByteSpan row) noexcept;

    const ResizeAxis* columns_;
    std::vector<std::byte> row_; ///< of the result's width
    RowSums<std::byte> sums_;
};

} // namespace torchdicom
