// The inner loops of what comes behind a resize: plain functions, compiled once for each
// instruction set.
#pragma once

#include "rescale/kernel.hpp"

#include <cstddef>

namespace torchdicom {

struct FinishKernels {
    /// Each of `count` values less `subtrahend`, divided by `divisor`, both steps rounded. The
    /// results may take the place of the values.
    void (*subtract_and_divide)(double subtrahend, double divisor, const double* values,
                                std::size_t count, double* results) noexcept;
    /// Raises each of `count` values to `low` and lowers it to `high`; what is no number stays.
    void (*clip)(double low, double high, double* values, std::size_t count) noexcept;
};

/// One file each, as for the kernels of rescale/kernel.hpp.
namespace kernels {

namespace baseline {
[[nodiscard]] const FinishKernels& finish() noexcept;
} // namespace baseline

namespace avx2 {
[[nodiscard]] const FinishKernels& finish() noexcept;
} // namespace avx2

namespace avx512 {
[[nodiscard]] const FinishKernels& finish() noexcept;
} // namespace avx512

} // namespace kernels

[[nodiscard]] const FinishKernels&
finish_kernels(InstructionSet set = best_instruction_set()) noexcept;

} // namespace torchdicom
