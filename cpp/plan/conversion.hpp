// What stored values become: the element type, under torch's names, and the rescale.
#pragma once

#include <cstddef>
#include <cstdint>

namespace torchdicom {

enum class DType : std::uint8_t {
    uint8,
    int8,
    int16,
    uint16,
    int32,
    int64,
    float16,
    bfloat16,
    float32,
    float64,
};

[[nodiscard]] constexpr std::size_t size_of(DType dtype) noexcept {
    switch (dtype) {
    case DType::uint8:
    case DType::int8:
        return 1;
    case DType::int16:
    case DType::uint16:
    case DType::float16:
    case DType::bfloat16:
        return 2;
    case DType::int32:
    case DType::float32:
        return 4;
    case DType::int64:
    case DType::float64:
        return 8;
    }
    return 0;
}

[[nodiscard]] constexpr bool is_integer(DType dtype) noexcept { return dtype <= DType::int64; }

/// output = (stored * slope + intercept) * factor / divisor, each step rounded to double: the
/// rescale of PS3.3 C.11.1, and what makes other quantities of its values, in floating point.
struct Rescale {
    double slope = 1.0;
    double intercept = 0.0;
    double factor = 1.0;
    double divisor = 1.0;

    [[nodiscard]] bool is_scaled() const noexcept { return factor != 1.0 || divisor != 1.0; }
    friend bool operator==(const Rescale&, const Rescale&) = default;
};

} // namespace torchdicom
