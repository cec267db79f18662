// rescale/resample: resizing with antialiasing, against literals and the definition in full.
#include "rescale/resample.hpp"
#include "rescale/table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

using namespace torchdicom;

namespace {

using Values = std::vector<double>;

struct Size {
    std::size_t rows;
    std::size_t columns;
};

/// The weights of every pixel for one of the result, 0 for most.
Values weights_of(std::size_t i, std::size_t from, std::size_t to) {
    const double scale = static_cast<double>(from) / static_cast<double>(to);
    const double support = scale < 1 ? 1 : scale;
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int last = std::min(static_cast<int>(center + support + 0.5), static_cast<int>(from));
    Values weights(from);
    double sum = 0;
    for (int j = first; j < last; ++j) {
        const double weight = std::max(0.0, 1 - std::fabs((j - center + 0.5) / support));
        weights[static_cast<std::size_t>(j)] = weight;
        sum += weight;
    }
    for (double& weight : weights) {
        weight /= sum;
    }
    return weights;
}

/// The whole image at once, along x and then along y.
Values resized(const Values& image, const Size& from, const Size& to) {
    Values wide(from.rows * to.columns);
    for (std::size_t y = 0; y < from.rows; ++y) {
        for (std::size_t x = 0; x < to.columns; ++x) {
            const Values weights = weights_of(x, from.columns, to.columns);
            volatile double sum = 0;
            for (std::size_t j = 0; j < from.columns; ++j) {
                if (weights[j] != 0) {
                    const volatile double product = weights[j] * image[y * from.columns + j];
                    sum = sum + product;
                }
            }
            wide[y * to.columns + x] = sum;
        }
    }
    Values result(to.rows * to.columns);
    for (std::size_t y = 0; y < to.rows; ++y) {
        const Values weights = weights_of(y, from.rows, to.rows);
        for (std::size_t x = 0; x < to.columns; ++x) {
            volatile double sum = 0;
            for (std::size_t j = 0; j < from.rows; ++j) {
                if (weights[j] != 0) {
                    const volatile double product = weights[j] * wide[j * to.columns + x];
                    sum = sum + product;
                }
            }
            result[y * to.columns + x] = sum;
        }
    }
    return result;
}

/// What the core makes of it, so many rows at a time.
template <typename Value>
std::vector<Value> streamed(const std::vector<Value>& image, const Size& from, const Size& to,
                            std::size_t rows_at_once) {
    const ResizeAxis rows{from.rows, to.rows};
    const ResizeAxis columns{from.columns, to.columns};
    std::vector<Value> result(to.rows * to.columns);
    std::size_t next = 0;
    const auto done = [&](std::size_t row, std::span<Value> values) {
        CHECK(row == next++);
        CHECK(values.size() == to.columns);
        const auto start = static_cast<std::ptrdiff_t>(row * to.columns);
        std::ranges::copy(values, result.begin() + start);
        std::ranges::fill(values, Value{}); // whoever gets them may change them
    };
    const auto put_all = [&](auto&& put) {
        const std::size_t part = rows_at_once * from.columns;
        for (std::size_t at = 0; at < image.size(); at += part) {
            put(std::as_bytes(std::span{image}.subspan(at, std::min(part, image.size() - at))));
        }
    };
    if constexpr (std::is_same_v<Value, double>) {
        const Converter as_they_are{entry_format(PixelFormat{}, true), Rescale{}, DType::float64};
        ValueResizer resizer{rows, columns, sizeof(double)};
        put_all([&](ByteSpan part) { resizer.put(part, as_they_are, done); });
    } else {
        MaskResizer resizer{rows, columns};
        put_all([&](ByteSpan part) { resizer.put(part, done); });
    }
    CHECK(next == to.rows);
    return result;
}

Values noise(std::size_t count) {
    Values values(count);
    std::uint32_t state = 7;
    for (double& value : values) {
        state = state * 1'664'525 + 1'013'904'223;
        value = static_cast<double>(state >> 8U) / 4096 - 1000;
    }
    return values;
}

Values row_of(const Values& row, std::size_t to) {
    return streamed(row, {1, row.size()}, {1, to}, 1);
}
Values column_of(const Values& column, std::size_t to) {
    return streamed(column, {column.size(), 1}, {to, 1}, 1);
}

void check_near(const Values& values, const Values& expected) {
    CHECK(values.size() == expected.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        CHECK(values[i] == doctest::Approx(expected[i]).epsilon(1e-14));
    }
}

/// Unsigned cells of this type, 19 rows of 40 at once.
template <typename Cell> void check_cells() {
    const Size from{19, 40};
    const Size to{8, 17};
    const Rescale rescale{.slope = 0.3, .intercept = -7};
    PixelFormat format;
    format.bits_allocated = format.bits_stored = sizeof(Cell) * 8;
    format.high_bit = format.bits_allocated - 1;
    std::vector<Cell> cells;
    Values values;
    for (const double value : noise(from.rows * from.columns)) {
        cells.push_back(static_cast<Cell>(static_cast<int>(value + 1000)));
        const volatile double product = static_cast<double>(cells.back()) * rescale.slope;
        values.push_back(product + rescale.intercept);
    }
    const ResizeAxis rows{from.rows, to.rows};
    const ResizeAxis columns{from.columns, to.columns};
    ValueResizer resizer{rows, columns, sizeof(Cell)};
    Values result;
    resizer.put(std::as_bytes(std::span{cells}), Converter{format, rescale, DType::float64},
                [&](std::size_t /*row*/, std::span<const double> row) {
                    result.insert(result.end(), row.begin(), row.end());
                });
    CHECK(result == resized(values, from, to));
}

} // namespace

TEST_CASE("half of the pixels: weights of 3, 3 and 1 sevenths at the edges") {
    check_near(row_of({0, 7, 14, 21}, 2), {5, 16});
    check_near(column_of({0, 7, 14, 21}, 2), {5, 16});
    // One pixel of three: 2/3 and 1 and 2/3 of it, which add up to 7/3.
    check_near(row_of({7, 0, 0}, 1), {2});
    check_near(row_of({0, 7, 0}, 1), {3});
}

TEST_CASE("twice the pixels: quarters of the way, and the edges stay") {
    check_near(row_of({0, 8}, 4), {0, 2, 6, 8});
    check_near(column_of({0, 8}, 4), {0, 2, 6, 8});
    check_near(row_of({5}, 3), {5, 5, 5});
}

TEST_CASE("rows as they come give the bits of the definition") {
    constexpr std::array<std::array<Size, 2>, 17> kSizes{{{{{7, 5}, {3, 4}}},
                                                          {{{3, 4}, {7, 9}}},
                                                          {{{5, 5}, {5, 2}}},
                                                          {{{5, 6}, {2, 6}}},
                                                          {{{4, 3}, {4, 8}}},
                                                          {{{4, 3}, {9, 3}}},
                                                          {{{1, 1}, {3, 2}}},
                                                          {{{6, 7}, {1, 1}}},
                                                          {{{64, 48}, {9, 11}}},
                                                          {{{33, 17}, {32, 16}}},
                                                          {{{16, 9}, {17, 10}}},
                                                          {{{30, 3}, {7, 20}}},
                                                          {{{2, 40}, {50, 3}}},
                                                          {{{5, 4}, {5, 4}}},
                                                          {{{9, 700}, {4, 300}}},
                                                          {{{17, 700}, {17, 2}}},
                                                          {{{8, 300}, {3, 900}}}}};
    for (const auto& sizes : kSizes) {
        const Size from = sizes[0];
        const Size to = sizes[1];
        CAPTURE(from.rows);
        CAPTURE(from.columns);
        CAPTURE(to.rows);
        CAPTURE(to.columns);
        const Values image = noise(from.rows * from.columns);
        const Values expected = resized(image, from, to);
        for (const std::size_t at_once : {1U, 3U, 8U, 1000U}) {
            CHECK(streamed(image, from, to, at_once) == expected);
        }
    }
}

TEST_CASE("cells of any width become values on the way, many rows at a time") {
    check_cells<std::uint8_t>();
    check_cells<std::uint16_t>();
    check_cells<std::uint32_t>();
}

TEST_CASE("every instruction set that this processor has gives the same bits") {
    constexpr std::size_t kFrom = 200;
    for (const std::size_t to : {1U, 7U, 64U, 91U, 411U}) {
        const ResizeAxis axis{kFrom, to};
        const Values image = noise(kFrom * kLanes); // lane by lane within a column
        Values expected(kLanes * to);
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            Values row(kFrom);
            for (std::size_t x = 0; x < kFrom; ++x) {
                row[x] = image[x * kLanes + lane];
            }
            const auto start = static_cast<std::ptrdiff_t>(lane * to);
            std::ranges::copy(resized(row, {1, kFrom}, {1, to}), expected.begin() + start);
        }
        for (int set = 0; set <= static_cast<int>(best_instruction_set()); ++set) {
            CAPTURE(set);
            const ResizeKernels& kernels = resize_kernels(static_cast<InstructionSet>(set));
            Values result(kLanes * to);
            kernels.along_rows(image.data(), 0, axis.taps(0), to, result.data(), to);
            CHECK(result == expected);
            Values sums = image;
            kernels.add_row(0.7, image.data(), image.size(), sums.data());
            for (std::size_t i = 0; i < image.size(); ++i) {
                const volatile double product = 0.7 * image[i];
                CHECK(sums[i] == image[i] + product);
            }
        }
    }
}

TEST_CASE("a pixel of weight 0 counts for nothing, even if it is no number") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    // Of nine to three: the triangle of the first ends at the centre of the fifth pixel, that of
    // the second at the centre of the eighth.
    const Values fifth = row_of({1, 2, 3, 4, nan, 6, 7, 8, 9}, 3);
    CHECK_FALSE(std::isnan(fifth[0]));
    CHECK(std::isnan(fifth[1]));
    const Values eighth = column_of({1, 2, 3, 4, 5, 6, 7, nan, 9}, 3);
    CHECK_FALSE(std::isnan(eighth[1]));
    CHECK(std::isnan(eighth[2]));
    // An axis that stays as it is takes no neighbours at all.
    const Values rows = streamed(Values{1, 3, nan, nan, 5, 7}, {3, 2}, {3, 1}, 3);
    CHECK(rows[0] == 2);
    CHECK(rows[2] == 6);
}

TEST_CASE("a mask is valid where all pixels are that count") {
    const auto mask = [](std::vector<int> bits) {
        std::vector<std::byte> bytes;
        for (const int bit : bits) {
            bytes.push_back(static_cast<std::byte>(bit));
        }
        return bytes;
    };
    CHECK(streamed(mask({1, 1, 1, 0}), {1, 4}, {1, 2}, 1) == mask({1, 0}));
    CHECK(streamed(mask({1, 1, 0, 1}), {1, 4}, {1, 2}, 1) == mask({0, 0}));
    CHECK(streamed(mask({1, 1, 1, 0}), {4, 1}, {2, 1}, 1) == mask({1, 0}));
    CHECK(streamed(mask({1, 0}), {1, 2}, {1, 4}, 1) == mask({1, 0, 0, 0}));
    CHECK(streamed(mask({1, 0}), {2, 1}, {4, 1}, 2) == mask({1, 0, 0, 0}));
    CHECK(streamed(mask({1, 0, 1, 1}), {2, 2}, {2, 2}, 1) == mask({1, 0, 1, 1}));
}

TEST_CASE("few rows are kept, whichever way an image is resized") {
    const ResizeAxis smaller{10'000, 100};
    CHECK(smaller.most_open() <= 3);
    CHECK(smaller.most_taps() >= 199);
    const ResizeAxis larger{2, 10'000};
    CHECK(larger.most_taps() == 2);
    CHECK(larger.weights(0).size() == 1);
}
