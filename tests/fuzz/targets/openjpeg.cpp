// JPEG 2000 and HTJ2K frames through OpenJPEG: whole, halved, and in part.
// Covers: decode/openjpeg_codec.cpp decode/jpeg2000_style.cpp

#include "decode/codestream.hpp"
#include "decode/decoder.hpp"
#include "fuzz.hpp"
#include "gathered.hpp"

#include <algorithm>
#include <array>

using namespace torchdicom;

namespace {

/// A format that agrees with the codestream, but for the sign, where the input says so.
std::optional<PixelFormat> format_for(const CodestreamInfo& info, std::uint32_t flags) {
    PixelFormat format{.rows = info.rows,
                       .columns = info.columns,
                       .samples_per_pixel = info.components,
                       .bits_allocated = info.precision <= 8    ? 8U
                                         : info.precision <= 16 ? 16U
                                                                : 32U,
                       .is_signed = info.is_signed != ((flags & 1U) != 0)};
    if ((flags & 2U) != 0) {
        format.bits_allocated = 32;
    }
    format.bits_stored = format.bits_allocated;
    format.high_bit = format.bits_stored - 1;
    if ((flags & 4U) != 0) {
        format.photometric = Photometric::ybr_full;
    }
    const bool is_small = info.rows <= 128 && info.columns <= 128 && info.precision <= 32;
    return is_small ? std::optional{format} : std::nullopt;
}

/// Whether the coding style (COD, ISO 15444-1 A.6.1) names the 5-3 wavelet, which is of whole
/// numbers. Of the other, steps that damage made huge leave no numbers to compare.
bool is_reversible(ByteSpan frame) {
    constexpr std::array kCod{std::byte{0xFF}, std::byte{0x52}};
    constexpr std::ptrdiff_t kWavelet = 13;
    const auto found = std::search(frame.begin(), frame.end(), kCod.begin(), kCod.end());
    return frame.end() - found > kWavelet && found[kWavelet] == std::byte{1};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input{data, size};
    const std::uint32_t flags = input.byte();
    const std::uint32_t reduce = input.byte() % 9;
    const std::uint32_t corner = input.two_bytes();
    std::optional<PixelFormat> format;
    static_cast<void>(fuzz::error_of(
        [&] { format = format_for(find_codestream(input.rest(), Encoding::htj2k).info, flags); }));
    if (!format) {
        return 0;
    }
    DecodeRequest request{.syntax = *find_transfer_syntax("1.2.840.10008.1.2.4.201"),
                          .format = *format,
                          .window = whole_image(*format),
                          .reduce = reduce};
    const auto whole = fuzz::gather(input.rest(), request);
    const std::size_t step = std::size_t{1} << reduce;
    const auto from = [step](std::size_t at, std::size_t size_now) {
        return at % size_now / step * step;
    };
    request.window.y0 = from(corner & 0xFFU, format->rows);
    request.window.x0 = from(corner >> 8U, format->columns);
    request.window.y1 = std::min<std::size_t>(request.window.y0 + 2 * step, format->rows);
    request.window.x1 = std::min<std::size_t>(request.window.x0 + step, format->columns);
    const auto part = fuzz::gather(input.rest(), request);
    if (whole) {
        fuzz::gather_first(input.rest(), request);
        fuzz::require(whole->area.reduced <= reduce, "no more is halved than was asked for");
        // Of damaged frames OpenJPEG decodes some as a whole, and refuses a part.
        const bool has_numbers = part && is_reversible(input.rest());
        fuzz::require(!has_numbers || fuzz::is_crop(*part, *whole, *format),
                      "a part is a part of the whole");
    }
    return 0;
}
