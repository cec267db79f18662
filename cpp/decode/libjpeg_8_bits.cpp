// Frames of 8 bits through libjpeg-turbo.

#include "base/cells.hpp"
#include "decode/jpeg_colour.hpp"
#include "decode/libjpeg_session.hpp"

#include <algorithm>
#include <string>

namespace torchdicom {

namespace {

constexpr std::uint32_t kMostHalvings = 3;

// Rows that are still in the first-level cache when the sink has them.
constexpr std::size_t kPart = std::size_t{16} << 10U;

void start(JpegSession& session) {
    jpeg_decompress_struct& image = session.image;
    read_jpeg_header(session);
    if (image.num_components == 3) {
        image.jpeg_color_space = session.is_ycc ? JCS_YCbCr : JCS_RGB;
        image.out_color_space = JCS_RGB;
    } else {
        image.jpeg_color_space = JCS_GRAYSCALE;
        image.out_color_space = JCS_GRAYSCALE;
    }
    image.scale_num = 1;
    image.scale_denom = 1U << session.reduced;
    jpeg_start_decompress(&image);
}

void skip(JpegSession& session) { jpeg_skip_scanlines(&session.image, session.wanted); }

void read(JpegSession& session) {
    session.got = 0;
    while (session.got < session.wanted) {
        session.got +=
            jpeg_read_scanlines(&session.image, session.row_pointers.data() + session.got,
                                session.wanted - session.got);
    }
}

void skip_rows(JpegDecompressor& decompressor, std::size_t count) {
    if (count > 0) {
        decompressor.session().wanted = static_cast<JDIMENSION>(count);
        decompressor.run(skip);
    }
}

/// Reads `count` rows, at most as many as there are pointers, each `row_bytes` long.
void read_rows(JpegDecompressor& decompressor, MutableByteSpan into, std::size_t count,
               std::size_t row_bytes) {
    JpegSession& session = decompressor.session();
    for (std::size_t i = 0; i < count; ++i) {
        std::byte* const row = into.subspan(i * row_bytes, row_bytes).data();
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): unsigned char may alias
        session.row_pointers.at(i) = reinterpret_cast<JSAMPROW>(row);
    }
    session.wanted = static_cast<JDIMENSION>(count);
    decompressor.run(read);
}

/// Samples of 8 bits in cells that have more.
template <typename Cell> void widen(ByteSpan samples, MutableByteSpan cells) noexcept {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        store_cell(cells, i, std::to_integer<Cell>(samples[i]));
    }
}

MutableByteSpan as_cells(MutableByteSpan samples, std::size_t width) {
    if (width == sizeof(std::uint8_t)) {
        return samples;
    }
    const MutableByteSpan cells = decode_scratch(Scratch::frame, samples.size() * width);
    with_cell(width, [&]<typename Cell>(Cell /*type*/) { widen<Cell>(samples, cells); });
    return cells;
}

std::size_t halve(std::size_t size, std::uint32_t times) noexcept {
    return (size + (std::size_t{1} << times) - 1) >> times;
}

/// The library was told to give what the header says, and its own reading of the frame header is
/// what sizes its rows: the two are compared once more before memory is handed to it.
void check_output(const JpegSession& session, const Window& window, const PixelFormat& format) {
    const jpeg_decompress_struct& image = session.image;
    const auto components = static_cast<std::uint32_t>(image.output_components);
    if (image.output_width != window.x1 || image.output_height < window.y1 ||
        components != format.samples_per_pixel) {
        fail_mismatch("libjpeg-turbo reads the frame as " + std::to_string(image.output_height) +
                      " rows of " + std::to_string(image.output_width) + " pixels with " +
                      std::to_string(components) + " components");
    }
}

} // namespace

void decode_jpeg_8_bits(const Codestream& stream, const DecodeRequest& request, RowSink& rows) {
    const PixelFormat& format = request.format;
    const std::uint32_t reduced = std::min(request.reduce, kMostHalvings);
    JpegDecompressor decompressor{stream, format};
    JpegSession& session = decompressor.session();
    session.is_ycc = is_ycc(stream.info, format);
    session.reduced = reduced;
    decompressor.run(start);
    const Window window{.y0 = request.window.y0 >> reduced,
                        .y1 = halve(request.window.y1, reduced),
                        .x0 = 0,
                        .x1 = halve(format.columns, reduced)};
    check_output(session, window, format);
    rows.start({.window = window, .reduced = reduced, .is_rgb = format.samples_per_pixel == 3});
    skip_rows(decompressor, window.y0);
    const std::size_t row_bytes = window.x1 * format.samples_per_pixel;
    const std::size_t band = std::min(rows_of_band(row_bytes, kPart), session.row_pointers.size());
    const MutableByteSpan samples = decode_scratch(Scratch::rows, band * row_bytes);
    bool wants_more = true;
    for (std::size_t y = window.y0; y < window.y1 && wants_more; y += band) {
        const std::size_t count = std::min(band, window.y1 - y);
        read_rows(decompressor, samples, count, row_bytes);
        wants_more =
            rows.put(as_cells(samples.first(count * row_bytes), format.bytes_per_sample()));
    }
}

} // namespace torchdicom
