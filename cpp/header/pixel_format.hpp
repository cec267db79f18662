// The pixel format of a file, checked: what the decoders and the rescale may rely on.
#pragma once

#include "header/file_header.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>

namespace torchdicom {

/// What a sample is: the pixel data's element says so (PS3.3 C.7.6.3, C.7.6.24 and C.7.6.25).
enum class SampleType : std::uint8_t { integer, float32, float64 };

/// PhotometricInterpretation (PS3.3 C.7.6.3.1.2); both monochromes are one, for no value depends on
/// which.
enum class Photometric : std::uint8_t {
    monochrome,
    palette,
    rgb,
    ybr_full,
    ybr_full_422,
    ybr_ict,
    ybr_rct,
};

/// Pixel description of PS3.3 C.7.6.3.1, the same for all frames of a file.
///
/// A *cell* is what stands in memory for a sample: the narrowest of 8, 16, 32 or 64 bits that holds
/// BitsAllocated. Pixels that are packed in the file, 1 or 12 bits each, have cells of 8 and 16.
struct PixelFormat {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::uint32_t samples_per_pixel = 1;
    std::uint32_t bits_allocated = 0; ///< 1, 8, 12, 16 or 32; 32 or 64 in floating point
    std::uint32_t bits_stored = 0;    ///< 1 to bits_allocated
    std::uint32_t high_bit = 0;       ///< bits_stored - 1 to bits_allocated - 1
    bool is_signed = false;
    std::uint32_t planar_configuration = 0;
    SampleType sample_type = SampleType::integer;
    Photometric photometric = Photometric::monochrome;

    [[nodiscard]] std::size_t bytes_per_sample() const noexcept {
        return std::bit_ceil(bits_allocated <= 8 ? 1U : (bits_allocated + 7) / 8);
    }
    [[nodiscard]] std::uint32_t bits_per_cell() const noexcept {
        return static_cast<std::uint32_t>(8 * bytes_per_sample());
    }
    [[nodiscard]] std::size_t bytes_per_row() const noexcept {
        return std::size_t{columns} * samples_per_pixel * bytes_per_sample();
    }
    [[nodiscard]] std::size_t samples_per_frame() const noexcept {
        return std::size_t{rows} * columns * samples_per_pixel;
    }
    [[nodiscard]] std::size_t bytes_per_frame() const noexcept {
        return samples_per_frame() * bytes_per_sample();
    }
    /// Whether two pixels share their chroma where no codec made the frame smaller (PS3.3
    /// C.7.6.3.1.2): such pixels have three samples, and rows an even number of them.
    [[nodiscard]] bool shares_chroma() const noexcept {
        return photometric == Photometric::ybr_full_422;
    }
    friend bool operator==(const PixelFormat&, const PixelFormat&) = default;
};

/// The value of an attribute that a file with pixels must have. Throws missing_element.
[[nodiscard]] std::uint32_t require_attribute(const FileHeader& header,
                                              std::optional<std::uint32_t> value, Tag tag);

/// PS3.3 C.7.6.3.1. Throws ParseError missing_element or invalid_value, UnsupportedError
/// unsupported_pixel_format or unsupported_photometric, with path and element.
[[nodiscard]] PixelFormat pixel_format_of(const FileHeader& header);

/// The bits of one frame of pixel data that no codec made smaller (native, uncompressed, deflated):
/// pixels of 1 and 12 bits are packed, and in YBR_FULL_422 two pixels share their chroma.
[[nodiscard]] std::uint64_t uncompressed_bits(const PixelFormat& format) noexcept;

/// How many bytes stand in reverse order in native pixel data: 1 where none do. In VR OW, cells of
/// 8 bits and packed pixels are swapped as words in big endian (PS3.5 8.1.2).
[[nodiscard]] std::size_t swap_bytes(const FileHeader& header, const PixelFormat& format) noexcept;

/// Throws unless the frames can be decoded by this build: no_pixel_data,
/// unsupported_transfer_syntax, and what `pixel_format_of` throws.
void check_decodable(const FileHeader& header);

} // namespace torchdicom
