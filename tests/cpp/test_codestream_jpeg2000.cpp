// decode/codestream on JPEG 2000 and its JP2 boxes: each malformed stream and each contradiction
// has its code.
#include "codestream_check.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

using namespace torchdicom;
using test::check;
using test::kFormat;
using test::kInvalid;
using test::kMismatch;
using test::StreamWriter;

namespace {

/// What COD and COC say.
struct Style {
    std::uint32_t flags = 0, layers = 1, transform = 0, levels = 5;
    std::vector<std::uint32_t> precincts{};
    std::uint32_t extra_bytes = 0;

    [[nodiscard]] StreamWriter parameters() const {
        StreamWriter body;
        body.u8(levels).u8(4).u8(4).u8(0).u8(1);
        for (const std::uint32_t size : precincts) {
            body.u8(size);
        }
        for (std::uint32_t i = 0; i < extra_bytes; ++i) {
            body.u8(0);
        }
        return body;
    }
};

StreamWriter coding_style(const Style& style) {
    StreamWriter body;
    body.u8(style.flags).u8(0).u16(style.layers).u8(style.transform).append(style.parameters());
    return StreamWriter{}.segment(0xFF52, body);
}

/// Of component 0.
StreamWriter component_style(const Style& style) {
    return StreamWriter{}.segment(0xFF53,
                                  StreamWriter{}.u8(0).u8(style.flags).append(style.parameters()));
}

struct Siz {
    std::uint32_t x_size = 6, y_size = 4, x_offset = 0, y_offset = 0;
    std::uint32_t tile_x = 6, tile_y = 4, tile_x_offset = 0, tile_y_offset = 0;
    std::uint32_t components = 1;
    std::uint32_t depth = 15, last_depth = 15; ///< precision less 1; 0x80 is the sign
    std::uint32_t step = 1;

    [[nodiscard]] StreamWriter segment() const {
        StreamWriter body;
        body.u16(0).u32(x_size).u32(y_size).u32(x_offset).u32(y_offset);
        body.u32(tile_x).u32(tile_y).u32(tile_x_offset).u32(tile_y_offset).u16(components);
        for (std::uint32_t i = 0; i < components; ++i) {
            body.u8(i + 1 < components ? depth : last_depth).u8(step).u8(step);
        }
        return StreamWriter{}.segment(0xFF51, body);
    }
    /// Up to and without COD.
    [[nodiscard]] StreamWriter size_and_comment() const {
        return StreamWriter{}.u16(0xFF4F).append(segment()).segment(
            0xFF64, StreamWriter{}.text("a comment, so that there is room for two tiles"));
    }
    [[nodiscard]] StreamWriter main_header() const {
        return size_and_comment().append(coding_style({}));
    }
};

/// SOT, SOD and two bytes of data; the length is 16.
StreamWriter tile_part(std::uint32_t tile = 0, std::uint32_t length = 16) {
    return StreamWriter{}
        .segment(0xFF90, StreamWriter{}.u16(tile).u32(length).u8(0).u8(1))
        .u16(0xFF93)
        .u16(0x1234);
}

StreamWriter j2k(const Siz& siz) {
    return StreamWriter{siz.main_header()}.append(tile_part()).u16(0xFFD9);
}

StreamWriter box(std::uint32_t length, std::string_view type) {
    return StreamWriter{}.u32(length).text(type);
}

StreamWriter jp2(const StreamWriter& boxes) {
    return box(12, "jP  ").u32(0x0D0A870A).append(boxes);
}

} // namespace

TEST_CASE("whole JPEG 2000 streams pass, raw and in JP2 boxes") {
    const StreamWriter raw = j2k({.depth = 0x8B, .last_depth = 0x8B});
    const CodestreamInfo info = find_codestream(raw.span(), Encoding::jpeg_2000).info;
    CHECK(info.rows == 4);
    CHECK(info.columns == 6);
    CHECK(info.precision == 12);
    CHECK(info.is_signed);

    const auto size = static_cast<std::uint32_t>(raw.size());
    const StreamWriter other = box(11, "ftyp").raw({1, 2, 3});
    for (const StreamWriter& header :
         {box(size + 8, "jp2c"), box(0, "jp2c"), box(1, "jp2c").u32(0).u32(size + 16)}) {
        const StreamWriter boxed = jp2(StreamWriter{other}.append(header).append(raw));
        const Codestream stream = find_codestream(boxed.span(), Encoding::jpeg_2000);
        CHECK(stream.bytes.size() == raw.size());
        CHECK(stream.info.precision == 12);
    }
}

TEST_CASE("padding after EOC, a last tile-part without length and offsets belong to JPEG 2000") {
    const Siz siz;
    const StreamWriter padded =
        StreamWriter{siz.main_header()}.append(tile_part(0, 0)).u16(0xFFD9).raw({0, 0});
    CHECK(find_codestream(padded.span(), Encoding::jpeg_2000).bytes.size() == padded.size() - 2);
    const Siz shifted{
        .x_size = 106, .y_size = 54, .x_offset = 100, .y_offset = 50, .tile_x = 110, .tile_y = 60};
    CHECK(check(j2k(shifted), Encoding::jpeg_2000) == std::nullopt);
    const StreamWriter two_tiles = StreamWriter{Siz{.tile_x = 3}.main_header()}
                                       .append(tile_part(1))
                                       .append(tile_part(0))
                                       .u16(0xFFD9);
    CHECK(check(two_tiles, Encoding::jpeg_2000) == std::nullopt);
}

TEST_CASE("a JPEG 2000 stream cut anywhere is invalid") {
    const StreamWriter bytes = j2k({});
    for (std::size_t cut = 1; cut <= bytes.size(); ++cut) {
        CAPTURE(cut);
        CHECK(check(bytes.without_last(cut), Encoding::jpeg_2000) == kInvalid);
    }
    const StreamWriter open_end =
        StreamWriter{Siz{}.main_header()}.append(tile_part(0, 0)).u16(0xFFD9);
    CHECK(check(open_end.without_last(2), Encoding::jpeg_2000) == kInvalid);
}

TEST_CASE("malformed JP2 boxes") {
    const auto boxed = [](const StreamWriter& boxes) {
        return check(jp2(boxes), Encoding::jpeg_2000);
    };
    CHECK(boxed({}) == kInvalid);                               // no codestream box
    CHECK(boxed(box(7, "ftyp")) == kInvalid);                   // shorter than its header
    CHECK(boxed(box(999, "jp2c")) == kInvalid);                 // past the end
    CHECK(boxed(box(1, "jp2c")) == kInvalid);                   // no extended length
    CHECK(boxed(box(1, "jp2c").u32(0).u32(15)) == kInvalid);    // shorter than its header
    CHECK(boxed(box(1, "jp2c").u32(~0U).u32(~0U)) == kInvalid); // would wrap
    CHECK(boxed(box(0, "ftyp").append(j2k({}))) == kInvalid);   // runs to the end
}

TEST_CASE("malformed SIZ segments") {
    const auto siz = [](const Siz& values) { return check(j2k(values), Encoding::jpeg_2000); };
    CHECK(siz({}) == std::nullopt);
    CHECK(siz({.x_size = 0}) == kInvalid);
    CHECK(siz({.x_offset = 6}) == kInvalid);
    CHECK(siz({.y_offset = 4}) == kInvalid);
    CHECK(siz({.tile_x = 0}) == kInvalid);
    CHECK(siz({.tile_y = 0}) == kInvalid);
    CHECK(siz({.tile_x_offset = 1}) == kInvalid); // beyond the image's own offset
    CHECK(siz({.x_size = 106, .x_offset = 100, .tile_x = 6}) == kInvalid); // first tile is empty
    CHECK(siz({.y_size = 104, .y_offset = 100, .tile_y = 4}) == kInvalid);
    CHECK(siz({.tile_x = 1, .tile_y = 1}) == kInvalid); // 24 tiles in 100 bytes
    CHECK(siz({.components = 0}) == kInvalid);
    CHECK(siz({.last_depth = 38}) == kInvalid);
    CHECK(siz({.step = 0}) == kInvalid);
    CHECK(check(StreamWriter{}.u16(0xFF4F).segment(0xFF51, StreamWriter{}.u32(0)),
                Encoding::jpeg_2000) == kInvalid);
    CHECK(check(StreamWriter{}.u16(0xFF4F).segment(0xFF52, StreamWriter{}.u32(0)),
                Encoding::jpeg_2000) == kInvalid);
}

TEST_CASE("malformed JPEG 2000 headers and tile-parts") {
    const StreamWriter header = Siz{}.main_header();
    const auto after_header = [&](const StreamWriter& rest) {
        return check(StreamWriter{header}.append(rest), Encoding::jpeg_2000);
    };
    const StreamWriter end = StreamWriter{}.u16(0xFFD9);
    CHECK(after_header(end) == kInvalid);                        // no tile
    CHECK(after_header(StreamWriter{}.u16(0xFF93)) == kInvalid); // data before a tile
    CHECK(after_header(Siz{}.segment()) == kInvalid);            // a second SIZ
    CHECK(after_header(StreamWriter{}.u16(0xFF52).u16(1)) == kInvalid);
    CHECK(after_header(StreamWriter{}.u16(0xFF52).u16(99)) == kInvalid);
    CHECK(after_header(tile_part(1).append(end)) == kInvalid);      // tile 1 of 1
    CHECK(after_header(tile_part(0, 13).append(end)) == kInvalid);  // shorter than SOT and SOD
    CHECK(after_header(tile_part(0, 999).append(end)) == kInvalid); // past the end
    CHECK(after_header(tile_part(0, 14).append(end)) == kInvalid);  // no marker behind it
    CHECK(after_header(StreamWriter{}.segment(0xFF90, StreamWriter{}.u32(0)).append(end)) ==
          kInvalid); // a short SOT
    CHECK(after_header(tile_part().append(StreamWriter{}.segment(0xFF64, {}).append(end))) ==
          kInvalid); // something else between tile-parts
    const StreamWriter one_of_two =
        StreamWriter{Siz{.tile_x = 3}.main_header()}.append(tile_part(0)).append(end);
    CHECK(check(one_of_two, Encoding::jpeg_2000) == kInvalid);
}

TEST_CASE("a JPEG 2000 image that no single pixel format describes is a mismatch") {
    CHECK(check(j2k({.step = 2}), Encoding::jpeg_2000) == kMismatch);
    PixelFormat colour = kFormat;
    colour.samples_per_pixel = 3;
    CHECK(check(j2k({.components = 3}), Encoding::jpeg_2000, colour) == std::nullopt);
    CHECK(check(j2k({.components = 3, .last_depth = 11}), Encoding::jpeg_2000, colour) ==
          kMismatch);
    CHECK(check(j2k({.components = 3, .last_depth = 0x8F}), Encoding::jpeg_2000, colour) ==
          kMismatch);
    CHECK(check(j2k({.components = 3}), Encoding::jpeg_2000) == kMismatch);
}

TEST_CASE(
    "a JPEG 2000 codestream may have the other sign than PixelRepresentation, but no more bits") {
    PixelFormat with_sign = kFormat;
    with_sign.is_signed = true;
    CHECK(check(j2k({}), Encoding::jpeg_2000, with_sign) == std::nullopt);
    CHECK(check(j2k({.last_depth = 0x8F}), Encoding::jpeg_2000) == std::nullopt);
    CHECK(check(j2k({.last_depth = 0x8F}), Encoding::htj2k, with_sign) == std::nullopt);
    CHECK(check(j2k({.last_depth = 0x8B}), Encoding::jpeg_2000, with_sign) == std::nullopt);
    CHECK(check(j2k({.last_depth = 16}), Encoding::jpeg_2000) == kMismatch); // 17 bits in 16
    with_sign.bits_stored = 12; // at the top of the cell, where 12 coded bits do not reach
    CHECK(check(j2k({.last_depth = 0x8B}), Encoding::htj2k, with_sign) == kMismatch);
}

namespace {

/// What `find_codestream` says of one tile under these segments of the main header and the tile's.
CodestreamInfo info_of(const StreamWriter& main, const StreamWriter& tile = {},
                       const Siz& siz = {}) {
    const auto length = static_cast<std::uint32_t>(16 + tile.size());
    const StreamWriter frame = siz.size_and_comment()
                                   .append(main)
                                   .segment(0xFF90, StreamWriter{}.u16(0).u32(length).u8(0).u8(1))
                                   .append(tile)
                                   .u16(0xFF93)
                                   .u16(0x1234)
                                   .u16(0xFFD9);
    return find_codestream(frame.span(), Encoding::htj2k).info;
}

std::optional<ErrorCode> refused(const StreamWriter& main, const StreamWriter& tile = {},
                                 const Siz& siz = {}) {
    return test::code_of([&] { static_cast<void>(info_of(main, tile, siz)); });
}

} // namespace

TEST_CASE("levels are the least that any component of any tile has") {
    const StreamWriter five = coding_style({});
    const auto both = [](const StreamWriter& one, const StreamWriter& other) {
        return StreamWriter{one}.append(other);
    };
    CHECK(info_of(five).levels == 5);
    CHECK(info_of(coding_style({.levels = 32})).levels == 32);
    CHECK(info_of(both(five, component_style({.levels = 2}))).levels == 2);
    CHECK(info_of(five, coding_style({.levels = 3})).levels == 3);
    CHECK(info_of(five, component_style({.levels = 0})).levels == 0);
    CHECK(info_of(five, component_style({.levels = 9})).levels == 5);
    // The image's corner is a sample of as many levels as 2 divides it.
    const Siz at_twelve{.x_size = 18, .x_offset = 12, .tile_x = 20};
    CHECK(info_of(five, {}, at_twelve).levels == 2);
    const Siz at_odd{.y_size = 5, .y_offset = 1, .tile_y = 9};
    CHECK(info_of(five, {}, at_odd).levels == 0);
}

TEST_CASE("a colour transform is one of three components, the same in all tiles") {
    const Siz colour{.components = 3};
    const StreamWriter with = coding_style({.transform = 1});
    CHECK(info_of(with, {}, colour).has_colour_transform);
    CHECK_FALSE(info_of(coding_style({}), {}, colour).has_colour_transform);
    CHECK_FALSE(info_of(with).has_colour_transform);
    CHECK(refused(with, coding_style({}), colour) == kMismatch);
    CHECK(refused(with, with, colour) == std::nullopt);
    CHECK(refused(with, coding_style({})) == std::nullopt); // gray has no colours to transform
}

TEST_CASE("extensions of Part 2 are refused by name, HTJ2K and a stray bit in Rsiz are not") {
    const StreamWriter style = coding_style({});
    const auto capabilities = [&](std::uint32_t parts) {
        return refused(
            StreamWriter{}.segment(0xFF50, StreamWriter{}.u32(parts).u16(0)).append(style));
    };
    CHECK(capabilities(0x00020000) == std::nullopt); // Part 15
    CHECK(capabilities(0x40000000) == ErrorCode::decoder_failed);
    CHECK(refused(StreamWriter{}.segment(0xFF50, StreamWriter{}.u16(0)).append(style)) == kInvalid);
    for (std::uint32_t marker = 0xFF72; marker <= 0xFF79; ++marker) {
        const StreamWriter segment = StreamWriter{}.segment(marker, StreamWriter{}.u32(0));
        CHECK(refused(StreamWriter{style}.append(segment)) == ErrorCode::decoder_failed);
        CHECK(refused(style, segment) == ErrorCode::decoder_failed);
    }
    CHECK(refused(coding_style({.transform = 2})) == ErrorCode::decoder_failed);
    StreamWriter with_bit = j2k({});
    std::vector<std::byte> bytes(with_bit.span().begin(), with_bit.span().end());
    bytes[6] = std::byte{0xFE}; // Rsiz
    CHECK(check(ByteSpan{bytes}, Encoding::jpeg_2000) == std::nullopt);
}

TEST_CASE("malformed coding styles") {
    const StreamWriter style = coding_style({});
    CHECK(refused({}) == kInvalid);        // none
    CHECK(refused({}, style) == kInvalid); // only in the tile
    CHECK(refused(coding_style({.extra_bytes = 1})) == kInvalid);
    CHECK(refused(coding_style({.levels = 33})) == kInvalid);
    CHECK(refused(coding_style({.flags = 1})) == kInvalid); // precincts of no size
    CHECK(refused(coding_style({.flags = 1, .levels = 1, .precincts = {0x77, 0x88}})) ==
          std::nullopt);
    CHECK(refused(StreamWriter{}.segment(0xFF52, StreamWriter{}.u32(0))) == kInvalid);
    CHECK(refused(StreamWriter{}.segment(0xFF52, StreamWriter{}.u32(0).u8(0))) == kInvalid);
    CHECK(refused(StreamWriter{style}.segment(0xFF53, StreamWriter{}.u8(0))) == kInvalid);
    CHECK(refused(StreamWriter{style}.segment(0xFF53, StreamWriter{}.u16(0))) == kInvalid);
    CHECK(refused(style, StreamWriter{}.u16(0xFF52).u16(99)) == kInvalid); // past the tile-part
    CHECK(refused(style, StreamWriter{}.u16(0xFF90).u16(2)) == kInvalid);
    // One component index is two bytes from 257 components on.
    const Siz many{.components = 257};
    const StreamWriter wide = StreamWriter{}.segment(
        0xFF53, StreamWriter{}.u16(0).u8(0).append(Style{.levels = 1}.parameters()));
    CHECK(info_of(StreamWriter{style}.append(wide), {}, many).levels == 1);
}

TEST_CASE("a few bytes that announce many packets are invalid") {
    // 1024 x 1024 precincts of one pixel, and 65,535 layers of six.
    const Siz large{.x_size = 1024, .y_size = 1024, .tile_x = 1024, .tile_y = 1024};
    const Style pixels{.flags = 1, .levels = 0, .precincts = {0x00}};
    CHECK(refused(coding_style(pixels), {}, large) == kInvalid);
    CHECK(refused(coding_style({.layers = 65535}), {}, large) == kInvalid);
    CHECK(refused(coding_style({}), component_style(pixels), large) == kInvalid);
    CHECK(refused(coding_style({.layers = 10000}), {}, large) == std::nullopt);
}

TEST_CASE("bytes that cannot be in HT data are found before a decoder trips over them") {
    // One tile-part of four bytes, in the style that the flags and the block style make.
    const auto verdict = [](std::uint32_t flags, std::uint32_t blocks,
                            std::initializer_list<std::uint32_t> data) {
        StreamWriter style;
        style.u8(flags).u8(0).u16(1).u8(0).u8(0).u8(4).u8(4).u8(blocks).u8(1);
        const auto length = static_cast<std::uint32_t>(14 + data.size());
        const StreamWriter frame =
            Siz{}
                .size_and_comment()
                .segment(0xFF52, style)
                .segment(0xFF90, StreamWriter{}.u16(0).u32(length).u8(0).u8(1))
                .u16(0xFF93)
                .raw(data)
                .u16(0xFFD9);
        return check(frame, Encoding::htj2k);
    };
    constexpr std::uint32_t kHt = 0x40;
    CHECK(verdict(0, kHt, {0xFF, 0x8F, 0x00, 0xFF}) == std::nullopt);
    CHECK(verdict(0, kHt, {}) == std::nullopt);
    CHECK(verdict(0, kHt, {0x01, 0xFF, 0x90, 0x00}) == kInvalid);
    CHECK(verdict(0, kHt, {0x01, 0x02, 0xFF, 0xFF}) == kInvalid);
    CHECK(verdict(0, 0, {0x01, 0x02, 0xFF, 0xFF}) == std::nullopt); // Part 1 decoders take it
    CHECK(verdict(0, kHt, {0xFF, 0x91, 0x00, 0x04, 0xFF, 0xFF, 0x01}) == kInvalid);
    CHECK(verdict(2, kHt, {0xFF, 0x91, 0x00, 0x04, 0xFF, 0xFF, 0x01}) == std::nullopt); // SOP
    CHECK(verdict(2, kHt, {0xFF, 0x91, 0x00, 0x05, 0x00, 0x00, 0x01}) == kInvalid);
    CHECK(verdict(0, kHt, {0xFF, 0x92, 0x01}) == kInvalid);
    CHECK(verdict(4, kHt, {0xFF, 0x92, 0x01}) == std::nullopt); // EPH
    CHECK(verdict(6, kHt, {0xFF, 0x93, 0x01}) == kInvalid);
}
