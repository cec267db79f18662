// The inner loops of lossless JPEG: a row of samples from the bits, for each predictor.
#pragma once

#include "base/bytes.hpp"
#include "base/cpu.hpp"
#include "decode/huffman.hpp"

#include <array>
#include <cstddef>

namespace torchdicom {

inline constexpr std::size_t kMaxScanComponents = 4; // ISO 10918-1 B.2.3

/// A row of 16-bit samples of native endian, those of a pixel side by side.
struct LosslessRow {
    ByteSpan bits;       ///< without stuffed bytes
    std::size_t bit = 0; ///< of `bits`: where the row starts
    std::size_t components = 1;
    std::array<const HuffmanTable*, kMaxScanComponents> tables{}; ///< one a component
    ByteSpan above;          ///< the row before, which predicts the first pixel
    MutableByteSpan samples; ///< what is to be decoded
};

struct LosslessRowEnd {
    std::size_t bit = 0;  ///< where the next row starts
    bool has_bad = false; ///< bits that are no code were among them
};

/// Bytes that must be readable from the row's start on, whatever they are.
[[nodiscard]] constexpr std::size_t lossless_row_margin(std::size_t samples) noexcept {
    // Up to 31 bits a sample; then the reader is 8 bytes ahead and loads 8.
    return samples * 4 + 24;
}

using DecodeLosslessRow = LosslessRowEnd (*)(const LosslessRow& row) noexcept;

/// Which loop is wanted.
struct LosslessRowKind {
    std::size_t predictor = 1;  ///< 1 to 7, Table H.1
    std::size_t components = 1; ///< 1 to 4
    bool is_dense = false;      ///< more than 8 bits a sample, about; says only what is faster
    bool use_bmi2 = cpu_features().has_bmi2; ///< which the faster loops need
};

[[nodiscard]] DecodeLosslessRow lossless_row_decoder(const LosslessRowKind& kind) noexcept;

} // namespace torchdicom
