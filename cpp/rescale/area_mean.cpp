#include "rescale/area_mean.hpp"

#include <algorithm>
#include <cmath>

namespace torchdicom {

AreaMean::AreaMean(std::size_t columns, std::uint32_t halvings, bool rounds)
    : columns_{columns}, block_{std::size_t{1} << halvings}, rounds_{rounds},
      sums_((columns + block_ - 1) / block_) {}

void AreaMean::add(std::span<const double> row) {
    if (rows_ == 0 || is_full()) {
        std::ranges::fill(sums_, 0.0);
        rows_ = 0;
    }
    ++rows_;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
        const std::size_t end = std::min(columns_, (i + 1) * block_);
        double sum = sums_[i]; // in order: sums of floating point depend on it
        for (std::size_t x = i * block_; x < end; ++x) {
            sum += row[x];
        }
        sums_[i] = sum;
    }
}

std::span<const double> AreaMean::take() {
    for (std::size_t i = 0; i < sums_.size(); ++i) {
        const std::size_t columns = std::min(block_, columns_ - i * block_);
        const double mean = sums_[i] / static_cast<double>(columns * rows_);
        sums_[i] = rounds_ ? std::nearbyint(mean) : mean;
    }
    rows_ = 0;
    return sums_;
}

AreaAll::AreaAll(std::size_t columns, std::uint32_t halvings)
    : halvings_{halvings}, all_((columns + (std::size_t{1} << halvings) - 1) >> halvings) {}

void AreaAll::add(ByteSpan row) {
    if (is_new_) {
        std::ranges::fill(all_, std::byte{1});
        is_new_ = false;
    }
    for (std::size_t x = 0; x < row.size(); ++x) {
        all_[x >> halvings_] &= row[x];
    }
}

ByteSpan AreaAll::take() {
    is_new_ = true;
    return all_;
}

} // namespace torchdicom
