// The table of codecs: a row each, in order of preference.

#include "base/deflate.hpp"
#include "base/scratch.hpp"
#include "decode/codec.hpp"
#include "decode/deflated_frame.hpp"
#include "decode/gdcm_codec.hpp"
#include "decode/jpeg_lossless.hpp"
#include "decode/jpeg_ls.hpp"
#include "decode/libjpeg_codec.hpp"
#include "decode/libjxl_codec.hpp"
#include "decode/openjpeg_codec.hpp"
#include "decode/rle.hpp"
#include "decode/uncompressed.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace torchdicom {

namespace {

template <Encoding... encodings> bool is_one_of(const TransferSyntax& syntax) noexcept {
    return ((syntax.encoding == encodings) || ...);
}

bool any_frame(const CodestreamInfo& /*info*/, const PixelFormat& /*format*/) noexcept {
    return true;
}

// NOLINTNEXTLINE(modernize-use-string-view): the table has one type for all versions
std::string own_version() { return TORCHDICOM_VERSION; }

constexpr std::array kCodecs{
    Codec{.name = "torchdicom",
          .library = "torchdicom",
          .version = own_version,
          .reads = is_one_of<Encoding::encapsulated_uncompressed>,
          .takes = any_frame,
          .decode = decode_uncompressed},
    Codec{.name = "torchdicom",
          .library = "torchdicom",
          .version = own_version,
          .reads = is_one_of<Encoding::rle>,
          .takes = any_frame,
          .decode = decode_rle},
    Codec{.name = "torchdicom",
          .library = "torchdicom",
          .version = own_version,
          .reads = is_one_of<Encoding::jpeg_lossless>,
          .takes = any_frame,
          .decode = decode_jpeg_lossless},
    Codec{.name = "torchdicom",
          .library = "torchdicom",
          .version = own_version,
          .reads = is_one_of<Encoding::jpeg_ls>,
          .takes = any_frame,
          .decode = decode_jpeg_ls},
    Codec{.name = "libdeflate",
          .library = "libdeflate",
          .version = libdeflate_version,
          .reads = is_one_of<Encoding::deflated_frame>,
          .takes = any_frame,
          .decode = decode_deflated_frame},
    Codec{.name = "libjpeg-turbo",
          .library = "libjpeg-turbo",
          .version = libjpeg_version,
          .reads = is_one_of<Encoding::jpeg>,
          .takes = libjpeg_takes,
          .decode = decode_with_libjpeg},
    Codec{.name = "openjpeg",
          .library = "OpenJPEG",
          .version = openjpeg_version,
          .reads = is_one_of<Encoding::jpeg_2000, Encoding::htj2k>,
          .takes = any_frame,
          .decode = decode_with_openjpeg},
    Codec{.name = "libjxl",
          .library = "libjxl",
          .version = libjxl_version,
          .reads = is_one_of<Encoding::jpeg_xl>,
          .takes = any_frame,
          .decode = decode_with_libjxl},
    Codec{.name = "gdcm",
          .library = "GDCM",
          .version = gdcm_version,
          .reads = is_one_of<Encoding::jpeg, Encoding::jpeg_lossless, Encoding::jpeg_ls,
                             Encoding::jpeg_2000>,
          .takes = gdcm_takes,
          .decode = decode_with_gdcm},
};

} // namespace

std::span<const Codec> all_codecs() noexcept { return kCodecs; }

MutableByteSpan decode_scratch(Scratch slot, std::size_t size) {
    thread_local std::array<std::vector<std::byte>, 2> memory;
    return scratch_of(memory.at(static_cast<std::size_t>(slot)), size);
}

Window whole_image(const PixelFormat& format) noexcept {
    return {.y0 = 0, .y1 = format.rows, .x0 = 0, .x1 = format.columns};
}

Window whole_rows(const Window& window, const PixelFormat& format) noexcept {
    return {.y0 = window.y0, .y1 = window.y1, .x0 = 0, .x1 = format.columns};
}

std::size_t rows_of_band(std::size_t row_bytes, std::size_t band_bytes) noexcept {
    return std::max<std::size_t>(1, band_bytes / std::max<std::size_t>(1, row_bytes));
}

} // namespace torchdicom
