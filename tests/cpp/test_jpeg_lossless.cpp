// decode/jpeg_lossless: what the standard says of every choice of an encoder, by hand-checked
// streams, by an encoder of the tests' own and by GDCM.
#include "decoded.hpp"
#include "lossless_encoder.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <vector>

using namespace torchdicom;
using test::code_of;
using test::LosslessImage;
using test::LosslessOptions;
using test::StreamWriter;

namespace {

PixelFormat format_of(const LosslessImage& image, std::uint32_t bits) {
    return test::format_of(image.rows, image.columns, bits, image.components);
}

template <typename Cell>
std::vector<std::uint32_t> decode_as(ByteSpan frame, const PixelFormat& format,
                                     std::string_view codec) {
    const auto cells = test::decoded<Cell>(frame, ".4.57", format, {.codec = codec});
    return {cells.begin(), cells.end()};
}

std::vector<std::uint32_t> decode(ByteSpan frame, const PixelFormat& format,
                                  std::string_view codec = "torchdicom") {
    switch (format.bytes_per_sample()) {
    case 1:
        return decode_as<std::uint8_t>(frame, format, codec);
    case 2:
        return decode_as<std::uint16_t>(frame, format, codec);
    default:
        return decode_as<std::uint32_t>(frame, format, codec);
    }
}

/// Noise on a slope, and the ends of the range side by side, so that every category is there.
LosslessImage noisy(std::uint32_t rows, std::uint32_t columns, std::uint32_t components,
                    std::uint32_t precision) {
    LosslessImage image{
        .rows = rows, .columns = columns, .components = components, .precision = precision};
    std::mt19937 random{rows * 31 + columns * 7 + components + precision};
    const std::uint32_t mask = (1U << precision) - 1;
    for (std::uint32_t i = 0; i < rows * columns * components; ++i) {
        const auto noise = static_cast<std::uint32_t>(random()) >> (random() % 32);
        image.samples.push_back(i % 7 == 3 ? (i % 2) * mask : (i * 3 + noise) & mask);
    }
    return image;
}

/// What is left of the samples after a point transform.
std::vector<std::uint32_t> shifted(const LosslessImage& image, std::uint32_t shift) {
    std::vector<std::uint32_t> samples = image.samples;
    for (std::uint32_t& sample : samples) {
        sample = sample >> shift << shift;
    }
    return samples;
}

StreamWriter encoded(const LosslessImage& image, const LosslessOptions& options = {}) {
    return test::LosslessEncoder{image, options}.stream();
}

std::uint32_t cell_bits(const LosslessImage& image) { return image.precision <= 8 ? 8 : 16; }

/// 8 bits, 1 x 3, predictor 1.
StreamWriter small_stream(const StreamWriter& table, const StreamWriter& scan) {
    return StreamWriter{}
        .u16(0xFFD8)
        .segment(0xFFC3, StreamWriter{}.raw({8, 0, 1, 0, 3, 1, 1, 0x11, 0}))
        .segment(0xFFC4, table)
        .segment(0xFFDA, StreamWriter{}.raw({1, 1, 0, 1, 0, 0}))
        .append(scan)
        .u16(0xFFD9);
}

} // namespace

TEST_CASE("a stream worked out by hand: predictor 1, a stuffed byte") {
    // Codes 00, 01 and 10 of the categories 0, 1 and 2. The prediction 2^7, then from the left:
    // differences 0, +1 and -2 are 00, 01 1 and 10 01, and seven ones fill up: 1C FF, stuffed.
    const StreamWriter table =
        StreamWriter{}.raw({0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2});
    const StreamWriter stream = small_stream(table, StreamWriter{}.raw({0x1C, 0xFF, 0x00}));
    CHECK(decode(stream.span(), format_of({.rows = 1, .columns = 3}, 8)) ==
          std::vector<std::uint32_t>{128, 129, 127});
}

TEST_CASE("a stream worked out by hand: predictor 4 of 16 bits, a difference of 32768") {
    // Codes 00, 01 and 10 of the categories 0, 3 and 16. 32768 + 32768 is 0 modulo 2^16: 10. Then
    // +5 and, from above, +7: 01 101 and 01 111. The last is 7 + 5 - 0, which 12 is: 00, and 11.
    const StreamWriter stream =
        StreamWriter{}
            .u16(0xFFD8)
            .segment(0xFFC3, StreamWriter{}.raw({16, 0, 2, 0, 2, 1, 7, 0x11, 0}))
            .segment(0xFFC4, StreamWriter{}.raw(
                                 {0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 16}))
            .segment(0xFFDA, StreamWriter{}.raw({1, 7, 0, 4, 0, 0}))
            .raw({0x9A, 0xF3})
            .u16(0xFFD9);
    CHECK(decode(stream.span(), format_of({.rows = 2, .columns = 2}, 16)) ==
          std::vector<std::uint32_t>{0, 5, 7, 12});
}

TEST_CASE("every predictor, precision and point transform gives the image bit for bit") {
    for (std::uint32_t predictor = 1; predictor <= 7; ++predictor) {
        for (std::uint32_t precision = 2; precision <= 16; ++precision) {
            for (const std::uint32_t shift : {0U, 1U, precision - 1}) {
                CAPTURE(predictor);
                CAPTURE(precision);
                CAPTURE(shift);
                const LosslessImage image = noisy(6, 11, 1, precision);
                const StreamWriter stream =
                    encoded(image, {.predictor = predictor, .shift = shift});
                CHECK(decode(stream.span(), format_of(image, cell_bits(image))) ==
                      shifted(image, shift));
            }
        }
    }
}

TEST_CASE("one to four components, interleaved or in scans of their own") {
    for (std::uint32_t components = 1; components <= 4; ++components) {
        for (std::uint32_t predictor = 1; predictor <= 7; ++predictor) {
            for (const bool is_interleaved : {true, false}) {
                for (const std::uint32_t precision : {8U, 16U}) {
                    CAPTURE(components);
                    CAPTURE(predictor);
                    CAPTURE(is_interleaved);
                    const LosslessImage image = noisy(5, 9, components, precision);
                    const StreamWriter stream = encoded(image, {.predictor = predictor,
                                                                .shift = 2,
                                                                .restart_rows = 2,
                                                                .is_interleaved = is_interleaved});
                    CHECK(decode(stream.span(), format_of(image, precision)) == shifted(image, 2));
                }
            }
        }
    }
}

TEST_CASE("rows of any length, restart intervals of any number of rows") {
    for (const std::uint32_t columns : {1U, 2U, 3U, 4U, 5U, 63U, 64U, 1000U}) {
        for (const std::uint32_t restart_rows : {0U, 1U, 3U, 20U, 21U}) {
            CAPTURE(columns);
            CAPTURE(restart_rows);
            const LosslessImage image = noisy(20, columns, 1, 16); // up to RST7 and RST0 again
            const StreamWriter stream =
                encoded(image, {.predictor = 7, .restart_rows = restart_rows});
            CHECK(decode(stream.span(), format_of(image, 16)) == image.samples);
        }
    }
}

TEST_CASE("more data than any buffer, more of it in a row than on average") {
    for (const std::uint32_t components : {1U, 4U}) {
        const LosslessImage image = noisy(3, 40'000, components, 16);
        const StreamWriter stream = encoded(
            image,
            {.predictor = 6, .codes = test::long_codes(), .other_codes = test::even_codes()});
        CHECK(decode(stream.span(), format_of(image, 16)) == image.samples);
    }
    const LosslessImage image = noisy(300, 300, 1, 12);
    CHECK(decode(encoded(image, {.predictor = 5}).span(), format_of(image, 16)) == image.samples);
}

TEST_CASE("GDCM gives the same") {
    for (std::uint32_t predictor = 1; predictor <= 7; ++predictor) {
        for (const std::uint32_t precision : {8U, 12U, 16U}) {
            for (const std::uint32_t restart_rows : {0U, 2U}) {
                CAPTURE(predictor);
                CAPTURE(precision);
                CAPTURE(restart_rows);
                const LosslessImage image = noisy(7, 13, 1, precision);
                const StreamWriter stream =
                    encoded(image, {.predictor = predictor, .restart_rows = restart_rows});
                const PixelFormat format = format_of(image, cell_bits(image));
                CHECK(decode(stream.span(), format, "gdcm") == decode(stream.span(), format));
            }
        }
    }
}

TEST_CASE("cells wider than the precision hold the samples as they are, without a sign") {
    const LosslessImage image = noisy(4, 5, 3, 8);
    const StreamWriter stream = encoded(image);
    for (const std::uint32_t bits : {8U, 12U, 16U, 32U}) {
        CHECK(decode(stream.span(), format_of(image, bits)) == image.samples);
    }
    const LosslessImage wide = noisy(4, 5, 1, 16);
    PixelFormat is_signed = format_of(wide, 32);
    is_signed.is_signed = true;
    is_signed.bits_stored = 16;
    is_signed.high_bit = 15;
    CHECK(decode(encoded(wide).span(), is_signed) == wide.samples);
}

TEST_CASE("the codec table takes it before GDCM, and GDCM by name") {
    const auto reads = [](const Codec& codec) {
        return codec.reads(find_transfer_syntax("1.2.840.10008.1.2.4.70").value());
    };
    std::vector<std::string_view> names;
    for (const Codec& codec : all_codecs()) {
        if (reads(codec)) {
            names.push_back(codec.name);
        }
    }
    CHECK(names == std::vector<std::string_view>{"torchdicom", "gdcm"});
}
