// Frames that are decoded here: RLE, and encapsulated uncompressed ones.
// Covers: decode/rle.cpp

#include "decoded.hpp"
#include "fuzz.hpp"
#include "pixel_format_input.hpp"

#include <vector>

using namespace torchdicom;

namespace {

/// What a frame decodes to over memory that held `before`; nothing where it is refused.
std::optional<std::vector<std::byte>> decode(ByteSpan frame, std::string_view syntax,
                                             const PixelFormat& format, std::byte before) {
    std::vector<std::byte> samples(format.bytes_per_frame(), before);
    const auto error = fuzz::error_of(
        [&] { test::decode_whole(frame, *find_transfer_syntax(syntax), format, samples); });
    return error ? std::nullopt : std::optional{samples};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input{data, size};
    const std::uint32_t flags = input.byte();
    const std::string_view syntax =
        (flags & 1U) != 0 ? "1.2.840.10008.1.2.1.98" : "1.2.840.10008.1.2.5";
    PixelFormat format = pixel_format_from(input);
    format.samples_per_pixel = (flags & 2U) != 0 ? 3 : 1;
    format.planar_configuration = (flags >> 2U) & 1U;
    const auto samples = decode(input.rest(), syntax, format, std::byte{0x55});
    fuzz::require(samples == decode(input.rest(), syntax, format, std::byte{0xAA}),
                  "every byte of the output is written");
    if (samples) {
        std::vector<std::byte> longer(input.rest().begin(), input.rest().end());
        longer.insert(longer.end(), 7, std::byte{0x81});
        fuzz::require(samples == decode(longer, syntax, format, std::byte{0}),
                      "bytes behind a whole frame change nothing");
    }
    return 0;
}
