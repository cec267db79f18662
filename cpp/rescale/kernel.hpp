// What an inner loop is: a plain function, compiled once for each instruction set.
#pragma once

#include "plan/conversion.hpp"

#include <cstddef>
#include <cstdint>

namespace torchdicom {

/// Numbers that a loop needs, worked out once a frame.
struct KernelParameters {
    unsigned shift_left = 0;  ///< brings HighBit to the top of 32 bits ...
    unsigned shift_right = 0; ///< ... and the lowest stored bit down, with the sign
    Rescale rescale;
    double lowest = 0; ///< of the output type, for integers
    double highest = 0;
};

/// Converts `count` cells of native endian; false where a value does not fit an integer output.
using Kernel = bool (*)(const std::byte* cells, std::size_t count,
                        const KernelParameters& parameters, std::byte* output) noexcept;

/// How a loop calculates. All of them give the bits of float64 where they may be chosen.
enum class Arithmetic : std::uint8_t {
    copy,            ///< cells that are the output already
    float32,         ///< every product and sum is an integer of at most 24 bits
    int32,           ///< integer outputs, every product and sum fits 32 bits
    float64,         ///< the definition
    checked_float64, ///< integer outputs of any size, checked before each cast: whole, and in range
    scaled_float64,  ///< float outputs: float64 with factor and divisor behind it
};

/// Which loop is wanted. Cells in floating point know copy, checked_float64, and
/// float64 with and without a scale.
struct KernelChoice {
    std::uint32_t bits_per_cell = 16;
    bool is_signed = false;
    Arithmetic arithmetic = Arithmetic::float64;
    DType dtype = DType::float32;
    bool is_float = false;
};

/// One file each: the same source (rescale/kernels.ipp), other compiler flags.
namespace kernels {

namespace baseline {
[[nodiscard]] Kernel find(const KernelChoice& choice) noexcept;
} // namespace baseline

namespace avx2 {
[[nodiscard]] Kernel find(const KernelChoice& choice) noexcept;
} // namespace avx2

namespace avx512 {
[[nodiscard]] Kernel find(const KernelChoice& choice) noexcept;
} // namespace avx512

} // namespace kernels

/// The instruction sets that loops were compiled for.
enum class InstructionSet : std::uint8_t { baseline, avx2, avx512 };

/// The best one of this build that the processor has.
[[nodiscard]] InstructionSet best_instruction_set() noexcept;

[[nodiscard]] Kernel find_kernel(const KernelChoice& choice,
                                 InstructionSet set = best_instruction_set()) noexcept;

} // namespace torchdicom
