// The images that the codestreams of the tests hold, and what resolution levels make of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace torchdicom::test {

/// Numbers of a gray image, or of one plane, row by row.
struct Pixels {
    std::size_t rows = 0;
    std::size_t columns = 0;
    std::vector<std::int64_t> values;

    [[nodiscard]] std::int64_t at(std::size_t y, std::size_t x) const {
        return values.at(y * columns + x);
    }
    [[nodiscard]] Pixels crop(std::size_t y0, std::size_t y1, std::size_t x0,
                              std::size_t x1) const {
        Pixels part{.rows = y1 - y0, .columns = x1 - x0, .values = {}};
        for (std::size_t y = y0; y < y1; ++y) {
            for (std::size_t x = x0; x < x1; ++x) {
                part.values.push_back(at(y, x));
            }
        }
        return part;
    }
    friend bool operator==(const Pixels&, const Pixels&) = default;
};

template <typename Formula>
Pixels image_of(std::size_t rows, std::size_t columns, const Formula& formula) {
    Pixels image{.rows = rows, .columns = columns, .values = {}};
    for (std::size_t y = 0; y < rows; ++y) {
        for (std::size_t x = 0; x < columns; ++x) {
            image.values.push_back(
                formula(static_cast<std::int64_t>(y), static_cast<std::int64_t>(x)));
        }
    }
    return image;
}

/// 100 + 37 y + 11 x + (x y) % 5
inline Pixels smooth(std::size_t rows, std::size_t columns) {
    return image_of(rows, columns, [](std::int64_t y, std::int64_t x) {
        return 100 + 37 * y + 11 * x + (x * y) % 5;
    });
}

/// Samples side by side: smooth % 256, 2 smooth % 256, 255 - smooth % 256. Three columns a pixel.
inline Pixels colours(std::size_t rows, std::size_t columns) {
    const Pixels base = smooth(rows, columns);
    return image_of(rows, 3 * columns, [&base](std::int64_t y, std::int64_t x) {
        const std::int64_t value =
            base.at(static_cast<std::size_t>(y), static_cast<std::size_t>(x / 3));
        const std::int64_t low = value % 256;
        return x % 3 == 0 ? low : x % 3 == 1 ? 2 * value % 256 : 255 - low;
    });
}

/// The low band of the reversible wavelet along one line (ISO 15444-1 F.4.8.1), which starts at an
/// even position.
inline std::vector<std::int64_t> low_band(const std::vector<std::int64_t>& line) {
    const auto size = static_cast<std::int64_t>(line.size());
    const auto mirrored = [&](std::int64_t at) {
        const std::int64_t period = std::max<std::int64_t>(1, 2 * (size - 1));
        const std::int64_t inside = ((at % period) + period) % period;
        return line.at(static_cast<std::size_t>(std::min(inside, period - inside)));
    };
    const auto high = [&](std::int64_t odd) {
        return mirrored(odd) - ((mirrored(odd - 1) + mirrored(odd + 1)) >> 1);
    };
    std::vector<std::int64_t> low;
    for (std::int64_t at = 0; at < size; at += 2) {
        low.push_back(size == 1 ? line[0]
                                : mirrored(at) + ((high(at - 1) + high(at + 1) + 2) >> 2));
    }
    return low;
}

/// Half the resolution: the low band of columns and then of rows.
inline Pixels halved(const Pixels& image) {
    Pixels tall{.rows = (image.rows + 1) / 2, .columns = image.columns, .values = {}};
    tall.values.resize(tall.rows * tall.columns);
    for (std::size_t x = 0; x < image.columns; ++x) {
        std::vector<std::int64_t> column;
        for (std::size_t y = 0; y < image.rows; ++y) {
            column.push_back(image.at(y, x));
        }
        const std::vector<std::int64_t> low = low_band(column);
        for (std::size_t y = 0; y < tall.rows; ++y) {
            tall.values[y * tall.columns + x] = low[y];
        }
    }
    Pixels small{.rows = tall.rows, .columns = (tall.columns + 1) / 2, .values = {}};
    for (std::size_t y = 0; y < tall.rows; ++y) {
        const auto row = tall.values.begin() + static_cast<std::ptrdiff_t>(y * tall.columns);
        for (const std::int64_t value :
             low_band({row, row + static_cast<std::ptrdiff_t>(tall.columns)})) {
            small.values.push_back(value);
        }
    }
    return small;
}

} // namespace torchdicom::test
