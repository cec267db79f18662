#include "decode/packbits.hpp"

#include "decode/codestream.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace torchdicom {

namespace {

// Most runs are short: copying a fixed size costs less than asking for the right one.
constexpr std::size_t kShort = 32;

} // namespace

ByteSpan PackBits::next(std::size_t count) {
    const std::size_t kept = done_ - last_;
    std::memmove(plane_.data(), plane_.subspan(last_, kept).data(), kept);
    done_ = kept;
    last_ = count;
    while (done_ < count) {
        unpack_fast(count);
        if (done_ < count) {
            unpack_one(count);
        }
    }
    return plane_.first(count);
}

/// Goes on while a run of any length, and a copy of fixed size, lie inside the segment. What is
/// written ends at most kSlack behind `count`.
void PackBits::unpack_fast(std::size_t count) noexcept {
    constexpr std::size_t kAhead = 1 + 128 + kShort;
    if (segment_.size() < kAhead) {
        return;
    }
    const std::byte* const start = segment_.data();
    const std::byte* const last = start + (segment_.size() - kAhead);
    const std::byte* from = start + at_;
    std::byte* const plane = plane_.data();
    std::byte* to = plane + done_;
    const std::byte* const end = plane + count;
    while (to < end && from <= last) {
        const auto control = std::to_integer<std::uint32_t>(*from);
        if (control < 128) {
            const std::size_t length = control + 1;
            std::memcpy(to, from + 1, kShort);
            if (length > kShort) {
                std::memcpy(to + kShort, from + 1 + kShort, 128 - kShort);
            }
            to += length;
            from += 1 + length;
        } else if (control > 128) {
            const std::size_t length = 257 - control;
            const int value = std::to_integer<int>(from[1]);
            std::memset(to, value, kShort);
            if (length > kShort) {
                std::memset(to + kShort, value, 128 - kShort);
            }
            to += length;
            from += 2;
        } else {
            from += 1;
        }
    }
    at_ = static_cast<std::size_t>(from - start);
    done_ = static_cast<std::size_t>(to - plane);
}

/// The last runs of a segment, one at a time. Bytes beyond the plane are dropped: writers pad a
/// segment to an even length, and some with more than the one byte allowed.
void PackBits::unpack_one(std::size_t count) {
    const std::size_t rest = segment_.size() - at_;
    const auto control = rest == 0 ? 128U : std::to_integer<std::uint32_t>(segment_[at_]);
    const std::size_t literals = control < 128 ? control + 1 : 0;
    if (rest < 2 || literals > rest - 1) {
        // A last 128 is padding; anything else without its bytes is cut off.
        fail_invalid("RLE segment " + std::to_string(number_) + " of " +
                     std::to_string(segment_.size()) + " bytes ends " +
                     std::to_string(count - done_) + " bytes or more before its plane is full");
    }
    if (literals > 0) {
        std::ranges::copy(segment_.subspan(at_ + 1, literals), plane_.subspan(done_).begin());
        at_ += 1 + literals;
        done_ += literals;
    } else if (control > 128) {
        std::ranges::fill(plane_.subspan(done_, 257 - control), segment_[at_ + 1]);
        at_ += 2;
        done_ += 257 - control;
    } else {
        at_ += 1;
    }
}

} // namespace torchdicom
