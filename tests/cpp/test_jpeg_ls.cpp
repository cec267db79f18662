// decode/jpeg_ls: every mode of the standard against an encoder written from its text, streams of
// another encoder, damage, and what is refused.
#include "codestreams.hpp"
#include "decode/jpeg_ls_bits.hpp"
#include "decode/jpeg_ls_header.hpp"
#include "decoded.hpp"
#include "jpeg_ls_encoder.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <string>

using namespace torchdicom;
using test::code_of;
using test::encode_jpeg_ls;
using test::JpegLsOptions;
using test::StreamWriter;

namespace {

using Planes = std::vector<std::vector<int>>;

TransferSyntax jpeg_ls_syntax() { return find_transfer_syntax("1.2.840.10008.1.2.4.81").value(); }

PixelFormat format_of(std::size_t rows, std::size_t columns, std::size_t components,
                      std::uint32_t bits) {
    PixelFormat format{.rows = static_cast<std::uint32_t>(rows),
                       .columns = static_cast<std::uint32_t>(columns),
                       .samples_per_pixel = static_cast<std::uint32_t>(components),
                       .bits_allocated = bits,
                       .bits_stored = bits,
                       .high_bit = bits - 1};
    if (components == 3) {
        format.photometric = Photometric::rgb;
    }
    return format;
}

std::vector<std::byte> decode(ByteSpan frame, const PixelFormat& format,
                              std::string_view codec = "torchdicom") {
    std::vector<std::byte> samples(format.bytes_per_frame());
    test::decode_whole(frame, jpeg_ls_syntax(), format, samples, codec);
    return samples;
}

/// Samples of a pixel side by side, in native cells.
std::vector<std::byte> cells_of(const Planes& planes, const PixelFormat& format) {
    std::vector<std::byte> cells;
    const std::size_t width = format.bytes_per_sample();
    for (std::size_t at = 0; at < planes[0].size(); ++at) {
        for (const std::vector<int>& plane : planes) {
            const auto value = static_cast<std::uint32_t>(plane[at]);
            for (std::size_t i = 0; i < width; ++i) {
                const std::size_t byte =
                    std::endian::native == std::endian::little ? i : width - 1 - i;
                cells.push_back(static_cast<std::byte>(value >> (8 * byte) & 0xFFU));
            }
        }
    }
    return cells;
}

enum class Content : std::uint8_t { noise, smooth, runs, edges };

Planes image(Content content, std::size_t components, std::size_t rows, std::size_t columns,
             int maxval, std::uint32_t seed) {
    std::mt19937 random{seed};
    const auto below = [&random](int bound) {
        return static_cast<int>(random() % static_cast<std::uint32_t>(bound));
    };
    Planes planes(components, std::vector<int>(rows * columns));
    for (std::size_t at = 0; at < rows * columns; ++at) {
        const auto x = static_cast<int>(at % columns);
        const auto y = static_cast<int>(at / columns);
        const bool is_speck = below(12) == 0;
        for (std::size_t i = 0; i < components; ++i) {
            int value = below(maxval + 1);
            if (content == Content::smooth) {
                value = maxval / 2 + x - 2 * y + static_cast<int>(i) + below(2 + maxval / 64);
            } else if (content == Content::runs) {
                value = is_speck ? value : maxval / 3;
            } else if (content == Content::edges) {
                value = (x / 5 + y / 3) % 2 == 0 ? 0 : maxval;
            }
            planes[i][at] = std::clamp(value, 0, maxval);
        }
    }
    return planes;
}

constexpr std::array kContents{Content::noise, Content::smooth, Content::runs, Content::edges};

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
    const PixelFormat format = format_of(source[0].size() / columns, columns, source.size(),
                                         options.precision > 8 ? 16 : 8);
    for (std::size_t i = 0; i < source.size(); ++i) {
        for (std::size_t at = 0; at < source[i].size(); ++at) {
            REQUIRE(std::abs(planes[i][at] - source[i][at]) <= options.near);
        }
    }
    CHECK(decode(stream.span(), format) == cells_of(planes, format));
}

/// A small gray stream of 8 bits, for damage.
StreamWriter gray(const JpegLsOptions& options = {}) {
    Planes planes = image(Content::noise, 1, 6, 7, (1 << options.precision) - 1, 5);
    return encode_jpeg_ls(planes, 7, options);
}

std::optional<ErrorCode> failure(ByteSpan frame, const PixelFormat& format) {
    return code_of([&] { decode(frame, format); });
}

std::optional<ErrorCode> failure(const StreamWriter& frame) {
    return failure(frame.span(), format_of(6, 7, 1, 8));
}

/// The stream with `bytes` in front of its marker.
StreamWriter with_segment(const StreamWriter& stream, std::uint32_t marker,
                          const StreamWriter& segment) {
    StreamWriter changed;
    for (std::size_t at = 0; at < stream.size(); ++at) {
        if (at + 1 < stream.size() &&
            load_number<std::uint16_t>(stream.span(), at, std::endian::big) == marker) {
            changed.append(segment);
        }
        changed.u8(std::to_integer<std::uint32_t>(stream.span()[at]));
    }
    return changed;
}

/// The stream with one byte replaced, `offset` behind the start of a marker.
StreamWriter with_byte(const StreamWriter& stream, std::uint32_t marker, std::size_t offset,
                       std::uint32_t value) {
    StreamWriter changed;
    std::size_t place = stream.size();
    for (std::size_t at = 0; at < stream.size(); ++at) {
        if (place == stream.size() && at + 1 < stream.size() &&
            load_number<std::uint16_t>(stream.span(), at, std::endian::big) == marker) {
            place = at + offset;
        }
        changed.u8(at == place ? value : std::to_integer<std::uint32_t>(stream.span()[at]));
    }
    return changed;
}

/// Counts rows, and takes no more than a number of them.
class FewRows final : public RowSink {
  public:
    explicit FewRows(std::size_t most) : most_{most} {}
    void start(const DecodedArea& area) override { area_ = area; }
    [[nodiscard]] bool put(ByteSpan rows) override {
        bytes.insert(bytes.end(), rows.begin(), rows.end());
        ++calls;
        return calls < most_;
    }
    [[nodiscard]] const DecodedArea& area() const { return area_; }
    std::vector<std::byte> bytes;
    std::size_t calls = 0;

  private:
    std::size_t most_;
    DecodedArea area_;
};

} // namespace

TEST_CASE("JPEG-LS: the example of ISO 14495-1 H.3") {
    // Four rows of four samples; the picture and its codestream as the standard prints them.
    const StreamWriter stream = StreamWriter{}.raw(
        {0xFF, 0xD8, 0xFF, 0xF7, 0x00, 0x0B, 0x08, 0x00, 0x04, 0x00, 0x04, 0x01, 0x01, 0x11, 0x00,
         0xFF, 0xDA, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0xC0, 0x00, 0x00, 0x6C, 0x80,
         0x20, 0x8E, 0x01, 0xC0, 0x00, 0x00, 0x57, 0x40, 0x00, 0x00, 0x6E, 0xE6, 0x00, 0x00, 0x01,
         0xBC, 0x18, 0x00, 0x00, 0x05, 0xD8, 0x00, 0x00, 0x91, 0x60, 0xFF, 0xD9});
    const Planes planes{{0, 0, 90, 74, 68, 50, 43, 205, 64, 145, 145, 145, 100, 145, 145, 145}};
    const PixelFormat format = format_of(4, 4, 1, 8);
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
                    const PixelFormat format = format_of(11, 17, components, 8);
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
    const PixelFormat format = format_of(9, 8, 3, 8);
    CHECK(decode(stream.span(), format) == cells_of(planes, format));
    Planes large{{10, 200, 3, 4}};
    const StreamWriter beyond = encode_jpeg_ls(large, 2, {.point_transform = 2});
    CHECK(failure(beyond.span(), format_of(2, 2, 1, 8)) == ErrorCode::invalid_codestream);
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
            const PixelFormat format = format_of(9, 8, 3, 8);
            CHECK(decode(stream.span(), format) == cells_of(rgb, format));
        }
    }
    Planes coded = rgb;
    const StreamWriter unknown = encode_jpeg_ls(coded, 8, {.interleave = 2, .colour = 4});
    CHECK(failure(unknown.span(), format_of(9, 8, 3, 8)) == ErrorCode::decoder_failed);
}

TEST_CASE("JPEG-LS: another encoder's stream, and GDCM's decoder, agree") {
    const PixelFormat sixteen = format_of(4, 4, 1, 16);
    const Planes values{{7, 4007, 8007, 12007, 16007, 20007, 24007, 28007, 32007, 65535, 40007,
                         44007, 48007, 52007, 0, 60007}};
    CHECK(decode(test::jpeg_ls().span(), sixteen) == cells_of(values, sixteen));
    for (const int precision : {8, 12, 16}) {
        for (const int near : {0, 3}) {
            Planes planes = image(Content::smooth, 1, 33, 41, (1 << precision) - 1, 9);
            const StreamWriter stream =
                encode_jpeg_ls(planes, 41, {.precision = precision, .near = near});
            const PixelFormat format = format_of(33, 41, 1, precision > 8 ? 16 : 8);
            CHECK(decode(stream.span(), format) == decode(stream.span(), format, "gdcm"));
        }
    }
}

TEST_CASE("JPEG-LS: cells are as wide as the header says") {
    Planes planes = image(Content::noise, 1, 6, 7, 255, 5);
    const StreamWriter stream = encode_jpeg_ls(planes, 7, {});
    for (const std::uint32_t bits : {8U, 16U, 32U}) {
        const PixelFormat format = format_of(6, 7, 1, bits);
        CHECK(decode(stream.span(), format) == cells_of(planes, format));
    }
}

TEST_CASE("JPEG-LS: rows come while they are warm, and only those that are wanted") {
    Planes planes = image(Content::smooth, 1, 300, 400, 65535, 10);
    const StreamWriter stream = encode_jpeg_ls(planes, 400, {.precision = 16});
    const PixelFormat format = format_of(300, 400, 1, 16);
    const std::vector<std::byte> whole = cells_of(planes, format);
    DecodeRequest request{
        .syntax = jpeg_ls_syntax(), .format = format, .window = whole_image(format)};

    FewRows one{1};
    decode_frame(stream.span(), request, one);
    CHECK(one.calls == 1);
    CHECK(one.bytes.size() < whole.size() / 2);
    CHECK(std::ranges::equal(one.bytes, std::span{whole}.first(one.bytes.size())));

    request.window = {.y0 = 101, .y1 = 103, .x0 = 5, .x1 = 9};
    FewRows part{100};
    decode_frame(stream.span(), request, part);
    CHECK(part.area().window == Window{.y0 = 101, .y1 = 103, .x0 = 0, .x1 = 400});
    CHECK(std::ranges::equal(part.bytes, std::span{whole}.subspan(101 * 800, 2 * 800)));

    // What is below the window may be damaged.
    StreamWriter cut;
    for (const std::byte byte : stream.span().first(stream.size() / 2)) {
        cut.u8(std::to_integer<std::uint32_t>(byte));
    }
    cut.u16(0xFFD9);
    FewRows upper{100};
    decode_frame(cut.span(), request, upper);
    CHECK(upper.bytes == part.bytes);
}

TEST_CASE("JPEG-LS: a scan that is cut off at any byte is invalid") {
    for (const JpegLsOptions& options : {JpegLsOptions{}, JpegLsOptions{.restart_interval = 2}}) {
        const StreamWriter stream = gray(options);
        const std::size_t scan = stream.size() - 2 - 30;
        for (std::size_t size = scan; size < stream.size() - 3; ++size) {
            CAPTURE(size);
            StreamWriter cut;
            for (const std::byte byte : stream.span().first(size)) {
                cut.u8(std::to_integer<std::uint32_t>(byte));
            }
            CHECK(failure(cut.u16(0xFFD9)) == ErrorCode::invalid_codestream);
        }
    }
}

TEST_CASE("JPEG-LS: bits that are left over are damage, padding is not") {
    const StreamWriter stream = gray();
    const StreamWriter zeros = with_segment(stream, 0xFFD9, StreamWriter{}.u32(0));
    CHECK_FALSE(failure(zeros).has_value());
    const StreamWriter rest = with_segment(stream, 0xFFD9, StreamWriter{}.u32(0x00120000));
    CHECK(failure(rest) == ErrorCode::invalid_codestream);
    const StreamWriter marker = with_segment(stream, 0xFFD9, StreamWriter{}.u16(0xFFD0));
    CHECK(failure(marker) == ErrorCode::invalid_codestream);
}

TEST_CASE("JPEG-LS: codes that no encoder writes are invalid") {
    const auto scan = [](const StreamWriter& bits) {
        return StreamWriter{}
            .u16(0xFFD8)
            .segment(0xFFF7, StreamWriter{}.raw({8, 0, 6, 0, 7, 1, 1, 0x11, 0}))
            .segment(0xFFDA, StreamWriter{}.raw({1, 1, 0, 0, 0, 0}))
            .append(bits)
            .u16(0xFFD9);
    };
    StreamWriter zeros;
    for (int i = 0; i < 40; ++i) {
        zeros.u8(0);
    }
    CHECK(failure(scan(zeros)) == ErrorCode::invalid_codestream);
    CHECK(failure(scan({})) == ErrorCode::invalid_codestream);
    // A run of 4 + 2 + 1 samples that another one ends, in rows of seven.
    CHECK(failure(scan(StreamWriter{}.raw({0xFB, 0x80, 0, 0}))) == ErrorCode::invalid_codestream);
    // An escape to an error of 256, and one of more zeros than that.
    CHECK(failure(scan(StreamWriter{}.raw({0, 0, 0x01, 0xFE, 0, 0, 0x40}))) ==
          ErrorCode::invalid_codestream);
}

TEST_CASE("JPEG-LS: restart markers come in order, where they are announced") {
    const StreamWriter stream = gray({.restart_interval = 2});
    CHECK_FALSE(failure(stream).has_value());
    CHECK(failure(with_byte(stream, 0xFFD1, 1, 0xD2)) == ErrorCode::invalid_codestream);
    CHECK(failure(with_byte(stream, 0xFFDD, 5, 3)) == ErrorCode::invalid_codestream);
    CHECK(failure(with_byte(stream, 0xFFDD, 5, 1)) == ErrorCode::invalid_codestream);
    const StreamWriter plain = gray();
    for (const std::size_t size : {0U, 1U, 5U}) {
        StreamWriter number;
        for (std::size_t i = 0; i < size; ++i) {
            number.u8(0);
        }
        const StreamWriter dri = StreamWriter{}.segment(0xFFDD, number);
        CHECK(failure(with_segment(plain, 0xFFDA, dri)) == ErrorCode::invalid_codestream);
    }
    const StreamWriter none = StreamWriter{}.segment(0xFFDD, StreamWriter{}.u16(0));
    CHECK_FALSE(failure(with_segment(plain, 0xFFDA, none)).has_value());
}

TEST_CASE("JPEG-LS: what is not decoded is refused with a word on what to do") {
    const StreamWriter stream = gray();
    const auto lse = [&](std::uint32_t id) {
        const StreamWriter body = StreamWriter{}.u8(id).raw({1, 1, 0, 1, 2, 3, 4, 5, 6, 7});
        return with_segment(stream, 0xFFDA, StreamWriter{}.segment(0xFFF8, body));
    };
    for (const std::uint32_t id : {0U, 2U, 3U, 4U, 5U, 13U}) {
        CHECK(failure(lse(id)) == ErrorCode::decoder_failed);
    }
    CHECK(failure(with_byte(stream, 0xFFDA, 6, 1)) == ErrorCode::decoder_failed); // table selector
    try {
        decode(lse(2).span(), format_of(6, 7, 1, 8));
    } catch (const Error& error) {
        CHECK(error.message().find("mapping table") != std::string::npos);
        CHECK(error.message().find("convert the file") != std::string::npos);
    }
    Planes planes = image(Content::noise, 3, 6, 8, 255, 5);
    const StreamWriter colour = encode_jpeg_ls(planes, 8, {.interleave = 2});
    const PixelFormat format = format_of(6, 8, 3, 8);
    CHECK(failure(with_byte(colour, 0xFFF7, 14, 0x22).span(), format) ==
          ErrorCode::decoder_failed); // a component of another size
    // Five components, which no pixel format has.
    const StreamWriter five = with_byte(colour, 0xFFF7, 9, 5);
    CHECK(code_of([&] { static_cast<void>(read_jpeg_ls(five.span())); }) ==
          ErrorCode::decoder_failed);
}

TEST_CASE("JPEG-LS: headers that contradict themselves are invalid") {
    const StreamWriter stream = gray();
    const auto preset = [&](std::initializer_list<std::uint32_t> values) {
        StreamWriter body = StreamWriter{}.u8(1);
        for (const std::uint32_t value : values) {
            body.u16(value);
        }
        return failure(with_segment(stream, 0xFFDA, StreamWriter{}.segment(0xFFF8, body)));
    };
    CHECK_FALSE(preset({0, 0, 0, 0, 0}).has_value());
    CHECK(preset({256, 0, 0, 0, 0}) == ErrorCode::invalid_codestream);   // MAXVAL
    CHECK(preset({255, 256, 0, 0, 0}) == ErrorCode::invalid_codestream); // T1
    CHECK(preset({0, 9, 8, 0, 0}) == ErrorCode::invalid_codestream);     // T2 below T1
    CHECK(preset({0, 0, 30, 29, 0}) == ErrorCode::invalid_codestream);   // T3 below T2
    CHECK(preset({0, 0, 0, 0, 2}) == ErrorCode::invalid_codestream);     // RESET
    CHECK(preset({0, 0, 0, 0, 256}) == ErrorCode::invalid_codestream);
    CHECK(preset({0, 0, 0}) == ErrorCode::invalid_codestream);                          // cut off
    CHECK(failure(with_byte(stream, 0xFFDA, 7, 128)) == ErrorCode::invalid_codestream); // NEAR
    CHECK(failure(with_byte(stream, 0xFFDA, 9, 8)) == ErrorCode::invalid_codestream);   // Pt

    Planes planes = image(Content::noise, 3, 6, 8, 255, 5);
    const StreamWriter separate = encode_jpeg_ls(planes, 8, {});
    const PixelFormat format = format_of(6, 8, 3, 8);
    CHECK_FALSE(failure(separate.span(), format).has_value());
    CHECK(failure(with_byte(separate, 0xFFDA, 5, 2).span(), format) ==
          ErrorCode::invalid_codestream); // two scans of one component
    CHECK(failure(with_byte(separate, 0xFFF7, 13, 1).span(), format) ==
          ErrorCode::invalid_codestream); // two components with one number
    const StreamWriter together = encode_jpeg_ls(planes, 8, {.interleave = 1});
    CHECK(failure(with_byte(together, 0xFFDA, 12, 0).span(), format) ==
          ErrorCode::invalid_codestream); // three components side by side
    Planes two = image(Content::noise, 2, 6, 8, 255, 5);
    const StreamWriter missing = with_byte(encode_jpeg_ls(two, 8, {}), 0xFFF7, 9, 3);
    StreamWriter third = with_segment(missing, 0xFFDA, {});
    StreamWriter longer;
    for (std::size_t at = 0; at < third.size(); ++at) {
        if (at == 2 + 2 + 2 + 6 + 6) { // behind the second of two components
            longer.raw({9, 0x11, 0});
        }
        longer.u8(at == 5 ? 17 : std::to_integer<std::uint32_t>(third.span()[at]));
    }
    CHECK(failure(longer.span(), format) == ErrorCode::invalid_codestream); // one has no scan
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

TEST_CASE("JPEG-LS: any byte of a stream may change; nothing but an error comes of it") {
    std::mt19937 random{11};
    for (const JpegLsOptions& options :
         {JpegLsOptions{}, JpegLsOptions{.near = 3, .restart_interval = 2},
          JpegLsOptions{.t1 = 4, .reset = 3}}) {
        const StreamWriter stream = gray(options);
        for (int round = 0; round < 3000; ++round) {
            std::vector<std::byte> bytes(stream.span().begin(), stream.span().end());
            for (std::uint32_t i = 0; i <= random() % 3; ++i) {
                bytes[random() % bytes.size()] = static_cast<std::byte>(random() & 0xFFU);
            }
            const auto code = failure(bytes, format_of(6, 7, 1, 8));
            CHECK((!code || *code == ErrorCode::invalid_codestream ||
                   *code == ErrorCode::codestream_mismatch || *code == ErrorCode::decoder_failed));
        }
    }
}
