#include "decode/decoder.hpp"

#include "base/limits.hpp"
#include "decode/codestream.hpp"
#include "decode/gdcm_codec.hpp"
#include "decode/rle.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

namespace torchdicom {

namespace {

/// PS3.5 A.4.11: little endian samples in a fragment, planes as PlanarConfiguration says.
void copy_uncompressed(ByteSpan frame, const PixelFormat& format, MutableByteSpan samples) {
    if (frame.size() < samples.size()) {
        fail(ErrorCode::truncated_pixels,
             "The frame has " + std::to_string(frame.size()) + " bytes and its size calls for " +
                 std::to_string(samples.size()) +
                 "; the file is cut off: get it again from its source",
             Place{.element = "(7FE0,0010) PixelData"});
    }
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

/// A few bytes that ask for a giant image are a decompression bomb, or an image of one colour.
void check_expansion(ByteSpan codestream, const PixelFormat& format) {
    const std::uint64_t by_ratio = codestream.size() * limits::kMaxCodestreamRatio;
    if (format.bytes_per_frame() > std::max(by_ratio, limits::kFreeExpansion)) {
        fail(ErrorCode::limit_ratio,
             "A frame of " + std::to_string(format.bytes_per_frame()) + " bytes is said to be in " +
                 std::to_string(codestream.size()) +
                 " compressed ones, which is beyond any image; leave the file out");
    }
}

bool is_gdcm_encoding(Encoding encoding) {
    return encoding == Encoding::jpeg || encoding == Encoding::jpeg_lossless ||
           encoding == Encoding::jpeg_ls || encoding == Encoding::jpeg_2000;
}

} // namespace

void decode_frame(ByteSpan codestream, const TransferSyntax& syntax, const PixelFormat& format,
                  MutableByteSpan samples) {
    require_decodable(syntax, syntax.uid);
    if (samples.empty() || samples.size() != format.bytes_per_frame()) {
        fail(ErrorCode::internal_error, "a frame of " + std::to_string(format.bytes_per_frame()) +
                                            " bytes cannot be decoded into a buffer of " +
                                            std::to_string(samples.size()));
    }
    check_expansion(codestream, format);
    switch (syntax.encoding) {
    case Encoding::encapsulated_uncompressed:
        copy_uncompressed(codestream, format, samples);
        return;
    case Encoding::rle:
        decode_rle(codestream, format, samples);
        return;
    case Encoding::jpeg:
    case Encoding::jpeg_lossless:
    case Encoding::jpeg_ls:
    case Encoding::jpeg_2000: {
        const Codestream stream = check_codestream(codestream, syntax.encoding, format);
        decode_with_gdcm(stream, syntax, format, samples);
        check_unused_bits(samples, stream.info, format);
        return;
    }
    case Encoding::native_little:
    case Encoding::native_big:
    case Encoding::unsupported:
        break;
    }
    fail(ErrorCode::internal_error, std::string{syntax.name} + " has no frames to decode");
}

std::vector<CodecRow> codec_table() {
    std::vector<CodecRow> rows;
    for (const TransferSyntax& syntax : transfer_syntaxes()) {
        CodecRow row{syntax.uid, syntax.name, "torchdicom", TORCHDICOM_VERSION};
        if (syntax.encoding == Encoding::unsupported) {
            row.library.clear();
            row.version.clear();
        } else if (is_gdcm_encoding(syntax.encoding)) {
            row.library = "GDCM";
            row.version = gdcm_version();
        } else if (syntax.is_deflated) {
            row.library = "libdeflate + torchdicom";
            row.version = LIBDEFLATE_VERSION_STRING;
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

} // namespace torchdicom
