#include "decode/entropy_bytes.hpp"

#include "decode/codestream.hpp"
#include "decode/jpeg_process.hpp"
#include "decode/jpeg_segments.hpp"

#include <algorithm>
#include <string>

namespace torchdicom {

namespace {

constexpr std::byte kMarkerByte{0xFF};

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
        const std::size_t count =
            bytes_before_ff(rest.first(std::min(rest.size(), limit - end_)), 0);
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

void EntropyBytes::next_interval(std::size_t number) {
    at_ = find_marker(scan_, at_, Stuffing::byte);
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
    at_ = find_scan_end(scan_, at_, Stuffing::byte);
    return at_;
}

} // namespace torchdicom
