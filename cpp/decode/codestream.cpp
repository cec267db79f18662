#include "decode/codestream.hpp"

#include "base/cells.hpp"
#include "decode/jpeg2000_markers.hpp"
#include "decode/jpeg_markers.hpp"
#include "decode/jpegxl_markers.hpp"
#include "decode/rle.hpp"

namespace torchdicom {

namespace {

/// Rows, columns, components and bits, as both sides of a mismatch are told.
void compare(const CodestreamInfo& info, const PixelFormat& format) {
    if (info.rows != format.rows || info.columns != format.columns) {
        fail_mismatch("The codestream is " + std::to_string(info.rows) + " rows by " +
                      std::to_string(info.columns) + " columns, and the header says " +
                      std::to_string(format.rows) + " by " + std::to_string(format.columns));
    }
    if (info.components != format.samples_per_pixel) {
        fail_mismatch("The codestream has " + std::to_string(info.components) +
                      " components, and the header says SamplesPerPixel " +
                      std::to_string(format.samples_per_pixel));
    }
    if (info.precision > format.bits_allocated) {
        fail_mismatch("The codestream has " + std::to_string(info.precision) +
                      " bits a sample, and the header says BitsAllocated " +
                      std::to_string(format.bits_allocated));
    }
}

/// A codestream narrower than HighBit says has no bits where the header puts the sign, or the
/// value. JPEG 2000 alone keeps a sign of its own.
void compare_bits(const CodestreamInfo& info, Encoding encoding, const PixelFormat& format) {
    const bool has_own_sign = encoding == Encoding::jpeg_2000 || encoding == Encoding::htj2k;
    const bool needs_top_bits =
        format.high_bit + 1 != format.bits_stored || (format.is_signed && !has_own_sign);
    if (needs_top_bits && info.precision <= format.high_bit) {
        fail_mismatch("The codestream has " + std::to_string(info.precision) +
                      " bits a sample, and the header puts the highest at HighBit " +
                      std::to_string(format.high_bit));
    }
}

/// Whether all samples are zeros above HighBit, or copies of the sign. Zeros above a set sign bit
/// are a negative number where the codestream knows no sign, and a positive one that is too large
/// where it does.
template <typename Cell>
bool has_no_value_above(ByteSpan samples, const CodestreamInfo& info,
                        const PixelFormat& format) noexcept {
    const std::uint32_t high_bit = format.high_bit;
    const auto above = static_cast<Cell>(~std::uint32_t{0} << (high_bit + 1));
    const auto sign = static_cast<Cell>(std::uint32_t{1} << high_bit);
    for (std::size_t i = 0; i < samples.size() / sizeof(Cell); ++i) {
        const auto cell = load_cell<Cell>(samples, i);
        const auto upper = static_cast<Cell>(cell & above);
        const bool has_sign = format.is_signed && (cell & sign) != 0;
        const bool is_extended = has_sign && upper == above;
        const bool is_plain = upper == 0 && !(has_sign && info.is_signed);
        if (!is_extended && !is_plain) {
            return false;
        }
    }
    return true;
}

} // namespace

void fail_invalid(const std::string& sentence) {
    fail(ErrorCode::invalid_codestream,
         sentence + "; the pixel data is damaged or cut off: get the file again from its source");
}

void fail_mismatch(const std::string& sentence) {
    fail(ErrorCode::codestream_mismatch,
         sentence +
             "; the header or the pixel data was altered: get the file again from its source");
}

Codestream find_codestream(ByteSpan frame, Encoding encoding) {
    switch (encoding) {
    case Encoding::jpeg:
    case Encoding::jpeg_lossless:
    case Encoding::jpeg_ls:
        return walk_jpeg(frame, encoding);
    case Encoding::jpeg_2000:
    case Encoding::htj2k:
        return walk_jpeg2000(frame);
    case Encoding::jpeg_xl:
        return read_jpegxl_header(frame);
    default:
        fail(ErrorCode::internal_error, "this encoding has no marker segments");
    }
}

Codestream check_codestream(ByteSpan codestream, Encoding encoding, const PixelFormat& format) {
    if (encoding == Encoding::rle) {
        static_cast<void>(find_rle_segments(codestream, format));
    }
    if (!has_end_marker(encoding) && encoding != Encoding::jpeg_xl) {
        return {.info = {}, .bytes = codestream};
    }
    const Codestream stream = find_codestream(codestream, encoding);
    compare(stream.info, format);
    compare_bits(stream.info, encoding, format);
    return stream;
}

bool may_exceed_high_bit(const CodestreamInfo& info, const PixelFormat& format) noexcept {
    return info.precision > format.high_bit + 1;
}

void check_unused_bits(ByteSpan samples, const CodestreamInfo& info, const PixelFormat& format) {
    if (!may_exceed_high_bit(info, format)) {
        return;
    }
    const bool is_whole = with_cell(format.bytes_per_sample(), [&]<typename Cell>(Cell /*type*/) {
        return has_no_value_above<Cell>(samples, info, format);
    });
    if (!is_whole) {
        fail_mismatch("The codestream has values of up to " + std::to_string(info.precision) +
                      " bits, and the header ends them at HighBit " +
                      std::to_string(format.high_bit));
    }
}

} // namespace torchdicom
