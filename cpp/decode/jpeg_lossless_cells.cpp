#include "decode/jpeg_lossless_cells.hpp"

#include <cstdint>
#include <cstring>

namespace torchdicom {

namespace {

/// Every `from_step`-th sample to every `to_step`-th cell.
template <typename Cell>
[[gnu::always_inline]] inline void store_each(ByteSpan samples, std::size_t from_step,
                                              MutableByteSpan cells, std::size_t to_step,
                                              std::size_t count, std::uint32_t shift) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t sample = load_number<std::uint16_t>(
            samples, i * from_step * sizeof(std::uint16_t), std::endian::native);
        const auto whole = static_cast<std::uint16_t>(sample << shift);
        const auto cell = static_cast<Cell>(whole);
        std::memcpy(cells.subspan(i * to_step * sizeof(Cell), sizeof(Cell)).data(), &cell,
                    sizeof(Cell));
    }
}

template <typename Cell>
void store(ByteSpan samples, const LosslessScan& scan, std::size_t pixel_cells,
           MutableByteSpan cells) {
    const std::size_t count = samples.size() / sizeof(std::uint16_t);
    if (scan.has_whole_pixels) {
        store_each<Cell>(samples, 1, cells, 1, count, scan.shift);
        return;
    }
    for (std::size_t c = 0; c < scan.loop.components; ++c) {
        store_each<Cell>(samples.subspan(c * sizeof(std::uint16_t)), scan.loop.components,
                         cells.subspan(scan.planes.at(c) * sizeof(Cell)), pixel_cells,
                         count / scan.loop.components, scan.shift);
    }
}

} // namespace

void store_lossless(ByteSpan samples, const LosslessScan& scan, const PixelFormat& format,
                    MutableByteSpan cells) {
    switch (format.bytes_per_sample()) {
    case sizeof(std::uint8_t):
        store<std::uint8_t>(samples, scan, format.samples_per_pixel, cells);
        break;
    case sizeof(std::uint16_t):
        store<std::uint16_t>(samples, scan, format.samples_per_pixel, cells);
        break;
    default:
        store<std::uint32_t>(samples, scan, format.samples_per_pixel, cells);
        break;
    }
}

} // namespace torchdicom
