// One slow definition of the rescale, with nothing of the core in it, for the loops to agree with.
#pragma once

#include "rescale/rescale.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace torchdicom::test {

using Bytes = std::vector<std::byte>;

/// IEEE 754 rounding to nearest even in plain arithmetic: the bits of a number with so many bits of
/// mantissa and exponent.
inline std::uint16_t narrow_bits(float value, int mantissa, int exponent) {
    const int lowest = 2 - (1 << (exponent - 1));
    const double magnitude = std::fabs(double{value});
    const std::uint32_t sign = std::signbit(value) ? 0x8000 : 0;
    const std::uint32_t infinity = ((1U << exponent) - 1) << mantissa;
    if (magnitude == 0 || std::isinf(magnitude)) {
        return static_cast<std::uint16_t>(sign + (magnitude == 0 ? 0 : infinity));
    }
    const int binade = std::max(std::ilogb(magnitude), lowest);
    const double ulps = std::ldexp(magnitude, mantissa - binade);
    const double below = std::floor(ulps);
    const bool is_up = ulps - below > 0.5 || (ulps - below == 0.5 && std::fmod(below, 2) == 1);
    const double bits = std::ldexp(binade - lowest, mantissa) + below + (is_up ? 1 : 0);
    return static_cast<std::uint16_t>(sign + std::min(bits, static_cast<double>(infinity)));
}

/// The numbers that these bits are; one beyond the largest is the next power of two, not infinity.
inline double half(std::uint32_t bits) {
    const int exponent = static_cast<int>(bits >> 10U);
    const double mantissa = bits & 0x3FFU;
    return exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
}
inline double bfloat16(std::uint32_t bits) {
    const int exponent = static_cast<int>(bits >> 7U);
    const double mantissa = bits & 0x7FU;
    return exponent == 0 ? std::ldexp(mantissa, -133) : std::ldexp(128 + mantissa, exponent - 134);
}

/// Integer limits of a type, as doubles; [lowest, end).
struct Limits {
    double lowest;
    double end;
};
inline Limits limits_of(DType dtype) {
    switch (dtype) {
    case DType::uint8:
        return {0, 256};
    case DType::int8:
        return {-128, 128};
    case DType::int16:
        return {-32768, 32768};
    case DType::uint16:
        return {0, 65536};
    case DType::int32:
        return {-0x1p31, 0x1p31};
    default:
        return {-0x1p63, 0x1p63};
    }
}

template <typename T> void append(Bytes& bytes, T value) {
    const auto part = std::as_bytes(std::span{&value, 1});
    bytes.insert(bytes.end(), part.begin(), part.end());
}

/// Appends a value in the output type; little endian integers are cut from 64 bits.
inline void append_value(Bytes& bytes, double value, DType dtype) {
    const auto single = static_cast<float>(value);
    switch (dtype) {
    case DType::float16:
        return append(bytes, narrow_bits(single, 10, 5));
    case DType::bfloat16:
        return append(bytes, narrow_bits(single, 7, 8));
    case DType::float32:
        return append(bytes, single);
    case DType::float64:
        return append(bytes, value);
    default:
        break;
    }
    Bytes whole;
    append(whole, static_cast<std::int64_t>(value));
    bytes.insert(bytes.end(), whole.begin(), whole.begin() + static_cast<int>(size_of(dtype)));
}

/// output = (stored * slope + intercept) * factor / divisor with each step in the open.
inline double modality(std::uint32_t cell, const PixelFormat& format, const Rescale& rescale) {
    const unsigned lowest_bit = format.high_bit + 1 - format.bits_stored;
    const std::int64_t range = std::int64_t{1} << format.bits_stored;
    std::int64_t stored = (std::int64_t{cell} >> lowest_bit) & (range - 1);
    if (format.is_signed && stored >= range / 2) {
        stored -= range;
    }
    const volatile double product = static_cast<double>(stored) * rescale.slope;
    const volatile double sum = product + rescale.intercept;
    const volatile double scaled = sum * rescale.factor;
    return scaled / rescale.divisor;
}

inline PixelFormat gray_format(std::uint32_t bits, std::uint32_t stored, std::uint32_t high,
                               bool is_signed) {
    return {.rows = 1,
            .columns = 1,
            .bits_allocated = bits,
            .bits_stored = stored,
            .high_bit = high,
            .is_signed = is_signed};
}

inline std::vector<std::uint32_t> some_cells() {
    std::vector<std::uint32_t> cells{0, 0xFFFF'FFFF, 0x8080'8080, 0x7F7F'7F7F, 0x8000'0000, 1};
    std::uint32_t state = 12'345;
    while (cells.size() < 101) { // whole vectors of any width, and a rest
        state = state * 1'664'525 + 1'013'904'223;
        cells.push_back(state ^ (state >> 15U));
    }
    return cells;
}

inline void append_cell(Bytes& bytes, std::uint32_t cell, const PixelFormat& format) {
    Bytes whole;
    append(whole, cell);
    bytes.insert(bytes.end(), whole.begin(),
                 whole.begin() + static_cast<int>(format.bytes_per_sample()));
}

/// What goes in and comes out, of the cells whose value fits, and one cell whose value does not.
struct Expected {
    Bytes cells{};
    Bytes output{};
    std::optional<std::uint32_t> misfit{};
};

inline Expected expect(const PixelFormat& format, const Rescale& rescale, DType dtype) {
    Expected expected;
    for (const std::uint32_t cell : some_cells()) {
        const double value = modality(cell, format, rescale);
        const Limits limits = limits_of(dtype);
        if (is_integer(dtype) && !(value >= limits.lowest && value < limits.end)) {
            expected.misfit = cell;
            continue;
        }
        append_cell(expected.cells, cell, format);
        append_value(expected.output, value, dtype);
    }
    return expected;
}

inline std::vector<PixelFormat> formats() {
    std::vector<PixelFormat> all;
    for (const std::uint32_t bits : {8U, 16U, 32U}) {
        for (const bool is_signed : {false, true}) {
            all.push_back(gray_format(bits, bits, bits - 1, is_signed));
            all.push_back(gray_format(bits, bits - 4, bits - 5, is_signed));
            all.push_back(gray_format(bits, bits - 4, bits - 1, is_signed));
            all.push_back(gray_format(bits, bits - 2, bits - 2, is_signed));
            all.push_back(gray_format(bits, 1, 3, is_signed));
        }
    }
    all.push_back(gray_format(32, 23, 22, false)); // around the bound of exact float32
    all.push_back(gray_format(32, 24, 23, false));
    all.push_back(gray_format(32, 25, 24, false));
    all.push_back(gray_format(32, 31, 30, false)); // the bound of 32-bit integers
    return all;
}

inline constexpr std::array<Rescale, 9> kRescales{{{1, 0},
                                                   {1, -1024},
                                                   {-3, 7},
                                                   {2.5, -0.1},
                                                   {1e-3, 100.25},
                                                   {-1, -0.0},
                                                   {16, 1'000'000},
                                                   {0.1, 1e6},
                                                   {1e-7, 0}}};

inline constexpr std::array kDTypes{DType::uint8,   DType::int8,   DType::int16,   DType::uint16,
                                    DType::int32,   DType::int64,  DType::float16, DType::bfloat16,
                                    DType::float32, DType::float64};

inline bool is_whole(const Rescale& rescale) {
    return std::floor(rescale.slope) == rescale.slope &&
           std::floor(rescale.intercept) == rescale.intercept;
}

/// `call` for every format, rescale and dtype of the tables above.
template <typename Call> void for_all(const Call& call) {
    for (const PixelFormat& format : formats()) {
        for (const Rescale& rescale : kRescales) {
            for (const DType dtype : kDTypes) {
                if (is_integer(dtype) && !is_whole(rescale)) {
                    continue; // the plan refuses it
                }
                CAPTURE(format.bits_allocated);
                CAPTURE(format.bits_stored);
                CAPTURE(format.high_bit);
                CAPTURE(format.is_signed);
                CAPTURE(rescale.slope);
                CAPTURE(rescale.intercept);
                CAPTURE(static_cast<int>(dtype));
                call(format, rescale, dtype);
            }
        }
    }
}

} // namespace torchdicom::test
