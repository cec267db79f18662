// decode/deflated_frame and decode/uncompressed: frames of native layout, to cells.
#include "base/deflate.hpp"
#include "decoded.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

using namespace torchdicom;
using test::decoded;
using test::failure_of;
using test::format_of;
using test::KeptRows;
using test::StreamWriter;

namespace {

using Bytes = std::vector<std::uint8_t>;

/// A deflate stream of one stored block (RFC 1951, 3.2.4).
StreamWriter stored(const StreamWriter& bytes) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    StreamWriter stream;
    stream.u8(1).u8(size).u8(size >> 8U).u8(~size).u8(~size >> 8U);
    return stream.append(bytes);
}

/// The samples of `bytes` as an encapsulated uncompressed frame and as a deflated one: the same.
template <typename Sample>
std::vector<Sample> both(const StreamWriter& bytes, const PixelFormat& format,
                         const test::Asked& asked = {}) {
    const auto plain = decoded<Sample>(bytes.span(), ".1.98", format, asked);
    CHECK(decoded<Sample>(stored(bytes).span(), ".8.1", format, asked) == plain);
    return plain;
}

constexpr auto kMismatch = ErrorCode::codestream_mismatch;

} // namespace

TEST_CASE("native frames are little endian, planar ones are interleaved") {
    const StreamWriter bytes = StreamWriter{}.raw({1, 2, 3, 4, 5, 6, 7, 8});
    CHECK(both<std::uint16_t>(bytes, format_of(2, 2, 16)) ==
          std::vector<std::uint16_t>{0x0201, 0x0403, 0x0605, 0x0807});
    CHECK(both<std::uint32_t>(bytes, format_of(1, 2, 32)) ==
          std::vector<std::uint32_t>{0x04030201, 0x08070605});
    PixelFormat planar = format_of(1, 2, 8, 3);
    const StreamWriter six = StreamWriter{}.raw({1, 2, 3, 4, 5, 6});
    CHECK(both<std::uint8_t>(six, planar) == Bytes{1, 2, 3, 4, 5, 6});
    planar.planar_configuration = 1;
    CHECK(both<std::uint8_t>(six, planar) == Bytes{1, 3, 5, 2, 4, 6});
    PixelFormat wide = format_of(1, 2, 16, 3);
    wide.planar_configuration = 1;
    CHECK(both<std::uint16_t>(StreamWriter{}.raw({1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 1}), wide) ==
          std::vector<std::uint16_t>{1, 3, 5, 2, 4, 0x0106});
}

TEST_CASE("pixels of 1 and 12 bits are packed from the frame's first byte on") {
    CHECK(both<std::uint8_t>(StreamWriter{}.raw({0xB3, 0x01}), format_of(3, 3, 1)) ==
          Bytes{1, 1, 0, 0, 1, 1, 0, 1, 1});
    CHECK(both<std::uint16_t>(StreamWriter{}.raw({0x12, 0x34, 0x56, 0x78, 0x9A}),
                              format_of(1, 3, 12)) ==
          std::vector<std::uint16_t>{0x412, 0x563, 0xA78});
    // Row 1 starts within a byte.
    const Window second{.y0 = 1, .y1 = 2, .x0 = 0, .x1 = 3};
    CHECK(both<std::uint8_t>(StreamWriter{}.raw({0xB3, 0x01}), format_of(3, 3, 1),
                             {.window = second}) == Bytes{0, 1, 1});
}

TEST_CASE("two pixels of YBR_FULL_422 share their chroma") {
    PixelFormat pairs = format_of(2, 2, 8, 3);
    pairs.photometric = Photometric::ybr_full_422;
    const StreamWriter bytes = StreamWriter{}.raw({10, 20, 1, 2, 30, 40, 3, 4});
    CHECK(both<std::uint8_t>(bytes, pairs) == Bytes{10, 1, 2, 20, 1, 2, 30, 3, 4, 40, 3, 4});
    const Window second{.y0 = 1, .y1 = 2, .x0 = 0, .x1 = 2};
    CHECK(both<std::uint8_t>(bytes, pairs, {.window = second}) == Bytes{30, 3, 4, 40, 3, 4});
    PixelFormat wide = format_of(1, 2, 16, 3);
    wide.photometric = Photometric::ybr_full_422;
    CHECK(both<std::uint16_t>(bytes, wide) ==
          std::vector<std::uint16_t>{0x140A, 0x281E, 0x0403, 0x0201, 0x281E, 0x0403});
}

TEST_CASE("frames of native layout hand on the rows of the window, and stop when told") {
    StreamWriter bytes;
    for (std::uint32_t i = 0; i < 40'000; ++i) {
        bytes.u8(i % 251);
    }
    const PixelFormat format = format_of(200, 200, 8);
    const Window window{.y0 = 150, .y1 = 152, .x0 = 7, .x1 = 8};
    Bytes expected;
    for (std::uint32_t i = 30'000; i < 30'400; ++i) {
        expected.push_back(static_cast<std::uint8_t>(i % 251));
    }
    CHECK(both<std::uint8_t>(bytes, format, {.window = window}) == expected);
    const PixelFormat large = format_of(200, 200, 16);
    KeptRows once{large, 1};
    test::decode_into(once, StreamWriter{bytes}.append(bytes).span(), ".1.98", large);
    CHECK(once.calls == 1);
    CHECK(once.bytes.size() < large.bytes_per_frame());
    CHECK(once.area.window == whole_image(large));
}

TEST_CASE("a compressed deflate stream inflates") {
    // RFC 1951, 3.2.6, fixed codes: the literal 0 (00110000), length 258 and distance 1
    // (11000101 00000), length 5 and distance 1 (0000011 00000), end (0000000): 264 zeros.
    StreamWriter stream;
    std::uint32_t held = 0;
    std::uint32_t count = 0;
    for (const char bit : std::string_view{"110"
                                           "00110000"
                                           "1100010100000"
                                           "000001100000"
                                           "0000000"}) {
        held |= (bit == '1' ? 1U : 0U) << count;
        if (++count == 8) {
            stream.u8(held);
            held = 0;
            count = 0;
        }
    }
    stream.u8(held);
    CHECK(decoded<std::uint8_t>(stream.span(), ".8.1", format_of(8, 33, 8)) == Bytes(264, 0));
    for (std::size_t cut = 1; cut < stream.size(); ++cut) {
        CHECK(failure_of(stream.without_last(cut), ".8.1", format_of(8, 33, 8)) ==
              ErrorCode::invalid_deflate);
    }
    CHECK(failure_of(stream.span(), ".8.1", format_of(8, 32, 8)) == kMismatch);
}

TEST_CASE("a deflated frame may hold a byte of padding, and no less than the frame") {
    const PixelFormat format = format_of(1, 3, 8);
    const auto frame = [](std::initializer_list<std::uint32_t> bytes) {
        return stored(StreamWriter{}.raw(bytes));
    };
    CHECK(decoded<std::uint8_t>(frame({1, 2, 3, 0}).span(), ".8.1", format) == Bytes{1, 2, 3});
    CHECK(decoded<std::uint8_t>(frame({1, 2, 3}).u8(0).span(), ".8.1", format) == Bytes{1, 2, 3});
    CHECK(failure_of(frame({1, 2}).span(), ".8.1", format) == kMismatch);
    CHECK(failure_of(frame({1, 2, 3, 0, 0}).span(), ".8.1", format) == kMismatch);
    CHECK(failure_of(StreamWriter{}.u8(7).span(), ".8.1", format) == ErrorCode::invalid_deflate);
    CHECK(failure_of({}, ".8.1", format) == ErrorCode::invalid_deflate);
}

TEST_CASE("an uncompressed frame that is too short is cut off") {
    const StreamWriter bytes = StreamWriter{}.raw({1, 2, 3, 4, 5, 6, 7});
    CHECK(failure_of(bytes.span(), ".1.98", format_of(2, 2, 16)) == ErrorCode::truncated_pixels);
    CHECK(failure_of(bytes.without_last(6), ".1.98", format_of(3, 3, 1)) ==
          ErrorCode::truncated_pixels);
}
