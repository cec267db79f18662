// rescale/kernel: every loop, for every cell and output type and every instruction set of this
// processor, gives the bytes of one slow definition.
#include "rescale/kernel.hpp"
#include "rescale_reference.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

using namespace torchdicom;
using test::Bytes;
using test::Expected;
using test::gray_format;

namespace {

std::vector<InstructionSet> instruction_sets() {
    std::vector<InstructionSet> sets;
    for (const auto set :
         {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512}) {
        if (set <= best_instruction_set()) {
            sets.push_back(set);
        }
    }
    return sets;
}

/// The ways of calculating that are exact here: the general one, and fast ones where they hold.
std::vector<Arithmetic> exact_ways(const PixelFormat& format, const Rescale& rescale, DType dtype) {
    const double largest = std::ldexp(1, static_cast<int>(format.bits_stored));
    const double bound = std::fabs(rescale.slope) * largest + std::fabs(rescale.intercept);
    std::vector<Arithmetic> ways{is_integer(dtype) ? Arithmetic::checked_float64
                                                   : Arithmetic::float64};
    if (is_integer(dtype) && test::is_whole(rescale) && bound <= 0x1p31) {
        ways.push_back(Arithmetic::int32);
    }
    if (!is_integer(dtype) && dtype != DType::float64 && test::is_whole(rescale) &&
        bound <= 0x1p24) {
        ways.push_back(Arithmetic::float32);
    }
    return ways;
}

KernelParameters parameters_of(const PixelFormat& format, const Rescale& rescale, DType dtype) {
    const test::Limits limits = test::limits_of(dtype);
    // The largest double below 2^63; the others are exact.
    const double highest = std::nextafter(limits.end, 0.0);
    return {.shift_left = 31 - format.high_bit,
            .shift_right = 32 - format.bits_stored,
            .rescale = rescale,
            .lowest = limits.lowest,
            .highest = limits.end < 0x1p63 ? limits.end - 1 : highest};
}

/// Whether a loop gives the expected bytes, and says so where a value does not fit.
bool is_exact(const PixelFormat& format, const Rescale& rescale, DType dtype, Arithmetic way,
              InstructionSet set) {
    Expected expected = test::expect(format, rescale, dtype);
    const Kernel kernel = find_kernel({.bits_per_cell = format.bits_per_cell(),
                                       .is_signed = format.is_signed,
                                       .arithmetic = way,
                                       .dtype = dtype},
                                      set);
    const KernelParameters parameters = parameters_of(format, rescale, dtype);
    Bytes output(expected.output.size());
    const std::size_t count = output.size() / size_of(dtype);
    const bool fits = kernel(expected.cells.data(), count, parameters, output.data());
    const bool is_same = fits && output == expected.output;
    if (!expected.misfit) {
        return is_same;
    }
    test::append_cell(expected.cells, *expected.misfit, format);
    output.resize(output.size() + size_of(dtype));
    return is_same && !kernel(expected.cells.data(), count + 1, parameters, output.data());
}

} // namespace

TEST_CASE("every loop of every instruction set gives the bytes of the definition") {
    test::for_all([](const PixelFormat& format, const Rescale& rescale, DType dtype) {
        for (const Arithmetic way : exact_ways(format, rescale, dtype)) {
            for (const InstructionSet set : instruction_sets()) {
                CAPTURE(static_cast<int>(way));
                CAPTURE(static_cast<int>(set));
                CHECK(is_exact(format, rescale, dtype, way, set));
            }
        }
    });
}

TEST_CASE("a factor and a divisor come behind slope and intercept, each step rounded") {
    for (const PixelFormat& format : test::formats()) {
        for (const DType dtype :
             {DType::float16, DType::bfloat16, DType::float32, DType::float64}) {
            for (const Rescale& rescale :
                 {Rescale{.slope = 1.7141, .intercept = -0.3, .factor = 2.429029766e-4},
                  Rescale{.slope = 1.398, .intercept = 0, .divisor = 1.398 * 2.7657192e-4},
                  Rescale{.factor = 3, .divisor = 7}}) {
                for (const InstructionSet set : instruction_sets()) {
                    CHECK(is_exact(format, rescale, dtype, Arithmetic::scaled_float64, set));
                }
            }
        }
    }
}

TEST_CASE("float16 and bfloat16 are rounded to nearest even at and around every boundary") {
    // Cells of 1 times the number: whole vectors of equal cells, and a rest.
    const Bytes ones(37, std::byte{1});
    const PixelFormat format = gray_format(8, 8, 7, false);
    for (const DType dtype : {DType::float16, DType::bfloat16}) {
        const bool is_half = dtype == DType::float16;
        const std::uint32_t infinity = is_half ? 0x7C00 : 0x7F80;
        std::size_t wrong = 0;
        const auto check = [&](double value, std::uint32_t bits) {
            const auto parameters = parameters_of(format, {value, -0.0}, dtype);
            const std::vector<std::uint16_t> expected(ones.size(),
                                                      static_cast<std::uint16_t>(bits));
            for (const InstructionSet set : instruction_sets()) {
                Bytes output(ones.size() * 2);
                const Kernel kernel = find_kernel({8, false, Arithmetic::float64, dtype}, set);
                kernel(ones.data(), ones.size(), parameters, output.data());
                if (std::memcmp(output.data(), expected.data(), output.size()) != 0) {
                    ++wrong;
                }
            }
        };
        for (std::uint32_t bits = 0; bits < infinity; ++bits) {
            const double value = is_half ? test::half(bits) : test::bfloat16(bits);
            const double next = is_half ? test::half(bits + 1) : test::bfloat16(bits + 1);
            const auto middle = static_cast<float>((value + next) / 2);
            const std::uint32_t even = bits + bits % 2;
            check(value, bits);
            check(std::nextafter(middle, 0.0F), bits);
            check(middle, even);
            check(std::nextafter(middle, std::numeric_limits<float>::infinity()), bits + 1);
            check(-value, 0x8000 + bits);
            check(-middle, 0x8000 + even);
        }
        check(1e300, infinity);
        check(-1e300, 0x8000 + infinity);
        CHECK(wrong == 0);
    }
}
