// JPEG XL frames through libjxl.
// Covers: decode/libjxl_codec.cpp decode/jpegxl_markers.cpp

#include "decode/codestream.hpp"
#include "decode/decoder.hpp"
#include "fuzz.hpp"
#include "gathered.hpp"

using namespace torchdicom;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input{data, size};
    const std::uint32_t flags = input.byte();
    const ByteSpan frame = input.rest();
    std::optional<CodestreamInfo> info;
    static_cast<void>(
        fuzz::error_of([&] { info = find_codestream(frame, Encoding::jpeg_xl).info; }));
    if (!info || info->rows > 128 || info->columns > 128) {
        return 0;
    }
    PixelFormat format{.rows = info->rows,
                       .columns = info->columns,
                       .samples_per_pixel = info->components,
                       .bits_allocated = 8U << (flags % 3),
                       .is_signed = (flags & 4U) != 0};
    format.bits_stored = format.bits_allocated;
    format.high_bit = format.bits_stored - 1;
    const DecodeRequest request{.syntax = *find_transfer_syntax("1.2.840.10008.1.2.4.110"),
                                .format = format,
                                .window = whole_image(format)};
    const auto samples = fuzz::gather(frame, request);
    // Scratch memory has other bytes in it now.
    const MutableByteSpan scratch = decode_scratch(Scratch::frame, format.bytes_per_frame());
    std::ranges::fill(scratch, std::byte{0x5A});
    const auto again = fuzz::gather(frame, request);
    fuzz::require(samples.has_value() == again.has_value(), "the same frame fails again");
    if (samples) {
        fuzz::gather_first(frame, request);
        fuzz::require(samples->bytes == again->bytes, "every byte of the output is written");
    }
    return 0;
}
