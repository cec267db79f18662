// JPEG XL: the header check, exact integers of any depth, colours, and damage.
#include "codestream_check.hpp"
#include "codestreams_jpegxl.hpp"
#include "decode/libjxl_codec.hpp"
#include "decoded_image.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

using namespace torchdicom;
using test::check;
using test::colour_named;
using test::decoded;
using test::format_named;
using test::Pixels;
using test::refusal;
using test::StreamWriter;

namespace {

/// 0, 1, 2 ...
Pixels counted(std::size_t rows, std::size_t columns) {
    return test::image_of(rows, columns, [columns](std::int64_t y, std::int64_t x) {
        return y * static_cast<std::int64_t>(columns) + x;
    });
}

PixelFormat with_bits(PixelFormat format, std::uint32_t bits_stored, bool is_signed = false) {
    format.bits_stored = bits_stored;
    format.high_bit = bits_stored - 1;
    format.is_signed = is_signed;
    return format;
}

} // namespace

TEST_CASE("lossless JPEG XL gives each number as it was coded") {
    CHECK(decoded(test::jxl::gray_8_bits(), ".110", format_named(16, 16, 8)).image ==
          counted(16, 16));
    CHECK(decoded(test::jxl::gray_8_bits(), ".110", format_named(16, 16, 16)).image ==
          counted(16, 16));
    CHECK(
        decoded(test::jxl::gray_12_bits(), ".110", with_bits(format_named(64, 64, 16), 12)).image ==
        counted(64, 64));
    CHECK(decoded(test::jxl::gray_12_bits(), ".112", format_named(64, 64, 32)).image ==
          counted(64, 64));
    CHECK(decoded(test::jxl::gray_16_bits(), ".110", format_named(256, 256, 16)).image ==
          counted(256, 256));
    CHECK(decoded(test::jxl::gray_16_bits(), ".110", format_named(256, 256, 32)).image ==
          counted(256, 256));
    const Pixels container = test::image_of(5, 6, [](std::int64_t y, std::int64_t x) {
        return (100 + 37 * y + 11 * x + (x * y) % 5) / 2;
    });
    CHECK(decoded(test::jxl::gray_container(), ".110", format_named(5, 6, 8)).image == container);
}

TEST_CASE("colours of JPEG XL are RGB") {
    const auto rows =
        decoded(test::jxl::rgb_8_bits(), ".110", colour_named(8, 10, Photometric::rgb));
    CHECK(rows.image == test::colours(8, 10));
    CHECK(rows.area.is_rgb);
    CHECK_FALSE(decoded(test::jxl::gray_8_bits(), ".110", format_named(16, 16, 8)).area.is_rgb);
}

TEST_CASE("signed samples are two's complement bits, which need all bits up to the sign") {
    const Pixels image =
        decoded(test::jxl::gray_8_bits(), ".110", format_named(16, 16, 8, true)).image;
    for (std::int64_t i = 0; i < 256; ++i) {
        CHECK(image.values.at(static_cast<std::size_t>(i)) == (i < 128 ? i : i - 256));
    }
    // The cell has no bit of the sign; the rescale puts it where HighBit says.
    const PixelFormat twelve = with_bits(format_named(64, 64, 16), 12, true);
    CHECK(decoded(test::jxl::gray_12_bits(), ".110", twelve).image == counted(64, 64));
    CHECK(refusal(test::jxl::gray_12_bits().span(), ".110", format_named(64, 64, 16, true)) ==
          ErrorCode::codestream_mismatch);
}

TEST_CASE("lossy JPEG XL and recompressed JPEG stay near the image") {
    const Pixels image = decoded(test::jxl::gray_lossy(), ".112", format_named(16, 16, 8)).image;
    const Pixels original = test::smooth(16, 16);
    for (std::size_t i = 0; i < image.values.size(); ++i) {
        CHECK(std::abs(image.values[i] - original.values[i] / 8) <= 3);
    }
    const Pixels flat = decoded(test::jxl::from_jpeg(), ".111", format_named(8, 8, 8)).image;
    CHECK(flat.values == std::vector<std::int64_t>(64, 200));
    const auto colour =
        decoded(test::jxl::from_rgb_jpeg(), ".111", colour_named(8, 8, Photometric::ybr_full_422));
    CHECK(colour.area.is_rgb);
    for (std::size_t i = 0; i < colour.image.values.size(); ++i) {
        const std::int64_t expected = i % 3 == 0 ? 200 : i % 3 == 1 ? 100 : 50;
        CHECK(std::abs(colour.image.values[i] - expected) <= 2);
    }
}

TEST_CASE("reduce and region are left to the caller") {
    const auto rows = decoded(test::jxl::gray_8_bits(), ".110", format_named(16, 16, 8), 2,
                              Window{.y0 = 4, .y1 = 8, .x0 = 8, .x1 = 12});
    CHECK(rows.area.reduced == 0);
    CHECK(rows.area.window == Window{.y0 = 0, .y1 = 16, .x0 = 0, .x1 = 16});
}

TEST_CASE("a sink that has enough gets no more rows of JPEG XL") {
    const PixelFormat format = format_named(256, 256, 32); // four times what is handed over at once
    test::CollectedRows rows{format};
    rows.most_puts = 2;
    const StreamWriter frame = test::jxl::gray_16_bits();
    decode_frame(
        frame.span(),
        {.syntax = test::syntax_named(".110"), .format = format, .window = whole_image(format)},
        rows);
    CHECK(rows.all.puts == 2);
    CHECK(rows.all.image.values.size() == 2 * 64 * 256);
}

TEST_CASE("JPEG XL that the header contradicts is a mismatch") {
    const auto verdict = [](const StreamWriter& frame, const PixelFormat& format) {
        return check(frame.span(), Encoding::jpeg_xl, format);
    };
    CHECK(verdict(test::jxl::gray_8_bits(), format_named(16, 16, 8)) == std::nullopt);
    CHECK(verdict(test::jxl::gray_8_bits(), format_named(16, 15, 8)) == test::kMismatch);
    CHECK(verdict(test::jxl::gray_8_bits(), format_named(17, 16, 8)) == test::kMismatch);
    CHECK(verdict(test::jxl::gray_8_bits(), colour_named(16, 16, Photometric::rgb)) ==
          test::kMismatch);
    CHECK(verdict(test::jxl::rgb_8_bits(), format_named(8, 10, 8)) == test::kMismatch);
    CHECK(verdict(test::jxl::gray_12_bits(), format_named(64, 64, 8)) == test::kMismatch);
    CHECK(refusal(test::jxl::gray_12_bits().span(), ".110",
                  with_bits(format_named(64, 64, 16), 11)) == test::kMismatch);
}

TEST_CASE("JPEG XL that has no place in DICOM is not decoded") {
    CHECK(check(test::jxl::gray_with_alpha().span(), Encoding::jpeg_xl, format_named(16, 16, 8)) ==
          ErrorCode::decoder_failed);
    CHECK(check(test::jxl::gray_float().span(), Encoding::jpeg_xl, format_named(2, 2, 32)) ==
          ErrorCode::decoder_failed);
    CHECK(check(test::jxl::animation().span(), Encoding::jpeg_xl, format_named(4, 4, 8)) ==
          ErrorCode::decoder_failed);
}

TEST_CASE("JPEG XL that is cut off or something else is invalid") {
    for (const StreamWriter& frame :
         {test::jxl::gray_8_bits(), test::jxl::gray_lossy(), test::jxl::gray_container()}) {
        const bool is_container = frame.span()[0] == std::byte{0};
        const PixelFormat format = is_container ? format_named(5, 6, 8) : format_named(16, 16, 8);
        CHECK(refusal(frame.span(), ".110", format) == std::nullopt);
        for (std::size_t left = 0; left + 1 < frame.size(); ++left) {
            CAPTURE(left);
            CHECK(refusal(frame.span().first(left), ".110", format) ==
                  ErrorCode::invalid_codestream);
        }
    }
    CHECK(check(StreamWriter{}.u32(0xFFD8FFC3), Encoding::jpeg_xl) == test::kInvalid);
}

TEST_CASE("padding behind JPEG XL changes nothing") {
    CHECK(decoded(test::jxl::gray_8_bits().u8(0), ".110", format_named(16, 16, 8)).image ==
          counted(16, 16));
}

TEST_CASE("damaged JPEG XL is an error or an image, never more") {
    const StreamWriter frame = test::jxl::rgb_8_bits();
    std::size_t failed = 0;
    std::size_t without_header = 0;
    for (std::size_t at = 0; at < frame.size(); ++at) {
        StreamWriter damaged;
        for (std::size_t i = 0; i < frame.size(); ++i) {
            const auto byte = std::to_integer<std::uint32_t>(frame.span()[i]);
            damaged.u8(i == at ? byte ^ 0x55U : byte);
        }
        if (refusal(damaged.span(), ".110", colour_named(8, 10, Photometric::rgb))) {
            ++failed;
        }
        if (check(damaged.span(), Encoding::jpeg_xl) == test::kInvalid) {
            ++without_header;
        }
    }
    CHECK(without_header > 2);
    CHECK(failed > frame.size() / 2); // its entropy coder has an end state to arrive at
}

TEST_CASE("libjxl says which it is") { CHECK(libjxl_version().find('.') != std::string::npos); }
