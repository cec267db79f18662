#include "decode/jpeg_ls_bits.hpp"

#include <algorithm>
#include <bit>

namespace torchdicom {

namespace {

/// Not 0 where one of eight bytes is FF (exactly there where none below it is).
constexpr std::uint64_t has_ff(std::uint64_t word) noexcept {
    constexpr std::uint64_t kOnes = 0x0101010101010101U;
    return (~word - kOnes) & word & (kOnes << 7U);
}

void store(MutableByteSpan bytes, std::size_t at, std::uint64_t word) noexcept {
    const std::uint64_t ordered = std::endian::native == std::endian::big ? word : byte_swap(word);
    std::memcpy(bytes.subspan(at, sizeof ordered).data(), &ordered, sizeof ordered);
}

/// Collects bits from the top of a word down.
class BitWriter {
  public:
    explicit BitWriter(MutableByteSpan bytes) noexcept : bytes_{bytes} {}

    void put_word(std::uint64_t word) noexcept {
        store(bytes_, at_, open_ | word >> count_);
        at_ += sizeof word;
        open_ = count_ == 0 ? 0 : word << (64U - count_);
    }
    void put(std::uint64_t value, std::uint32_t width) noexcept {
        const std::uint32_t room = 64U - count_;
        if (width < room) {
            open_ |= value << (room - width);
            count_ += width;
            return;
        }
        store(bytes_, at_, open_ | value >> (width - room));
        at_ += sizeof open_;
        count_ = width - room;
        open_ = count_ == 0 ? 0 : value << (64U - count_);
    }
    /// Zeros behind the last bit; the number of bits before.
    std::size_t finish() noexcept {
        store(bytes_, at_, open_);
        const MutableByteSpan rest = bytes_.subspan(at_ + sizeof open_);
        std::fill_n(rest.begin(), std::min(rest.size(), kJpegLsPadding), std::byte{0});
        return 8 * at_ + count_;
    }

  private:
    MutableByteSpan bytes_;
    std::size_t at_ = 0;
    std::uint64_t open_ = 0;
    std::uint32_t count_ = 0; // bits of open_, below 64
};

} // namespace

JpegLsBits unstuff_jpeg_ls(ByteSpan data, MutableByteSpan bits) noexcept {
    BitWriter writer{bits};
    std::uint32_t before = 0;
    std::size_t at = 0;
    while (at < data.size()) {
        if (before != 0xFF && data.size() - at >= sizeof(std::uint64_t)) {
            const auto word = load_number<std::uint64_t>(data, at, std::endian::big);
            if (has_ff(word) == 0) {
                writer.put_word(word);
                at += sizeof word;
                continue;
            }
        }
        const auto byte = std::to_integer<std::uint32_t>(data[at]);
        if (byte == 0xFF && at + 1 < data.size() &&
            std::to_integer<std::uint32_t>(data[at + 1]) >= 0x80) {
            break;
        }
        writer.put(byte, before == 0xFF ? 7 : 8);
        before = byte;
        ++at;
    }
    return {.bits = writer.finish(), .bytes = at};
}

bool JpegLsCursor::has_rest() const noexcept {
    constexpr std::size_t kPadding = 16;
    if (at_ + kPadding > end_) {
        return false;
    }
    // Some writers fill up to an even length with zeros.
    JpegLsCursor rest = *this;
    while (rest.at_ < end_ && rest.peek() == 0) {
        rest.at_ += 57;
    }
    return rest.at_ < end_;
}

} // namespace torchdicom
