// Lossless JPEG, from the markers to the last row.
// Covers: decode/jpeg_lossless.cpp decode/jpeg_lossless_scan.cpp decode/jpeg_lossless_rows.cpp
// Covers: decode/jpeg_lossless_cells.cpp decode/huffman.cpp decode/entropy_bytes.cpp

#include "decoded.hpp"
#include "fuzz.hpp"
#include "pixel_format_input.hpp"

#include <algorithm>
#include <vector>

using namespace torchdicom;

namespace {

/// What a frame decodes to over scratch that held `before`; nothing where it is refused.
std::optional<std::vector<std::byte>> decode(ByteSpan frame, const PixelFormat& format,
                                             const Window& window, std::byte before) {
    for (const Scratch slot : {Scratch::frame, Scratch::rows}) {
        std::ranges::fill(decode_scratch(slot, format.bytes_per_frame()), before);
    }
    test::KeptRows rows{format};
    const auto error = fuzz::error_of([&] {
        decode_frame(frame,
                     {.syntax = *find_transfer_syntax("1.2.840.10008.1.2.4.57"),
                      .format = format,
                      .window = window,
                      .codec = "torchdicom"},
                     rows);
        fuzz::require(rows.is_whole(), "all rows are there");
    });
    return error ? std::nullopt : std::optional{rows.bytes};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input{data, size};
    const std::uint32_t flags = input.byte();
    PixelFormat format = pixel_format_from(input);
    format.samples_per_pixel = flags % 4 + 1;
    const ByteSpan frame = input.rest();
    const Window whole = whole_image(format);
    const auto samples = decode(frame, format, whole, std::byte{0x55});
    fuzz::require(samples == decode(frame, format, whole, std::byte{0xAA}),
                  "every byte of the output is written");
    Window part = whole;
    part.y0 = (flags >> 2U) % whole.y1;
    part.y1 = std::min(whole.y1, part.y0 + 1 + (flags >> 6U));
    const auto rows = decode(frame, format, part, std::byte{0});
    if (samples) {
        const auto first =
            samples->begin() + static_cast<std::ptrdiff_t>(part.y0 * format.bytes_per_row());
        fuzz::require(rows && std::equal(rows->begin(), rows->end(), first),
                      "a part is what the whole has there");
        std::vector<std::byte> longer(frame.begin(), frame.end());
        longer.insert(longer.end(), 7, std::byte{0x81});
        fuzz::require(samples == decode(longer, format, whole, std::byte{0}),
                      "bytes behind a whole frame change nothing");
    }
    return 0;
}
