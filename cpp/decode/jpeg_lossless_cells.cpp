#include "decode/jpeg_lossless_cells.hpp"

#include "base/cells.hpp"

#include <cstdint>

namespace torchdicom {

namespace {

/// Every `from_step`-th sample to every `to_step`-th cell.
template <typename Cell>
[[gnu::always_inline]] inline void store_each(ByteSpan samples, std::size_t from_step,
                                              MutableByteSpan cells, std::size_t to_step,
                                              std::size_t count, std::uint32_t shift) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t sample = load_cell<std::uint16_t>(samples, i * from_step);
        const auto whole = static_cast<std::uint16_t>(sample << shift);
        store_cell(cells, i * to_step, static_cast<Cell>(whole));
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
    with_cell(format.bytes_per_sample(), [&]<typename Cell>(Cell /*type*/) {
        store<Cell>(samples, scan, format.samples_per_pixel, cells);
    });
}

} // namespace torchdicom
