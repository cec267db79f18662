#include "decode/jpeg_segments.hpp"

#include "decode/codestream.hpp"
#include "decode/jpeg_process.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace torchdicom {

namespace {

bool is_data(std::uint8_t behind_ff, Stuffing stuffing) noexcept {
    return stuffing == Stuffing::bit ? behind_ff < 0x80 : behind_ff == 0;
}

} // namespace

std::size_t bytes_before_ff(ByteSpan bytes, std::size_t at) noexcept {
    const ByteSpan rest = bytes.subspan(at);
    const void* const hit = rest.empty() ? nullptr : std::memchr(rest.data(), 0xFF, rest.size());
    return hit == nullptr
               ? rest.size()
               : static_cast<std::size_t>(static_cast<const std::byte*>(hit) - rest.data());
}

std::size_t find_marker(ByteSpan bytes, std::size_t at, Stuffing stuffing) noexcept {
    while (at < bytes.size()) {
        at += bytes_before_ff(bytes, at);
        if (bytes.size() - at < 2 ||
            !is_data(std::to_integer<std::uint8_t>(bytes[at + 1]), stuffing)) {
            break;
        }
        at += 2;
    }
    return at;
}

std::size_t find_scan_end(ByteSpan bytes, std::size_t at, Stuffing stuffing) noexcept {
    at = find_marker(bytes, at, stuffing);
    while (bytes.size() - at >= 2 && is_restart(std::to_integer<std::uint8_t>(bytes[at + 1]))) {
        at = find_marker(bytes, at + 2, stuffing);
    }
    return at;
}

JpegSegments::JpegSegments(ByteSpan codestream) : codestream_{codestream} {
    if (codestream_.size() < 2 || next_byte() != 0xFF || next_byte() != kSoi) {
        fail_invalid("The frame does not start with the JPEG marker SOI (FFD8)");
    }
}

JpegSegment JpegSegments::next() {
    const std::uint8_t marker = next_marker();
    if (marker == kEoi) {
        return {.marker = marker, .offset = at_};
    }
    if (marker < kSof0 || marker == kSoi || is_restart(marker)) {
        fail_invalid("The marker " + marker_name(marker) + " at byte " + std::to_string(at_ - 2) +
                     " of the frame has no place there");
    }
    const std::size_t left = codestream_.size() - at_;
    const std::size_t length =
        left < 2 ? 2 : load_number<std::uint16_t>(codestream_, at_, std::endian::big);
    if (length < 2 || length > left) {
        fail_invalid("The segment " + marker_name(marker) + " at byte " + std::to_string(at_ - 2) +
                     " of the frame is " + std::to_string(length) + " bytes long and " +
                     std::to_string(left) + " are left");
    }
    const std::size_t offset = at_ + 2;
    at_ += length;
    return {.marker = marker, .offset = offset, .body = codestream_.subspan(offset, length - 2)};
}

void JpegSegments::skip(std::size_t count) { at_ += std::min(count, codestream_.size() - at_); }

ByteSpan JpegSegments::take_scan(Stuffing stuffing) {
    const std::size_t start = at_;
    at_ = find_scan_end(codestream_, at_, stuffing);
    return codestream_.subspan(start, at_ - start);
}

std::uint8_t JpegSegments::next_byte() {
    if (at_ >= codestream_.size()) {
        fail_invalid("The codestream stops at byte " + std::to_string(codestream_.size()) +
                     " of the frame, before its end marker EOI (FFD9)");
    }
    return std::to_integer<std::uint8_t>(codestream_[at_++]);
}

std::uint8_t JpegSegments::next_marker() {
    const std::size_t start = at_;
    std::uint8_t byte = next_byte();
    if (byte != 0xFF) {
        fail_invalid("Byte " + std::to_string(start) + " of the frame is " + std::to_string(byte) +
                     " where a JPEG marker (255) must start");
    }
    while (byte == 0xFF) { // any number of fill bytes, B.1.1.2
        byte = next_byte();
    }
    return byte;
}

} // namespace torchdicom
