// Cells: unsigned numbers of 8, 16 or 32 bits, native endian, wherever they lie in memory.
#pragma once

#include "base/bytes.hpp"

namespace torchdicom {

/// What `visit` gives for a cell of this many bytes, which is its argument: the only place that
/// turns a width into a type. No other widths than 1, 2 and 4 are cells of integers.
template <typename Visit> decltype(auto) with_cell(std::size_t bytes, const Visit& visit) {
    switch (bytes) {
    case sizeof(std::uint8_t):
        return visit(std::uint8_t{});
    case sizeof(std::uint16_t):
        return visit(std::uint16_t{});
    default:
        return visit(std::uint32_t{});
    }
}

template <typename Cell> [[nodiscard]] Cell load_cell(ByteSpan cells, std::size_t index) noexcept {
    return load_number<Cell>(cells, index * sizeof(Cell), std::endian::native);
}

template <typename Cell>
void store_cell(MutableByteSpan cells, std::size_t index, Cell cell) noexcept {
    std::memcpy(cells.subspan(index * sizeof(Cell), sizeof(Cell)).data(), &cell, sizeof(Cell));
}

} // namespace torchdicom
