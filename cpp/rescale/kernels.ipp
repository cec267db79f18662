// The inner loops: one template a way of calculating, instantiated for every cell and output type.
//
// Included once by each kernels_*.cpp with TORCHDICOM_INSTRUCTION_SET defined: what is compiled
// with wider instructions must have names of its own, or the linker would keep one of the copies
// for all.

#include "rescale/kernel.hpp"

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace torchdicom::kernels::TORCHDICOM_INSTRUCTION_SET {

namespace {

/// Kernels get bytes, aligned for their type: a pointer to kernels has one type for all of them.
template <typename Cell>
[[nodiscard]] inline const Cell* as_cells(const std::byte* cells) noexcept {
    return reinterpret_cast<const Cell*>(cells); // NOLINT(*-reinterpret-cast): see above
}
template <typename Output> [[nodiscard]] inline Output* as_values(std::byte* output) noexcept {
    return reinterpret_cast<Output*>(output); // NOLINT(*-reinterpret-cast): see above
}

struct Half {
    std::uint16_t bits;
};
struct BFloat16 {
    std::uint16_t bits;
};

/// A number is what it says.
template <std::floating_point Cell>
[[nodiscard]] inline Cell stored_value(Cell cell, unsigned /*left*/, unsigned /*right*/) noexcept {
    return cell;
}

/// The stored value of a cell: unused high bits shifted out, unused low bits too, sign extended. In
/// 32 bits whatever the cell: vectors of narrow cells have no such shifts and would be repacked.
template <std::integral Cell>
[[nodiscard]] inline auto stored_value(Cell cell, unsigned left, unsigned right) noexcept {
    using Value = std::conditional_t<std::is_signed_v<Cell>, std::int32_t, std::uint32_t>;
    const std::uint32_t raised = static_cast<std::uint32_t>(cell) << left;
    // NOLINTNEXTLINE(bugprone-signed-bitwise): an arithmetic shift extends the sign, since C++20
    return static_cast<Value>(raised) >> right;
}

/// To the type that processors convert to float in vectors. The value fits: the caller chose so.
template <typename Cell> [[nodiscard]] inline std::int32_t to_int32(Cell stored) noexcept {
    return static_cast<std::int32_t>(stored); // NOLINT(bugprone-signed-char-misuse): a number
}

/// float32 to IEEE 754 binary16, to nearest even, without a branch that the vectoriser can't take.
[[nodiscard]] inline Half to_half(float value) noexcept {
    constexpr std::uint32_t kInfinity = 0x7F80'0000;
    constexpr std::uint32_t kTooLarge = 0x4780'0000;       // 2^16
    constexpr std::uint32_t kSmallestNormal = 0x3880'0000; // 2^-14
    constexpr std::uint32_t kHalfOfOne = 0x3F00'0000;      // 0.5f: its ulp is binary16's smallest
    constexpr std::uint32_t kRebias = 0xC800'0FFF; // exponent bias 127 to 15, and just under a half
    const auto all = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t magnitude = all & 0x7FFF'FFFFU;
    const std::uint32_t odd = (magnitude >> 13U) & 1U;
    const std::uint32_t normal = (magnitude + kRebias + odd) >> 13U;
    const std::uint32_t subnormal =
        std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - kHalfOfOne;
    const std::uint32_t special = magnitude > kInfinity ? 0x7E00U : 0x7C00U;
    const std::uint32_t finite = magnitude < kSmallestNormal ? subnormal : normal;
    const std::uint32_t rounded = magnitude >= kTooLarge ? special : finite;
    return {static_cast<std::uint16_t>(rounded | ((all >> 16U) & 0x8000U))};
}

/// float32 to bfloat16, to nearest even.
[[nodiscard]] inline BFloat16 to_bfloat16(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return {static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U)};
}

/// The same of what may be no number, which rounding up would turn into an infinity or a zero.
[[nodiscard]] inline BFloat16 to_bfloat16_or_nan(float value) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    constexpr std::uint32_t kQuiet = 0x0040;
    return std::isnan(value) ? BFloat16{static_cast<std::uint16_t>((bits >> 16U) | kQuiet)}
                             : to_bfloat16(value);
}

template <typename Output> [[nodiscard]] inline Output narrow(double value) noexcept {
    if constexpr (std::is_same_v<Output, Half>) {
        return to_half(static_cast<float>(value));
    } else if constexpr (std::is_same_v<Output, BFloat16>) {
        return to_bfloat16(static_cast<float>(value));
    } else {
        return static_cast<Output>(value);
    }
}

/// The definition: in double, for any slope and intercept.
template <typename Cell, typename Output>
bool in_double(const std::byte* cells, std::size_t count, const KernelParameters& p,
               std::byte* output) noexcept {
    const auto* const input = as_cells<Cell>(cells);
    auto* const values = as_values<Output>(output);
    const double slope = p.rescale.slope;
    const double intercept = p.rescale.intercept;
    const unsigned left = p.shift_left;
    const unsigned right = p.shift_right;
    for (std::size_t i = 0; i < count; ++i) {
        const double value = static_cast<double>(stored_value(input[i], left, right)) * slope;
        if constexpr (std::floating_point<Cell> && std::same_as<Output, BFloat16>) {
            values[i] = to_bfloat16_or_nan(static_cast<float>(value + intercept));
        } else {
            values[i] = narrow<Output>(value + intercept);
        }
    }
    return true;
}

/// The same with a factor and a divisor behind it.
template <typename Cell, typename Output>
bool in_scaled_double(const std::byte* cells, std::size_t count, const KernelParameters& p,
                      std::byte* output) noexcept {
    const auto* const input = as_cells<Cell>(cells);
    auto* const values = as_values<Output>(output);
    const Rescale rescale = p.rescale;
    for (std::size_t i = 0; i < count; ++i) {
        const auto stored =
            static_cast<double>(stored_value(input[i], p.shift_left, p.shift_right));
        const double modality = stored * rescale.slope + rescale.intercept;
        const double value = modality * rescale.factor / rescale.divisor;
        if constexpr (std::floating_point<Cell> && std::same_as<Output, BFloat16>) {
            values[i] = to_bfloat16_or_nan(static_cast<float>(value));
        } else {
            values[i] = narrow<Output>(value);
        }
    }
    return true;
}

/// The result of in_double in float32, where every product and sum is an integer of at most 24
/// bits.
template <typename Cell, typename Output>
bool in_float(const std::byte* cells, std::size_t count, const KernelParameters& p,
              std::byte* output) noexcept {
    const auto* const input = as_cells<Cell>(cells);
    auto* const values = as_values<Output>(output);
    const auto slope = static_cast<float>(p.rescale.slope);
    const auto intercept = static_cast<float>(p.rescale.intercept);
    const unsigned left = p.shift_left;
    const unsigned right = p.shift_right;
    for (std::size_t i = 0; i < count; ++i) {
        const std::int32_t stored = to_int32(stored_value(input[i], left, right));
        const float value = static_cast<float>(stored) * slope + intercept;
        if constexpr (std::is_same_v<Output, float>) {
            values[i] = value;
        } else if constexpr (std::is_same_v<Output, Half>) {
            values[i] = to_half(value);
        } else {
            values[i] = to_bfloat16(value);
        }
    }
    return true;
}

/// Integer outputs where slope and intercept are integers and every result fits 32 bits.
template <typename Cell, typename Output>
bool in_int32(const std::byte* cells, std::size_t count, const KernelParameters& p,
              std::byte* output) noexcept {
    const auto* const input = as_cells<Cell>(cells);
    auto* const values = as_values<Output>(output);
    const auto slope = static_cast<std::int32_t>(p.rescale.slope);
    const auto intercept = static_cast<std::int32_t>(p.rescale.intercept);
    const unsigned left = p.shift_left;
    const unsigned right = p.shift_right;
    std::uint32_t lost = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::int32_t stored = to_int32(stored_value(input[i], left, right));
        const std::int32_t value = stored * slope + intercept;
        values[i] = static_cast<Output>(value);
        if constexpr (sizeof(Output) <= sizeof(std::int32_t)) {
            lost |= static_cast<std::uint32_t>(values[i]) ^ static_cast<std::uint32_t>(value);
        }
    }
    return lost == 0;
}

/// Integer outputs, any size: checked in double before each cast.
template <typename Cell, typename Output>
bool in_checked_double(const std::byte* cells, std::size_t count, const KernelParameters& p,
                       std::byte* output) noexcept {
    const auto* const input = as_cells<Cell>(cells);
    auto* const values = as_values<Output>(output);
    for (std::size_t i = 0; i < count; ++i) {
        const auto stored =
            static_cast<double>(stored_value(input[i], p.shift_left, p.shift_right));
        const double value = stored * p.rescale.slope + p.rescale.intercept;
        if (!(value >= p.lowest && value <= p.highest)) {
            return false;
        }
        if constexpr (std::floating_point<Cell>) { // rescaled integers are whole, the plan sees to
                                                   // it
            if (std::trunc(value) != value) {
                return false;
            }
        }
        values[i] = static_cast<Output>(value);
    }
    return true;
}

/// Cells that are the output already.
template <typename Cell>
bool copy(const std::byte* cells, std::size_t count, const KernelParameters& /*p*/,
          std::byte* output) noexcept {
    std::memcpy(output, cells, count * sizeof(Cell));
    return true;
}

template <typename Cell, typename Output> Kernel integer_kernel(Arithmetic arithmetic) noexcept {
    if constexpr (std::integral<Cell>) {
        if (arithmetic == Arithmetic::int32) {
            return &in_int32<Cell, Output>;
        }
    }
    return &in_checked_double<Cell, Output>;
}

template <typename Cell, typename Output> Kernel float_kernel(Arithmetic arithmetic) noexcept {
    if (arithmetic == Arithmetic::scaled_float64) {
        return &in_scaled_double<Cell, Output>;
    }
    if constexpr (std::integral<Cell> && !std::same_as<Output, double>) {
        if (arithmetic == Arithmetic::float32) {
            return &in_float<Cell, Output>;
        }
    }
    return &in_double<Cell, Output>;
}

template <typename Cell> Kernel kernel_for(Arithmetic arithmetic, DType dtype) noexcept {
    if (arithmetic == Arithmetic::copy) {
        return &copy<Cell>;
    }
    switch (dtype) {
    case DType::uint8:
        return integer_kernel<Cell, std::uint8_t>(arithmetic);
    case DType::int8:
        return integer_kernel<Cell, std::int8_t>(arithmetic);
    case DType::int16:
        return integer_kernel<Cell, std::int16_t>(arithmetic);
    case DType::uint16:
        return integer_kernel<Cell, std::uint16_t>(arithmetic);
    case DType::int32:
        return integer_kernel<Cell, std::int32_t>(arithmetic);
    case DType::int64:
        return integer_kernel<Cell, std::int64_t>(arithmetic);
    case DType::float16:
        return float_kernel<Cell, Half>(arithmetic);
    case DType::bfloat16:
        return float_kernel<Cell, BFloat16>(arithmetic);
    case DType::float32:
        return float_kernel<Cell, float>(arithmetic);
    case DType::float64:
        return float_kernel<Cell, double>(arithmetic);
    }
    return nullptr;
}

} // namespace

Kernel find(const KernelChoice& choice) noexcept {
    const auto [bits_per_cell, is_signed, arithmetic, dtype, is_float] = choice;
    if (is_float) {
        return bits_per_cell == 32 ? kernel_for<float>(arithmetic, dtype)
                                   : kernel_for<double>(arithmetic, dtype);
    }
    switch (bits_per_cell) {
    case 8:
        return is_signed ? kernel_for<std::int8_t>(arithmetic, dtype)
                         : kernel_for<std::uint8_t>(arithmetic, dtype);
    case 16:
        return is_signed ? kernel_for<std::int16_t>(arithmetic, dtype)
                         : kernel_for<std::uint16_t>(arithmetic, dtype);
    default:
        return is_signed ? kernel_for<std::int32_t>(arithmetic, dtype)
                         : kernel_for<std::uint32_t>(arithmetic, dtype);
    }
}

} // namespace torchdicom::kernels::TORCHDICOM_INSTRUCTION_SET
