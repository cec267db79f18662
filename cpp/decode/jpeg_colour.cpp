#include "decode/jpeg_colour.hpp"

#include "base/cells.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace torchdicom {

namespace {

template <typename Cell> void convert(MutableByteSpan samples, std::uint32_t precision) {
    const auto half = static_cast<double>(std::uint64_t{1} << (precision - 1));
    const auto load = [&](std::size_t index) {
        return static_cast<double>(load_cell<Cell>(samples, index));
    };
    const auto store = [&](std::size_t index, double value) {
        store_cell(samples, index,
                   static_cast<Cell>(std::clamp(std::floor(value + 0.5), 0.0, 2 * half - 1)));
    };
    const std::size_t count = samples.size() / sizeof(Cell) / 3;
    for (std::size_t i = 0; i < 3 * count; i += 3) {
        const double y = load(i);
        const double cb = load(i + 1) - half;
        const double cr = load(i + 2) - half;
        store(i, y + 1.402 * cr);
        store(i + 1, y - 0.114 * 1.772 / 0.587 * cb - 0.299 * 1.402 / 0.587 * cr);
        store(i + 2, y + 1.772 * cb);
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
