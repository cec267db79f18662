#include "decode/unpack.hpp"

#include "base/cells.hpp"

#include <bit>

namespace torchdicom {

static_assert(std::endian::native == std::endian::little,
              "native pixel data is little endian, and its cells are taken as they stand");

void unpack_bits(ByteSpan packed, std::size_t first_bit, MutableByteSpan cells) noexcept {
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::size_t bit = first_bit + i;
        cells[i] = (packed[bit / 8] >> (bit % 8)) & std::byte{1};
    }
}

void unpack_12_bits(ByteSpan packed, std::size_t first_bit, MutableByteSpan cells) noexcept {
    const std::size_t count = cells.size() / sizeof(std::uint16_t);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t bit = first_bit + 12 * i;
        const auto two = load_number<std::uint16_t>(packed, bit / 8, std::endian::little);
        store_cell(cells, i,
                   static_cast<std::uint16_t>((std::uint32_t{two} >> (bit % 8)) & 0x0FFFU));
    }
}

void unpack_422(ByteSpan packed, std::size_t cell_bytes, MutableByteSpan cells) noexcept {
    with_cell(cell_bytes, [&]<typename Cell>(Cell /*type*/) {
        const std::size_t pairs = cells.size() / (6 * sizeof(Cell));
        for (std::size_t pair = 0; pair < pairs; ++pair) {
            const auto blue = load_cell<Cell>(packed, 4 * pair + 2);
            const auto red = load_cell<Cell>(packed, 4 * pair + 3);
            for (std::size_t pixel = 0; pixel < 2; ++pixel) {
                const std::size_t to = 6 * pair + 3 * pixel;
                store_cell(cells, to, load_cell<Cell>(packed, 4 * pair + pixel));
                store_cell(cells, to + 1, blue);
                store_cell(cells, to + 2, red);
            }
        }
    });
}

void unpack(ByteSpan packed, std::size_t first_bit, const PixelFormat& format,
            MutableByteSpan cells) noexcept {
    if (format.shares_chroma()) {
        unpack_422(packed.subspan(first_bit / 8), format.bytes_per_sample(), cells);
    } else if (format.bits_allocated == 1) {
        unpack_bits(packed, first_bit, cells);
    } else {
        unpack_12_bits(packed, first_bit, cells);
    }
}

void interleave(const std::array<ByteSpan, 3>& planes, std::size_t cell_bytes,
                MutableByteSpan cells) noexcept {
    with_cell(cell_bytes, [&]<typename Cell>(Cell /*type*/) {
        const std::size_t count = cells.size() / (3 * sizeof(Cell));
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t sample = 0; sample < 3; ++sample) {
                store_cell(cells, 3 * i + sample, load_cell<Cell>(planes[sample], i));
            }
        }
    });
}

} // namespace torchdicom
