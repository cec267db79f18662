#include "decode/uncompressed.hpp"

#include <bit>
#include <cstring>

namespace torchdicom {

namespace {

/// Little endian samples, planes as PlanarConfiguration says, to interleaved cells.
void copy_cells(ByteSpan frame, const PixelFormat& format, MutableByteSpan samples) {
    const std::size_t width = format.bytes_per_sample();
    const std::size_t components = format.samples_per_pixel;
    const bool is_planar = components > 1 && format.planar_configuration == 1;
    if (!is_planar && (width == 1 || std::endian::native == std::endian::little)) {
        std::memcpy(samples.data(), frame.data(), samples.size());
        return;
    }
    const std::size_t count = format.samples_per_frame();
    const std::size_t pixels = count / components;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t from = is_planar ? (i % components) * pixels + i / components : i;
        for (std::size_t byte = 0; byte < width; ++byte) {
            const std::size_t to =
                std::endian::native == std::endian::little ? byte : width - 1 - byte;
            samples[i * width + to] = frame[from * width + byte];
        }
    }
}

} // namespace

void decode_uncompressed(const Codestream& stream, const DecodeRequest& request, RowSink& rows) {
    const std::size_t size = request.format.bytes_per_frame();
    if (stream.bytes.size() < size) {
        fail(ErrorCode::truncated_pixels,
             "The frame has " + std::to_string(stream.bytes.size()) +
                 " bytes and its size calls for " + std::to_string(size) +
                 "; the file is cut off: get it again from its source",
             Place{.element = "(7FE0,0010) PixelData"});
    }
    const MutableByteSpan samples = decode_scratch(Scratch::frame, size);
    copy_cells(stream.bytes, request.format, samples);
    rows.start({.window = whole_image(request.format)});
    static_cast<void>(rows.put(samples));
}

} // namespace torchdicom
