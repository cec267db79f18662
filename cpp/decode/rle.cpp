#include "decode/rle.hpp"

#include <algorithm>
#include <bit>
#include <string>

namespace torchdicom {

namespace {

constexpr std::size_t kHeaderSize = 64; // G.5: the number of segments and fifteen offsets
constexpr std::size_t kMaxSegments = 15;

std::uint32_t header_field(ByteSpan frame, std::size_t index) {
    return load_number<std::uint32_t>(frame, 4 * index, std::endian::little);
}

/// Every `stride`-th byte of a frame from `first` on: where the bytes of one plane go.
class Plane {
  public:
    Plane(MutableByteSpan samples, std::size_t first, std::size_t stride)
        : samples_{samples}, stride_{stride}, at_{first}, left_{samples.size() / stride} {}

    [[nodiscard]] std::size_t left() const { return left_; }

    void put(ByteSpan bytes) {
        for (const std::byte byte : bytes) {
            samples_[at_] = byte;
            at_ += stride_;
        }
        left_ -= bytes.size();
    }

    void repeat(std::byte byte, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            samples_[at_] = byte;
            at_ += stride_;
        }
        left_ -= count;
    }

  private:
    MutableByteSpan samples_;
    std::size_t stride_;
    std::size_t at_;
    std::size_t left_;
};

/// G.3.1. Bytes beyond the plane are dropped: writers pad a segment to an even length, and some
/// with more than the one byte allowed.
void unpack(ByteSpan segment, Plane plane, std::size_t number) {
    std::size_t at = 0;
    while (plane.left() > 0) {
        const std::size_t rest = segment.size() - at;
        const auto control = rest == 0 ? 128U : std::to_integer<std::uint32_t>(segment[at]);
        const std::size_t literals = control < 128 ? control + 1 : 0;
        if (rest < 2 || literals > rest - 1) {
            // A last 128 is padding; anything else without its bytes is cut off.
            fail_invalid("RLE segment " + std::to_string(number) + " of " +
                         std::to_string(segment.size()) + " bytes ends " +
                         std::to_string(plane.left()) + " bytes before its plane is full");
        }
        if (literals > 0) {
            plane.put(segment.subspan(at + 1, std::min(literals, plane.left())));
            at += 1 + literals;
        } else if (control > 128) {
            plane.repeat(segment[at + 1], std::min<std::size_t>(257 - control, plane.left()));
            at += 2;
        } else {
            at += 1;
        }
    }
}

} // namespace

std::vector<ByteSpan> find_rle_segments(ByteSpan frame, const PixelFormat& format) {
    if (frame.size() < kHeaderSize) {
        fail_invalid("The RLE frame has " + std::to_string(frame.size()) +
                     " bytes, fewer than the 64 of its header");
    }
    const std::size_t count = header_field(frame, 0);
    const std::size_t expected = format.samples_per_pixel * format.bytes_per_sample();
    if (count < 1 || count > kMaxSegments) {
        fail_invalid("The RLE header gives " + std::to_string(count) +
                     " segments, which must be 1 to 15");
    }
    if (count != expected) {
        fail_mismatch("The RLE header gives " + std::to_string(count) +
                      " segments, and SamplesPerPixel " + std::to_string(format.samples_per_pixel) +
                      " with BitsAllocated " + std::to_string(format.bits_allocated) +
                      " calls for " + std::to_string(expected));
    }
    std::vector<ByteSpan> segments;
    segments.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t begin = header_field(frame, i + 1);
        const std::size_t end = i + 1 < count ? header_field(frame, i + 2) : frame.size();
        if ((i == 0 && begin != kHeaderSize) || begin >= end || end > frame.size()) {
            fail_invalid("RLE segment " + std::to_string(i) + " goes from byte " +
                         std::to_string(begin) + " to " + std::to_string(end) + " of the frame's " +
                         std::to_string(frame.size()) + ", and the first starts at 64");
        }
        segments.push_back(frame.subspan(begin, end - begin));
    }
    return segments;
}

void decode_rle(const Codestream& stream, const DecodeRequest& request, RowSink& rows) {
    const std::vector<ByteSpan> segments = find_rle_segments(stream.bytes, request.format);
    const std::size_t width = request.format.bytes_per_sample();
    const MutableByteSpan samples =
        decode_scratch(Scratch::frame, request.format.bytes_per_frame());
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const std::size_t significance = i % width; // 0 is the most significant byte, G.2
        const std::size_t byte =
            std::endian::native == std::endian::little ? width - 1 - significance : significance;
        unpack(segments[i], Plane{samples, i - significance + byte, segments.size()}, i);
    }
    rows.start({.window = whole_image(request.format)});
    static_cast<void>(rows.put(samples));
}

} // namespace torchdicom
