#include "decode/entropy_bytes.hpp"

#include "decode/codestream.hpp"
#include "decode/jpeg_process.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace torchdicom {

namespace {

constexpr std::byte kMarkerByte{0xFF};

/// The bytes before the next FF.
std::size_t plain_bytes(ByteSpan bytes) noexcept {
    if (bytes.empty()) {
        return 0;
    }
    const void* const hit = std::memchr(bytes.data(), 0xFF, bytes.size());
    return hit == nullptr
               ? bytes.size()
               : static_cast<std::size_t>(static_cast<const std::byte*>(hit) - bytes.data());
}

} // namespace

void EntropyBytes::prepare() noexcept {
    const std::size_t first = bit_ / 8;
    if (is_whole_ || end_ - first >= margin_) {
        return;
    }
    std::memmove(buffer_.data(), buffer_.subspan(first).data(), end_ - first);
    end_ -= first;
    bit_ %= 8;
    fill();
}

/// B.1.1.5: FF00 is a byte FF of the data; any other FF is a marker, which ends the interval.
void EntropyBytes::fill() noexcept {
    const std::size_t limit = buffer_.size() - margin_;
    while (end_ < limit) {
        const ByteSpan rest = scan_.subspan(at_);
        const std::size_t count = plain_bytes(rest.first(std::min(rest.size(), limit - end_)));
        std::copy_n(rest.begin(), count, buffer_.subspan(end_).begin());
        at_ += count;
        end_ += count;
        if (end_ == limit) {
            break;
        }
        if (rest.size() - count < 2 || rest[count + 1] != std::byte{0}) {
            is_whole_ = true;
            std::ranges::fill(buffer_.subspan(end_, margin_), std::byte{0});
            break;
        }
        buffer_[end_++] = kMarkerByte;
        at_ += 2;
    }
}

/// Moves to a marker or to the end of the scan.
void EntropyBytes::skip_interval() noexcept {
    while (at_ < scan_.size()) {
        at_ += plain_bytes(scan_.subspan(at_));
        if (scan_.size() - at_ < 2 || scan_[at_ + 1] != std::byte{0}) {
            return;
        }
        at_ += 2;
    }
}

void EntropyBytes::next_interval(std::size_t number) {
    skip_interval();
    const auto expected = static_cast<std::uint8_t>(kRst0 + number);
    if (scan_.size() - at_ < 2) {
        fail_invalid("The scan ends where the restart marker " + marker_name(expected) +
                     " must stand");
    }
    const auto found = std::to_integer<std::uint8_t>(scan_[at_ + 1]);
    if (found != expected) {
        fail_invalid("The marker " + marker_name(found) + " stands where the restart marker " +
                     marker_name(expected) + " must");
    }
    at_ += 2;
    end_ = 0;
    bit_ = 0;
    is_whole_ = false;
}

std::size_t EntropyBytes::find_end() noexcept {
    skip_interval();
    while (scan_.size() - at_ >= 2 && is_restart(std::to_integer<std::uint8_t>(scan_[at_ + 1]))) {
        at_ += 2;
        skip_interval();
    }
    return at_;
}

} // namespace torchdicom
