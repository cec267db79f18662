// The inner loops of resizing: plain functions, compiled once for each instruction set.
#pragma once

#include "rescale/kernel.hpp"

#include <cstddef>

namespace torchdicom {

/// Rows that are resized at once, as lanes of vectors: a row by itself has no neighbours whose sums
/// are made alike, and a sum's own terms are added in order.
inline constexpr std::size_t kLanes = 8;

/// What pixels of the result are made of, one after the other.
struct RowTaps {
    const std::size_t* firsts;  ///< the first column of each
    const std::size_t* offsets; ///< into the weights, of each and of the one behind the last
    const double* weights;
};

struct ResizeKernels {
    /// `values`: columns from `first_column` on, kLanes rows side by side. Lane `k` of the `count`
    /// results comes to `results[k * stride]` and what follows.
    void (*along_rows)(const double* values, std::size_t first_column, const RowTaps& taps,
                       std::size_t count, double* results, std::size_t stride) noexcept;
    /// Adds as much of `count` values to as many sums.
    void (*add_row)(double weight, const double* values, std::size_t count, double* sums) noexcept;
};

/// One file each, as for the kernels of rescale/kernel.hpp.
namespace kernels {

namespace baseline {
[[nodiscard]] const ResizeKernels& resize() noexcept;
} // namespace baseline

namespace avx2 {
[[nodiscard]] const ResizeKernels& resize() noexcept;
} // namespace avx2

namespace avx512 {
[[nodiscard]] const ResizeKernels& resize() noexcept;
} // namespace avx512

} // namespace kernels

[[nodiscard]] const ResizeKernels&
resize_kernels(InstructionSet set = best_instruction_set()) noexcept;

} // namespace torchdicom
