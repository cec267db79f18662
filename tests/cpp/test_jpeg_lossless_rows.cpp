// decode/jpeg_lossless: which rows are decoded and handed on, by which loops, from which bytes.
#include "decode/entropy_bytes.hpp"
#include "decode/jpeg_lossless_scan.hpp"
#include "lossless_check.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

using namespace torchdicom;
using namespace torchdicom::test;
using namespace torchdicom::test::lossless;

TEST_CASE("rows below the window are not decoded, and rows above it are not handed on") {
    for (const bool is_interleaved : {true, false}) {
        const LosslessImage image = image_of(3);
        const StreamWriter whole = encoded(image, {.is_interleaved = is_interleaved});
        const PixelFormat format = format_of(3);
        const Window window{.y0 = 2, .y1 = 5, .x0 = 1, .x1 = 3};
        KeptRows rows{format};
        decode_into(rows, whole.span(), ".4.57", format, {.window = window, .codec = "torchdicom"});
        CHECK(rows.area.window == Window{.y0 = 2, .y1 = 5, .x0 = 0, .x1 = 4});
        const auto samples = rows.samples<std::uint16_t>();
        CHECK(samples.size() == std::size_t{3} * 4 * 3);
        CHECK(samples.at(0) == image.at(2, 0, 0));
        CHECK(samples.at(35) == image.at(4, 3, 2));
    }
    Parts parts{.data = StreamWriter{}.raw({0, 0, 0, 0xC0, 0, 0})}; // row 3: no code
    CHECK(decoded_bytes(parts.stream().span(), ".4.57", format_of(),
                        {.window = Window{.y0 = 1, .y1 = 3, .x1 = 4}, .codec = "torchdicom"})
              .size() == std::size_t{2} * 4 * 2);
    CHECK(failure(parts.stream()) == ErrorCode::invalid_codestream);
}

TEST_CASE("a sink that wants no more stops the decoder") {
    LosslessImage image{.rows = 1000, .columns = 100, .samples = {}};
    image.samples.assign(100'000, 77);
    const StreamWriter whole = encoded(image);
    const PixelFormat format = test::format_of(1000, 100, 16);
    KeptRows rows{format, 2};
    decode_into(rows, whole.span(), ".4.57", format, {.codec = "torchdicom"});
    CHECK(rows.calls == 2);
    CHECK(rows.bytes.size() < 200'000);
    CHECK(rows.samples<std::uint16_t>().back() == 77);
}

TEST_CASE("both kinds of loops decode every predictor and number of components") {
    for (const bool use_bmi2 : {false, cpu_features().has_bmi2}) {
        for (const bool is_dense : {false, true}) {
            for (std::size_t predictor = 1; predictor <= 7; ++predictor) {
                for (std::uint32_t components = 1; components <= 4; ++components) {
                    const LosslessImage image = image_of(components);
                    const LosslessOptions options{.predictor =
                                                      static_cast<std::uint32_t>(predictor)};
                    const StreamWriter data = LosslessEncoder{image, options}.scan(0, components);
                    const HuffmanTable first{spec_of(options.codes)};
                    const HuffmanTable other{spec_of(options.other_codes)};
                    std::vector<std::uint32_t> samples;
                    const std::size_t size = decode_lossless_scan(
                        {.rows = 6,
                         .columns = 4,
                         .precision = 16,
                         .loop = {predictor, components, is_dense, use_bmi2},
                         .tables = {&first, &other, &other, &other},
                         .bytes = data.span()},
                        6, [&](ByteSpan rows, std::size_t) {
                            for (std::size_t at = 0; at < rows.size(); at += 2) {
                                samples.push_back(
                                    load_number<std::uint16_t>(rows, at, std::endian::native));
                            }
                            return true;
                        });
                    CHECK(size == data.size());
                    CHECK(samples == image.samples);
                }
            }
        }
    }
}

TEST_CASE("bytes are unstuffed across pieces, and a scan may end without a marker") {
    constexpr std::size_t kMargin = 32;
    std::vector<std::byte> buffer(EntropyBytes::buffer_size(kMargin));
    StreamWriter scan;
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        scan.u8(0xFF).u8(0).u8(i);
        if ((i & 0xFFU) == 0xFF) {
            scan.u8(0);
        }
    }
    EntropyBytes entropy{scan.span(), buffer, kMargin};
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        entropy.prepare();
        const ByteSpan next = entropy.bytes().subspan(entropy.bit() / 8, kMargin);
        REQUIRE(std::to_integer<std::uint32_t>(next[0]) == 0xFF);
        REQUIRE(std::to_integer<std::uint32_t>(next[1]) == (i & 0xFFU));
        REQUIRE(entropy.advance(entropy.bit() + 16));
    }
    entropy.prepare();
    const ByteSpan behind = entropy.bytes().subspan(entropy.bit() / 8, kMargin);
    CHECK(std::all_of(behind.begin(), behind.end(), [](std::byte b) { return b == std::byte{0}; }));
    CHECK_FALSE(entropy.advance(entropy.bit() + 1));
    CHECK(code_of([&] { entropy.next_interval(0); }) == ErrorCode::invalid_codestream);
    CHECK(entropy.find_end() == scan.size());

    EntropyBytes nothing{ByteSpan{}, buffer, kMargin};
    nothing.prepare();
    CHECK_FALSE(nothing.advance(1));
    CHECK(nothing.find_end() == 0);
}
