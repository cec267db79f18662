#include "decode/libjxl_codec.hpp"

#include "base/cells.hpp"
#include "decode/jpegxl_input.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace torchdicom {

namespace {

const std::uint8_t* octets(ByteSpan bytes) noexcept {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes under libjxl's name
    return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

[[noreturn, gnu::cold]] void fail_decoder(JxlDecoderStatus status, std::size_t size) {
    if (status == JXL_DEC_NEED_MORE_INPUT) {
        fail_invalid("The codestream stops at byte " + std::to_string(size) +
                     ", before its image does");
    }
    fail(ErrorCode::decoder_failed,
         "libjxl could not decode this frame (status " + std::to_string(status) +
             "); the pixel data is damaged: get the file again from its source");
}

void decode_image(ByteSpan frame, const JxlPixelFormat& format, MutableByteSpan samples) {
    const JxlDecoderPointer decoder = open_jpegxl(frame, JXL_DEC_FULL_IMAGE);
    JxlDecoderStatus status = JxlDecoderProcessInput(decoder.get());
    if (status == JXL_DEC_NEED_IMAGE_OUT_BUFFER) {
        std::size_t needed = 0;
        if (JxlDecoderImageOutBufferSize(decoder.get(), &format, &needed) != JXL_DEC_SUCCESS ||
            needed != samples.size() ||
            JxlDecoderSetImageOutBuffer(decoder.get(), &format, samples.data(), needed) !=
                JXL_DEC_SUCCESS) {
            fail_decoder(JXL_DEC_ERROR, frame.size());
        }
        status = JxlDecoderProcessInput(decoder.get());
    }
    if (status != JXL_DEC_FULL_IMAGE) {
        fail_decoder(status, frame.size());
    }
}

/// libjxl stretches samples to the whole range of its output type. Back again the rounding is to
/// the number that was coded: the range only shrinks.
template <typename From, typename To>
void fill_cells(ByteSpan decoded, std::uint32_t precision, MutableByteSpan cells) {
    constexpr std::uint32_t kFull = static_cast<From>(~From{0});
    const std::uint32_t highest = (std::uint32_t{1} << precision) - 1;
    // NOLINTBEGIN(*-reinterpret-cast): scratch of the allocator's alignment
    const auto* const from = reinterpret_cast<const From*>(decoded.data());
    auto* const to = reinterpret_cast<To*>(cells.data());
    // NOLINTEND(*-reinterpret-cast)
    for (std::size_t i = 0; i < cells.size() / sizeof(To); ++i) {
        to[i] = static_cast<To>((from[i] * highest + kFull / 2) / kFull);
    }
}

using FillFunction = void (*)(ByteSpan, std::uint32_t, MutableByteSpan);

template <typename From> FillFunction fill_function(std::size_t cell_bytes) {
    return with_cell(cell_bytes, []<typename Cell>(Cell /*type*/) -> FillFunction {
        return fill_cells<From, Cell>;
    });
}

/// A few rows at a time, which are warm when the sink has them.
void put_cells(ByteSpan decoded, std::size_t sample_bytes, std::uint32_t precision,
               const PixelFormat& format, RowSink& rows) {
    const std::size_t row_bytes = format.bytes_per_row();
    const std::size_t decoded_row = decoded.size() / format.rows;
    const std::size_t rows_at_once = rows_of_band(row_bytes);
    const FillFunction fill = sample_bytes == 1
                                  ? fill_function<std::uint8_t>(format.bytes_per_sample())
                                  : fill_function<std::uint16_t>(format.bytes_per_sample());
    for (std::size_t row = 0; row < format.rows; row += rows_at_once) {
        const std::size_t now = std::min<std::size_t>(rows_at_once, format.rows - row);
        const MutableByteSpan cells = decode_scratch(Scratch::rows, now * row_bytes);
        fill(decoded.subspan(row * decoded_row, now * decoded_row), precision, cells);
        if (!rows.put(cells)) {
            return;
        }
    }
}

} // namespace

JxlDecoderPointer open_jpegxl(ByteSpan frame, JxlDecoderStatus event) {
    const JxlSignature signature = JxlSignatureCheck(octets(frame), frame.size());
    if (signature != JXL_SIG_CODESTREAM && signature != JXL_SIG_CONTAINER) {
        fail_invalid("The frame does not start with the signature of JPEG XL (FF0A, or its "
                     "container's)");
    }
    JxlDecoderPointer decoder{JxlDecoderCreate(nullptr)};
    if (!decoder || JxlDecoderSubscribeEvents(decoder.get(), event) != JXL_DEC_SUCCESS ||
        JxlDecoderSetKeepOrientation(decoder.get(), JXL_TRUE) != JXL_DEC_SUCCESS ||
        JxlDecoderSetInput(decoder.get(), octets(frame), frame.size()) != JXL_DEC_SUCCESS) {
        fail(ErrorCode::decoder_failed,
             "libjxl could not start, for want of memory; free some and try again");
    }
    // The input is not closed: of one that is, libjxl 0.7 says on stderr that it stops early.
    return decoder;
}

void decode_with_libjxl(const Codestream& stream, const DecodeRequest& request, RowSink& rows) {
    const PixelFormat& format = request.format;
    const CodestreamInfo& info = stream.info;
    const std::size_t sample_bytes = info.precision <= 8 ? 1 : 2;
    const JxlPixelFormat wanted{.num_channels = info.components,
                                .data_type = sample_bytes == 1 ? JXL_TYPE_UINT8 : JXL_TYPE_UINT16,
                                .endianness = JXL_NATIVE_ENDIAN,
                                .align = 0};
    const MutableByteSpan samples =
        decode_scratch(Scratch::frame, format.samples_per_frame() * sample_bytes);
    decode_image(stream.bytes, wanted, samples);
    rows.start({.window = whole_image(format), .is_rgb = info.components == 3});
    const bool is_plain = info.precision == 8 * sample_bytes;
    if (is_plain && sample_bytes == format.bytes_per_sample()) {
        static_cast<void>(rows.put(samples));
    } else {
        put_cells(samples, sample_bytes, info.precision, format, rows);
    }
}

std::string libjxl_version() {
    const std::uint32_t version = JxlDecoderVersion(); // 1,000,000 major + 1,000 minor + patch
    return std::to_string(version / 1'000'000) + "." + std::to_string(version / 1'000 % 1'000) +
           "." + std::to_string(version % 1'000);
}

} // namespace torchdicom
