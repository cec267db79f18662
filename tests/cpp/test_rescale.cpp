// rescale/rescale: the converter gives the bytes of one slow definition, past the caches or not,
// and names what does not fit.
#include "rescale/rescale.hpp"
#include "rescale_reference.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

using namespace torchdicom;
using test::Bytes;
using test::code_of;
using test::Expected;
using test::gray_format;

namespace {

/// The message of the value_overflow that converting these cells throws, "" for none.
std::string overflow_of(const PixelFormat& format, const Rescale& rescale, DType dtype,
                        const std::vector<std::uint32_t>& cells) {
    Bytes input;
    for (const std::uint32_t cell : cells) {
        test::append_cell(input, cell, format);
    }
    Bytes output(cells.size() * size_of(dtype));
    try {
        Converter{format, rescale, dtype}.convert(input, output, false);
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::value_overflow);
        return error.message();
    }
    return "";
}

} // namespace

TEST_CASE("the converter gives them too, streaming or not") {
    test::for_all([](const PixelFormat& format, const Rescale& rescale, DType dtype) {
        const Expected expected = test::expect(format, rescale, dtype);
        for (const bool stream : {false, true}) {
            Bytes output(expected.output.size());
            Converter{format, rescale, dtype}.convert(expected.cells, output, stream);
            CHECK(output == expected.output);
        }
    });
}

TEST_CASE("streaming gives the same for odd sizes and outputs that are off the line") {
    const PixelFormat format = gray_format(16, 12, 11, false);
    for (const DType dtype : {DType::uint8, DType::int16, DType::float32, DType::float64}) {
        for (const std::size_t count : {0U, 1U, 15U, 17U, 2047U, 2048U, 2049U, 5001U}) {
            for (const std::size_t shift : {0U, 1U, 3U, 7U}) {
                CAPTURE(static_cast<int>(dtype));
                CAPTURE(count);
                CAPTURE(shift);
                Bytes cells(count * 2);
                for (std::size_t i = 0; i < count; ++i) {
                    cells[2 * i] = static_cast<std::byte>(i % 256);
                }
                const std::size_t size = count * size_of(dtype);
                const std::size_t at = shift * size_of(dtype);
                Bytes plain(size);
                Bytes streamed(size + at + 64, std::byte{0xA5});
                const Converter converter{format, {}, dtype};
                converter.convert(cells, plain, false);
                converter.convert(cells, MutableByteSpan{streamed}.subspan(at, size), true);
                const ByteSpan middle = ByteSpan{streamed}.subspan(at, size);
                CHECK(std::equal(middle.begin(), middle.end(), plain.begin(), plain.end()));
                streamed.erase(streamed.begin() + static_cast<std::ptrdiff_t>(at),
                               streamed.begin() + static_cast<std::ptrdiff_t>(at + size));
                CHECK(streamed == Bytes(at + 64, std::byte{0xA5})); // nothing around it
            }
        }
    }
}

TEST_CASE("a value that does not fit an integer dtype is named, the first of them") {
    const PixelFormat u16 = gray_format(16, 16, 15, false);
    const PixelFormat s16 = gray_format(16, 16, 15, true);
    const PixelFormat u32 = gray_format(32, 32, 31, false);
    const auto text = [](const std::string& value) {
        return "The value " + value + " does not fit the dtype";
    };
    CHECK(overflow_of(u16, {}, DType::uint8, {255, 256, 300}) == text("256"));
    CHECK(overflow_of(u16, {}, DType::uint8, {0, 255}) == "");
    CHECK(overflow_of(s16, {}, DType::uint16, {0xFFFF}) == text("-1"));
    CHECK(overflow_of(u16, {}, DType::int16, {32'767, 32'768}) == text("32768"));
    CHECK(overflow_of(s16, {1, -1024}, DType::int8, {1024, 895}) == text("-129"));
    CHECK(overflow_of(u32, {}, DType::int32, {0x7FFF'FFFF, 0x8000'0000}) == text("2147483648"));
    CHECK(overflow_of(u32, {-1, 0}, DType::int32, {0x8000'0000, 0x8000'0001}) ==
          text("-2147483649"));
    CHECK(overflow_of(u32, {1e10, 0}, DType::int64, {1, 0xFFFF'FFFF}) ==
          text("4.2949672950000001e+19"));
    CHECK(overflow_of(u32, {0x1p32, 0}, DType::int64, {0x7FFF'FFFF, 0x8000'0000}) ==
          text("9.2233720368547758e+18"));
    CHECK(overflow_of(u32, {-0x1p32, 0}, DType::int64, {0x8000'0000}) == "");
    std::vector<std::uint32_t> cells(5000, 1);
    cells[4321] = 777;
    CHECK(overflow_of(u16, {}, DType::uint8, cells) == text("777"));
}

TEST_CASE("an output of another number of values is a bug, not a write beyond") {
    Bytes cells(4);
    Bytes output(7);
    const Converter converter{gray_format(16, 16, 15, false), {}, DType::float32};
    CHECK(code_of([&] { converter.convert(cells, output, false); }) == ErrorCode::internal_error);
}

TEST_CASE("swap_cells reverses groups of 2 and 4 bytes, and leaves a rest alone") {
    const auto swapped = [](std::size_t group) {
        std::vector<std::uint8_t> bytes{1, 2, 3, 4, 5, 6, 7};
        swap_cells(std::as_writable_bytes(std::span{bytes}), group);
        return bytes;
    };
    CHECK(swapped(1) == std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7});
    CHECK(swapped(2) == std::vector<std::uint8_t>{2, 1, 4, 3, 6, 5, 7});
    CHECK(swapped(4) == std::vector<std::uint8_t>{4, 3, 2, 1, 5, 6, 7});
}
