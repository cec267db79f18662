#include "rescale/resample.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

namespace torchdicom {

namespace {

/// Without the weights of 0 at either end: what does not count may be no number, or not valid.
struct Taps {
    std::size_t first = 0;
    std::vector<double> weights{};
};

/// The triangle around the place of pixel i of the result, as wide as what it has to smooth.
Taps taps_of(std::size_t i, std::size_t from, double scale) {
    const double support = std::max(scale, 1.0);
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto first = static_cast<std::size_t>(std::floor(std::max(center - support + 0.5, 0.0)));
    const auto end = std::min(static_cast<std::size_t>(std::floor(center + support + 0.5)), from);
    Taps taps{.first = first};
    double sum = 0;
    for (std::size_t j = first; j < end; ++j) {
        const double distance = ((static_cast<double>(j) - center) + 0.5) / support;
        const double weight = std::max(0.0, 1 - std::abs(distance));
        sum += weight;
        if (weight == 0 && taps.weights.empty()) {
            ++taps.first;
        } else {
            taps.weights.push_back(weight);
        }
    }
    while (taps.weights.back() == 0) {
        taps.weights.pop_back();
    }
    for (double& weight : taps.weights) {
        weight /= sum;
    }
    return taps;
}

// Columns that are taken at once: kLanes rows of them stay in the first-level cache.
constexpr std::size_t kColumnsAtOnce = 256;

/// What sums and conjunctions start from.
template <typename Value> constexpr Value kStart = Value{};
template <> constexpr std::byte kStart<std::byte> = std::byte{1};

/// Adds what a row contributes: products are rounded, and added in order.
void add_row(double weight, std::span<const double> row, std::span<double> sums) noexcept {
    resize_kernels().add_row(weight, row.data(), row.size(), sums.data());
}
void add_row(double /*weight*/, ByteSpan row, MutableByteSpan all) noexcept {
    for (std::size_t x = 0; x < row.size(); ++x) {
        all[x] &= row[x];
    }
}

/// kLanes rows, `row_bytes` apart, side by side: the cells of a column follow each other. Written
/// out lane by lane, which compilers make shuffles of whole vectors.
template <typename Cell, std::size_t... lane>
void interleave(const std::byte* __restrict rows, std::size_t row_bytes, std::size_t columns,
                std::byte* __restrict output, std::index_sequence<lane...> /*lanes*/) noexcept {
    for (std::size_t x = 0; x < columns; ++x) {
        (std::memcpy(output + (x * kLanes + lane) * sizeof(Cell),
                     rows + lane * row_bytes + x * sizeof(Cell), sizeof(Cell)),
         ...);
    }
}

void interleave(const std::byte* rows, std::size_t row_bytes, std::size_t columns,
                std::size_t cell_bytes, std::byte* output) noexcept {
    constexpr auto lanes = std::make_index_sequence<kLanes>{};
    switch (cell_bytes) {
    case sizeof(std::uint8_t):
        interleave<std::uint8_t>(rows, row_bytes, columns, output, lanes);
        break;
    case sizeof(std::uint16_t):
        interleave<std::uint16_t>(rows, row_bytes, columns, output, lanes);
        break;
    case sizeof(std::uint32_t):
        interleave<std::uint32_t>(rows, row_bytes, columns, output, lanes);
        break;
    default:
        interleave<std::uint64_t>(rows, row_bytes, columns, output, lanes);
        break;
    }
}

} // namespace

ResizeAxis::ResizeAxis(std::size_t from, std::size_t to)
    : from_{from}, firsts_(to), offsets_(to + 1) {
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    for (std::size_t i = 0; i < to; ++i) {
        const Taps taps = taps_of(i, from, scale);
        firsts_[i] = taps.first;
        weights_.insert(weights_.end(), taps.weights.begin(), taps.weights.end());
        offsets_[i + 1] = weights_.size();
    }
}

std::size_t ResizeAxis::most_taps() const noexcept {
    std::size_t most = 0;
    for (std::size_t i = 0; i < to(); ++i) {
        most = std::max(most, weights(i).size());
    }
    return most;
}

std::size_t ResizeAxis::most_open() const noexcept {
    std::size_t most = 0;
    std::size_t complete = 0;
    for (std::size_t i = 0; i < to(); ++i) {
        while (end(complete) <= first(i)) {
            ++complete;
        }
        most = std::max(most, i + 1 - complete);
    }
    return most;
}

template <typename Value>
RowSums<Value>::RowSums(const ResizeAxis& axis, std::size_t width)
    : axis_{&axis}, width_{width}, keeps_sums_{axis.most_open() < axis.most_taps()},
      slots_{std::min(axis.most_open(), axis.most_taps())}, kept_(slots_ * width),
      sum_(keeps_sums_ ? 0 : width) {}

template <typename Value> std::span<Value> RowSums<Value>::slot(std::size_t number) noexcept {
    return std::span{kept_}.subspan(number % slots_ * width_, width_);
}

template <typename Value> void RowSums<Value>::take(std::span<const Value> row) {
    if (keeps_sums_) {
        for (; next_open_ < axis_->to() && axis_->first(next_open_) == next_row_; ++next_open_) {
            std::ranges::fill(slot(next_open_), kStart<Value>);
        }
        for (std::size_t i = next_done_; i < next_open_; ++i) {
            add_row(axis_->weights(i)[next_row_ - axis_->first(i)], row, slot(i));
        }
    } else {
        std::ranges::copy(row, slot(next_row_).begin());
    }
    ++next_row_;
}

/// The values of row `i` of the result, all of whose rows have come.
template <typename Value> std::span<Value> RowSums<Value>::complete(std::size_t i) {
    if (keeps_sums_) {
        return slot(i);
    }
    if (axis_->is_identity()) {
        return slot(axis_->first(i));
    }
    std::ranges::fill(sum_, kStart<Value>);
    const std::span<const double> weights = axis_->weights(i);
    for (std::size_t j = 0; j < weights.size(); ++j) {
        add_row(weights[j], std::span<const Value>{slot(axis_->first(i) + j)}, std::span{sum_});
    }
    return sum_;
}

template class RowSums<double>;
template class RowSums<std::byte>;

ValueResizer::ValueResizer(const ResizeAxis& rows, const ResizeAxis& columns,
                           std::size_t cell_bytes)
    : rows_{&rows}, columns_{&columns}, cell_bytes_{cell_bytes}, kernels_{&resize_kernels()},
      rows_waiting_(kLanes * columns.from() * cell_bytes), wide_(kLanes * columns.to()),
      sums_{rows, columns.to()} {
    if (!columns.is_identity()) {
        const std::size_t most = std::max(kColumnsAtOnce, columns.most_taps());
        cells_.resize(kLanes * most * cell_bytes);
        values_.resize(kLanes * most);
    }
}

/// Takes as many rows as a block has room for, and resizes it where it is full or the last. How
/// many bytes they are.
std::size_t ValueResizer::gather(ByteSpan rows, const Converter& to_double) {
    const std::size_t row_bytes = columns_->from() * cell_bytes_;
    const std::size_t count = std::min(kLanes - waiting_, rows.size() / row_bytes);
    const ByteSpan taken = rows.first(count * row_bytes);
    next_row_ += count;
    if (count == kLanes) {
        resize(taken, count, to_double);
        return taken.size();
    }
    std::ranges::copy(taken,
                      rows_waiting_.begin() + static_cast<std::ptrdiff_t>(waiting_ * row_bytes));
    waiting_ += count;
    if (waiting_ == kLanes || next_row_ == rows_->from()) {
        resize(rows_waiting_, waiting_, to_double);
        waiting_ = 0;
    }
    return taken.size();
}

/// Along x: the first `count` of a block of kLanes rows, whatever the others are.
void ValueResizer::resize(ByteSpan block, std::size_t count, const Converter& to_double) {
    resized_ = count;
    if (columns_->is_identity()) {
        const std::size_t values = count * columns_->from();
        to_double.convert(block.first(values * cell_bytes_),
                          std::as_writable_bytes(std::span{wide_}.first(values)), false);
        return;
    }
    std::size_t from = 0;
    while (from < columns_->to()) {
        std::size_t to = from + 1;
        while (to < columns_->to() && columns_->end(to) - columns_->first(from) <= kColumnsAtOnce) {
            ++to;
        }
        resize_part(block, from, to, to_double);
        from = to;
    }
}

/// Pixels `from` to `to` of the result's rows.
void ValueResizer::resize_part(ByteSpan block, std::size_t from, std::size_t to,
                               const Converter& to_double) {
    const std::size_t first = columns_->first(from);
    const std::size_t count = columns_->end(to - 1) - first;
    const std::span<double> values = std::span{values_}.first(count * kLanes);
    const MutableByteSpan cells = MutableByteSpan{cells_}.first(values.size() * cell_bytes_);
    interleave(block.subspan(first * cell_bytes_).data(), columns_->from() * cell_bytes_, count,
               cell_bytes_, cells.data());
    to_double.convert(cells, std::as_writable_bytes(values), false);
    kernels_->along_rows(values.data(), first, columns_->taps(from), to - from, &wide_[from],
                         columns_->to());
}

MaskResizer::MaskResizer(const ResizeAxis& rows, const ResizeAxis& columns)
    : columns_{&columns}, row_(columns.to()), sums_{rows, columns.to()} {}

/// Along x.
void MaskResizer::resize(ByteSpan row) noexcept {
    if (columns_->is_identity()) {
        std::ranges::copy(row, row_.begin());
        return;
    }
    for (std::size_t i = 0; i < row_.size(); ++i) {
        std::byte all = kStart<std::byte>;
        for (const std::byte one : row.subspan(columns_->first(i), columns_->weights(i).size())) {
            all &= one;
        }
        row_[i] = all;
    }
}

} // namespace torchdicom
