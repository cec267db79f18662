#include "pipeline/straighten.hpp"

#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

namespace torchdicom {

namespace {

/// What a pixel of the canvas is made of, along one axis.
struct Pair {
    std::size_t lower = 0;
    std::size_t upper = 0; ///< the same where it is one pixel alone
};

/// One axis of a canvas that an image lies in.
class Axis {
  public:
    Axis(double place, std::size_t length)
        : whole_{static_cast<std::ptrdiff_t>(std::floor(place))},
          fraction_{place - std::floor(place)}, length_{static_cast<std::ptrdiff_t>(length)} {}

    /// Nothing where a part of it is outside of the image.
    [[nodiscard]] std::optional<Pair> at(std::size_t canvas) const noexcept {
        const std::ptrdiff_t upper = static_cast<std::ptrdiff_t>(canvas) - whole_;
        const std::ptrdiff_t lower = fraction_ > 0 ? upper - 1 : upper;
        if (lower < 0 || upper >= length_) {
            return std::nullopt;
        }
        return Pair{.lower = static_cast<std::size_t>(lower),
                    .upper = static_cast<std::size_t>(upper)};
    }
    [[nodiscard]] double between(double lower, double upper) const noexcept {
        const double weight = 1 - fraction_;
        return lower * (1 - weight) + upper * weight;
    }

  private:
    std::ptrdiff_t whole_;
    double fraction_;
    std::ptrdiff_t length_;
};

/// One row of the canvas, at all columns of the image.
struct Row {
    std::vector<double> values;
    std::vector<std::byte> mask;
};

void make_row(const MaskedImage& image, const Axis& axis, const Pair& rows, Row& row) {
    const std::size_t columns = image.size.columns;
    for (std::size_t x = 0; x < columns; ++x) {
        const std::size_t lower = rows.lower * columns + x;
        const std::size_t upper = rows.upper * columns + x;
        row.values[x] = lower == upper ? image.values[lower]
                                       : axis.between(image.values[lower], image.values[upper]);
        row.mask[x] = image.mask[lower] & image.mask[upper];
    }
}

} // namespace

void straighten(const MaskedImage& image, const CanvasPlace& place, const Window& window,
                double fill, std::span<double> values, MutableByteSpan mask) {
    const Axis along_y{place.y, image.size.rows};
    const Axis along_x{place.x, image.size.columns};
    Row row{.values = std::vector<double>(image.size.columns),
            .mask = std::vector<std::byte>(image.size.columns)};
    std::size_t next = 0;
    for (std::size_t y = window.y0; y < window.y1; ++y) {
        const std::optional<Pair> rows = along_y.at(y);
        if (rows) {
            make_row(image, along_y, *rows, row);
        }
        for (std::size_t x = window.x0; x < window.x1; ++x, ++next) {
            const std::optional<Pair> columns = along_x.at(x);
            if (!rows || !columns) {
                values[next] = fill;
                mask[next] = std::byte{0};
                continue;
            }
            const auto& [lower, upper] = *columns;
            values[next] = lower == upper ? row.values[lower]
                                          : along_x.between(row.values[lower], row.values[upper]);
            mask[next] = row.mask[lower] & row.mask[upper];
        }
    }
}

} // namespace torchdicom
