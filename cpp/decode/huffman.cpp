#include "decode/huffman.hpp"

#include "decode/codestream.hpp"

#include <algorithm>
#include <string>

namespace torchdicom {

namespace {

constexpr std::uint32_t kMaxCategory = 16; // Table H.2
constexpr std::uint32_t kMaxLength = 16;

} // namespace

HuffmanTable::HuffmanTable(const HuffmanSpec& spec) : symbols_{spec.symbols} {
    std::uint32_t code = 0; // the first of its length, C.2
    std::uint32_t index = 0;
    for (std::uint32_t length = 1; length <= kMaxLength; ++length) {
        const std::uint32_t count = spec.counts[length - 1];
        offsets_[length] = index - code;
        if (code + count > (1U << length)) {
            fail_invalid("The Huffman table has " + std::to_string(count) + " codes of " +
                         std::to_string(length) + " bits, and there is room for " +
                         std::to_string((1U << length) - code));
        }
        for (const std::uint32_t end = index + count; index < end; ++index, ++code) {
            const std::uint32_t category = symbols_[index];
            if (category > kMaxCategory) {
                fail_invalid("The Huffman table has the category " + std::to_string(category) +
                             ", and the largest of lossless JPEG is 16");
            }
            if (length <= kShortBits && category < kMaxCategory) {
                const std::uint32_t free_bits = kShortBits - length;
                std::fill_n(short_codes_.begin() + (code << free_bits), 1U << free_bits,
                            HuffmanEntry::of(length, category));
            }
        }
        ends_[length] = code << (kMaxLength - length);
        code <<= 1U;
    }
}

RareCode HuffmanTable::rare(std::uint64_t bits) const noexcept {
    const auto next = static_cast<std::uint32_t>(bits >> (64U - kMaxLength));
    for (std::uint32_t length = 1; length <= kMaxLength; ++length) {
        if (next < ends_[length]) {
            const std::uint32_t index = offsets_[length] + (next >> (kMaxLength - length));
            const std::uint32_t category = symbols_[index & 0xFFU];
            if (category == kMaxCategory) {
                return {.entry = HuffmanEntry::of(length, 0), .difference = 0x8000};
            }
            return {.entry = HuffmanEntry::of(length, category)};
        }
    }
    return {.entry = HuffmanEntry::of(1, 0), .is_bad = true};
}

} // namespace torchdicom
