#include "decode/jpeg_lossless_rows.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

namespace torchdicom {

namespace {

/// The next bits of a row at the top of a register; refilled without a branch.
struct BitBuffer {
    ByteSpan bytes;
    std::size_t next;      // byte that follows the `count` bits
    std::uint64_t bits{0}; // more of them may be there below the first `count`, none is wrong
    std::uint64_t count{0};

    [[gnu::always_inline]] BitBuffer(ByteSpan source, std::size_t bit) noexcept
        : bytes{source}, next{bit / 8} {
        refill();
        drop({static_cast<std::uint32_t>(bit % 8)});
    }
    /// To 56 bits or more.
    [[gnu::always_inline]] void refill() noexcept {
        bits |= load_number<std::uint64_t>(bytes, next, std::endian::big) >> count;
        next += (63 - count) / 8;
        count |= 56U;
    }
    [[gnu::always_inline]] void drop(HuffmanEntry entry) noexcept {
        bits <<= entry.all_bits();
        count = static_cast<std::uint8_t>(count - entry.packed); // its low byte is all_bits()
    }
    [[nodiscard]] std::size_t position() const noexcept { return 8 * next - count; }
};

/// The difference behind the code that comes next (H.1.2.2, F.2.2.1), modulo 2^16.
[[gnu::always_inline]] inline std::uint32_t
next_difference(BitBuffer& buffer, const HuffmanTable& table, bool& has_bad) noexcept {
    HuffmanEntry entry = table.find(buffer.bits);
    std::uint32_t more = 0;
    if (entry.packed == 0) [[unlikely]] {
        const RareCode code = table.rare(buffer.bits);
        entry = code.entry;
        more = code.difference;
        has_bad |= code.is_bad;
    }
    const std::uint64_t behind = buffer.bits << entry.code_bits();
    buffer.drop(entry);
    // A first bit of 0 makes it negative: the magnitude is then the complement of the bits.
    const std::uint64_t sign = (behind >> 63U) - 1;
    const std::uint64_t magnitude = ((behind ^ sign) >> 1U) >> entry.shift();
    return static_cast<std::uint32_t>((magnitude ^ sign) - sign) + more;
}

/// Table H.1: from the samples to the left, above, and above to the left.
[[gnu::always_inline]] inline std::int32_t predict(std::size_t predictor, std::int32_t left,
                                                   std::int32_t above,
                                                   std::int32_t corner) noexcept {
    // NOLINTBEGIN(bugprone-signed-bitwise): halves are rounded down, Table H.1
    switch (predictor) {
    case 1:
        return left;
    case 2:
        return above;
    case 3:
        return corner;
    case 4:
        return left + above - corner;
    case 5:
        return left + ((above - corner) >> 1);
    case 6:
        return above + ((left - corner) >> 1);
    default:
        return (left + above) >> 1;
    }
    // NOLINTEND(bugprone-signed-bitwise)
}

constexpr std::size_t kAny = 0; // components: as many as the row says

/// The pixels of a row, from left to right; `refill` samples from one refill to the next.
template <std::size_t predictor, std::size_t components, std::size_t refill> class RowDecoder {
  public:
    [[gnu::always_inline]] explicit RowDecoder(const LosslessRow& row) noexcept
        : buffer_{row.bits, row.bit}, tables_{row.tables}, above_{row.above}, samples_{row.samples},
          step_{components == kAny ? row.components : components} {
        // H.1.1: the first pixel is predicted from above. With all its neighbours made equal to
        // that one, each predictor says so.
        for (std::size_t c = 0; c < step_; ++c) {
            left_[c] = load(above_, c);
            corner_[c] = left_[c];
        }
    }

    [[gnu::always_inline]] LosslessRowEnd run() noexcept {
        const std::size_t count = samples_.size() / kSample;
        const std::size_t step = components == 1 ? refill : step_;
        std::size_t i = 0;
        for (; i + step <= count; i += step) {
            for (std::size_t c = 0; c < step; ++c) {
                // After that there are 56 bits or more, which seldom are too few.
                if (c % refill == 0 || buffer_.count < HuffmanTable::kMaxBits) {
                    buffer_.refill();
                }
                decode(i + c, components == 1 ? 0 : c);
            }
        }
        for (; i < count; ++i) { // the last of one component
            buffer_.refill();
            decode(i, 0);
        }
        return {.bit = buffer_.position(), .has_bad = has_bad_};
    }

  private:
    static constexpr std::size_t kSample = sizeof(std::uint16_t);
    static constexpr std::size_t kHeld = components == kAny ? kMaxScanComponents : components;

    [[gnu::always_inline]] static std::int32_t load(ByteSpan samples, std::size_t i) noexcept {
        return load_number<std::uint16_t>(samples, i * kSample, std::endian::native);
    }

    [[gnu::always_inline]] void decode(std::size_t i, std::size_t c) noexcept {
        std::int32_t above = 0;
        if constexpr (predictor != 1) {
            above = load(above_, i);
        }
        const std::int32_t prediction = predict(predictor, left_[c], above, corner_[c]);
        const std::uint32_t difference = next_difference(buffer_, *tables_[c], has_bad_);
        const auto sample =
            static_cast<std::uint16_t>(static_cast<std::uint32_t>(prediction) + difference);
        std::memcpy(samples_.subspan(i * kSample, kSample).data(), &sample, kSample);
        left_[c] = sample;
        corner_[c] = above;
    }

    BitBuffer buffer_;
    std::array<const HuffmanTable*, kMaxScanComponents> tables_;
    ByteSpan above_;
    MutableByteSpan samples_;
    std::size_t step_;
    std::array<std::int32_t, kHeld> left_{};
    std::array<std::int32_t, kHeld> corner_{};
    bool has_bad_ = false;
};

// Dense samples, of more than 8 bits on average, are refilled more often: to look after each
// whether there are enough bits left would too often be a wrong guess of the processor.
constexpr std::size_t kOne = 0;
constexpr std::size_t kOneDense = 1;
constexpr std::size_t kThree = 2;
constexpr std::size_t kOthers = 3;
constexpr std::size_t kShapes = 4;

constexpr std::size_t kPredictors = 7;
using Loops = std::array<DecodeLosslessRow, kPredictors * kShapes>;

template <std::size_t index>
[[gnu::always_inline]] inline LosslessRowEnd run(const LosslessRow& row) noexcept {
    constexpr std::size_t kPredictor = index / kShapes + 1;
    constexpr std::size_t kShape = index % kShapes;
    constexpr std::size_t kRefill = kShape == kOneDense ? 2 : 4;
    constexpr std::array<std::size_t, kShapes> kComponents{1, 1, 3, kAny};
    return RowDecoder<kPredictor, kComponents[kShape], kRefill>{row}.run();
}

template <std::size_t index> LosslessRowEnd decode_row(const LosslessRow& row) noexcept {
    return run<index>(row);
}

#ifdef __x86_64__
/// The same with shifts that take their count from any register: a tenth faster.
template <std::size_t index>
[[gnu::target("bmi2")]] LosslessRowEnd decode_row_bmi2(const LosslessRow& row) noexcept {
    return run<index>(row);
}
#endif

template <typename All> struct LoopsOf;
template <std::size_t... i> struct LoopsOf<std::index_sequence<i...>> {
    static constexpr Loops baseline{decode_row<i>...};
#ifdef __x86_64__
    static constexpr Loops bmi2{decode_row_bmi2<i>...};
#endif
};
using AllLoops = LoopsOf<std::make_index_sequence<kPredictors * kShapes>>;

} // namespace

DecodeLosslessRow lossless_row_decoder(const LosslessRowKind& kind) noexcept {
    std::size_t shape = kind.components == 3 ? kThree : kOthers;
    if (kind.components == 1) {
        shape = kind.is_dense ? kOneDense : kOne;
    }
    const std::size_t index = (kind.predictor - 1) * kShapes + shape;
#ifdef __x86_64__
    if (kind.use_bmi2) {
        return AllLoops::bmi2[index];
    }
#endif
    return AllLoops::baseline[index];
}

} // namespace torchdicom
