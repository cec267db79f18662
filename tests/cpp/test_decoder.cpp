// decode/decoder: real codestreams give their samples, damaged ones an error, and no row
// comes that was not announced.
#include "codestreams.hpp"
#include "decode/gdcm_codec.hpp"
#include "decoded.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace torchdicom;
using test::as_signed;
using test::code_of;
using test::format_of;
using test::StreamWriter;
using test::syntax_of;

namespace {

constexpr PixelFormat kImageFormat{
    .rows = 4, .columns = 4, .bits_allocated = 16, .bits_stored = 16, .high_bit = 15};

/// 7 + 4000 * i, but for the ends of the range at 9 and 14.
std::vector<std::uint16_t> image() {
    return {7,     4007,  8007,  12007, 16007, 20007, 24007, 28007,
            32007, 65535, 40007, 44007, 48007, 52007, 0,     60007};
}

/// The decoded samples.
template <typename Sample = std::uint16_t>
std::vector<Sample> decode(ByteSpan frame, std::string_view syntax,
                           const PixelFormat& format = kImageFormat) {
    return test::decoded<Sample>(frame, syntax, format);
}

std::optional<ErrorCode> failure(ByteSpan frame, std::string_view syntax,
                                 const PixelFormat& format = kImageFormat) {
    return test::failure_of(frame, syntax, format);
}

} // namespace

TEST_CASE("lossless codestreams give the image bit for bit") {
    CHECK(decode(test::lossless_jpeg().span(), ".4.70") == image());
    CHECK(decode(test::lossless_jpeg().span(), ".4.57") == image());
    CHECK(decode(test::jpeg_ls().span(), ".4.80") == image());
    CHECK(decode(test::jpeg_ls().span(), ".4.81") == image());
    CHECK(decode(test::jpeg_2000().span(), ".4.90") == image());
    CHECK(decode(test::jpeg_2000().span(), ".4.91") == image());
}

TEST_CASE("a byte of padding behind the codestream changes nothing") {
    CHECK(decode(test::lossless_jpeg().u8(0).span(), ".4.70") == image());
    CHECK(decode(test::jpeg_ls().u8(0).span(), ".4.80") == image());
    CHECK(decode(test::jpeg_2000().u8(0).span(), ".4.90") == image());
}

TEST_CASE("samples of fewer bits than BitsAllocated are widened, signed ones by their sign") {
    const StreamWriter ten_bits = test::lossless_jpeg_10_bits();
    std::vector<std::uint16_t> shifted = image();
    for (std::uint16_t& value : shifted) {
        value = static_cast<std::uint16_t>(value >> 6U);
    }
    CHECK(decode(ten_bits.span(), ".4.70") == shifted);
    CHECK(decode<std::uint32_t>(ten_bits.span(), ".4.70", format_of(4, 4, 32)) ==
          std::vector<std::uint32_t>(shifted.begin(), shifted.end()));

    const StreamWriter signed_bytes = test::signed_jpeg_2000();
    CHECK(decode<std::int8_t>(signed_bytes.span(), ".4.90", as_signed(format_of(2, 2, 8))) ==
          std::vector<std::int8_t>{-128, -1, 0, 127});
    CHECK(decode<std::int16_t>(signed_bytes.span(), ".4.90", as_signed(format_of(2, 2, 16))) ==
          std::vector<std::int16_t>{-128, -1, 0, 127});
    CHECK(decode<std::int32_t>(signed_bytes.span(), ".4.90", as_signed(format_of(2, 2, 32))) ==
          std::vector<std::int32_t>{-128, -1, 0, 127});
}

TEST_CASE("baseline and 12-bit extended JPEG of a flat image give its value") {
    CHECK(decode<std::uint8_t>(test::baseline_jpeg().span(), ".4.50", format_of(8, 8, 8)) ==
          std::vector<std::uint8_t>(64, 200));
    CHECK(decode(test::baseline_jpeg().span(), ".4.51", format_of(8, 8, 16)) ==
          std::vector<std::uint16_t>(64, 200));
    CHECK(decode(test::extended_jpeg_12_bits().span(), ".4.51", format_of(8, 8, 16)) ==
          std::vector<std::uint16_t>(64, 3000));
}

TEST_CASE("a codestream that GDCM refuses is decoder_failed") {
    // The marker segments are whole; the JPEG-LS samples end early.
    const StreamWriter whole = test::jpeg_ls();
    const std::size_t end = whole.size() - 30;
    StreamWriter shortened;
    for (const std::byte byte : whole.span().first(end)) {
        shortened.u8(std::to_integer<std::uint32_t>(byte));
    }
    shortened.u16(0xFFD9);
    CHECK(test::failure_of(shortened.span(), ".4.80", kImageFormat, {.codec = "gdcm"}) ==
          ErrorCode::decoder_failed);
}

TEST_CASE("the codestream is checked before any library sees it") {
    CHECK(failure(test::jpeg_ls().span(), ".4.80", format_of(4, 5, 16)) ==
          ErrorCode::codestream_mismatch);
    CHECK(failure(test::jpeg_2000().without_last(3), ".4.90") == ErrorCode::invalid_codestream);
    CHECK(failure(test::jpeg_ls().span(), ".4.70") == ErrorCode::codestream_mismatch);
}

TEST_CASE("a few bytes that ask for a giant frame are a decompression bomb") {
    const PixelFormat giant = format_of(8192, 8192, 16);
    const std::vector<std::byte> codestream(100'000);
    for (const std::string_view syntax : {".5", ".4.80"}) {
        CHECK(failure(codestream, syntax, giant) == ErrorCode::limit_ratio);
    }
}

TEST_CASE("a syntax without a decoder is named, with what to do") {
    const auto message = [](std::string_view syntax) -> std::string {
        try {
            require_decodable(syntax_of(syntax), syntax);
        } catch (const Error& error) {
            CHECK(error.code() == ErrorCode::unsupported_transfer_syntax);
            CHECK(error.place().element == "(0002,0010) TransferSyntaxUID");
            return error.message();
        }
        return "";
    };
    CHECK(message(".4.102").find("H.264") != std::string::npos);
    CHECK(message(".4.102").find("video library") != std::string::npos);
    CHECK(message(".4.103").find("BD-compatible") != std::string::npos);
    CHECK(message(".4.107").find("HEVC") != std::string::npos);
    CHECK(message(".4.94").find("server") != std::string::npos);
    CHECK(message(".4.90").empty());
    CHECK(failure({}, ".4.107") == ErrorCode::unsupported_transfer_syntax);
}

TEST_CASE("a frame whose size GDCM would wrap is refused") {
    const PixelFormat huge = format_of(32'768, 32'768, 16); // 2 GiB
    const StreamWriter frame =
        StreamWriter{}
            .u16(0xFFD8)
            .segment(0xFFC3, StreamWriter{}.raw({16, 0x80, 0, 0x80, 0, 1, 1, 0x11, 0}))
            .segment(0xFFDA, StreamWriter{}.raw({1, 1, 0, 1, 0, 0}))
            .u16(0xFFD9);
    CHECK(code_of([&] {
              test::KeptRows rows{huge};
              decode_with_gdcm(find_codestream(frame.span(), Encoding::jpeg_lossless),
                               {.syntax = syntax_of(".4.70"), .format = huge}, rows);
          }) == ErrorCode::limit_output_bytes);
}

TEST_CASE("native syntaxes are bugs of the caller") {
    CHECK(failure(test::jpeg_ls().span(), ".1") == ErrorCode::internal_error);
    CHECK(failure(test::jpeg_ls().span(), ".2") == ErrorCode::internal_error);
}

TEST_CASE("threads decode side by side") {
    std::vector<std::thread> threads;
    std::vector<std::vector<std::uint16_t>> results(4);
    for (std::vector<std::uint16_t>& result : results) {
        threads.emplace_back([&result] {
            for (int i = 0; i < 20; ++i) {
                result = decode(test::jpeg_2000().span(), ".4.90");
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (const std::vector<std::uint16_t>& result : results) {
        CHECK(result == image());
    }
}

TEST_CASE("the codec table has a row for every transfer syntax") {
    const std::vector<CodecRow> rows = codec_table();
    REQUIRE(rows.size() == transfer_syntaxes().size());
    const auto library = [&](std::string_view uid) {
        return std::find_if(rows.begin(), rows.end(),
                            [uid](const CodecRow& row) { return row.uid == uid; })
            ->library;
    };
    CHECK(library("1.2.840.10008.1.2.1") == "torchdicom");
    CHECK(library("1.2.840.10008.1.2.1.99") == "libdeflate + torchdicom");
    CHECK(library("1.2.840.10008.1.2.5") == "torchdicom");
    CHECK(library("1.2.840.10008.1.2.8.1") == "libdeflate");
    CHECK(library("1.2.840.10008.1.2.4.51") == "libjpeg-turbo");
    CHECK(library("1.2.840.10008.1.2.4.102").empty());
    CHECK(library("1.2.840.10008.1.2.4.90") == "OpenJPEG");
    CHECK(library("1.2.840.10008.1.2.4.201") == "OpenJPEG");
    CHECK(library("1.2.840.10008.1.2.4.110") == "libjxl");
    CHECK(library("1.2.840.10008.1.2.4.100").empty());
    CHECK_FALSE(gdcm_version().empty());
}

TEST_CASE("the table of transfer syntaxes is in the order of its UIDs, each once") {
    const auto numbers = [](std::string_view uid) {
        std::vector<unsigned> parts{0};
        for (const char character : uid) {
            if (character == '.') {
                parts.push_back(0);
            } else {
                parts.back() = parts.back() * 10 + static_cast<unsigned>(character - '0');
            }
        }
        return parts;
    };
    const auto rows = transfer_syntaxes();
    for (std::size_t i = 1; i < rows.size(); ++i) {
        CAPTURE(rows[i].uid);
        CHECK(numbers(rows[i - 1].uid) < numbers(rows[i].uid));
    }
    CHECK(syntax_of(".4.70").encoding == Encoding::jpeg_lossless);
    CHECK(syntax_of(".1.99").is_deflated);
    CHECK(syntax_of(".4.81").is_lossy);
    CHECK_FALSE(syntax_of(".2").is_encapsulated());
    CHECK(syntax_of(".1.98").is_encapsulated());
    CHECK_FALSE(find_transfer_syntax("1.2.840.10008.1.2.4.99").has_value());
    CHECK_FALSE(find_transfer_syntax("").has_value());
}
