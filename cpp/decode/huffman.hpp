// Huffman codes of lossless JPEG (ISO 10918-1 C.2, F.2.2.3, H.1.2.2), laid out for decoding.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace torchdicom {

/// A table as DHT gives it: how many codes there are of each length, and what they stand for.
struct HuffmanSpec {
    std::array<std::uint8_t, 16> counts{}; ///< of codes of 1 to 16 bits
    std::array<std::uint8_t, 256> symbols{};
};

/// A code, and the difference behind it (H.1.2.2: as many bits as the code's category says).
struct HuffmanEntry {
    std::uint32_t packed = 0; ///< 0: look closer, with `rare`

    [[nodiscard]] static constexpr HuffmanEntry of(std::uint32_t code_bits,
                                                   std::uint32_t category) noexcept {
        return {(code_bits + category) | (code_bits << 8U) | ((63 - category) << 16U)};
    }
    // Shifts of 64-bit numbers are masked to six bits by the machine: the masks cost nothing.
    [[nodiscard]] std::uint32_t all_bits() const noexcept { return packed & 63U; }
    [[nodiscard]] std::uint32_t code_bits() const noexcept { return (packed >> 8U) & 63U; }
    /// 63 less the bits of the difference, so that a difference without bits is a legal shift too.
    [[nodiscard]] std::uint32_t shift() const noexcept { return (packed >> 16U) & 63U; }
};

/// What is not in the table of the short codes.
struct RareCode {
    HuffmanEntry entry;
    std::uint16_t difference = 0; ///< to be added: 32768 for category 16, which has no bits
    bool is_bad = false;          ///< no code starts like this
};

class HuffmanTable {
  public:
    static constexpr std::uint32_t kMaxBits = 31; ///< of a code and its difference: 16 + 15

    /// Throws DecodeError invalid_codestream for codes that do not fit their lengths, and for
    /// categories above 16.
    explicit HuffmanTable(const HuffmanSpec& spec);

    /// The code that `bits` start with, from the top.
    [[nodiscard]] HuffmanEntry find(std::uint64_t bits) const noexcept {
        return short_codes_[bits >> (64U - kShortBits)];
    }
    [[nodiscard]] RareCode rare(std::uint64_t bits) const noexcept;

  private:
    static constexpr std::uint32_t kShortBits = 11; // 8 KiB, which leaves room in the L1 cache

    std::array<HuffmanEntry, std::size_t{1} << kShortBits> short_codes_{};
    std::array<std::uint32_t, 17> ends_{};    // by length: one beyond its last code, 16 bits wide
    std::array<std::uint32_t, 17> offsets_{}; // by length: symbol's index less the code
    std::array<std::uint8_t, 256> symbols_;
};

} // namespace torchdicom
