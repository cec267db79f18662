// rescale/: pixels in floating point.
#include "rescale/rescale.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using namespace torchdicom;
using test::code_of;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <typename Cell> PixelFormat format_of() {
    constexpr std::uint32_t kBits = 8 * sizeof(Cell);
    return {.rows = 1,
            .columns = 1,
            .bits_allocated = kBits,
            .bits_stored = kBits,
            .high_bit = kBits - 1,
            .is_signed = true,
            .sample_type = sizeof(Cell) == 4 ? SampleType::float32 : SampleType::float64};
}

template <typename Value, typename Cell>
std::vector<Value> convert(const std::vector<Cell>& cells, const Rescale& rescale, DType dtype) {
    std::vector<Value> values(cells.size());
    Converter{format_of<Cell>(), rescale, dtype}.convert(
        std::as_bytes(std::span{cells}), std::as_writable_bytes(std::span{values}), false);
    return values;
}

} // namespace

TEST_CASE("numbers are rescaled in double and rounded once") {
    const std::vector<float> cells{0.1F, -2.5F, 3e38F};
    const auto values = convert<double>(cells, {3.0, 0.25}, DType::float64);
    CHECK(values[0] == double{0.1F} * 3.0 + 0.25);
    CHECK(values[1] == -7.25);
    CHECK(values[2] == double{3e38F} * 3.0 + 0.25);
    CHECK(convert<float>(std::vector<double>{1.0 / 3, 1e300}, {}, DType::float32) ==
          std::vector<float>{static_cast<float>(1.0 / 3), std::numeric_limits<float>::infinity()});
}

TEST_CASE("without a rescale numbers are what they are, zeros and no numbers too") {
    const auto same =
        convert<float>(std::vector<double>{-0.0, kNan, -kInfinity}, {}, DType::float32);
    CHECK(std::signbit(same[0]));
    CHECK(std::isnan(same[1]));
    CHECK(same[2] == -std::numeric_limits<float>::infinity());
    const float odd = std::bit_cast<float>(0x7FFF'FFFFU); // rounding up would make it -0.0
    CHECK(convert<std::uint16_t>(std::vector<float>{odd, 1.0F}, {}, DType::bfloat16) ==
          std::vector<std::uint16_t>{0x7FFF, 0x3F80});
    CHECK(convert<std::uint16_t>(std::vector<float>{odd, 65520.0F, 1.5F}, {}, DType::float16) ==
          std::vector<std::uint16_t>{0x7E00, 0x7C00, 0x3E00});
}

TEST_CASE("integers of numbers are whole and in range, or an error that names the value") {
    CHECK(convert<std::uint8_t>(std::vector<float>{0, 255, 12}, {}, DType::uint8) ==
          std::vector<std::uint8_t>{0, 255, 12});
    CHECK(convert<std::int16_t>(std::vector<double>{-0.5, 1.5}, {2, 1}, DType::int16) ==
          std::vector<std::int16_t>{0, 4});
    for (const double wrong : {0.5, 256.0, -1.0, kNan, kInfinity}) {
        const std::vector<double> cells{1, wrong};
        CHECK(code_of([&] { convert<std::uint8_t>(cells, {}, DType::uint8); }) ==
              ErrorCode::value_overflow);
    }
}

TEST_CASE("cells of 8 bytes are swapped as one") {
    std::vector<std::uint8_t> bytes{1, 2, 3, 4, 5, 6, 7, 8, 9};
    swap_cells(std::as_writable_bytes(std::span{bytes}), 8);
    CHECK(bytes == std::vector<std::uint8_t>{8, 7, 6, 5, 4, 3, 2, 1, 9});
}
