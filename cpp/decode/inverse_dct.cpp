#include "decode/inverse_dct.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace torchdicom {

namespace {

// Unsigned, so that what a damaged stream asks for wraps instead of overflowing.
using Block = std::array<std::uint32_t, kBlockSize>;

constexpr std::uint32_t kConstantBits = 13;
constexpr std::uint32_t kExtraBits = 1; ///< precision that is kept between the two passes

/// A constant of the transform in fixed point.
constexpr std::uint32_t fixed(double value) {
    const double scaled = value * (std::uint32_t{1} << kConstantBits);
    return static_cast<std::uint32_t>(
        static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
}

/// Divides by 2^shift, rounded.
[[gnu::always_inline]] constexpr std::uint32_t descale(std::uint32_t value, std::uint32_t shift) {
    const auto sum = static_cast<std::int32_t>(value + (std::uint32_t{1} << (shift - 1)));
    // NOLINTNEXTLINE(bugprone-signed-bitwise): an arithmetic shift, which rounds down
    return static_cast<std::uint32_t>(sum >> shift);
}

/// The transform in one dimension of each column; columns are independent, so that compilers turn
/// the loop into vectors.
[[gnu::always_inline]] inline void transform_columns(Block& block, std::uint32_t shift) noexcept {
    for (std::size_t column = 0; column < kBlockSide; ++column) {
        const auto in = [&](std::size_t row) { return block[row * kBlockSide + column]; };
        const std::uint32_t even = (in(2) + in(6)) * fixed(0.541196100);
        const std::uint32_t even_low = even - in(6) * fixed(1.847759065);
        const std::uint32_t even_high = even + in(2) * fixed(0.765366865);
        const std::uint32_t sum = (in(0) + in(4)) << kConstantBits;
        const std::uint32_t difference = (in(0) - in(4)) << kConstantBits;
        const std::array<std::uint32_t, 4> evens{sum + even_high, difference + even_low,
                                                 difference - even_low, sum - even_high};
        const std::uint32_t all = (in(7) + in(3) + in(5) + in(1)) * fixed(1.175875602);
        const std::uint32_t outer = (in(7) + in(1)) * fixed(-0.899976223);
        const std::uint32_t inner = (in(5) + in(3)) * fixed(-2.562915447);
        const std::uint32_t first = (in(7) + in(3)) * fixed(-1.961570560) + all;
        const std::uint32_t second = (in(5) + in(1)) * fixed(-0.390180644) + all;
        const std::array<std::uint32_t, 4> odds{in(1) * fixed(1.501321110) + outer + second,
                                                in(3) * fixed(3.072711026) + inner + first,
                                                in(5) * fixed(2.053119869) + inner + second,
                                                in(7) * fixed(0.298631336) + outer + first};
        for (std::size_t row = 0; row < kBlockSide / 2; ++row) {
            block[row * kBlockSide + column] = descale(evens[row] + odds[row], shift);
            block[(kBlockSide - 1 - row) * kBlockSide + column] =
                descale(evens[row] - odds[row], shift);
        }
    }
}

// A row of a block: GCC and Clang have vectors of any width on any processor.
using Row [[gnu::vector_size(kBlockSide * sizeof(std::uint32_t))]] = std::uint32_t;

/// Two rows become two others: values of the first count from 0 on, of the second from 8 on.
template <int step, int... from> [[gnu::always_inline]] inline void mix(Row& a, Row& b) noexcept {
    const Row mixed = __builtin_shufflevector(a, b, from...);
    b = __builtin_shufflevector(a, b, (from + step)...);
    a = mixed;
}

/// Values of neighbouring rows side by side, then pairs of them, then fours.
[[gnu::always_inline]] inline void transpose(Block& block) noexcept {
    std::array<Row, kBlockSide> rows; // NOLINT(*-member-init): filled below
    std::memcpy(rows.data(), block.data(), sizeof rows);
    for (std::size_t i = 0; i < kBlockSide; i += 2) {
        mix<2, 0, 8, 1, 9, 4, 12, 5, 13>(rows[i], rows[i + 1]);
    }
    for (const std::size_t i : {0U, 1U, 4U, 5U}) {
        mix<2, 0, 1, 8, 9, 4, 5, 12, 13>(rows[i], rows[i + 2]);
    }
    for (std::size_t i = 0; i < kBlockSide / 2; ++i) {
        mix<4, 0, 1, 2, 3, 8, 9, 10, 11>(rows[i], rows[i + 4]);
    }
    for (const std::size_t i : {1U, 5U}) {
        std::swap(rows[i], rows[i + 1]);
    }
    std::memcpy(block.data(), rows.data(), sizeof rows);
}

[[gnu::always_inline]] inline std::uint16_t to_sample(std::uint32_t value) noexcept {
    constexpr std::int32_t kCentre = 2048;
    return static_cast<std::uint16_t>(
        std::clamp(static_cast<std::int32_t>(value + kCentre), 0, 2 * kCentre - 1));
}

using Coefficients = std::span<const std::int16_t, kBlockSize>;
using Steps = std::span<const std::uint16_t, kBlockSize>;
using BlockSamples = std::span<std::uint16_t, kBlockSize>;

[[gnu::always_inline]] inline void transform(Coefficients coefficients, Steps steps,
                                             BlockSamples samples) noexcept {
    Block block;
    for (std::size_t i = 0; i < kBlockSize; ++i) {
        block[i] = static_cast<std::uint32_t>(std::int32_t{coefficients[i]}) * steps[i];
    }
    const bool is_flat = std::all_of(coefficients.begin() + 1, coefficients.end(),
                                     [](std::int16_t value) { return value == 0; });
    if (is_flat) {
        std::ranges::fill(samples, to_sample(descale(block[0], 3)));
        return;
    }
    transform_columns(block, kConstantBits - kExtraBits);
    transpose(block);
    transform_columns(block, kConstantBits + kExtraBits + 3);
    transpose(block);
    for (std::size_t i = 0; i < kBlockSize; ++i) {
        samples[i] = to_sample(block[i]);
    }
}

void transform_anywhere(Coefficients coefficients, Steps steps, BlockSamples samples) noexcept {
    transform(coefficients, steps, samples);
}

#ifdef __x86_64__
/// The same where a row of a block is one vector, and products of 32 bits are one instruction.
[[gnu::target("avx2")]] void transform_avx2(Coefficients coefficients, Steps steps,
                                            BlockSamples samples) noexcept {
    transform(coefficients, steps, samples);
}
#endif

} // namespace

InverseDct inverse_dct_12_bits([[maybe_unused]] bool use_avx2) noexcept {
#ifdef __x86_64__
    if (use_avx2) {
        return transform_avx2;
    }
#endif
    return transform_anywhere;
}

} // namespace torchdicom
