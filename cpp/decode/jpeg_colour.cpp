#include "decode/jpeg_colour.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace torchdicom {

namespace {

template <typename Cell> void convert(MutableByteSpan samples, std::uint32_t precision) {
    const auto half = static_cast<double>(std::uint64_t{1} << (precision - 1));
    const auto store = [&](std::size_t at, double value) {
        const auto cell = static_cast<Cell>(std::clamp(std::floor(value + 0.5), 0.0, 2 * half - 1));
        std::memcpy(samples.subspan(at, sizeof(Cell)).data(), &cell, sizeof(Cell));
    };
    for (std::size_t at = 0; at + 3 * sizeof(Cell) <= samples.size(); at += 3 * sizeof(Cell)) {
        const auto load = [&](std::size_t component) {
            return static_cast<double>(
                load_number<Cell>(samples, at + component * sizeof(Cell), std::endian::native));
        };
        const double y = load(0);
        const double cb = load(1) - half;
        const double cr = load(2) - half;
        store(at, y + 1.402 * cr);
        store(at + sizeof(Cell), y - 0.114 * 1.772 / 0.587 * cb - 0.299 * 1.402 / 0.587 * cr);
        store(at + 2 * sizeof(Cell), y + 1.772 * cb);
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
    if (width == sizeof(std::uint8_t)) {
        convert<std::uint8_t>(samples, precision);
    } else if (width == sizeof(std::uint16_t)) {
        convert<std::uint16_t>(samples, precision);
    } else {
        convert<std::uint32_t>(samples, precision);
    }
}

} // namespace torchdicom
