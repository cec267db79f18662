// JPEG-LS codestreams that pass the check of their markers.
// Covers: decode/jpeg_ls.cpp decode/jpeg_ls_bits.cpp decode/jpeg_ls_coding.cpp
// Covers: decode/jpeg_ls_header.cpp decode/jpeg_ls_preset.cpp decode/jpeg_ls_rows.cpp
// Covers: decode/jpeg_ls_scan.cpp decode/jpeg_ls_codes.cpp

#include "decode/jpeg_ls.hpp"
#include "decode/codestream.hpp"
#include "decoded.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <vector>

using namespace torchdicom;

namespace {

/// Sizes beyond this would teach the fuzzer about nothing but time.
constexpr std::size_t kMaxSamples = 65'536;

/// The rows that a window asks for, over scratch that held `before`; nothing where the frame is
/// refused.
std::optional<std::vector<std::byte>> decode(const Codestream& stream, const PixelFormat& format,
                                             Window window, std::byte before) {
    for (const Scratch slot : {Scratch::frame, Scratch::rows}) {
        std::ranges::fill(decode_scratch(slot, format.bytes_per_frame()), before);
    }
    test::KeptRows rows{format};
    const auto error = fuzz::error_of([&] {
        decode_jpeg_ls(stream, {.syntax = {}, .format = format, .window = window}, rows);
        fuzz::require(rows.is_whole(), "all rows are handed on");
    });
    return error ? std::nullopt : std::optional{rows.bytes};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input{data, size};
    const std::uint32_t flags = input.byte();
    Codestream stream;
    const auto error =
        fuzz::error_of([&] { stream = find_codestream(input.rest(), Encoding::jpeg_ls); });
    if (error || std::size_t{stream.info.rows} * stream.info.columns > kMaxSamples) {
        return 0;
    }
    PixelFormat format;
    format.rows = stream.info.rows;
    format.columns = stream.info.columns;
    format.samples_per_pixel = stream.info.components;
    format.bits_allocated = stream.info.precision > 8 ? 16 : 8;
    if ((flags & 1U) != 0) {
        format.bits_allocated = 32;
    }
    const Window whole = whole_image(format);
    const auto samples = decode(stream, format, whole, std::byte{0x55});
    fuzz::require(samples == decode(stream, format, whole, std::byte{0xAA}),
                  "every byte of the output is written");
    if (samples) {
        Window part = whole;
        part.y0 = (flags >> 1U) % format.rows;
        part.y1 = part.y0 + 1;
        const auto row = decode(stream, format, part, std::byte{0});
        fuzz::require(row && std::ranges::equal(
                                 *row, std::span{*samples}.subspan(part.y0 * format.bytes_per_row(),
                                                                   format.bytes_per_row())),
                      "a row by itself is the row of the image");
    }
    return 0;
}
