#include "rescale/unpack.hpp"

#include <bit>
#include <cstring>

namespace torchdicom {

namespace {

void copy_cell(ByteSpan from, std::size_t from_index, MutableByteSpan to, std::size_t to_index,
               std::size_t cell_bytes) noexcept {
    std::memcpy(to.data() + to_index * cell_bytes, from.data() + from_index * cell_bytes,
                cell_bytes);
}

} // namespace

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
        const auto cell = static_cast<std::uint16_t>((std::uint32_t{two} >> (bit % 8)) & 0x0FFFU);
        std::memcpy(cells.data() + i * sizeof(cell), &cell, sizeof(cell));
    }
}

void unpack_422(ByteSpan packed, std::size_t cell_bytes, MutableByteSpan cells) noexcept {
    const std::size_t pairs = cells.size() / (6 * cell_bytes);
    for (std::size_t pair = 0; pair < pairs; ++pair) {
        for (std::size_t pixel = 0; pixel < 2; ++pixel) {
            const std::size_t to = 6 * pair + 3 * pixel;
            copy_cell(packed, 4 * pair + pixel, cells, to, cell_bytes);
            copy_cell(packed, 4 * pair + 2, cells, to + 1, cell_bytes);
            copy_cell(packed, 4 * pair + 3, cells, to + 2, cell_bytes);
        }
    }
}

void interleave(const std::array<ByteSpan, 3>& planes, std::size_t cell_bytes,
                MutableByteSpan cells) noexcept {
    const std::size_t count = cells.size() / (3 * cell_bytes);
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t sample = 0; sample < 3; ++sample) {
            copy_cell(planes.at(sample), i, cells, 3 * i + sample, cell_bytes);
        }
    }
}

} // namespace torchdicom
