// decode/rle: byte planes of PackBits, piece by piece, to cells.
#include "decoded.hpp"
#include "rle_frame.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <vector>

using namespace torchdicom;
using test::decoded;
using test::failure_of;
using test::format_of;
using test::KeptRows;
using test::rle_frame;
using test::StreamWriter;

namespace {

using Bytes = std::vector<std::uint8_t>;

/// PackBits of the test's own: runs and literals of random lengths, no-ops between them, and runs
/// that cross the ends of rows.
StreamWriter pack(const Bytes& plane, std::mt19937& random) {
    const auto below = [&](std::size_t limit) { return random() % limit; };
    StreamWriter packed;
    std::size_t at = 0;
    while (at < plane.size()) {
        std::size_t run = 1;
        while (at + run < plane.size() && run < 128 && plane[at + run] == plane[at]) {
            ++run;
        }
        if (below(40) == 0) {
            packed.u8(128);
        }
        if (run >= 2 && below(4) != 0) {
            packed.u8(static_cast<std::uint32_t>(257 - run)).u8(plane[at]);
            at += run;
            continue;
        }
        const std::size_t most = std::min<std::size_t>(plane.size() - at, below(3) == 0 ? 128 : 20);
        const std::size_t count = 1 + below(most);
        packed.u8(static_cast<std::uint32_t>(count - 1));
        for (std::size_t i = 0; i < count; ++i) {
            packed.u8(plane[at + i]);
        }
        at += count;
    }
    return packed;
}

/// Bytes that come in runs of random lengths.
Bytes runs(std::size_t size, std::mt19937& random) {
    Bytes bytes;
    while (bytes.size() < size) {
        const std::size_t length = random() % 3 == 0 ? random() % 300 : random() % 4;
        bytes.insert(bytes.end(), std::min(length, size - bytes.size()),
                     static_cast<std::uint8_t>(random()));
    }
    return bytes;
}

struct Image {
    StreamWriter frame;
    Bytes cells; ///< little endian
};

/// G.2: the segments of a pixel's first sample come first, its most significant byte before others.
Image image_of(const PixelFormat& format, std::mt19937& random) {
    const std::size_t width = format.bytes_per_sample();
    const std::size_t count = width * format.samples_per_pixel;
    const std::size_t pixels = std::size_t{format.rows} * format.columns;
    std::vector<StreamWriter> segments;
    Bytes cells(count * pixels);
    for (std::size_t segment = 0; segment < count; ++segment) {
        const Bytes plane = runs(pixels, random);
        segments.push_back(pack(plane, random));
        const std::size_t place = segment / width * width + (width - 1 - segment % width);
        for (std::size_t i = 0; i < pixels; ++i) {
            cells[i * count + place] = plane[i];
        }
    }
    return {rle_frame(segments), cells};
}

Bytes as_bytes(const std::vector<std::byte>& bytes) {
    Bytes result;
    for (const std::byte byte : bytes) {
        result.push_back(std::to_integer<std::uint8_t>(byte));
    }
    return result;
}

StreamWriter pattern(std::initializer_list<std::uint32_t> bytes) {
    return StreamWriter{}.raw(bytes);
}

} // namespace

TEST_CASE("RLE joins byte planes, the most significant first") {
    const StreamWriter high = pattern({0x03, 1, 2, 3, 4});   // four literals
    const StreamWriter low = pattern({0x80, 0xFD, 0xEE, 0}); // no-op, run of four, pad
    CHECK(decoded<std::uint16_t>(rle_frame({high, low}).span(), ".5", format_of(2, 2, 16)) ==
          std::vector<std::uint16_t>{0x01EE, 0x02EE, 0x03EE, 0x04EE});
    CHECK(decoded<std::uint8_t>(rle_frame({high}).span(), ".5", format_of(2, 2, 8)) ==
          Bytes{1, 2, 3, 4});
    CHECK(decoded<std::uint32_t>(rle_frame({low, high, low, high}).span(), ".5",
                                 format_of(2, 2, 32)) ==
          std::vector<std::uint32_t>{0xEE01EE01, 0xEE02EE02, 0xEE03EE03, 0xEE04EE04});
}

TEST_CASE("RLE colour comes out interleaved, whatever PlanarConfiguration says") {
    PixelFormat colour = format_of(1, 2, 8, 3);
    const StreamWriter frame =
        rle_frame({pattern({1, 1, 2}), pattern({1, 3, 4}), pattern({1, 5, 6})});
    for (const std::uint32_t planar : {0U, 1U}) {
        colour.planar_configuration = planar;
        CHECK(decoded<std::uint8_t>(frame.span(), ".5", colour) == Bytes{1, 3, 5, 2, 4, 6});
    }
    const StreamWriter wide =
        rle_frame({pattern({1, 1, 2}), pattern({1, 3, 4}), pattern({1, 5, 6}), pattern({1, 7, 8}),
                   pattern({1, 9, 10}), pattern({1, 11, 12})});
    CHECK(decoded<std::uint16_t>(wide.span(), ".5", format_of(1, 2, 16, 3)) ==
          std::vector<std::uint16_t>{0x0103, 0x0507, 0x090B, 0x0204, 0x0608, 0x0A0C});
}

TEST_CASE("RLE of one bit is a plane of packed bits") {
    // Rows of 3: bits 0 to 8 of B3 01, the least significant first.
    CHECK(decoded<std::uint8_t>(rle_frame({pattern({1, 0xB3, 0x01})}).span(), ".5",
                                format_of(3, 3, 1)) == Bytes{1, 1, 0, 0, 1, 1, 0, 1, 1});
    CHECK(failure_of(rle_frame({pattern({0, 0xB3})}).span(), ".5", format_of(3, 3, 1)) ==
          ErrorCode::invalid_codestream);
}

TEST_CASE("an RLE segment may hold too much, not too little") {
    const PixelFormat format = format_of(2, 2, 8);
    const auto one = [](const StreamWriter& segment) { return rle_frame({segment}); };
    const Bytes flat(4, 9);
    CHECK(decoded<std::uint8_t>(one(pattern({0x81, 9})).span(), ".5", format) == flat);
    CHECK(decoded<std::uint8_t>(one(pattern({5, 9, 9, 9, 9, 9, 9})).span(), ".5", format) == flat);
    for (const StreamWriter& segment : {pattern({0xFE, 9}),             // three of four
                                        pattern({0xFD}),                // a run without its byte
                                        pattern({3, 9, 9, 9}),          // a literal cut off
                                        pattern({0x80, 0x80, 0x80})}) { // nothing
        CHECK(failure_of(one(segment).span(), ".5", format) == ErrorCode::invalid_codestream);
    }
}

TEST_CASE("RLE with another number of segments, or segments out of order, is told") {
    const StreamWriter plane = pattern({0xFD, 9});
    const PixelFormat format = format_of(2, 2, 16);
    CHECK(failure_of(rle_frame({plane}).span(), ".5", format) == ErrorCode::codestream_mismatch);
    CHECK(failure_of(rle_frame({plane, plane, plane}).span(), ".5", format) ==
          ErrorCode::codestream_mismatch);
    StreamWriter backwards;
    backwards.u32_little(2).u32_little(64).u32_little(60);
    while (backwards.size() < 80) {
        backwards.u8(0);
    }
    CHECK(failure_of(backwards.span(), ".5", format) == ErrorCode::invalid_codestream);
}

TEST_CASE("RLE of every format, with runs of all lengths across rows and pieces") {
    std::mt19937 random{20240229};
    for (const std::uint32_t bits : {8U, 16U, 32U}) {
        for (const std::uint32_t samples : {1U, 3U}) {
            // 400 x 271: several pieces of 64 KiB, none of which ends where a run does.
            for (const auto& size : {std::pair{1U, 1U}, std::pair{7U, 5U}, std::pair{400U, 271U}}) {
                const std::uint32_t rows = size.first; // clang 14 captures no structured bindings
                const std::uint32_t columns = size.second;
                CAPTURE(bits);
                CAPTURE(samples);
                CAPTURE(rows);
                const PixelFormat format = format_of(rows, columns, bits, samples);
                const Image image = image_of(format, random);
                KeptRows all{format};
                test::decode_into(all, image.frame.span(), ".5", format);
                CHECK(as_bytes(all.bytes) == image.cells);
                CHECK(all.area.window == whole_image(format));
                CHECK_FALSE(all.area.is_rgb);
            }
        }
    }
}

TEST_CASE("RLE hands on the rows of the window alone, and stops where no more are wanted") {
    std::mt19937 random{7};
    for (const std::uint32_t bits : {8U, 16U}) {
        const PixelFormat format = format_of(300, 290, bits);
        const Image image = image_of(format, random);
        const std::size_t row_bytes = format.bytes_per_row();
        for (const auto& [y0, y1] : {std::pair{0, 1}, std::pair{299, 300}, std::pair{250, 270}}) {
            KeptRows rows{format};
            const Window window{.y0 = static_cast<std::size_t>(y0),
                                .y1 = static_cast<std::size_t>(y1),
                                .x0 = 5,
                                .x1 = 9};
            test::decode_into(rows, image.frame.span(), ".5", format, {.window = window});
            CHECK(rows.area.window == Window{.y0 = window.y0, .y1 = window.y1, .x0 = 0, .x1 = 290});
            CHECK(as_bytes(rows.bytes) ==
                  Bytes(image.cells.begin() + static_cast<std::ptrdiff_t>(window.y0 * row_bytes),
                        image.cells.begin() + static_cast<std::ptrdiff_t>(window.y1 * row_bytes)));
        }
        KeptRows once{format, 1};
        test::decode_into(once, image.frame.span(), ".5", format);
        CHECK(once.calls == 1);
        CHECK(once.bytes.size() < image.cells.size());
        // Rows below the window are not looked at: that they are missing does not show.
        const ByteSpan cut = image.frame.span().first(image.frame.size() - 1);
        CHECK(failure_of(cut, ".5", format) == ErrorCode::invalid_codestream);
        CHECK(failure_of(cut, ".5", format,
                         {.window = Window{.y0 = 0, .y1 = 10, .x0 = 0, .x1 = 290}}) ==
              std::nullopt);
    }
}

// Its assertions end the process over legal frames, such as those that image_of makes.
TEST_CASE("GDCM is not asked for RLE") {
    CHECK(failure_of(rle_frame({pattern({0xFD, 9})}).span(), ".5", format_of(2, 2, 8),
                     {.codec = "gdcm"}) == ErrorCode::unsupported_transfer_syntax);
}
