#include "header/pixel_format.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace torchdicom {

namespace {

[[noreturn]] void fail_value(const FileHeader& header, Tag tag, std::uint32_t value,
                             const std::string& allowed) {
    fail(ErrorCode::invalid_value,
         "The value " + std::to_string(value) + " is not " + allowed +
             ". Correct the file or leave it out",
         header.place_of(tag));
}

[[noreturn]] void fail_format(const FileHeader& header, Tag tag, const std::string& what) {
    fail(ErrorCode::unsupported_pixel_format,
         what + " are not read. Convert the file or leave it out", header.place_of(tag));
}

/// Whether pixels lie in the file as they are: then they may be packed, and share their chroma.
bool is_uncompressed(const FileHeader& header) noexcept {
    switch (header.transfer_syntax.encoding) {
    case Encoding::native_little:
    case Encoding::native_big:
    case Encoding::encapsulated_uncompressed:
    case Encoding::deflated_frame:
        return true;
    default:
        return false;
    }
}

/// Whether narrower pixels stand in 16-bit words of big endian.
bool has_words(const FileHeader& header, const PixelFormat& format) noexcept {
    const std::uint32_t bits = format.bits_allocated;
    return header.transfer_syntax.encoding == Encoding::native_big && header.pixels &&
           header.pixels->element.vr == std::array{'O', 'W'} && (bits <= 8 || bits == 12);
}

struct PhotometricRow {
    std::string_view name;
    std::uint32_t samples;
    Photometric photometric;
};

// PS3.3 C.7.6.3.1.2; the retired YBR_PARTIAL forms are not among them.
constexpr std::array kPhotometrics{
    PhotometricRow{"", 1, Photometric::monochrome},
    PhotometricRow{"MONOCHROME1", 1, Photometric::monochrome},
    PhotometricRow{"MONOCHROME2", 1, Photometric::monochrome},
    PhotometricRow{"PALETTE COLOR", 1, Photometric::palette},
    PhotometricRow{"RGB", 3, Photometric::rgb},
    PhotometricRow{"YBR_FULL", 3, Photometric::ybr_full},
    PhotometricRow{"YBR_FULL_422", 3, Photometric::ybr_full_422},
    PhotometricRow{"YBR_ICT", 3, Photometric::ybr_ict},
    PhotometricRow{"YBR_RCT", 3, Photometric::ybr_rct},
};

Photometric photometric_of(const FileHeader& header, std::uint32_t samples) {
    const std::string& name = header.photometric_interpretation;
    if (samples != 1 && samples != 3) {
        fail(ErrorCode::unsupported_photometric,
             "Pixels of " + std::to_string(samples) +
                 " samples are not read; 1 and 3 are. Convert the file or leave it out",
             header.place_of(tags::SamplesPerPixel));
    }
    // The colours that JPEG XL has of itself; its decoder gives RGB (PS3.5 Table 8.2.15-1).
    if (name == "XYB" && samples == 3 && header.transfer_syntax.encoding == Encoding::jpeg_xl) {
        return Photometric::rgb;
    }
    for (const PhotometricRow& row : kPhotometrics) {
        if (row.name == name && row.samples == samples) {
            return row.photometric;
        }
    }
    fail(ErrorCode::unsupported_photometric,
         (name.empty() ? std::string{"Images without a photometric interpretation"}
                       : "Images of photometric interpretation " + name) +
             " are not read with " + std::to_string(samples) +
             (samples == 1 ? " sample" : " samples") + " a pixel. Convert the file or leave it out",
         header.place_of(tags::PhotometricInterpretation));
}

void check_bits(const FileHeader& header, const PixelFormat& format) {
    constexpr std::array<std::uint32_t, 5> kAllocated{1, 8, 12, 16, 32};
    const std::uint32_t allocated = format.bits_allocated;
    if (std::ranges::find(kAllocated, allocated) == kAllocated.end()) {
        fail_format(header, tags::BitsAllocated,
                    "Pixels of " + std::to_string(allocated) +
                        " bits (1, 8, 12, 16 and 32 are possible)");
    }
    if (format.bits_stored < 1 || format.bits_stored > allocated) {
        fail_value(header, tags::BitsStored, format.bits_stored,
                   "between 1 and BitsAllocated, " + std::to_string(allocated));
    }
    if (format.high_bit + 1 < format.bits_stored || format.high_bit >= allocated) {
        fail_value(header, tags::HighBit, format.high_bit,
                   "between BitsStored - 1 and BitsAllocated - 1");
    }
}

/// Pixels that are packed in the file have one sample, and their codecs are few.
void check_packed(const FileHeader& header, const PixelFormat& format) {
    const Encoding encoding = header.transfer_syntax.encoding;
    if (format.bits_allocated != 1 && format.bits_allocated != 12) {
        return;
    }
    const std::string bits = std::to_string(format.bits_allocated);
    if (format.samples_per_pixel != 1) {
        fail_format(header, tags::BitsAllocated, "Colours of " + bits + "-bit samples");
    }
    const bool has_codec = format.bits_allocated == 1 ? encoding != Encoding::jpeg
                                                      : !header.transfer_syntax.is_encapsulated();
    if (!has_codec) {
        fail_format(header, tags::BitsAllocated,
                    "Pixels of " + bits + " bits in this transfer syntax");
    }
}

void check_colour(const FileHeader& header, PixelFormat& format) {
    if (format.samples_per_pixel == 1) {
        return;
    }
    format.planar_configuration = header.planar_configuration.value_or(0);
    if (format.planar_configuration > 1) {
        fail_value(header, tags::PlanarConfiguration, format.planar_configuration, "0 or 1");
    }
    if (format.is_signed && format.photometric != Photometric::rgb) {
        fail_format(header, tags::PixelRepresentation,
                    "Signed samples of photometric interpretation " +
                        header.photometric_interpretation);
    }
    if (!format.shares_chroma() || !is_uncompressed(header)) {
        return;
    }
    if (format.planar_configuration != 0) {
        fail_value(header, tags::PlanarConfiguration, format.planar_configuration,
                   "0, the only one that YBR_FULL_422 has");
    }
    if (format.columns % 2 != 0) {
        fail_value(header, tags::Columns, format.columns,
                   "even, and in YBR_FULL_422 two pixels share their chroma");
    }
}

/// PS3.3 C.7.6.24 and C.7.6.25: one sample, its width given by the element, no bits to mask.
PixelFormat float_format(const FileHeader& header, PixelFormat format) {
    const bool is_double = header.pixels->element.tag == tags::DoubleFloatPixelData;
    const std::uint32_t bits = is_double ? 64 : 32;
    if (format.photometric != Photometric::monochrome) {
        fail_format(header, tags::PhotometricInterpretation,
                    "Floating point pixels of photometric interpretation " +
                        header.photometric_interpretation);
    }
    if (header.bits_allocated.value_or(bits) != bits) {
        fail_value(header, tags::BitsAllocated, *header.bits_allocated,
                   std::to_string(bits) + ", which the pixel data calls for");
    }
    if (!is_uncompressed(header) && header.transfer_syntax.encoding != Encoding::unsupported) {
        fail_format(header, header.pixels->element.tag,
                    "Floating point pixels in this transfer syntax");
    }
    format.sample_type = is_double ? SampleType::float64 : SampleType::float32;
    format.bits_allocated = bits;
    format.bits_stored = bits;
    format.high_bit = bits - 1;
    format.is_signed = true;
    return format;
}

/// Bytes that are swapped as words of 16 bits: there must be whole words.
void check_words(const FileHeader& header, const PixelFormat& format) {
    if (has_words(header, format) && header.pixels->element.length % 2 != 0) {
        fail_format(header, tags::PixelData,
                    "Half a word at the end of pixel data in 16-bit big endian words");
    }
}

} // namespace

std::uint32_t require_attribute(const FileHeader& header, std::optional<std::uint32_t> value,
                                Tag tag) {
    if (!value) {
        fail(ErrorCode::missing_element,
             "The file has pixels and lacks this attribute. Correct the file or leave it out",
             header.place_of(tag));
    }
    return *value;
}

std::uint64_t uncompressed_bits(const PixelFormat& format) noexcept {
    const std::uint64_t samples = format.shares_chroma() ? 2 : format.samples_per_pixel;
    return std::uint64_t{format.rows} * format.columns * samples * format.bits_allocated;
}

std::size_t swap_bytes(const FileHeader& header, const PixelFormat& format) noexcept {
    if (header.transfer_syntax.encoding != Encoding::native_big) {
        return 1;
    }
    if (has_words(header, format)) {
        return sizeof(std::uint16_t);
    }
    return format.bits_allocated == 12 ? 1 : format.bytes_per_sample();
}

PixelFormat pixel_format_of(const FileHeader& header) {
    PixelFormat format;
    format.samples_per_pixel = header.samples_per_pixel.value_or(1);
    format.photometric = photometric_of(header, format.samples_per_pixel);
    format.rows = require_attribute(header, header.rows, tags::Rows);
    format.columns = require_attribute(header, header.columns, tags::Columns);
    if (header.part.frame_rows > 0) { // of a mosaic, whose tiles are slices
        format.rows = static_cast<std::uint32_t>(header.part.frame_rows);
        format.columns = static_cast<std::uint32_t>(header.part.frame_columns);
    }
    if (header.pixels && header.pixels->element.tag != tags::PixelData) {
        return float_format(header, format);
    }
    format.bits_allocated = require_attribute(header, header.bits_allocated, tags::BitsAllocated);
    format.bits_stored = header.bits_stored.value_or(format.bits_allocated);
    format.high_bit = header.high_bit.value_or(format.bits_stored - 1);
    check_bits(header, format);
    check_packed(header, format);
    const std::uint32_t sign =
        require_attribute(header, header.pixel_representation, tags::PixelRepresentation);
    if (sign > 1) {
        fail_value(header, tags::PixelRepresentation, sign, "0 or 1");
    }
    format.is_signed = sign == 1;
    check_colour(header, format);
    return format;
}

void check_decodable(const FileHeader& header) {
    if (!header.pixels) {
        fail(ErrorCode::no_pixel_data,
             "The file has no pixels to decode: it is cut off, or an object without any. Name "
             "another",
             header.place_of(tags::PixelData));
    }
    try {
        require_decodable(header.transfer_syntax, header.transfer_syntax_uid);
    } catch (const Error& error) {
        throw error.located({.path = header.path});
    }
    check_words(header, pixel_format_of(header));
}

} // namespace torchdicom
