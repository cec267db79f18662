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
using test::as_colour;
using test::as_signed;
using test::check;
using test::decoded_image;
using test::failure_of;
using test::format_of;
using test::Pixels;
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
    CHECK(decoded_image(test::jxl::gray_8_bits(), ".4.110", format_of(16, 16, 8)).image ==
          counted(16, 16));
    CHECK(decoded_image(test::jxl::gray_8_bits(), ".4.110", format_of(16, 16, 16)).image ==
          counted(16, 16));
    CHECK(decoded_image(test::jxl::gray_12_bits(), ".4.110", with_bits(format_of(64, 64, 16), 12))
              .image == counted(64, 64));
    CHECK(decoded_image(test::jxl::gray_12_bits(), ".4.112", format_of(64, 64, 32)).image ==
          counted(64, 64));
    CHECK(decoded_image(test::jxl::gray_16_bits(), ".4.110", format_of(256, 256, 16)).image ==
          counted(256, 256));
    CHECK(decoded_image(test::jxl::gray_16_bits(), ".4.110", format_of(256, 256, 32)).image ==
          counted(256, 256));
    const Pixels container = test::image_of(5, 6, [](std::int64_t y, std::int64_t x) {
        return (100 + 37 * y + 11 * x + (x * y) % 5) / 2;
    });
    CHECK(decoded_image(test::jxl::gray_container(), ".4.110", format_of(5, 6, 8)).image ==
          container);
}

TEST_CASE("colours of JPEG XL are RGB") {
    const auto rows = decoded_image(test::jxl::rgb_8_bits(), ".4.110",
                                    as_colour(format_of(8, 10, 8), Photometric::rgb));
    CHECK(rows.image == test::colours(8, 10));
    CHECK(rows.area.is_rgb);
    CHECK_FALSE(
        decoded_image(test::jxl::gray_8_bits(), ".4.110", format_of(16, 16, 8)).area.is_rgb);
}

TEST_CASE("signed samples are two's complement bits, which need all bits up to the sign") {
    const Pixels image =
        decoded_image(test::jxl::gray_8_bits(), ".4.110", as_signed(format_of(16, 16, 8))).image;
    for (std::int64_t i = 0; i < 256; ++i) {
        CHECK(image.values.at(static_cast<std::size_t>(i)) == (i < 128 ? i : i - 256));
    }
    // The cell has no bit of the sign; the rescale puts it where HighBit says.
    const PixelFormat twelve = with_bits(format_of(64, 64, 16), 12, true);
    CHECK(decoded_image(test::jxl::gray_12_bits(), ".4.110", twelve).image == counted(64, 64));
    CHECK(failure_of(test::jxl::gray_12_bits().span(), ".4.110",
                     as_signed(format_of(64, 64, 16))) == ErrorCode::codestream_mismatch);
}

TEST_CASE("lossy JPEG XL and recompressed JPEG stay near the image") {
    const Pixels image =
        decoded_image(test::jxl::gray_lossy(), ".4.112", format_of(16, 16, 8)).image;
    const Pixels original = test::smooth(16, 16);
    for (std::size_t i = 0; i < image.values.size(); ++i) {
        CHECK(std::abs(image.values[i] - original.values[i] / 8) <= 3);
    }
    const Pixels flat = decoded_image(test::jxl::from_jpeg(), ".4.111", format_of(8, 8, 8)).image;
    CHECK(flat.values == std::vector<std::int64_t>(64, 200));
    const auto colour = decoded_image(test::jxl::from_rgb_jpeg(), ".4.111",
                                      as_colour(format_of(8, 8, 8), Photometric::ybr_full_422));
    CHECK(colour.area.is_rgb);
    for (std::size_t i = 0; i < colour.image.values.size(); ++i) {
        const std::int64_t expected = i % 3 == 0 ? 200 : i % 3 == 1 ? 100 : 50;
        CHECK(std::abs(colour.image.values[i] - expected) <= 2);
    }
}

TEST_CASE("reduce and region are left to the caller") {
    const auto rows =
        decoded_image(test::jxl::gray_8_bits(), ".4.110", format_of(16, 16, 8),
                      {.window = Window{.y0 = 4, .y1 = 8, .x0 = 8, .x1 = 12}, .reduce = 2});
    CHECK(rows.area.reduced == 0);
    CHECK(rows.area.window == Window{.y0 = 0, .y1 = 16, .x0 = 0, .x1 = 16});
}

TEST_CASE("a sink that has enough gets no more rows of JPEG XL") {
    const PixelFormat format = format_of(256, 256, 32); // four times what is handed over at once
    const auto rows = decoded_image(test::jxl::gray_16_bits(), ".4.110", format, {}, 2);
    CHECK(rows.puts == 2);
    CHECK(rows.image.values.size() == 2 * 64 * 256);
}

TEST_CASE("JPEG XL that the header contradicts is a mismatch") {
    const auto verdict = [](const StreamWriter& frame, const PixelFormat& format) {
        return check(frame.span(), Encoding::jpeg_xl, format);
    };
    CHECK(verdict(test::jxl::gray_8_bits(), format_of(16, 16, 8)) == std::nullopt);
    CHECK(verdict(test::jxl::gray_8_bits(), format_of(16, 15, 8)) == test::kMismatch);
    CHECK(verdict(test::jxl::gray_8_bits(), format_of(17, 16, 8)) == test::kMismatch);
    CHECK(verdict(test::jxl::gray_8_bits(), as_colour(format_of(16, 16, 8), Photometric::rgb)) ==
          test::kMismatch);
    CHECK(verdict(test::jxl::rgb_8_bits(), format_of(8, 10, 8)) == test::kMismatch);
    CHECK(verdict(test::jxl::gray_12_bits(), format_of(64, 64, 8)) == test::kMismatch);
    CHECK(failure_of(test::jxl::gray_12_bits().span(), ".4.110",
                     with_bits(format_of(64, 64, 16), 11)) == test::kMismatch);
}

TEST_CASE("JPEG XL that has no place in DICOM is not decoded") {
    CHECK(check(test::jxl::gray_with_alpha().span(), Encoding::jpeg_xl, format_of(16, 16, 8)) ==
          ErrorCode::decoder_failed);
    CHECK(check(test::jxl::gray_float().span(), Encoding::jpeg_xl, format_of(2, 2, 32)) ==
          ErrorCode::decoder_failed);
    CHECK(check(test::jxl::animation().span(), Encoding::jpeg_xl, format_of(4, 4, 8)) ==
          ErrorCode::decoder_failed);
}

TEST_CASE("JPEG XL that is cut off or something else is invalid") {
    for (const StreamWriter& frame :
         {test::jxl::gray_8_bits(), test::jxl::gray_lossy(), test::jxl::gray_container()}) {
        const bool is_container = frame.span()[0] == std::byte{0};
        const PixelFormat format = is_container ? format_of(5, 6, 8) : format_of(16, 16, 8);
        CHECK(failure_of(frame.span(), ".4.110", format) == std::nullopt);
        for (std::size_t left = 0; left + 1 < frame.size(); ++left) {
            CAPTURE(left);
            CHECK(failure_of(frame.span().first(left), ".4.110", format) ==
                  ErrorCode::invalid_codestream);
        }
    }
    CHECK(check(StreamWriter{}.u32(0xFFD8FFC3), Encoding::jpeg_xl) == test::kInvalid);
}

TEST_CASE("padding behind JPEG XL changes nothing") {
    CHECK(decoded_image(test::jxl::gray_8_bits().u8(0), ".4.110", format_of(16, 16, 8)).image ==
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
        if (failure_of(damaged.span(), ".4.110",
                       as_colour(format_of(8, 10, 8), Photometric::rgb))) {
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
