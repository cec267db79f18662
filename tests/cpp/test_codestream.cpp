// decode/codestream on JPEG, JPEG-LS and RLE: each malformed stream and each contradiction has its
// code.
#include "codestream_check.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>

using namespace torchdicom;
using test::check;
using test::code_of;
using test::kFormat;
using test::kInvalid;
using test::kMismatch;
using test::StreamWriter;

namespace {

struct Jpeg {
    std::uint32_t sof = 0xFFC3;
    std::uint32_t precision = 16;
    std::uint32_t rows = 4;
    std::uint32_t columns = 6;
    std::uint32_t components = 1;
    std::uint32_t sampling = 0x11;
    std::uint32_t predictor = 1; ///< JPEG-LS: NEAR
    std::uint32_t interleave = 0;
    std::uint32_t shift = 0;
    std::uint32_t scan_component = 1;

    [[nodiscard]] StreamWriter frame_header() const {
        StreamWriter body;
        body.u8(precision).u16(rows).u16(columns).u8(components);
        for (std::uint32_t i = 0; i < components; ++i) {
            body.u8(i + 1).u8(sampling).u8(0);
        }
        return StreamWriter{}.segment(sof, body);
    }
    [[nodiscard]] StreamWriter scan_header() const {
        return StreamWriter{}.segment(
            0xFFDA, StreamWriter{}.raw({1, scan_component, 0, predictor, interleave, shift}));
    }
    [[nodiscard]] StreamWriter stream() const {
        return StreamWriter{}
            .u16(0xFFD8)
            .append(frame_header())
            .append(scan_header())
            .raw({0x12, 0xFF, 0x00, 0x34}) // a stuffed FF
            .u16(0xFFD9);
    }
};

StreamWriter rle(std::uint32_t count, std::initializer_list<std::uint32_t> offsets,
                 std::size_t size) {
    StreamWriter bytes;
    bytes.u32_little(count);
    for (const std::uint32_t offset : offsets) {
        bytes.u32_little(offset);
    }
    while (bytes.size() < size) {
        bytes.u8(0);
    }
    return bytes;
}

} // namespace

TEST_CASE("whole JPEG streams pass, and their frame header is read") {
    const StreamWriter bytes = Jpeg{.precision = 12}.stream();
    const CodestreamInfo info = find_codestream(bytes.span(), Encoding::jpeg_lossless).info;
    CHECK(info.rows == 4);
    CHECK(info.columns == 6);
    CHECK(info.components == 1);
    CHECK(info.precision == 12);
    CHECK_FALSE(info.is_signed);
    CHECK(check(bytes, Encoding::jpeg_lossless) == std::nullopt);
    CHECK(check(Jpeg{.sof = 0xFFC0, .precision = 8}.stream(), Encoding::jpeg) == std::nullopt);
    CHECK(check(Jpeg{.sof = 0xFFC1, .precision = 12}.stream(), Encoding::jpeg) == std::nullopt);
    CHECK(check(Jpeg{.sof = 0xFFC2, .precision = 12}.stream(), Encoding::jpeg) == std::nullopt);
    CHECK(check(Jpeg{.sof = 0xFFF7}.stream(), Encoding::jpeg_ls) == std::nullopt);
}

TEST_CASE("padding, fill bytes, restart markers and application segments belong to JPEG") {
    const Jpeg jpeg;
    const StreamWriter bytes = StreamWriter{}
                                   .u16(0xFFD8)
                                   .segment(0xFFE0, StreamWriter{}.text("JFIF").raw({0, 1, 2}))
                                   .segment(0xFFFE, StreamWriter{}.text("comment"))
                                   .raw({0xFF, 0xFF})
                                   .append(jpeg.frame_header())
                                   .append(jpeg.scan_header())
                                   .raw({0x12, 0xFF, 0xD0, 0x34})
                                   .u16(0xFFD9)
                                   .raw({0, 0});
    const Codestream stream = find_codestream(bytes.span(), Encoding::jpeg_lossless);
    CHECK(stream.bytes.size() == bytes.size() - 2);
}

TEST_CASE("in a JPEG-LS scan FF before a byte below 80 is data, in a JPEG scan it is not") {
    const auto with_data = [](const Jpeg& jpeg) {
        return StreamWriter{}
            .u16(0xFFD8)
            .append(jpeg.frame_header())
            .append(jpeg.scan_header())
            .raw({0xFF, 0x7F})
            .u16(0xFFD9);
    };
    CHECK(check(with_data(Jpeg{.sof = 0xFFF7}), Encoding::jpeg_ls) == std::nullopt);
    CHECK(check(with_data(Jpeg{}), Encoding::jpeg_lossless) == kInvalid);
}

TEST_CASE("a JPEG stream cut anywhere is invalid") {
    for (const auto& [sof, encoding] :
         {std::pair{0xFFC3U, Encoding::jpeg_lossless}, std::pair{0xFFF7U, Encoding::jpeg_ls}}) {
        const StreamWriter bytes = Jpeg{.sof = sof}.stream();
        for (std::size_t cut = 1; cut <= bytes.size(); ++cut) {
            CAPTURE(cut);
            CHECK(check(bytes.without_last(cut), encoding) == kInvalid);
        }
    }
}

TEST_CASE("malformed JPEG marker segments") {
    const Jpeg jpeg;
    const auto after_soi = [](const StreamWriter& rest) {
        return check(StreamWriter{}.u16(0xFFD8).append(rest), Encoding::jpeg_lossless);
    };
    const StreamWriter frame = jpeg.frame_header();
    const StreamWriter scan = jpeg.scan_header();
    CHECK(check(StreamWriter{}.u16(0xFFD9).append(frame), Encoding::jpeg_lossless) == kInvalid);
    CHECK(after_soi(StreamWriter{}.u16(0x1234)) == kInvalid);                // no marker
    CHECK(after_soi(StreamWriter{}.u16(0xFFD8)) == kInvalid);                // a second SOI
    CHECK(after_soi(StreamWriter{}.u16(0xFFD3)) == kInvalid);                // a restart outside
    CHECK(after_soi(StreamWriter{}.u16(0xFF01)) == kInvalid);                // reserved
    CHECK(after_soi(StreamWriter{}.u16(0xFFDB).u16(1).u32(0)) == kInvalid);  // length below 2
    CHECK(after_soi(StreamWriter{}.u16(0xFFDB).u16(99).u32(0)) == kInvalid); // length past the end
    CHECK(after_soi(StreamWriter{}.u16(0xFFDB).u8(0)) == kInvalid);          // no whole length
    CHECK(after_soi(StreamWriter{frame}.u16(0xFFD9)) == kInvalid);           // no scan
    CHECK(after_soi(StreamWriter{scan}.append(frame).u16(0xFFD9)) == kInvalid);
    CHECK(after_soi(StreamWriter{frame}.append(frame).append(scan).u16(0xFFD9)) == kInvalid);
}

TEST_CASE("malformed JPEG frame and scan headers") {
    const auto lossless = [](const Jpeg& jpeg) {
        return check(jpeg.stream(), Encoding::jpeg_lossless);
    };
    CHECK(lossless({.rows = 0}) == kInvalid);
    CHECK(lossless({.columns = 0}) == kInvalid);
    CHECK(lossless({.components = 0}) == kInvalid);
    CHECK(lossless({.precision = 1}) == kInvalid);
    CHECK(lossless({.precision = 17}) == kInvalid);
    CHECK(lossless({.sampling = 0x01}) == kInvalid);
    CHECK(lossless({.sampling = 0x15}) == kInvalid);
    CHECK(lossless({.predictor = 0}) == kInvalid);
    CHECK(lossless({.predictor = 8}) == kInvalid);
    CHECK(lossless({.precision = 12, .shift = 12}) == kInvalid);
    CHECK(lossless({.scan_component = 2}) == kInvalid);
    CHECK(check(Jpeg{.sof = 0xFFC0, .precision = 12}.stream(), Encoding::jpeg) == kInvalid);
    CHECK(check(Jpeg{.sof = 0xFFC1, .precision = 10}.stream(), Encoding::jpeg) == kInvalid);
    CHECK(check(Jpeg{.sof = 0xFFF7, .interleave = 3}.stream(), Encoding::jpeg_ls) == kInvalid);

    const auto start = [] { return StreamWriter{}.u16(0xFFD8); };
    CHECK(check(start().segment(0xFFC3, StreamWriter{}.u32(0)), Encoding::jpeg_lossless) ==
          kInvalid);
    // Three components announced, one given.
    CHECK(check(start().segment(0xFFC3, StreamWriter{}.raw({16, 0, 4, 0, 6, 3, 1, 0x11, 0})),
                Encoding::jpeg_lossless) == kInvalid);
    CHECK(check(start().append(Jpeg{}.frame_header()).segment(0xFFDA, StreamWriter{}.u8(0)),
                Encoding::jpeg_lossless) == kInvalid);
    CHECK(check(start().append(Jpeg{}.frame_header()).segment(0xFFDA, StreamWriter{}),
                Encoding::jpeg_lossless) == kInvalid);
}

TEST_CASE("a JPEG process that the transfer syntax does not allow is a mismatch") {
    CHECK(check(Jpeg{.sof = 0xFFC0, .precision = 8}.stream(), Encoding::jpeg_lossless) ==
          kMismatch);
    CHECK(check(Jpeg{.sof = 0xFFC3}.stream(), Encoding::jpeg) == kMismatch);
    CHECK(check(Jpeg{.sof = 0xFFF7}.stream(), Encoding::jpeg_lossless) == kMismatch);
    CHECK(check(Jpeg{.sof = 0xFFC3}.stream(), Encoding::jpeg_ls) == kMismatch);
}

TEST_CASE("a JPEG process without a decoder is decoder_failed") {
    // Differential (hierarchical), then arithmetic-coded, then both.
    for (const std::uint32_t sof : {0xFFC5U, 0xFFC7U, 0xFFC9U, 0xFFCBU, 0xFFCDU, 0xFFCFU}) {
        CAPTURE(sof);
        CHECK(check(Jpeg{.sof = sof, .precision = 8}.stream(), Encoding::jpeg) ==
              ErrorCode::decoder_failed);
    }
    for (const std::uint32_t marker : {0xFFCCU, 0xFFDEU, 0xFFDFU}) { // DAC, DHP, EXP
        CAPTURE(marker);
        CHECK(check(StreamWriter{}.u16(0xFFD8).segment(marker, StreamWriter{}.u16(0)),
                    Encoding::jpeg) == ErrorCode::decoder_failed);
    }
}

TEST_CASE("a codestream that contradicts the header is a mismatch") {
    const auto lossless = [](const Jpeg& jpeg, PixelFormat format = kFormat) {
        return check(jpeg.stream(), Encoding::jpeg_lossless, format);
    };
    CHECK(lossless({.rows = 5}) == kMismatch);
    CHECK(lossless({.columns = 5}) == kMismatch);
    CHECK(lossless({.components = 3}) == kMismatch);
    PixelFormat narrow = kFormat;
    narrow.bits_allocated = 8;
    CHECK(lossless({.precision = 9}, narrow) == kMismatch);
    CHECK(lossless({.precision = 8}, narrow) == std::nullopt);
    PixelFormat few_bits = kFormat;
    few_bits.bits_stored = 10; // the codestream may have more than are stored
    few_bits.high_bit = 9;
    CHECK(lossless({.precision = 12}, few_bits) == std::nullopt);
}

TEST_CASE(
    "a codestream too narrow for HighBit has no sign, and no value, where they are looked for") {
    const auto narrow = [](const PixelFormat& format) {
        return check(Jpeg{.precision = 12}.stream(), Encoding::jpeg_lossless, format);
    };
    CHECK(narrow(kFormat) == std::nullopt); // unsigned: the bits above are zeros
    PixelFormat is_signed = kFormat;
    is_signed.is_signed = true;
    CHECK(narrow(is_signed) == kMismatch);
    PixelFormat raised = kFormat;
    raised.bits_stored = 12; // in the upper bits of the cell
    CHECK(narrow(raised) == kMismatch);
    raised.high_bit = 11;
    raised.is_signed = true;
    CHECK(narrow(raised) == std::nullopt);
}

TEST_CASE("values above HighBit are refused, signs and zeros are not") {
    const auto code = [](std::uint16_t cell, bool is_signed, bool has_own_sign = false) {
        const std::array<std::uint16_t, 2> cells{1, cell};
        PixelFormat format = kFormat;
        format.bits_stored = 12;
        format.high_bit = 11;
        format.is_signed = is_signed;
        return code_of([&] {
            check_unused_bits(std::as_bytes(std::span{cells}),
                              CodestreamInfo{.precision = 16, .is_signed = has_own_sign}, format);
        });
    };
    CHECK(code(4095, false) == std::nullopt);
    CHECK(code(5000, false) == kMismatch);
    CHECK(code(0xFFFF, false) == kMismatch);
    CHECK(code(0xFFFF, true) == std::nullopt);    // -1, extended
    CHECK(code(0x0FFF, true) == std::nullopt);    // -1, not extended
    CHECK(code(0x0FFF, true, true) == kMismatch); // 4095, where the codestream knows -1
    CHECK(code(0xFFFF, true, true) == std::nullopt);
    CHECK(code(5000, true) == kMismatch);
    CHECK(code(0xF123, true) == kMismatch); // ones above a positive value
}

TEST_CASE("the RLE header: count, order and range of the segments") {
    CHECK(check(rle(2, {64, 70}, 80), Encoding::rle) == std::nullopt);
    CHECK(check(rle(2, {64, 70}, 63), Encoding::rle) == kInvalid); // shorter than the header
    CHECK(check(rle(0, {}, 80), Encoding::rle) == kInvalid);
    CHECK(check(rle(16, {64, 70}, 80), Encoding::rle) == kInvalid);
    CHECK(check(rle(1, {64}, 80), Encoding::rle) == kMismatch); // 16 bits are two planes
    CHECK(check(rle(3, {64, 70, 75}, 80), Encoding::rle) == kMismatch);
    CHECK(check(rle(2, {65, 70}, 80), Encoding::rle) == kInvalid); // the first is not at 64
    CHECK(check(rle(2, {64, 64}, 80), Encoding::rle) == kInvalid); // an empty segment
    CHECK(check(rle(2, {64, 60}, 80), Encoding::rle) == kInvalid); // descending
    CHECK(check(rle(2, {64, 80}, 80), Encoding::rle) == kInvalid); // at the end of the frame
    CHECK(check(rle(2, {64, 0xFFFFFFFF}, 80), Encoding::rle) == kInvalid);
}

TEST_CASE("encodings without marker segments are a bug of the caller") {
    CHECK(code_of([] { static_cast<void>(find_codestream({}, Encoding::native_little)); }) ==
          ErrorCode::internal_error);
}
