// decode/jpeg_ls: what is damaged, and what is refused.
#include "decode/jpeg_ls_header.hpp"
#include "jpeg_ls_check.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace torchdicom;
using namespace torchdicom::test;

namespace {

/// A small gray stream of 8 bits, for damage.
StreamWriter gray(const JpegLsOptions& options = {}) {
    Planes planes = image(Content::noise, 1, 6, 7, (1 << options.precision) - 1, 5);
    return encode_jpeg_ls(planes, 7, options);
}

std::optional<ErrorCode> failure(const StreamWriter& frame) {
    return test::failure(frame.span(), format_of(6, 7, 8, 1));
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

} // namespace

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
        decode(lse(2).span(), format_of(6, 7, 8, 1));
    } catch (const Error& error) {
        CHECK(error.message().find("mapping table") != std::string::npos);
        CHECK(error.message().find("convert the file") != std::string::npos);
    }
    Planes planes = image(Content::noise, 3, 6, 8, 255, 5);
    const StreamWriter colour = encode_jpeg_ls(planes, 8, {.interleave = 2});
    const PixelFormat format = format_of(6, 8, 8, 3);
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
    const PixelFormat format = format_of(6, 8, 8, 3);
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
            const auto code = failure(bytes, format_of(6, 7, 8, 1));
            CHECK((!code || *code == ErrorCode::invalid_codestream ||
                   *code == ErrorCode::codestream_mismatch || *code == ErrorCode::decoder_failed));
        }
    }
}
