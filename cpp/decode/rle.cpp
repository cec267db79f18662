#include "decode/rle.hpp"

#include "base/cells.hpp"
#include "decode/native_rows.hpp"
#include "decode/packbits.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <string>

namespace torchdicom {

namespace {

constexpr std::size_t kHeaderSize = 64; // G.5: the number of segments and fifteen offsets
constexpr std::size_t kMaxSegments = 15;

std::uint32_t header_field(ByteSpan frame, std::size_t index) {
    return load_number<std::uint32_t>(frame, 4 * index, std::endian::little);
}

/// The byte planes of some rows, the most significant byte of the first component first.
using BytePlanes = std::span<const ByteSpan>;

template <typename Cell>
void join_cells(BytePlanes planes, std::size_t components, MutableByteSpan cells) noexcept {
    constexpr std::size_t kWidth = sizeof(Cell);
    const std::size_t pixels = planes.front().size();
    for (std::size_t component = 0; component < components; ++component) {
        std::byte* to = cells.data() + component * kWidth;
        const BytePlanes own = planes.subspan(component * kWidth, kWidth);
        for (std::size_t i = 0; i < pixels; ++i) {
            Cell value = 0;
            for (const ByteSpan plane : own) {
                const auto byte = std::to_integer<std::uint32_t>(plane[i]);
                value = static_cast<Cell>(std::uint32_t{value} << 8U | byte);
            }
            std::memcpy(to, &value, kWidth);
            to += components * kWidth;
        }
    }
}

/// Gray in 16 bits, which most RLE is: a loop of its own, which compilers turn into vectors.
void join_pairs(ByteSpan high, ByteSpan low, MutableByteSpan cells) noexcept {
    const std::byte* const upper = high.data();
    const std::byte* const lower = low.data();
    std::byte* const to = cells.data();
    const std::size_t count = std::min({high.size(), low.size(), cells.size() / 2});
    for (std::size_t i = 0; i < count; ++i) {
        const auto value =
            static_cast<std::uint16_t>(std::to_integer<std::uint32_t>(upper[i]) << 8U |
                                       std::to_integer<std::uint32_t>(lower[i]));
        std::memcpy(to + 2 * i, &value, sizeof value);
    }
}

/// The same for three planes of 8 bits.
void join_triples(BytePlanes planes, MutableByteSpan cells) noexcept {
    const std::byte* const red = planes[0].data();
    const std::byte* const green = planes[1].data();
    const std::byte* const blue = planes[2].data();
    std::byte* const to = cells.data();
    const std::size_t count = std::min(planes[0].size(), cells.size() / 3);
    for (std::size_t i = 0; i < count; ++i) {
        to[3 * i] = red[i];
        to[3 * i + 1] = green[i];
        to[3 * i + 2] = blue[i];
    }
}

/// G.2: each byte of a sample is a plane.
void join(BytePlanes planes, const PixelFormat& format, MutableByteSpan cells) {
    const std::size_t components = format.samples_per_pixel;
    const std::size_t width = format.bytes_per_sample();
    if (width == 1 && components == 3) {
        join_triples(planes, cells);
    } else if (width == 2 && components == 1) {
        join_pairs(planes[0], planes[1], cells);
    } else {
        with_cell(width, [&]<typename Cell>(Cell /*type*/) {
            join_cells<Cell>(planes, components, cells);
        });
    }
}

/// The segments of a frame, unpacked side by side.
class SegmentReaders {
  public:
    SegmentReaders(const std::vector<ByteSpan>& segments, std::size_t longest) {
        const std::size_t size = longest + PackBits::kSlack;
        const MutableByteSpan memory = decode_scratch(Scratch::frame, segments.size() * size);
        for (std::size_t i = 0; i < segments.size(); ++i) {
            readers_.emplace_back(segments[i], memory.subspan(i * size, size), i);
        }
    }

    /// The next `count` bytes of every plane.
    [[nodiscard]] BytePlanes next(std::size_t count) {
        planes_.clear();
        for (PackBits& reader : readers_) {
            planes_.push_back(reader.next(count));
        }
        return planes_;
    }

  private:
    std::vector<PackBits> readers_;
    std::vector<ByteSpan> planes_;
};

/// One segment of packed bits, which no row of pixels need end a byte of.
void decode_bits(ByteSpan segment, const DecodeRequest& request, RowSink& rows) {
    const std::size_t size = native_frame_bytes(request.format);
    SegmentReaders reader{{segment}, size};
    put_native_rows(reader.next(size).front(), request, rows);
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
    const PixelFormat& format = request.format;
    const std::vector<ByteSpan> segments = find_rle_segments(stream.bytes, format);
    if (format.bits_allocated == 1 && segments.size() == 1) {
        decode_bits(segments.front(), request, rows);
        return;
    }
    const std::size_t band = rows_of_band(format.bytes_per_row());
    SegmentReaders readers{segments, band * format.columns};
    const Window window = whole_rows(request.window, format);
    for (std::size_t y = 0; y < window.y0; y += band) {
        static_cast<void>(readers.next(std::min(band, window.y0 - y) * format.columns));
    }
    rows.start({.window = window});
    bool wants_more = true;
    for (std::size_t y = window.y0; y < window.y1 && wants_more; y += band) {
        const std::size_t count = std::min(band, window.y1 - y);
        const BytePlanes planes = readers.next(count * format.columns);
        if (planes.size() == 1) {
            wants_more = rows.put(planes.front());
            continue;
        }
        const MutableByteSpan cells = decode_scratch(Scratch::rows, count * format.bytes_per_row());
        join(planes, format, cells);
        wants_more = rows.put(cells);
    }
}

} // namespace torchdicom
