// decode/libjpeg_codec and decode/gdcm_codec on lossy JPEG: values, colours, parts of an image, and
// what is wrong with damaged frames.
#include "base/cpu.hpp"
#include "codestreams.hpp"
#include "decode/inverse_dct.hpp"
#include "decode/libjpeg_codec.hpp"
#include "decoded.hpp"
#include "flat_jpeg.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <string>
#include <vector>

using namespace torchdicom;
using test::Asked;
using test::decoded;
using test::failure_of;
using test::FlatJpeg;
using test::format_of;
using test::KeptRows;
using test::StreamWriter;

namespace {

using Bytes = std::vector<std::uint8_t>;
using Colour = std::array<int, 3>;

constexpr auto kInvalid = ErrorCode::invalid_codestream;

/// The colour of the first pixel, which all have.
Colour colour_of(const FlatJpeg& jpeg, Photometric photometric, std::string_view codec = {}) {
    PixelFormat format = format_of(jpeg.rows, jpeg.columns, 8, 3);
    format.photometric = photometric;
    KeptRows rows{format};
    test::decode_into(rows, jpeg.stream().span(), ".4.50", format, {.codec = codec});
    CHECK(rows.area.is_rgb);
    const Bytes samples = rows.samples<std::uint8_t>();
    REQUIRE(samples.size() == format.samples_per_frame());
    for (std::size_t i = 3; i < samples.size(); ++i) {
        CHECK(samples[i] == samples[i - 3]);
    }
    return {samples[0], samples[1], samples[2]};
}

bool is_near(const Colour& one, const Colour& other) {
    return std::equal(one.begin(), one.end(), other.begin(),
                      [](int a, int b) { return a - b <= 2 && b - a <= 2; });
}

/// Flat blocks of 8 rows each: 10, 20, 30 and so on.
FlatJpeg stairs(std::uint32_t rows, std::uint32_t columns = 5) {
    FlatJpeg jpeg{.blocks = {}, .rows = rows, .columns = columns};
    for (std::uint32_t i = 0; 8 * i < rows; ++i) {
        jpeg.blocks.insert(jpeg.blocks.end(), (columns + 7) / 8, {10 * (i + 1)});
    }
    return jpeg;
}

/// Rows y0 to y1 of those, each row_step-th.
Bytes stairs_rows(std::size_t y0, std::size_t y1, std::size_t columns, std::size_t row_step = 1) {
    Bytes expected;
    for (std::size_t y = y0; y < y1; y += row_step) {
        expected.insert(expected.end(), columns, static_cast<std::uint8_t>(10 * (y / 8 + 1)));
    }
    return expected;
}

/// ISO 10918-1 A.3.3, with the centre of 12 bits.
double sample_of(const std::array<std::int16_t, kBlockSize>& coefficients,
                 const std::array<std::uint16_t, kBlockSize>& steps, std::size_t x, std::size_t y) {
    const auto basis = [](std::size_t at, std::size_t frequency) {
        const double scale = frequency == 0 ? std::sqrt(0.5) : 1.0;
        return scale *
               std::cos(static_cast<double>((2 * at + 1) * frequency) * std::numbers::pi / 16);
    };
    double sum = 0;
    for (std::size_t i = 0; i < kBlockSize; ++i) {
        sum += static_cast<double>(coefficients.at(i)) * steps.at(i) * basis(x, i % 8) *
               basis(y, i / 8);
    }
    return sum / 4 + 2048;
}

} // namespace

TEST_CASE("gray JPEG of each process, through libjpeg-turbo and through GDCM") {
    for (const std::string_view codec : {"libjpeg-turbo", "gdcm"}) {
        for (const std::uint32_t sof : {0xFFC0U, 0xFFC1U, 0xFFC2U}) {
            CAPTURE(codec);
            CAPTURE(sof);
            FlatJpeg jpeg = stairs(8, 8);
            jpeg.sof = sof;
            CHECK(decoded<std::uint8_t>(jpeg.stream().span(), sof == 0xFFC0 ? ".4.50" : ".4.55",
                                        format_of(8, 8, 8), {.codec = codec}) == Bytes(64, 10));
        }
        FlatJpeg jpeg = stairs(40, 7);
        CHECK(decoded<std::uint8_t>(jpeg.stream().span(), ".4.51", format_of(40, 7, 8),
                                    {.codec = codec}) == stairs_rows(0, 40, 7));
        jpeg.restart_interval = 2;
        CHECK(decoded<std::uint8_t>(jpeg.stream().span(), ".4.53", format_of(40, 7, 8),
                                    {.codec = codec}) == stairs_rows(0, 40, 7));
    }
}

TEST_CASE("cells wider than the samples keep the values") {
    const FlatJpeg jpeg{.blocks = {{200}}};
    PixelFormat wide = format_of(8, 8, 16);
    CHECK(decoded<std::uint16_t>(jpeg.stream().span(), ".4.50", wide) ==
          std::vector<std::uint16_t>(64, 200));
    CHECK(decoded<std::uint32_t>(jpeg.stream().span(), ".4.50", format_of(8, 8, 32)) ==
          std::vector<std::uint32_t>(64, 200));
}

TEST_CASE("gray JPEG of 12 bits, through libjpeg-turbo's coefficients and through GDCM") {
    const StreamWriter flat = test::extended_jpeg_12_bits();
    for (const std::string_view codec : {"libjpeg-turbo", "gdcm"}) {
        CAPTURE(codec);
        CHECK(decoded<std::uint16_t>(flat.span(), ".4.51", format_of(8, 8, 16), {.codec = codec}) ==
              std::vector<std::uint16_t>(64, 3000));
        for (const std::uint32_t sof : {0xFFC1U, 0xFFC2U}) {
            if (sof == 0xFFC2 && codec == "gdcm") {
                continue; // where a scan is missing, GDCM smooths edges between blocks
            }
            CAPTURE(sof);
            const FlatJpeg jpeg{.blocks = {{0}, {4095}, {17}, {2048}, {3333}, {1}},
                                .rows = 19,
                                .columns = 13,
                                .precision = 12,
                                .sof = sof};
            const auto samples =
                decoded<std::uint16_t>(jpeg.stream().span(), sof == 0xFFC1 ? ".4.51" : ".4.55",
                                       format_of(19, 13, 16), {.codec = codec});
            REQUIRE(samples.size() == 19 * 13);
            const std::vector<std::size_t> expected{0, 4095, 17, 2048, 3333, 1};
            for (std::size_t i = 0; i < samples.size(); ++i) {
                CHECK(samples[i] == expected[i / 13 / 8 * 2 + i % 13 / 8]);
            }
        }
    }
    CHECK(decoded<std::uint32_t>(flat.span(), ".4.51", format_of(8, 8, 32)) ==
          std::vector<std::uint32_t>(64, 3000));
}

TEST_CASE("parts of a frame of 12 bits, which is never reduced") {
    const FlatJpeg jpeg{
        .blocks = {{100}, {200}, {300}}, .rows = 20, .columns = 3, .precision = 12, .sof = 0xFFC1};
    const PixelFormat format = format_of(20, 3, 16);
    for (const auto& [y0, y1] : {std::pair{0U, 20U}, std::pair{7U, 9U}, std::pair{19U, 20U}}) {
        KeptRows rows{format};
        test::decode_into(rows, jpeg.stream().span(), ".4.51", format,
                          {.window = Window{.y0 = y0, .y1 = y1, .x0 = 0, .x1 = 1}, .reduce = 2});
        CHECK(rows.area.reduced == 0);
        CHECK(rows.area.window == Window{.y0 = y0, .y1 = y1, .x0 = 0, .x1 = 3});
        std::vector<std::uint16_t> expected;
        for (std::size_t y = y0; y < y1; ++y) {
            expected.insert(expected.end(), 3, static_cast<std::uint16_t>(100 * (y / 8 + 1)));
        }
        CHECK(rows.samples<std::uint16_t>() == expected);
    }
    KeptRows once{format, 1};
    test::decode_into(once, jpeg.stream().span(), ".4.51", format);
    CHECK(once.calls == 1);
    CHECK(once.bytes.size() == 8 * format.bytes_per_row());
}

TEST_CASE("a damaged frame of 12 bits is told") {
    FlatJpeg jpeg{
        .blocks = {{100}, {200}, {300}}, .rows = 20, .columns = 3, .precision = 12, .sof = 0xFFC1};
    const auto failure = [&] {
        return failure_of(jpeg.stream().span(), ".4.51", format_of(20, 3, 16));
    };
    CHECK(failure() == std::nullopt);
    jpeg.cut_data = 3;
    CHECK(failure() == kInvalid);
    jpeg.cut_data = std::nullopt;
    jpeg.lacks_table = 0;
    CHECK(failure() == kInvalid);
    jpeg.lacks_table = 1;
    CHECK(failure() == kInvalid);
}

TEST_CASE("the inverse transform of 12 bits is that of the formula, within its precision") {
    std::mt19937 random{12};
    for (int round = 0; round < 200; ++round) {
        std::array<std::int16_t, kBlockSize> coefficients{};
        std::array<std::uint16_t, kBlockSize> steps{};
        for (std::size_t i = 0; i < kBlockSize; ++i) {
            steps.at(i) = static_cast<std::uint16_t>(1 + random() % 20);
            const int most = i == 0 ? 700 : round % 8 == 0 ? 0 : 12;
            coefficients.at(i) = static_cast<std::int16_t>(
                static_cast<int>(random() % (2U * static_cast<unsigned>(most) + 1)) - most);
        }
        std::array<std::uint16_t, kBlockSize> samples{};
        inverse_dct_12_bits(false)(coefficients, steps, samples);
        if (cpu_features().has_avx2) {
            std::array<std::uint16_t, kBlockSize> vectors{};
            inverse_dct_12_bits(true)(coefficients, steps, vectors);
            CHECK(vectors == samples);
        }
        for (std::size_t i = 0; i < kBlockSize; ++i) {
            const double exact = sample_of(coefficients, steps, i % 8, i / 8);
            CHECK(std::abs(samples.at(i) - std::clamp(exact, 0.0, 4095.0)) < 0.75);
        }
    }
}

TEST_CASE("the inverse transform takes whatever a damaged stream holds") {
    std::array<std::int16_t, kBlockSize> coefficients{};
    std::array<std::uint16_t, kBlockSize> steps{};
    steps.fill(65'535);
    for (const int value : {-32'768, 32'767}) {
        coefficients.fill(static_cast<std::int16_t>(value));
        std::array<std::uint16_t, kBlockSize> samples{};
        inverse_dct_12_bits(cpu_features().has_avx2)(coefficients, steps, samples);
        CHECK(*std::max_element(samples.begin(), samples.end()) <= 4095);
    }
}

TEST_CASE("what the components are: Adobe, then JFIF, then identifiers, then the header") {
    using enum Photometric;
    const std::vector<std::vector<std::uint32_t>> blocks{{100, 90, 200}};
    const Colour as_rgb{100, 90, 200};
    // PS3.3 C.7.6.3.1.2 with Cb - 128 = -38 and Cr - 128 = 72.
    const Colour as_ycc{201, 62, 33};
    struct Case {
        std::optional<std::uint32_t> adobe;
        std::optional<std::uint32_t> jfif;
        std::string_view ids;
        Photometric photometric;
        Colour expected;
    };
    const std::array cases{
        Case{{}, {}, "\1\2\3", rgb, as_rgb},          Case{{}, {}, "\1\2\3", ybr_full, as_ycc},
        Case{{}, {}, "\1\2\3", ybr_full_422, as_ycc}, Case{{}, {}, "RGB", ybr_full, as_rgb},
        Case{{}, {}, "rgb", ybr_full_422, as_rgb},    Case{{}, {}, "abc", ybr_full, as_ycc},
        Case{{}, 1, "\1\2\3", rgb, as_ycc},           Case{{}, 1, "RGB", rgb, as_ycc},
        Case{0, 1, "\1\2\3", ybr_full, as_rgb},       Case{1, {}, "RGB", rgb, as_ycc},
        Case{0, {}, "\1\2\3", ybr_full, as_rgb},      Case{1, 1, "\1\2\3", ybr_full, as_ycc},
        Case{2, {}, "RGB", ybr_full, as_rgb},         Case{7, {}, "\1\2\3", ybr_full, as_ycc},
    };
    for (const Case& one : cases) {
        const FlatJpeg jpeg{.blocks = blocks, .ids = one.ids, .adobe = one.adobe, .jfif = one.jfif};
        CAPTURE(one.adobe.value_or(99));
        CAPTURE(one.jfif.value_or(99));
        CAPTURE(one.ids);
        CAPTURE(static_cast<int>(one.photometric));
        CHECK(is_near(colour_of(jpeg, one.photometric), one.expected));
        if (one.adobe.value_or(0) <= 1) {
            CHECK(is_near(colour_of(jpeg, one.photometric, "gdcm"), one.expected));
        }
    }
}

namespace {

std::vector<std::byte> bytes_of(const FlatJpeg& jpeg) {
    const StreamWriter stream = jpeg.stream();
    return {stream.span().begin(), stream.span().end()};
}

} // namespace

TEST_CASE("segments that make GDCM end the process are libjpeg-turbo's alone") {
    const FlatJpeg jfif{.blocks = {{77}}, .jfif = 2};
    const PixelFormat gray = format_of(8, 8, 8);
    CHECK(decoded<std::uint8_t>(jfif.stream().span(), ".4.50", gray) == Bytes(64, 77));
    CHECK(failure_of(jfif.stream().span(), ".4.50", gray, {.codec = "gdcm"}) ==
          ErrorCode::unsupported_transfer_syntax);
    // A good segment behind the odd one does not make up for it.
    const FlatJpeg good{.blocks = {{77}}, .jfif = 1};
    const std::vector<std::byte> odd_bytes = bytes_of(jfif);
    std::vector<std::byte> both = bytes_of(good);
    both.insert(both.begin() + 2, odd_bytes.begin() + 2, odd_bytes.begin() + 20);
    CHECK(failure_of(both, ".4.50", gray, {.codec = "gdcm"}) ==
          ErrorCode::unsupported_transfer_syntax);
    const FlatJpeg adobe{.blocks = {{1, 2, 3}}, .adobe = 2};
    CHECK(failure_of(adobe.stream().span(), ".4.50", format_of(8, 8, 8, 3), {.codec = "gdcm"}) ==
          ErrorCode::unsupported_transfer_syntax);
}

TEST_CASE("rows of the window alone are handed on, and none after the sink has enough") {
    const StreamWriter frame = stairs(75).stream();
    const PixelFormat format = format_of(75, 5, 8);
    for (const auto& [y0, y1] : {std::pair{0U, 75U}, std::pair{0U, 1U}, std::pair{74U, 75U},
                                 std::pair{13U, 60U}, std::pair{39U, 41U}}) {
        KeptRows rows{format};
        test::decode_into(rows, frame.span(), ".4.50", format,
                          {.window = Window{.y0 = y0, .y1 = y1, .x0 = 1, .x1 = 2}});
        CHECK(rows.area.window == Window{.y0 = y0, .y1 = y1, .x0 = 0, .x1 = 5});
        CHECK(rows.samples<std::uint8_t>() == stairs_rows(y0, y1, 5));
    }
    KeptRows once{format, 1};
    test::decode_into(once, frame.span(), ".4.50", format);
    CHECK(once.calls == 1);
    CHECK(once.bytes.size() < 75 * 5);
}

TEST_CASE("rows and columns are halved up to three times") {
    const StreamWriter frame = stairs(75, 13).stream();
    const PixelFormat format = format_of(75, 13, 8);
    const std::array<std::array<std::size_t, 2>, 5> sizes{
        {{75, 13}, {38, 7}, {19, 4}, {10, 2}, {10, 2}}};
    for (std::uint32_t reduce = 0; reduce < sizes.size(); ++reduce) {
        CAPTURE(reduce);
        const std::uint32_t reduced = std::min(reduce, 3U);
        const auto& [rows, columns] = sizes.at(reduce);
        KeptRows all{format};
        test::decode_into(all, frame.span(), ".4.50", format, {.reduce = reduce});
        CHECK(all.area.reduced == reduced);
        CHECK(all.area.window == Window{.y0 = 0, .y1 = rows, .x0 = 0, .x1 = columns});
        CHECK(all.samples<std::uint8_t>() ==
              stairs_rows(0, 75, columns, std::size_t{1} << reduced));
        KeptRows part{format};
        test::decode_into(
            part, frame.span(), ".4.50", format,
            {.window = Window{.y0 = 16, .y1 = 75, .x0 = 0, .x1 = 13}, .reduce = reduce});
        CHECK(part.area.window ==
              Window{.y0 = std::size_t{16} >> reduced, .y1 = rows, .x0 = 0, .x1 = columns});
        CHECK(part.samples<std::uint8_t>() ==
              stairs_rows(16, 75, columns, std::size_t{1} << reduced));
    }
    KeptRows whole{format}; // GDCM reduces nothing, and says so
    test::decode_into(whole, frame.span(), ".4.50", format, {.reduce = 2, .codec = "gdcm"});
    CHECK(whole.area.reduced == 0);
    CHECK(whole.bytes.size() == format.bytes_per_frame());
}

TEST_CASE("a damaged lossy JPEG frame is told, and never filled up") {
    const PixelFormat format = format_of(40, 5, 8);
    const auto failure = [&](const FlatJpeg& jpeg) {
        return failure_of(jpeg.stream().span(), ".4.50", format);
    };
    FlatJpeg jpeg = stairs(40);
    CHECK(failure(jpeg) == std::nullopt);
    jpeg.cut_data = 2; // the scan ends early
    CHECK(failure(jpeg) == kInvalid);
    jpeg = stairs(40);
    jpeg.first_byte = 0xF0; // no code starts with 1111
    CHECK(failure(jpeg) == kInvalid);
    jpeg = stairs(40);
    jpeg.lacks_table = 0;
    CHECK(failure(jpeg) == kInvalid);
    jpeg.lacks_table = 1;
    CHECK(failure(jpeg) == kInvalid);
    jpeg = stairs(40);
    jpeg.restart_interval = 1;
    CHECK(failure(jpeg) == std::nullopt);
    jpeg.restart_interval = 2;
    jpeg.cut_data = 6; // the second restart marker is missing
    CHECK(failure(jpeg) == kInvalid);
}

TEST_CASE("what libjpeg-turbo says is part of the error") {
    FlatJpeg jpeg = stairs(40);
    jpeg.cut_data = 2;
    try {
        static_cast<void>(test::decoded_bytes(jpeg.stream().span(), ".4.50", format_of(40, 5, 8)));
        FAIL("the frame was decoded");
    } catch (const Error& error) {
        CHECK(error.message().find("premature end") != std::string::npos);
        CHECK(error.message().find("get the file again") != std::string::npos);
    }
}

TEST_CASE("hundreds of scans are not decoded") {
    FlatJpeg jpeg{.sof = 0xFFC2};
    jpeg.scans = 201;
    CHECK(failure_of(jpeg.stream().span(), ".4.55", format_of(8, 8, 8)) == kInvalid);
}

TEST_CASE("the version of libjpeg-turbo is three numbers") {
    const std::string version = libjpeg_version();
    CHECK(std::count(version.begin(), version.end(), '.') == 2);
    CHECK(version.find_first_not_of("0123456789.") == std::string::npos);
    CHECK(version >= "2");
}
