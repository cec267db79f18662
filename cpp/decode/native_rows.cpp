#include "decode/native_rows.hpp"

#include "decode/unpack.hpp"

#include <algorithm>

namespace torchdicom {

namespace {

bool has_planes(const PixelFormat& format) noexcept {
    return format.samples_per_pixel == 3 && !format.shares_chroma() &&
           format.planar_configuration == 1;
}

/// Whether the bytes of the frame are the cells.
bool is_plain(const PixelFormat& format) noexcept {
    return format.bits_allocated == format.bits_per_cell() && !has_planes(format) &&
           !format.shares_chroma();
}

/// The cells of pixels that follow each other in a frame, from pixel `first` on.
void to_cells(ByteSpan frame, const PixelFormat& format, std::size_t first, MutableByteSpan cells) {
    if (!has_planes(format)) {
        const std::size_t samples = format.shares_chroma() ? 2 : 1; // of a pixel
        unpack(frame, first * samples * format.bits_allocated, format, cells);
        return;
    }
    const std::size_t cell_bytes = format.bytes_per_sample();
    const std::size_t plane = std::size_t{format.rows} * format.columns * cell_bytes;
    const ByteSpan rest = frame.subspan(first * cell_bytes);
    interleave({rest, rest.subspan(plane), rest.subspan(2 * plane)}, cell_bytes, cells);
}

} // namespace

std::size_t native_frame_bytes(const PixelFormat& format) noexcept {
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
        to_cells(frame, format, y * format.columns, cells);
        wants_more = rows.put(cells);
    }
}

} // namespace torchdicom
