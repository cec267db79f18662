// decode/jpeg_ls: every mode of the standard against an encoder written from its text, and streams
// of another encoder.
#include "codestreams.hpp"
#include "decode/jpeg_ls_bits.hpp"
#include "jpeg_ls_check.hpp"

#include <doctest/doctest.h>

using namespace torchdicom;
using namespace torchdicom::test;

namespace {

/// Encodes and decodes; near-lossless by the encoder's own reconstruction.
void check_round_trip(const Planes& source, std::size_t columns, const JpegLsOptions& options) {
    CAPTURE(options.precision);
    CAPTURE(options.near);
    CAPTURE(options.interleave);
    CAPTURE(options.restart_interval);
    CAPTURE(options.maxval);
    CAPTURE(options.reset);
    Planes planes = source;
    const StreamWriter stream = encode_jpeg_ls(planes, static_cast<int>(columns), options);
    const PixelFormat format = format_of(source[0].size() / columns, columns,
                                         options.precision > 8 ? 16 : 8, source.size());
    for (std::size_t i = 0; i < source.size(); ++i) {
        for (std::size_t at = 0; at < source[i].size(); ++at) {
            REQUIRE(std::abs(planes[i][at] - source[i][at]) <= options.near);
        }
    }
    CHECK(decode(stream.span(), format) == cells_of(planes, format));
}

} // namespace

TEST_CASE("JPEG-LS: the example of ISO 14495-1 H.3") {
    // Four rows of four samples; the picture and its codestream as the standard prints them.
    const StreamWriter stream = StreamWriter{}.raw(
        {0xFF, 0xD8, 0xFF, 0xF7, 0x00, 0x0B, 0x08, 0x00, 0x04, 0x00, 0x04, 0x01, 0x01, 0x11, 0x00,
         0xFF, 0xDA, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0xC0, 0x00, 0x00, 0x6C, 0x80,
         0x20, 0x8E, 0x01, 0xC0, 0x00, 0x00, 0x57, 0x40, 0x00, 0x00, 0x6E, 0xE6, 0x00, 0x00, 0x01,
         0xBC, 0x18, 0x00, 0x00, 0x05, 0xD8, 0x00, 0x00, 0x91, 0x60, 0xFF, 0xD9});
    const Planes planes{{0, 0, 90, 74, 68, 50, 43, 205, 64, 145, 145, 145, 100, 145, 145, 145}};
    const PixelFormat format = format_of(4, 4, 8, 1);
    CHECK(decode(stream.span(), format) == cells_of(planes, format));
    Planes again = planes;
    const StreamWriter encoded = encode_jpeg_ls(again, 4, {});
    CHECK(std::ranges::equal(encoded.span(), stream.span()));
}

TEST_CASE("JPEG-LS: all precisions, lossless and near-lossless") {
    for (int precision = 2; precision <= 16; ++precision) {
        const int maxval = (1 << precision) - 1;
        for (const Content content : kContents) {
            const Planes planes = image(content, 1, 19, 23, maxval, 1);
            for (const int near : {0, 1, 3, 20, 255}) {
                if (near <= maxval / 2) {
                    check_round_trip(planes, 23, {.precision = precision, .near = near});
                }
            }
        }
    }
}

TEST_CASE("JPEG-LS: two to four components in every interleave mode") {
    for (const std::size_t components : {2U, 3U, 4U}) {
        for (const int interleave : {0, 1, 2}) {
            for (const Content content : kContents) {
                for (const int near : {0, 2}) {
                    const JpegLsOptions options{.near = near, .interleave = interleave};
                    const Planes planes = image(content, components, 11, 17, 255, 2);
                    if (components == 3) {
                        check_round_trip(planes, 17, options);
                        continue;
                    }
                    // No pixel format has them; the decoder does.
                    Planes coded = planes;
                    const StreamWriter stream = encode_jpeg_ls(coded, 17, options);
                    const PixelFormat format = format_of(11, 17, 8, components);
                    CHECK(decode(stream.span(), format) == cells_of(coded, format));
                }
            }
        }
    }
}

TEST_CASE("JPEG-LS: preset parameters") {
    for (const Content content : kContents) {
        check_round_trip(image(content, 1, 31, 13, 3000, 3), 13, {.precision = 12, .maxval = 3000});
        check_round_trip(image(content, 1, 31, 13, 128, 3), 13, {.near = 2, .maxval = 128});
        check_round_trip(image(content, 1, 31, 13, 100, 3), 13, {.maxval = 100});
        check_round_trip(image(content, 1, 31, 13, 1, 3), 13, {.maxval = 1});
        check_round_trip(image(content, 1, 31, 13, 255, 3), 13,
                         {.t1 = 2, .t2 = 9, .t3 = 255, .reset = 3});
        check_round_trip(image(content, 1, 31, 13, 65535, 3), 13,
                         {.precision = 16, .t2 = 2000, .reset = 65535});
        check_round_trip(image(content, 3, 31, 13, 1000, 3), 13,
                         {.precision = 10, .near = 1, .interleave = 2, .maxval = 1000, .reset = 9});
    }
}

TEST_CASE("JPEG-LS: restart intervals, and their number in two to four bytes") {
    for (const Content content : kContents) {
        for (const int interleave : {0, 1, 2}) {
            for (const int bytes : {2, 3, 4}) {
                // 21 rows make more than eight intervals of two: the markers' numbers start anew.
                for (const int interval : {1, 2, 5, 21, 300}) {
                    check_round_trip(image(content, 3, 21, 10, 255, 4), 10,
                                     {.interleave = interleave,
                                      .restart_interval = interval,
                                      .restart_bytes = bytes});
                }
            }
        }
    }
}

TEST_CASE("JPEG-LS: narrow and long images") {
    for (const std::size_t columns : {1U, 2U, 3U}) {
        for (const Content content : kContents) {
            check_round_trip(image(content, 1, 40, columns, 255, 6), columns, {});
            check_round_trip(image(content, 3, 40, columns, 255, 6), columns, {.interleave = 2});
        }
    }
    // Runs of 32,768 samples and more are coded with the largest J.
    for (const std::size_t rows : {1U, 4U}) {
        check_round_trip({std::vector<int>(40'000 * rows, 7)}, 40'000, {});
    }
}

TEST_CASE("JPEG-LS: a point transform shifts the samples back") {
    Planes planes = image(Content::smooth, 3, 9, 8, 63, 7);
    const StreamWriter stream = encode_jpeg_ls(planes, 8, {.interleave = 1, .point_transform = 2});
    for (std::vector<int>& plane : planes) {
        for (int& sample : plane) {
            sample *= 4;
        }
    }
    const PixelFormat format = format_of(9, 8, 8, 3);
    CHECK(decode(stream.span(), format) == cells_of(planes, format));
    Planes large{{10, 200, 3, 4}};
    const StreamWriter beyond = encode_jpeg_ls(large, 2, {.point_transform = 2});
    CHECK(failure(beyond.span(), format_of(2, 2, 8, 1)) == ErrorCode::invalid_codestream);
}

TEST_CASE("JPEG-LS: the colour transforms of HP's encoder are undone") {
    const Planes rgb = image(Content::smooth, 3, 9, 8, 255, 8);
    for (const int colour : {1, 2, 3}) {
        for (const int interleave : {0, 1, 2}) {
            Planes coded = rgb;
            for (std::size_t at = 0; at < rgb[0].size() && interleave != 0; ++at) {
                const int r = rgb[0][at];
                const int g = rgb[1][at];
                const int b = rgb[2][at];
                const int v2 = (b - g + 128) & 255;
                const int v3 = (r - g + 128) & 255;
                coded[0][at] = colour == 3 ? (g + ((v2 + v3) >> 2) - 64) & 255 : v3;
                coded[1][at] = colour == 3 ? v2 : g;
                coded[2][at] =
                    colour == 3 ? v3 : (colour == 1 ? v2 : b - ((r + g) >> 1) + 128) & 255;
            }
            const StreamWriter stream =
                encode_jpeg_ls(coded, 8, {.interleave = interleave, .colour = colour});
            const PixelFormat format = format_of(9, 8, 8, 3);
            CHECK(decode(stream.span(), format) == cells_of(rgb, format));
        }
    }
    Planes coded = rgb;
    const StreamWriter unknown = encode_jpeg_ls(coded, 8, {.interleave = 2, .colour = 4});
    CHECK(failure(unknown.span(), format_of(9, 8, 8, 3)) == ErrorCode::decoder_failed);
}

TEST_CASE("JPEG-LS: another encoder's stream, and GDCM's decoder, agree") {
    const PixelFormat sixteen = format_of(4, 4, 16, 1);
    const Planes values{{7, 4007, 8007, 12007, 16007, 20007, 24007, 28007, 32007, 65535, 40007,
                         44007, 48007, 52007, 0, 60007}};
    CHECK(decode(test::jpeg_ls().span(), sixteen) == cells_of(values, sixteen));
    for (const int precision : {8, 12, 16}) {
        for (const int near : {0, 3}) {
            Planes planes = image(Content::smooth, 1, 33, 41, (1 << precision) - 1, 9);
            const StreamWriter stream =
                encode_jpeg_ls(planes, 41, {.precision = precision, .near = near});
            const PixelFormat format = format_of(33, 41, precision > 8 ? 16 : 8, 1);
            CHECK(decode(stream.span(), format) == decode(stream.span(), format, "gdcm"));
        }
    }
}

TEST_CASE("JPEG-LS: cells are as wide as the header says") {
    Planes planes = image(Content::noise, 1, 6, 7, 255, 5);
    const StreamWriter stream = encode_jpeg_ls(planes, 7, {});
    for (const std::uint32_t bits : {8U, 16U, 32U}) {
        const PixelFormat format = format_of(6, 7, bits, 1);
        CHECK(decode(stream.span(), format) == cells_of(planes, format));
    }
}

TEST_CASE("JPEG-LS: rows come while they are warm, and only those that are wanted") {
    Planes planes = image(Content::smooth, 1, 300, 400, 65535, 10);
    const StreamWriter stream = encode_jpeg_ls(planes, 400, {.precision = 16});
    const PixelFormat format = format_of(300, 400, 16, 1);
    const std::vector<std::byte> whole = cells_of(planes, format);

    KeptRows one{format, 1};
    decode_into(one, stream.span(), ".4.81", format);
    CHECK(one.calls == 1);
    CHECK(one.bytes.size() < whole.size() / 2);
    CHECK(std::ranges::equal(one.bytes, std::span{whole}.first(one.bytes.size())));

    const Asked two{.window = Window{.y0 = 101, .y1 = 103, .x0 = 5, .x1 = 9}};
    KeptRows part{format};
    decode_into(part, stream.span(), ".4.81", format, two);
    CHECK(part.area.window == Window{.y0 = 101, .y1 = 103, .x0 = 0, .x1 = 400});
    CHECK(std::ranges::equal(part.bytes, std::span{whole}.subspan(101 * 800, 2 * 800)));

    // What is below the window may be damaged.
    StreamWriter cut;
    for (const std::byte byte : stream.span().first(stream.size() / 2)) {
        cut.u8(std::to_integer<std::uint32_t>(byte));
    }
    cut.u16(0xFFD9);
    CHECK(decoded_bytes(cut.span(), ".4.81", format, two) == part.bytes);
}

TEST_CASE("JPEG-LS: stuffed bits are taken out, wherever they are") {
    for (std::size_t size = 0; size < 40; ++size) {
        for (std::size_t place = 0; place < size; ++place) {
            std::vector<std::byte> data(size, std::byte{0x5A});
            data[place] = std::byte{0xFF};
            std::vector<std::byte> bits(size + kJpegLsPadding, std::byte{0xEE});
            const JpegLsBits found = unstuff_jpeg_ls(data, bits);
            REQUIRE(found.bytes == size);
            REQUIRE(found.bits == 8 * size - (place + 1 < size ? 1 : 0));
            JpegLsCursor cursor{bits, found.bits};
            for (std::size_t at = 0; at < size; ++at) {
                const bool is_stuffed = at == place + 1;
                const std::uint32_t wanted = at == place ? 0xFF : 0x5A;
                REQUIRE(cursor.take(is_stuffed ? 7 : 8) == wanted);
            }
            CHECK(cursor.peek() == 0);
            CHECK_FALSE(cursor.is_past_end());
        }
    }
}
