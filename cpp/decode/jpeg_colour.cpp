#include "decode/jpeg_colour.hpp"

#include "base/cells.hpp"
#include "base/ybr.hpp"

#include <array>

namespace torchdicom {

namespace {

template <typename Cell> void convert(MutableByteSpan samples, std::uint32_t precision) {
    const YbrToRgb to_rgb{precision};
    const auto value = [&](std::size_t index) {
        return static_cast<double>(load_cell<Cell>(samples, index));
    };
    const std::size_t count = samples.size() / sizeof(Cell) / 3;
    for (std::size_t i = 0; i < 3 * count; i += 3) {
        const auto [red, green, blue] = to_rgb(value(i), value(i + 1), value(i + 2));
        store_cell(samples, i, static_cast<Cell>(red));
        store_cell(samples, i + 1, static_cast<Cell>(green));
        store_cell(samples, i + 2, static_cast<Cell>(blue));
    }
}

} // namespace

bool is_ycc(const CodestreamInfo& info, const PixelFormat& format) noexcept {
    constexpr std::uint8_t kNoTransform = 0;
    constexpr std::uint8_t kYcc = 1;
    if (info.adobe_transform == kNoTransform || info.adobe_transform == kYcc) {
        return info.adobe_transform == kYcc;
    }
    if (info.jfif_version) {
        return true;
    }
    constexpr std::array<std::uint8_t, 3> kUpper{'R', 'G', 'B'};
    constexpr std::array<std::uint8_t, 3> kLower{'r', 'g', 'b'};
    if (info.component_ids == kUpper || info.component_ids == kLower) {
        return false;
    }
    return format.photometric != Photometric::rgb;
}

void ycc_to_rgb(MutableByteSpan samples, std::size_t width, std::uint32_t precision) {
    with_cell(width, [&]<typename Cell>(Cell /*type*/) { convert<Cell>(samples, precision); });
}

} // namespace torchdicom
