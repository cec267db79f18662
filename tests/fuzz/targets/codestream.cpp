// What stands between a codestream and the codec libraries: markers, and the header's say.
// Covers: decode/codestream.cpp decode/jpeg_markers.cpp decode/jpeg_process.cpp
// Covers: decode/jpeg_segments.cpp
// Covers: decode/jpeg2000_markers.cpp decode/jpeg2000_style.cpp decode/jpegxl_markers.cpp

#include "decode/codestream.hpp"
#include "fuzz.hpp"
#include "pixel_format_input.hpp"

#include <algorithm>
#include <array>
#include <vector>

using namespace torchdicom;

namespace {

constexpr std::array kEncodings{Encoding::jpeg,      Encoding::jpeg_lossless, Encoding::jpeg_ls,
                                Encoding::jpeg_2000, Encoding::rle,           Encoding::htj2k,
                                Encoding::jpeg_xl};

void check(const Codestream& stream, ByteSpan frame, Encoding encoding, const PixelFormat& format) {
    const CodestreamInfo& info = stream.info;
    fuzz::require(info.rows == format.rows && info.columns == format.columns &&
                      info.components == format.samples_per_pixel && info.precision >= 1 &&
                      info.precision <= format.bits_allocated,
                  "a codestream that passes agrees with the header");
    fuzz::require(stream.bytes.data() >= frame.data() &&
                      stream.bytes.data() + stream.bytes.size() <= frame.data() + frame.size(),
                  "the codestream is inside its frame");
    if (encoding == Encoding::jpeg_xl) { // no end marker: its decoder finds the end
        return;
    }
    std::vector<std::byte> padded(stream.bytes.begin(), stream.bytes.end());
    padded.resize(padded.size() + 3);
    const ByteSpan again = find_codestream(padded, encoding).bytes;
    fuzz::require(std::ranges::equal(again, stream.bytes), "padding belongs to no codestream");
    if (encoding != Encoding::jpeg_2000 &&
        encoding != Encoding::htj2k) { // there a coded FFD9 may pass for the end marker
        const auto cut = stream.bytes.first(stream.bytes.size() - 1);
        fuzz::require(
            fuzz::error_of([&] { static_cast<void>(find_codestream(cut, encoding)); }).has_value(),
            "a codestream without its end is refused");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input{data, size};
    const Encoding encoding = kEncodings.at(input.byte() % kEncodings.size());
    const PixelFormat format = pixel_format_from(input);
    const ByteSpan frame = input.rest();
    static_cast<void>(fuzz::error_of([&] {
        const Codestream stream = check_codestream(frame, encoding, format);
        if (encoding != Encoding::rle) {
            check(stream, frame, encoding, format);
        }
        check_unused_bits(std::array<std::byte, 8>{}, stream.info, format); // zeros always fit
        // The bytes serve as the samples that a library might give.
        check_unused_bits(frame.first(frame.size() / 4 * 4), stream.info, format);
    }));
    return 0;
}
