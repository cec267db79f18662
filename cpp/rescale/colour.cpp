#include "rescale/colour.hpp"

#include "base/cells.hpp"

#include <algorithm>
#include <cmath>

namespace torchdicom {

namespace {

template <typename Cell> void split(ByteSpan pixels, const Planes& planes) noexcept {
    const std::size_t count = pixels.size() / (3 * sizeof(Cell));
    const auto& [red, green, blue] = planes;
    for (std::size_t i = 0; i < count; ++i) {
        store_cell(red, i, load_cell<Cell>(pixels, 3 * i));
        store_cell(green, i, load_cell<Cell>(pixels, 3 * i + 1));
        store_cell(blue, i, load_cell<Cell>(pixels, 3 * i + 2));
    }
}

template <typename Cell>
void convert(ByteSpan pixels, const PixelFormat& format, const Planes& planes) noexcept {
    const std::uint32_t shift = format.high_bit + 1 - format.bits_stored;
    const auto mask = static_cast<std::uint32_t>((std::uint64_t{1} << format.bits_stored) - 1);
    const double half = std::ldexp(1.0, static_cast<int>(format.bits_stored) - 1);
    const double highest = 2 * half - 1;
    const auto value = [&](std::size_t index) {
        return static_cast<double>((std::uint32_t{load_cell<Cell>(pixels, index)} >> shift) & mask);
    };
    // Casts cut off what is behind the point: of numbers from 0 on that is floor.
    const auto rounded = [highest](double number) {
        return static_cast<Cell>(static_cast<std::int64_t>(std::clamp(number + 0.5, 0.0, highest)));
    };
    const std::size_t count = pixels.size() / (3 * sizeof(Cell));
    for (std::size_t i = 0; i < count; ++i) {
        const double y = value(3 * i);
        const double cb = value(3 * i + 1) - half;
        const double cr = value(3 * i + 2) - half;
        const double g = (y + ((-0.114 * 1.772) / 0.587) * cb) + ((-0.299 * 1.402) / 0.587) * cr;
        store_cell(planes[0], i, rounded(y + 1.402 * cr));
        store_cell(planes[1], i, rounded(g));
        store_cell(planes[2], i, rounded(y + 1.772 * cb));
    }
}

} // namespace

PixelFormat plane_format(const PixelFormat& format, bool from_ybr) noexcept {
    PixelFormat plane = format;
    plane.samples_per_pixel = 1;
    plane.photometric = Photometric::monochrome;
    if (from_ybr) {
        plane.high_bit = plane.bits_stored - 1;
        plane.is_signed = false;
    }
    return plane;
}

void split_samples(ByteSpan pixels, const PixelFormat& format, const Planes& planes) noexcept {
    with_cell(format.bytes_per_sample(),
              [&]<typename Cell>(Cell /*type*/) { split<Cell>(pixels, planes); });
}

void split_ybr(ByteSpan pixels, const PixelFormat& format, const Planes& planes) noexcept {
    with_cell(format.bytes_per_sample(),
              [&]<typename Cell>(Cell /*type*/) { convert<Cell>(pixels, format, planes); });
}

} // namespace torchdicom
