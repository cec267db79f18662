#include "decode/native_rows.hpp"

#include "base/cells.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

namespace torchdicom {

namespace {

/// Pixels that follow each other in a frame.
struct Pixels {
    std::size_t first = 0;
    std::size_t count = 0;
};

template <typename Cell> void store(MutableByteSpan cells, std::size_t index, Cell value) noexcept {
    std::memcpy(cells.subspan(index * sizeof(Cell), sizeof(Cell)).data(), &value, sizeof(Cell));
}

template <typename Cell> Cell load(ByteSpan frame, std::size_t index) noexcept {
    return load_number<Cell>(frame, index * sizeof(Cell), std::endian::little);
}

/// PS3.5 8.1.1: the first pixel is the least significant bit.
void unpack_bits(ByteSpan frame, Pixels pixels, MutableByteSpan cells) noexcept {
    for (std::size_t i = 0; i < pixels.count; ++i) {
        const std::size_t bit = pixels.first + i;
        cells[i] = (frame[bit / 8] >> static_cast<int>(bit % 8)) & std::byte{1};
    }
}

/// Older editions of PS3.5 and ACR-NEMA: 12 bits each, likewise from the least significant bit on.
void unpack_twelves(ByteSpan frame, Pixels pixels, MutableByteSpan cells) noexcept {
    const auto byte = [&](std::size_t at) { return std::to_integer<std::uint32_t>(frame[at]); };
    for (std::size_t i = 0; i < pixels.count; ++i) {
        const std::size_t at = (pixels.first + i) * 3 / 2;
        const bool is_odd = (pixels.first + i) % 2 != 0;
        const std::uint32_t value =
            is_odd ? byte(at) >> 4U | byte(at + 1) << 4U : byte(at) | (byte(at + 1) & 0xFU) << 8U;
        store(cells, i, static_cast<std::uint16_t>(value));
    }
}

/// PS3.3 C.7.6.3.1.3: planes one after the other, or pixel by pixel.
template <typename Cell>
void interleave(ByteSpan frame, const PixelFormat& format, Pixels pixels, MutableByteSpan cells) {
    const std::size_t components = format.samples_per_pixel;
    const bool is_planar = format.planar_configuration == 1;
    const std::size_t next_pixel = is_planar ? 1 : components;
    const std::size_t next_component =
        is_planar ? std::size_t{format.rows} * format.columns : std::size_t{1};
    for (std::size_t component = 0; component < components; ++component) {
        for (std::size_t i = 0; i < pixels.count; ++i) {
            const std::size_t from = component * next_component + (pixels.first + i) * next_pixel;
            store(cells, i * components + component, load<Cell>(frame, from));
        }
    }
}

/// PS3.3 C.7.6.3.1.2: Y, Y, Cb, Cr of two pixels, which share the last two.
template <typename Cell> void spread_chroma(ByteSpan frame, Pixels pixels, MutableByteSpan cells) {
    for (std::size_t i = 0; i < pixels.count; ++i) {
        const std::size_t pair = (pixels.first + i) / 2 * 4;
        store(cells, 3 * i, load<Cell>(frame, pair + (pixels.first + i) % 2));
        store(cells, 3 * i + 1, load<Cell>(frame, pair + 2));
        store(cells, 3 * i + 2, load<Cell>(frame, pair + 3));
    }
}

/// Whether the bytes of the frame are the cells.
bool is_plain(const PixelFormat& format) noexcept {
    const bool is_planar = format.samples_per_pixel > 1 && format.planar_configuration == 1;
    const bool has_order =
        format.bytes_per_sample() == 1 || std::endian::native == std::endian::little;
    return format.bits_allocated % 8 == 0 && !is_planar && !format.shares_chroma() && has_order;
}

template <typename Cell>
void convert(ByteSpan frame, const PixelFormat& format, Pixels pixels, MutableByteSpan cells) {
    if (format.shares_chroma()) {
        spread_chroma<Cell>(frame, pixels, cells);
    } else {
        interleave<Cell>(frame, format, pixels, cells);
    }
}

void to_cells(ByteSpan frame, const PixelFormat& format, Pixels pixels, MutableByteSpan cells) {
    if (format.bits_allocated == 1) {
        unpack_bits(frame, pixels, cells);
        return;
    }
    if (format.bits_allocated == 12) {
        unpack_twelves(frame, pixels, cells);
        return;
    }
    with_cell(format.bytes_per_sample(),
              [&]<typename Cell>(Cell /*type*/) { convert<Cell>(frame, format, pixels, cells); });
}

void check_pairs(const PixelFormat& format) {
    if (format.shares_chroma() && format.columns % 2 != 0) {
        fail(ErrorCode::invalid_value,
             "YBR_FULL_422 is made of pairs of pixels, and a row has " +
                 std::to_string(format.columns) + "; correct the file or leave it out",
             Place{.element = "(0028,0011) Columns"});
    }
}

} // namespace

std::size_t native_frame_bytes(const PixelFormat& format) {
    check_pairs(format);
    return (uncompressed_bits(format) + 7) / 8;
}

void put_native_rows(ByteSpan frame, const DecodeRequest& request, RowSink& rows) {
    const PixelFormat& format = request.format;
    const Window window = whole_rows(request.window, format);
    const std::size_t row_bytes = format.bytes_per_row();
    const std::size_t band = rows_of_band(row_bytes);
    rows.start({.window = window});
    bool wants_more = true;
    for (std::size_t y = window.y0; y < window.y1 && wants_more; y += band) {
        const std::size_t count = std::min(band, window.y1 - y);
        if (is_plain(format)) {
            wants_more = rows.put(frame.subspan(y * row_bytes, count * row_bytes));
            continue;
        }
        const MutableByteSpan cells = decode_scratch(Scratch::rows, count * row_bytes);
        to_cells(frame, format, {.first = y * format.columns, .count = count * format.columns},
                 cells);
        wants_more = rows.put(cells);
    }
}

} // namespace torchdicom
