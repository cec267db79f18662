#include "rescale/colour.hpp"

#include "base/cells.hpp"
#include "base/ybr.hpp"

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
    const YbrToRgb to_rgb{format.bits_stored};
    const auto value = [&](std::size_t index) {
        return static_cast<double>((std::uint32_t{load_cell<Cell>(pixels, index)} >> shift) & mask);
    };
    const std::size_t count = pixels.size() / (3 * sizeof(Cell));
    for (std::size_t i = 0; i < count; ++i) {
        const auto [red, green, blue] = to_rgb(value(3 * i), value(3 * i + 1), value(3 * i + 2));
        store_cell(planes[0], i, static_cast<Cell>(red));
        store_cell(planes[1], i, static_cast<Cell>(green));
        store_cell(planes[2], i, static_cast<Cell>(blue));
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
