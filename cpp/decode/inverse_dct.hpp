// The inverse transform of 8x8 coefficients to samples of 12 bits (ISO 10918-1 A.3.3).
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace torchdicom {

inline constexpr std::size_t kBlockSide = 8;
inline constexpr std::size_t kBlockSize = kBlockSide * kBlockSide;

/// Samples of a block, 0 to 4095, row by row. `coefficients` and `steps` are row by row too.
///
/// The integer transform of Loeffler, Ligtenberg and Moschytz with constants of 13 bits: that of
/// libjpeg, whose samples of 12 bits are the same. Any input is allowed: sums wrap.
using InverseDct = void (*)(std::span<const std::int16_t, kBlockSize> coefficients,
                            std::span<const std::uint16_t, kBlockSize> steps,
                            std::span<std::uint16_t, kBlockSize> samples) noexcept;

/// With instructions that the processor must have, or without; the samples are the same.
[[nodiscard]] InverseDct inverse_dct_12_bits(bool use_avx2) noexcept;

} // namespace torchdicom
