// JPEG 2000 and HTJ2K: values, signs, colours, resolution levels, regions and damage.
#include "codestreams_jpeg2000.hpp"
#include "decode/openjpeg_codec.hpp"
#include "decoded_image.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

using namespace torchdicom;
using test::as_colour;
using test::as_signed;
using test::decoded_image;
using test::failure_of;
using test::format_of;
using test::Pixels;
using test::smooth;
using test::StreamWriter;

namespace {

PixelFormat twelve_bits(std::uint32_t rows, std::uint32_t columns) {
    PixelFormat format = format_of(rows, columns, 16);
    format.bits_stored = 12;
    format.high_bit = 11;
    return format;
}

const PixelFormat kSmooth = twelve_bits(33, 21);
const PixelFormat kFiveLevels = twelve_bits(33, 37);

/// Low bands, clipped to the 12 bits of the codestream.
Pixels reduced(Pixels image, std::uint32_t times) {
    for (std::uint32_t i = 0; i < times; ++i) {
        image = test::halved(image);
    }
    for (std::int64_t& value : image.values) {
        value = std::clamp<std::int64_t>(value, 0, 4095);
    }
    return image;
}

std::int64_t largest_difference(const Pixels& one, const Pixels& other) {
    REQUIRE(one.values.size() == other.values.size());
    std::int64_t largest = 0;
    for (std::size_t i = 0; i < one.values.size(); ++i) {
        largest = std::max(largest, std::abs(one.values[i] - other.values[i]));
    }
    return largest;
}

} // namespace

TEST_CASE("lossless gray comes out as it went in, of tiles, layers, offsets, boxes and HT blocks") {
    CHECK(decoded_image(test::j2k::gray_5_levels(), ".4.90", kFiveLevels).image == smooth(33, 37));
    CHECK(decoded_image(test::j2k::gray_tiles(), ".4.91", kSmooth).image == smooth(33, 21));
    CHECK(decoded_image(test::j2k::gray_layers(), ".4.92", kSmooth).image == smooth(33, 21));
    CHECK(decoded_image(test::j2k::gray_offset(), ".4.93", twelve_bits(9, 10)).image ==
          smooth(9, 10));
    CHECK(decoded_image(test::j2k::gray_jp2(), ".4.90", twelve_bits(6, 5)).image == smooth(6, 5));
    for (const char* const syntax : {".4.201", ".4.202", ".4.203", ".4.90"}) {
        CHECK(decoded_image(test::j2k::ht_gray(), syntax, format_of(33, 21, 16)).image ==
              smooth(33, 21));
    }
    CHECK(decoded_image(test::j2k::gray_5_levels(), ".4.201", kFiveLevels).image == smooth(33, 37));
}

TEST_CASE("samples of 1 to 20 bits fill cells of 8 to 32") {
    const Pixels bits = test::image_of(
        6, 7, [](std::int64_t y, std::int64_t x) { return std::int64_t{(y + x) % 3 == 0}; });
    CHECK(decoded_image(test::j2k::one_bit(), ".4.90", format_of(6, 7, 1)).image == bits);
    CHECK(decoded_image(test::j2k::one_bit(), ".4.90", format_of(6, 7, 16)).image == bits);
    CHECK(decoded_image(test::j2k::unsigned_20_bits(), ".4.90", format_of(2, 2, 32)).image.values ==
          std::vector<std::int64_t>{0, 1048575, 524288, 77777});
    CHECK(decoded_image(test::j2k::gray_5_levels(), ".4.90", format_of(33, 37, 32)).image ==
          smooth(33, 37));
    CHECK(failure_of(test::j2k::unsigned_20_bits().span(), ".4.90", format_of(2, 2, 16)) ==
          ErrorCode::codestream_mismatch);
}

TEST_CASE("the bits are the codestream's, the sign is PixelRepresentation's") {
    const std::vector<std::int64_t> with_sign{-32768, -1, 0, 1, 2, 32767};
    const std::vector<std::int64_t> without{32768, 65535, 0, 1, 2, 32767};
    const auto values = [](const StreamWriter& frame, PixelFormat format) {
        return decoded_image(frame, ".4.90", format).image.values;
    };
    CHECK(values(test::j2k::signed_16_bits(), as_signed(format_of(2, 3, 16))) == with_sign);
    CHECK(values(test::j2k::signed_16_bits(), format_of(2, 3, 16)) == without);
    CHECK(values(test::j2k::signed_16_bits(), format_of(2, 3, 32)) == without);

    const std::vector<std::int64_t> extended{-2000, 0, 4095, -4096, -1, 1};
    const std::vector<std::int64_t> plain{6192, 0, 4095, 4096, 8191, 1};
    for (const std::uint32_t bits_stored : {13U, 16U}) {
        PixelFormat format = as_signed(format_of(2, 3, 16));
        format.bits_stored = bits_stored;
        format.high_bit = bits_stored - 1;
        CHECK(values(test::j2k::unsigned_13_bits(), format) == extended);
        CHECK(values(test::j2k::signed_13_bits(), format) == extended);
        format.is_signed = false;
        CHECK(values(test::j2k::unsigned_13_bits(), format) == plain);
        CHECK(values(test::j2k::signed_13_bits(), format) == plain);
    }
}

TEST_CASE("values that BitsStored would cut off are refused, whichever sign they were coded with") {
    PixelFormat narrow = format_of(2, 3, 16);
    narrow.bits_stored = 12;
    narrow.high_bit = 11;
    for (const bool is_signed : {false, true}) {
        narrow.is_signed = is_signed;
        CHECK(failure_of(test::j2k::unsigned_13_bits().span(), ".4.90", narrow) ==
              ErrorCode::codestream_mismatch);
        CHECK(failure_of(test::j2k::signed_13_bits().span(), ".4.90", narrow) ==
              ErrorCode::codestream_mismatch);
    }
}

TEST_CASE("colours: a transform is undone, and YBR_FULL without one is left to the caller") {
    const Pixels expected = test::colours(8, 10);
    const auto check = [&](const StreamWriter& frame, std::string_view syntax,
                           Photometric photometric, bool is_rgb) {
        const auto rows = decoded_image(frame, syntax, as_colour(format_of(8, 10, 8), photometric));
        CHECK(rows.image == expected);
        CHECK(rows.area.is_rgb == is_rgb);
    };
    check(test::j2k::rgb_transformed(), ".4.90", Photometric::ybr_rct, true);
    check(test::j2k::rgb_transformed(), ".4.90", Photometric::rgb, true);
    check(test::j2k::rgb_transformed(), ".4.90", Photometric::ybr_full, true);
    check(test::j2k::rgb_plain(), ".4.90", Photometric::rgb, true);
    check(test::j2k::rgb_plain(), ".4.91", Photometric::ybr_ict, true);
    check(test::j2k::rgb_plain(), ".4.90", Photometric::ybr_full, false);
    check(test::j2k::rgb_plain(), ".4.90", Photometric::ybr_full_422, false);
    check(test::j2k::ht_rgb(), ".4.201", Photometric::ybr_rct, true);
    CHECK_FALSE(decoded_image(test::j2k::gray_5_levels(), ".4.90", kFiveLevels).area.is_rgb);
}

TEST_CASE("lossy streams stay near the image") {
    // The largest differences that OpenJPEG 2.5.4 has on these two.
    CHECK(largest_difference(decoded_image(test::j2k::gray_lossy(), ".4.91", kSmooth).image,
                             smooth(33, 21)) <= 15);
    CHECK(largest_difference(
              decoded_image(test::j2k::ht_lossy(), ".4.203", format_of(33, 21, 16)).image,
              smooth(33, 21)) <= 26);
}

TEST_CASE("reduce decodes resolution levels, down to the smallest of the stream") {
    for (std::uint32_t reduce = 0; reduce <= 8; ++reduce) {
        CAPTURE(reduce);
        const auto five =
            decoded_image(test::j2k::gray_5_levels(), ".4.90", kFiveLevels, {.reduce = reduce});
        CHECK(five.area.reduced == std::min(reduce, 5U));
        CHECK(five.image == reduced(smooth(33, 37), std::min(reduce, 5U)));
        CHECK(five.area.window.rows() == five.image.rows);

        const auto layered =
            decoded_image(test::j2k::gray_layers(), ".4.90", kSmooth, {.reduce = reduce});
        CHECK(layered.area.reduced == std::min(reduce, 3U));
        CHECK(layered.image == reduced(smooth(33, 21), std::min(reduce, 3U)));

        const auto fast = decoded_image(test::j2k::ht_gray(), ".4.201", format_of(33, 21, 16),
                                        {.reduce = reduce});
        CHECK(fast.area.reduced == std::min(reduce, 4U));
        CHECK(fast.image == reduced(smooth(33, 21), std::min(reduce, 4U)));
    }
    const auto none =
        decoded_image(test::j2k::one_bit(), ".4.90", format_of(6, 7, 1), {.reduce = 3});
    CHECK(none.area.reduced == 0);
    CHECK(none.image.rows == 6);
}

TEST_CASE("an image that starts between samples of a level is halved no further than that") {
    // At (4, 2) of the grid a second halving would start at (2, 1) and give other sizes.
    const auto rows =
        decoded_image(test::j2k::gray_offset(), ".4.90", twelve_bits(9, 10), {.reduce = 3});
    CHECK(rows.area.reduced == 1);
    CHECK(rows.image == reduced(smooth(9, 10), 1));
}

TEST_CASE("colours are reduced plane by plane") {
    const auto rows =
        decoded_image(test::j2k::rgb_plain(), ".4.90",
                      as_colour(format_of(8, 10, 8), Photometric::rgb), {.reduce = 4});
    CHECK(rows.area.reduced == 1);
    const Pixels all = test::colours(8, 10);
    for (std::size_t c = 0; c < 3; ++c) {
        const auto plane = [c](const Pixels& image) {
            return test::image_of(image.rows, image.columns / 3,
                                  [&](std::int64_t y, std::int64_t x) {
                                      return image.at(static_cast<std::size_t>(y),
                                                      3 * static_cast<std::size_t>(x) + c);
                                  });
        };
        Pixels expected = test::halved(plane(all));
        for (std::int64_t& value : expected.values) {
            value = std::clamp<std::int64_t>(value, 0, 255);
        }
        CHECK(plane(rows.image) == expected);
    }
}

TEST_CASE("a region is the crop of the whole, at every resolution, in every kind of stream") {
    const auto check = [](const StreamWriter& frame, std::string_view syntax,
                          const PixelFormat& format, std::uint32_t reduce) {
        const auto whole = decoded_image(frame, syntax, format, {.reduce = reduce});
        const std::size_t step = std::size_t{1} << reduce;
        const std::size_t samples = format.samples_per_pixel;
        for (const Window& window :
             {Window{0, step, 0, step}, Window{step, format.rows, 0, format.columns},
              Window{0, format.rows, step, format.columns}, Window{step, 2 * step, step, 2 * step},
              Window{0, step, 0, format.columns}}) {
            CAPTURE(frame.size());
            CAPTURE(reduce);
            CAPTURE(window.y0);
            CAPTURE(window.x0);
            const auto part =
                decoded_image(frame, syntax, format, {.window = window, .reduce = reduce});
            const Window& area = part.area.window;
            const std::uint32_t left = part.area.reduced;
            CHECK(left == whole.area.reduced);
            const std::size_t up = (std::size_t{1} << left) - 1;
            CHECK(area.y0 <= window.y0 >> left);
            CHECK(area.x0 <= window.x0 >> left);
            CHECK(area.y1 >= (window.y1 + up) >> left);
            CHECK(area.x1 >= (window.x1 + up) >> left);
            CHECK(part.image ==
                  whole.image.crop(area.y0, area.y1, area.x0 * samples, area.x1 * samples));
        }
    };
    for (std::uint32_t reduce = 0; reduce <= 2; ++reduce) {
        check(test::j2k::gray_5_levels(), ".4.90", kFiveLevels, reduce);
        check(test::j2k::gray_tiles(), ".4.90", kSmooth, reduce);
        check(test::j2k::gray_lossy(), ".4.91", kSmooth, reduce);
        check(test::j2k::gray_offset(), ".4.90", twelve_bits(9, 10), reduce);
        check(test::j2k::ht_gray(), ".4.201", format_of(33, 21, 16), reduce);
        check(test::j2k::ht_lossy(), ".4.203", format_of(33, 21, 16), reduce);
        check(test::j2k::rgb_transformed(), ".4.90",
              as_colour(format_of(8, 10, 8), Photometric::rgb), reduce);
    }
}

TEST_CASE("a sink that has enough gets no more rows") {
    const PixelFormat format = format_of(256, 256, 32); // four times what is handed over at once
    const StreamWriter frame = test::j2k::flat();
    const auto rows = decoded_image(frame, ".4.90", format, {}, 3);
    CHECK(rows.puts == 3);
    CHECK(rows.image.values == std::vector<std::int64_t>(3 * 64 * 256, 7));
    CHECK(decoded_image(frame, ".4.90", format).puts == 4);
}

TEST_CASE("a JPEG 2000 stream that is cut off is an error, wherever it is cut") {
    for (const StreamWriter& frame : {test::j2k::gray_layers(), test::j2k::ht_gray()}) {
        for (std::size_t left = 1; left < frame.size(); ++left) {
            CAPTURE(left);
            CHECK(failure_of(frame.span().first(left), ".4.90", format_of(33, 21, 16)) ==
                  ErrorCode::invalid_codestream);
        }
    }
}

TEST_CASE("a whole stream whose data break off is an error of the decoder, which says why") {
    // The tile-part says that it ends 100 bytes earlier, and there it does.
    const StreamWriter whole = test::j2k::gray_5_levels();
    StreamWriter cut;
    const ByteSpan bytes = whole.span();
    std::size_t sot = 0;
    while (bytes[sot] != std::byte{0xFF} || bytes[sot + 1] != std::byte{0x90}) {
        ++sot;
    }
    const auto psot = load_number<std::uint32_t>(bytes, sot + 6, std::endian::big);
    for (std::size_t i = 0; i < bytes.size() - 102; ++i) {
        if (i == sot + 6) {
            cut.u32(psot - 100);
            i += 3;
        } else {
            cut.u8(std::to_integer<std::uint32_t>(bytes[i]));
        }
    }
    cut.u16(0xFFD9);
    CHECK(failure_of(cut.span(), ".4.90", kFiveLevels) == ErrorCode::decoder_failed);
    try {
        static_cast<void>(decoded_image(cut, ".4.90", kFiveLevels));
        FAIL("decoded");
    } catch (const Error& error) {
        CHECK(error.message().starts_with("OpenJPEG could not decode this frame ("));
        CHECK(error.message().find("gives no reason") == std::string::npos);
        CHECK(error.message().find('\n') == std::string::npos);
    }
}

TEST_CASE("GDCM decodes the same on request, but not with another sign than the header's") {
    CHECK(
        decoded_image(test::j2k::gray_5_levels(), ".4.90", kFiveLevels, {.codec = "gdcm"}).image ==
        smooth(33, 37));
    const auto code = test::code_of([] {
        static_cast<void>(decoded_image(test::j2k::signed_16_bits(), ".4.90", format_of(2, 3, 16),
                                        {.codec = "gdcm"}));
    });
    CHECK(code == ErrorCode::unsupported_transfer_syntax);
}

TEST_CASE("OpenJPEG says which it is") { CHECK(openjpeg_version().starts_with("2.")); }
