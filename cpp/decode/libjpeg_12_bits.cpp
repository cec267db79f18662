// Gray frames of 12 bits: libjpeg-turbo's coefficients, and samples of our own. GDCM reads them as
// well, and fills what is damaged with whatever comes next.

#include "base/cells.hpp"
#include "base/cpu.hpp"
#include "decode/inverse_dct.hpp"
#include "decode/libjpeg_session.hpp"

#include <algorithm>

namespace torchdicom {

namespace {

void read_coefficients(JpegSession& session) {
    read_jpeg_header(session);
    session.coefficients = jpeg_read_coefficients(&session.image);
}

void find_blocks(JpegSession& session) {
    jpeg_decompress_struct* const image = &session.image;
    // NOLINTNEXTLINE(*-reinterpret-cast): the library's own way to the base of its structures
    auto* const common = reinterpret_cast<j_common_ptr>(image);
    session.blocks = *session.image.mem->access_virt_barray(common, *session.coefficients,
                                                            session.wanted, 1, FALSE);
}

/// A copy of the codestream that says 8 bits: nothing in the coding of coefficients depends on it,
/// and the library reads no other.
ByteSpan as_8_bits(const Codestream& stream) {
    const MutableByteSpan copy = decode_scratch(Scratch::frame, stream.bytes.size());
    std::ranges::copy(stream.bytes, copy.begin());
    copy[stream.info.frame_header] = std::byte{8};
    return copy;
}

template <typename Cell>
void put_samples(std::span<const std::uint16_t> samples, MutableByteSpan cells) noexcept {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        store_cell(cells, i, static_cast<Cell>(samples[i]));
    }
}

/// What is indexed below by the header's size is sized by the library's reading of the frame
/// header.
void check_blocks(const JpegSession& session, const PixelFormat& format) {
    const jpeg_decompress_struct& image = session.image;
    if (image.image_width != format.columns || image.image_height != format.rows ||
        image.num_components != 1 || image.comp_info->quant_table == nullptr) {
        fail_mismatch("libjpeg-turbo reads the frame as " + std::to_string(image.image_height) +
                      " rows of " + std::to_string(image.image_width) + " pixels with " +
                      std::to_string(image.num_components) + " components");
    }
}

/// The rows of one row of blocks as cells.
class BlockRow {
  public:
    BlockRow(JpegDecompressor& decompressor, const PixelFormat& format)
        : decompressor_{&decompressor}, format_{&format},
          cells_{decode_scratch(Scratch::rows, kBlockSide * format.bytes_per_row())} {
        const jpeg_component_info& component = *decompressor.session().image.comp_info;
        std::ranges::copy(component.quant_table->quantval, steps_.begin());
    }

    [[nodiscard]] ByteSpan decode(std::size_t row) {
        JpegSession& session = decompressor_->session();
        session.wanted = static_cast<JDIMENSION>(row);
        decompressor_->run(find_blocks);
        const std::size_t columns = format_->columns;
        for (std::size_t x = 0; x < columns; x += kBlockSide) {
            std::array<std::uint16_t, kBlockSize> samples{};
            transform_(std::span<const JCOEF, kBlockSize>{session.blocks[x / kBlockSide]}, steps_,
                       samples);
            place(samples, x, std::min(kBlockSide, columns - x));
        }
        return cells_;
    }

  private:
    void place(std::span<const std::uint16_t, kBlockSize> samples, std::size_t x,
               std::size_t width) noexcept {
        const std::size_t cell = format_->bytes_per_sample();
        for (std::size_t y = 0; y < kBlockSide; ++y) {
            const auto line = samples.subspan(y * kBlockSide, width);
            const MutableByteSpan into =
                cells_.subspan((y * format_->columns + x) * cell, width * cell);
            with_cell(cell, [&]<typename Cell>(Cell /*type*/) { put_samples<Cell>(line, into); });
        }
    }

    JpegDecompressor* decompressor_;
    const PixelFormat* format_;
    MutableByteSpan cells_;
    InverseDct transform_ = inverse_dct_12_bits(cpu_features().has_avx2);
    std::array<std::uint16_t, kBlockSize> steps_{};
};

} // namespace

void decode_jpeg_12_bits(const Codestream& stream, const DecodeRequest& request, RowSink& rows) {
    const PixelFormat& format = request.format;
    const Window window{
        .y0 = request.window.y0, .y1 = request.window.y1, .x0 = 0, .x1 = format.columns};
    JpegDecompressor decompressor{{.info = stream.info, .bytes = as_8_bits(stream)}, format};
    decompressor.run(read_coefficients);
    check_blocks(decompressor.session(), format);
    BlockRow block_row{decompressor, format};
    rows.start({.window = window});
    bool wants_more = true;
    for (std::size_t y = window.y0; y < window.y1 && wants_more;) {
        const std::size_t top = y / kBlockSide * kBlockSide;
        const std::size_t end = std::min(window.y1, top + kBlockSide);
        const ByteSpan cells = block_row.decode(top / kBlockSide);
        wants_more = rows.put(
            cells.subspan((y - top) * format.bytes_per_row(), (end - y) * format.bytes_per_row()));
        y = end;
    }
}

} // namespace torchdicom
