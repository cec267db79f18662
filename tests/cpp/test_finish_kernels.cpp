// rescale/finish_kernel: the same bits with every instruction set.
#include "rescale/finish_kernel.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

using namespace torchdicom;

namespace {

using Values = std::vector<double>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// How many have other bits than they should have.
std::size_t different(const Values& found, const Values& expected) {
    std::size_t count = found.size() == expected.size() ? 0 : 1;
    for (std::size_t i = 0; i < found.size(); ++i) {
        count += std::bit_cast<std::uint64_t>(found[i]) == std::bit_cast<std::uint64_t>(expected[i])
                     ? 0U
                     : 1U;
    }
    return count;
}

} // namespace

TEST_CASE("every instruction set rounds quotients as a division does") {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    constexpr double kSmall = std::numeric_limits<double>::denorm_min();
    std::mt19937_64 random{7};
    std::uniform_real_distribution<double> mantissa{1, 2};
    const auto any = [&](int exponents) {
        const double sign = (random() & 1U) == 0 ? 1 : -1;
        const int exponent = static_cast<int>(random() % (2 * static_cast<unsigned>(exponents)));
        return sign * std::ldexp(mantissa(random), exponent - exponents);
    };
    // Those that are hardest to divide by: mantissas of all ones, and next to 1.
    Values divisors{0.229,  400,     1,      std::nextafter(1, 2), std::nextafter(2, 1),
                    0x1p-9, 0x1p600, 1e-320, std::nextafter(3, 4)};
    for (int i = 0; i < 60; ++i) {
        divisors.push_back(std::abs(any(30)));
    }
    for (const double divisor : divisors) {
        CAPTURE(divisor);
        // All that can be corrected first, so that whole blocks are; then what can't be.
        Values values;
        for (int i = 0; i < 3000; ++i) {
            values.push_back(any(12));
            // Next to a product, where a quotient is next to a number or between two of them.
            const double product = divisor * any(8);
            values.push_back(product);
            values.push_back(std::nextafter(product, kInfinity));
            values.push_back(std::nextafter(product, -kInfinity));
        }
        values.insert(values.end(),
                      {0.0, -0.0, kInfinity, -kInfinity, kSmall, -kSmall, 1e308, 0.485, 1});
        for (int i = 0; i < 300; ++i) {
            values.push_back(any(1000));
        }
        for (const double subtrahend : {0.0, 0.485}) {
            for (int set = 0; set <= static_cast<int>(best_instruction_set()); ++set) {
                CAPTURE(set);
                Values results(values.size());
                finish_kernels(static_cast<InstructionSet>(set))
                    .subtract_and_divide(subtrahend, divisor, values.data(), values.size(),
                                         results.data());
                Values expected;
                for (const double value : values) {
                    const volatile double less = value - subtrahend;
                    expected.push_back(less / divisor);
                }
                CHECK(different(results, expected) == 0);
            }
        }
    }
}

TEST_CASE("every instruction set clips alike, and leaves what is no number") {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    // Twice as many as the widest vector has, and some that fill none.
    const Values values{-kInfinity, -3, -0.5, -0.0, 0.0,  0.25, kNan, 1,       1.5,
                        kInfinity,  0,  kNan, -1,   1e-9, 2,    0.5,  -0x1p-9, 7};
    const Values expected{0, 0, 0, -0.0, 0.0, 0.25, kNan, 1, 1, 1, 0, kNan, 0, 1e-9, 1, 0.5, 0, 1};
    for (int set = 0; set <= static_cast<int>(best_instruction_set()); ++set) {
        CAPTURE(set);
        Values clipped = values;
        finish_kernels(static_cast<InstructionSet>(set)).clip(0, 1, clipped.data(), clipped.size());
        CHECK(different(clipped, expected) == 0);
    }
}
