#include "header/pixel_format.hpp"

#include <array>

namespace torchdicom {

namespace {

[[noreturn]] void fail_value(const FileHeader& header, Tag tag, std::uint32_t value,
                             const std::string& allowed) {
    fail(ErrorCode::invalid_value,
         "The value " + std::to_string(value) + " is not " + allowed +
             ". Correct the file or leave it out",
         header.place_of(tag));
}

void check_photometric(const FileHeader& header) {
    if (header.samples_per_pixel.value_or(1) != 1) {
        fail(ErrorCode::unsupported_photometric,
             "Colour images (" + header.photometric_interpretation +
                 ") are not read yet. Convert them or leave them out",
             header.place_of(tags::SamplesPerPixel));
    }
    const std::string& photometric = header.photometric_interpretation;
    if (!photometric.empty() && photometric != "MONOCHROME1" && photometric != "MONOCHROME2") {
        fail(ErrorCode::unsupported_photometric,
             "Images of photometric interpretation " + photometric +
                 " are not read yet. Convert them or leave them out",
             header.place_of(tags::PhotometricInterpretation));
    }
}

void check_bits(const FileHeader& header, const PixelFormat& format) {
    if (format.bits_allocated != 8 && format.bits_allocated != 16 && format.bits_allocated != 32) {
        fail(ErrorCode::unsupported_pixel_format,
             "Pixels of " + std::to_string(format.bits_allocated) +
                 " bits are not read yet; 8, 16 and 32 are. Convert the file or leave it out",
             header.place_of(tags::BitsAllocated));
    }
    if (format.bits_stored < 1 || format.bits_stored > format.bits_allocated) {
        fail_value(header, tags::BitsStored, format.bits_stored,
                   "between 1 and BitsAllocated, " + std::to_string(format.bits_allocated));
    }
    if (format.high_bit + 1 < format.bits_stored || format.high_bit >= format.bits_allocated) {
        fail_value(header, tags::HighBit, format.high_bit,
                   "between BitsStored - 1 and BitsAllocated - 1");
    }
}

/// 8-bit cells in 16-bit words of big endian: pairs are swapped, and a frame must be whole words.
void check_words(const FileHeader& header, const PixelFormat& format) {
    if (swap_bytes(header, format) > format.bytes_per_sample() &&
        format.samples_per_frame() % 2 != 0) {
        fail(ErrorCode::unsupported_pixel_format,
             "Frames with an odd number of 8-bit pixels in 16-bit big endian words are not read "
             "yet. Convert them or leave them out",
             header.place_of(tags::PixelData));
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

std::size_t swap_bytes(const FileHeader& header, const PixelFormat& format) noexcept {
    if (header.transfer_syntax.encoding != Encoding::native_big) {
        return 1;
    }
    const bool is_words = header.pixels && header.pixels->element.vr == std::array{'O', 'W'};
    return format.bits_allocated == 8 && is_words ? 2 : format.bytes_per_sample();
}

PixelFormat pixel_format_of(const FileHeader& header) {
    if (header.pixels && header.pixels->element.tag != tags::PixelData) {
        fail(ErrorCode::unsupported_pixel_format,
             "Pixels in floating point are not read yet. Convert them or leave them out",
             header.place_of(header.pixels->element.tag));
    }
    check_photometric(header);
    PixelFormat format;
    format.rows = require_attribute(header, header.rows, tags::Rows);
    format.columns = require_attribute(header, header.columns, tags::Columns);
    format.bits_allocated = require_attribute(header, header.bits_allocated, tags::BitsAllocated);
    format.bits_stored = header.bits_stored.value_or(format.bits_allocated);
    format.high_bit = header.high_bit.value_or(format.bits_stored - 1);
    check_bits(header, format);
    const std::uint32_t sign =
        require_attribute(header, header.pixel_representation, tags::PixelRepresentation);
    if (sign > 1) {
        fail_value(header, tags::PixelRepresentation, sign, "0 or 1");
    }
    format.is_signed = sign == 1;
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
