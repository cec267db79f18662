// Colours of YBR_FULL (PS3.3 C.7.6.3.1.2, ISO 10918-5 clause 7) to red, green and blue.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace torchdicom {

/// Calculated in double and rounded, halves up, of samples of some bits.
class YbrToRgb {
  public:
    struct Rgb {
        std::int64_t red;
        std::int64_t green;
        std::int64_t blue;
    };

    explicit YbrToRgb(std::uint32_t bits) noexcept
        : half_{std::ldexp(1.0, static_cast<int>(bits) - 1)}, highest_{2 * half_ - 1} {}

    [[nodiscard]] Rgb operator()(double y, double cb, double cr) const noexcept {
        cb -= half_;
        cr -= half_;
        return {.red = rounded(y + 1.402 * cr),
                .green = rounded((y + ((-0.114 * 1.772) / 0.587) * cb) +
                                 ((-0.299 * 1.402) / 0.587) * cr),
                .blue = rounded(y + 1.772 * cb)};
    }

  private:
    /// Casts cut off what is behind the point: of numbers from 0 on that is floor.
    [[nodiscard]] std::int64_t rounded(double value) const noexcept {
        return static_cast<std::int64_t>(std::clamp(value + 0.5, 0.0, highest_));
    }

    double half_;
    double highest_;
};

} // namespace torchdicom
