// header/pixel_format and frame_table: every form of pixels that is read, where its frames lie, and
// what is refused.
#include "data_set_writer.hpp"
#include "header/file_header.hpp"
#include "header/pixel_format.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace torchdicom;
using test::code_of;
using test::DataSetWriter;

namespace {

const std::string kLittle = "1.2.840.10008.1.2.1";
const std::string kBig = "1.2.840.10008.1.2.2";
const std::string kRle = "1.2.840.10008.1.2.5";
const std::string kJpeg = "1.2.840.10008.1.2.4.50";
const std::string kJpeg2000 = "1.2.840.10008.1.2.4.90";
const std::string kUncompressed = "1.2.840.10008.1.2.1.98";

/// What a test is about; numbers that are negative are left out of the file.
struct Form {
    std::string photometric = "MONOCHROME2";
    int samples = 1;
    int planar = -1;
    int allocated = 16;
    int stored = -1;
    int high = -1;
    int sign = 0;
    int rows = 2;
    int columns = 4;
    std::string frames{};
    std::string syntax = kLittle;
    Tag pixels = tags::PixelData;
    std::string vr = "OW";
    std::size_t bytes = 4096;
};

FileHeader header_of(const Form& form) {
    DataSetWriter file = test::file_start(form.syntax);
    if (form.syntax == kBig) {
        file.switch_to({.order = std::endian::big, .is_explicit = true});
    }
    const auto us = [&file](Tag tag, int value) {
        if (value >= 0) {
            file.us(tag, static_cast<std::uint32_t>(value));
        }
    };
    us(tags::SamplesPerPixel, form.samples);
    file.text(tags::PhotometricInterpretation, "CS", form.photometric);
    us(tags::PlanarConfiguration, form.planar);
    file.text(tags::NumberOfFrames, "IS", form.frames);
    us(tags::Rows, form.rows);
    us(tags::Columns, form.columns);
    us(tags::BitsAllocated, form.allocated);
    us(tags::BitsStored, form.stored);
    us(tags::HighBit, form.high);
    us(tags::PixelRepresentation, form.sign);
    if (form.syntax == kLittle || form.syntax == kBig) {
        file.element(form.pixels, form.vr, test::Bytes(form.bytes));
    } else {
        file.head(form.pixels, "OB", DataSetWriter::kUndefined).item(0);
        file.item(test::Bytes(form.bytes)).end_sequence();
    }
    LoadStats stats;
    return read_header({.path = "a.dcm", .bytes = file.bytes()}, {}, stats);
}

PixelFormat format_of(const Form& form) { return pixel_format_of(header_of(form)); }

/// Code and element of the refusal, as "invalid_value Columns".
std::string refusal_of(const Form& form) {
    try {
        const FileHeader header = header_of(form);
        check_decodable(header);
    } catch (const Error& error) {
        const std::string& element = error.place().element;
        CHECK(error.place().path == "a.dcm");
        return std::string{code_name(error.code())} + " " +
               element.substr(std::min(element.size(), element.find(' ') + 1));
    }
    return "";
}

/// Offset in the pixel data and length of each frame, as "0+3 3+4".
std::string frames_of(const Form& form) {
    const FileHeader header = header_of(form);
    std::string text;
    for (std::size_t i = 0; i < header.frames.size(); ++i) {
        const ByteRange range = header.frames.ranges(i)[0];
        if (i > 0) {
            text += ' ';
        }
        text += std::to_string(range.offset - header.pixels->element.value_offset);
        text += '+';
        text += std::to_string(range.length);
    }
    return text;
}

std::size_t swapped(const Form& form) {
    const FileHeader header = header_of(form);
    return swap_bytes(header, pixel_format_of(header));
}

} // namespace

TEST_CASE("each photometric interpretation has its number of samples") {
    const auto photometric = [](const std::string& name, int samples) {
        return format_of({.photometric = name, .samples = samples, .allocated = 8}).photometric;
    };
    CHECK(photometric("", 1) == Photometric::monochrome);
    CHECK(photometric("MONOCHROME1", -1) == Photometric::monochrome);
    CHECK(photometric("MONOCHROME2", 1) == Photometric::monochrome);
    CHECK(photometric("PALETTE COLOR", 1) == Photometric::palette);
    CHECK(photometric("RGB", 3) == Photometric::rgb);
    CHECK(photometric("YBR_FULL", 3) == Photometric::ybr_full);
    CHECK(photometric("YBR_FULL_422", 3) == Photometric::ybr_full_422);
    CHECK(photometric("YBR_ICT", 3) == Photometric::ybr_ict);
    CHECK(photometric("YBR_RCT", 3) == Photometric::ybr_rct);

    const auto refusal = [](const std::string& name, int samples) {
        return refusal_of({.photometric = name, .samples = samples, .allocated = 8});
    };
    const std::string no_photometric = "unsupported_photometric PhotometricInterpretation";
    CHECK(refusal("MONOCHROME2", 3) == no_photometric);
    CHECK(refusal("PALETTE COLOR", 3) == no_photometric);
    CHECK(refusal("", 3) == no_photometric);
    CHECK(refusal("RGB", 1) == no_photometric);
    CHECK(refusal("YBR_PARTIAL_422", 3) == no_photometric);
    CHECK(refusal("YBR_PARTIAL_420", 3) == no_photometric);
    CHECK(refusal("HSV", 3) == no_photometric);
    CHECK(refusal("XYB", 3) == no_photometric);
    const Form xyb{
        .photometric = "XYB", .samples = 3, .allocated = 8, .syntax = "1.2.840.10008.1.2.4.112"};
    CHECK(format_of(xyb).photometric == Photometric::rgb);
    CHECK(refusal("RGB", 4) == "unsupported_photometric SamplesPerPixel");
    CHECK(refusal("MONOCHROME2", 2) == "unsupported_photometric SamplesPerPixel");
}

TEST_CASE("the format of colours") {
    const PixelFormat format = format_of({.photometric = "RGB",
                                          .samples = 3,
                                          .planar = 1,
                                          .allocated = 16,
                                          .stored = 12,
                                          .high = 13,
                                          .sign = 1});
    CHECK(format == PixelFormat{.rows = 2,
                                .columns = 4,
                                .samples_per_pixel = 3,
                                .bits_allocated = 16,
                                .bits_stored = 12,
                                .high_bit = 13,
                                .is_signed = true,
                                .planar_configuration = 1,
                                .photometric = Photometric::rgb});
    CHECK(format_of({.photometric = "RGB", .samples = 3}).planar_configuration == 0);
    CHECK(format_of({.planar = 7}).planar_configuration == 0); // of no meaning for gray
    CHECK(refusal_of({.photometric = "RGB", .samples = 3, .planar = 2}) ==
          "invalid_value PlanarConfiguration");
    CHECK(refusal_of({.photometric = "YBR_FULL", .samples = 3, .sign = 1}) ==
          "unsupported_pixel_format PixelRepresentation");
    CHECK(refusal_of({.photometric = "RGB", .samples = 3, .allocated = 1}) ==
          "unsupported_pixel_format BitsAllocated");
    CHECK(refusal_of({.photometric = "RGB", .samples = 3, .allocated = 12}) ==
          "unsupported_pixel_format BitsAllocated");
}

TEST_CASE("chroma that pixels share asks for even columns, where pixels lie as they are") {
    const Form form{.photometric = "YBR_FULL_422", .samples = 3, .planar = 0, .allocated = 8};
    CHECK(refusal_of(form).empty());
    CHECK(frames_of(form) == "0+16"); // 2 x 4 pixels, two samples each
    CHECK(uncompressed_bits(format_of(form)) == 128);
    CHECK(format_of(form).bytes_per_frame() == 24); // in memory each pixel has all three
    Form odd = form;
    odd.columns = 5;
    CHECK(refusal_of(odd) == "invalid_value Columns");
    odd.syntax = kUncompressed;
    CHECK(refusal_of(odd) == "invalid_value Columns");
    odd.syntax = kJpeg;
    CHECK(refusal_of(odd).empty());
    Form planar = form;
    planar.planar = 1;
    CHECK(refusal_of(planar) == "invalid_value PlanarConfiguration");
    planar.syntax = kJpeg;
    CHECK(refusal_of(planar).empty());
}

TEST_CASE("the widths that integers have, and their cells") {
    for (const auto& width : {std::pair{1, 1U}, {8, 1U}, {12, 2U}, {16, 2U}, {32, 4U}}) {
        const int bits = width.first; // clang 14 captures no structured bindings
        CAPTURE(bits);
        const PixelFormat format = format_of({.allocated = bits});
        CHECK(format.bits_allocated == static_cast<std::uint32_t>(bits));
        CHECK(format.bits_stored == static_cast<std::uint32_t>(bits));
        CHECK(format.high_bit == static_cast<std::uint32_t>(bits - 1));
        CHECK(format.bytes_per_sample() == width.second);
        CHECK(format.sample_type == SampleType::integer);
    }
    for (const int bits : {0, 2, 4, 10, 24, 64}) {
        CHECK(refusal_of({.allocated = bits}) == "unsupported_pixel_format BitsAllocated");
    }
    CHECK(refusal_of({.allocated = 12, .stored = 13}) == "invalid_value BitsStored");
    CHECK(refusal_of({.allocated = 1, .high = 1}) == "invalid_value HighBit");
    CHECK(refusal_of({.allocated = 1, .syntax = kRle}).empty());
    CHECK(refusal_of({.allocated = 12, .syntax = kRle}) ==
          "unsupported_pixel_format BitsAllocated");
    CHECK(refusal_of({.allocated = 1, .syntax = kJpeg}) ==
          "unsupported_pixel_format BitsAllocated");
    CHECK(refusal_of({.allocated = 1, .syntax = kJpeg2000}).empty());
    CHECK(refusal_of({.allocated = 1, .syntax = kUncompressed}).empty());
    CHECK(refusal_of({.allocated = 12, .syntax = kUncompressed}) ==
          "unsupported_pixel_format BitsAllocated");
    CHECK(refusal_of({.allocated = 12, .syntax = kJpeg2000}) ==
          "unsupported_pixel_format BitsAllocated");
}

TEST_CASE("floating point pixels have the width of their element, and bits that none masks") {
    const Form single{.allocated = 32, .sign = -1, .pixels = tags::FloatPixelData, .vr = "OF"};
    const Form twice{.allocated = 64, .sign = -1, .pixels = tags::DoubleFloatPixelData, .vr = "OD"};
    const PixelFormat format = format_of(single);
    CHECK(format.sample_type == SampleType::float32);
    CHECK(format.bits_allocated == 32);
    CHECK(format.bits_stored == 32);
    CHECK(format.bytes_per_sample() == 4);
    CHECK(format_of(twice).sample_type == SampleType::float64);
    CHECK(format_of(twice).bits_allocated == 64);
    CHECK(format_of(twice).bytes_per_sample() == 8);
    CHECK(frames_of(single) == "0+32");
    CHECK(frames_of(twice) == "0+64");

    Form bare = single;
    bare.allocated = -1;
    CHECK(format_of(bare).bits_allocated == 32);
    CHECK(frames_of(bare) == "0+32");
    bare.allocated = 16;
    CHECK(refusal_of(bare) == "invalid_value BitsAllocated");
    Form palette = single;
    palette.photometric = "PALETTE COLOR";
    CHECK(refusal_of(palette) == "unsupported_pixel_format PhotometricInterpretation");
    Form packed = single;
    packed.syntax = kRle;
    CHECK(refusal_of(packed) == "unsupported_pixel_format FloatPixelData");
    packed.syntax = kUncompressed;
    CHECK(refusal_of(packed).empty());
    Form cut = twice;
    cut.bytes = 62;
    CHECK(refusal_of(cut) == "truncated_pixels DoubleFloatPixelData");
}

TEST_CASE("frames of packed pixels share bytes, and need no more than their bits") {
    Form bits{.allocated = 1, .rows = 3, .columns = 5, .frames = "4", .bytes = 8};
    CHECK(frames_of(bits) == "0+2 1+3 3+3 5+3"); // 15 bits each
    bits.bytes = 6;
    CHECK(refusal_of(bits) == "truncated_pixels PixelData"); // 48 bits are three frames and a rest
    Form twelve{.allocated = 12, .rows = 1, .columns = 3, .frames = "2", .bytes = 10};
    CHECK(frames_of(twelve) == "0+5 4+5"); // 36 bits each
    twelve.bytes = 8;
    CHECK(refusal_of(twelve) == "truncated_pixels PixelData");
    Form counted{.allocated = 12, .rows = 1, .columns = 4, .frames = "3", .bytes = 12};
    CHECK(refusal_of(counted) == "frame_count_mismatch PixelData"); // 48 bits each
}

TEST_CASE("cells of big endian are swapped whole, and narrow ones as words") {
    const auto swap = [](int bits, const std::string& vr, const std::string& syntax = kBig) {
        return swapped({.allocated = bits, .syntax = syntax, .vr = vr});
    };
    CHECK(swap(1, "OB") == 1);
    CHECK(swap(1, "OW") == 2);
    CHECK(swap(8, "OB") == 1);
    CHECK(swap(8, "OW") == 2);
    CHECK(swap(12, "OW") == 2);
    CHECK(swap(12, "OB") == 1);
    CHECK(swap(16, "OW") == 2);
    CHECK(swap(32, "OW") == 4);
    CHECK(swap(32, "OW", kLittle) == 1);
    CHECK(swapped({.allocated = 32,
                   .sign = -1,
                   .syntax = kBig,
                   .pixels = tags::FloatPixelData,
                   .vr = "OF"}) == 4);
    CHECK(swapped({.allocated = 64,
                   .sign = -1,
                   .syntax = kBig,
                   .pixels = tags::DoubleFloatPixelData,
                   .vr = "OD"}) == 8);
    CHECK(swapped({.photometric = "RGB", .samples = 3, .allocated = 8, .syntax = kBig}) == 2);
    const Form odd{.photometric = "RGB",
                   .samples = 3,
                   .allocated = 8,
                   .rows = 1,
                   .columns = 3,
                   .syntax = kBig,
                   .bytes = 9};
    CHECK(refusal_of(odd) == "unsupported_pixel_format PixelData"); // half a word at the end
    Form padded = odd;
    padded.bytes = 10;
    CHECK(refusal_of(padded).empty());
    CHECK(refusal_of({.allocated = 1, .rows = 2, .columns = 8, .syntax = kBig}).empty());
}

TEST_CASE("pixel data that is longer than its frames is a note, a byte of padding is none") {
    const auto notes = [](std::size_t bytes) {
        const FileHeader header =
            header_of({.allocated = 8, .rows = 3, .columns = 3, .bytes = bytes});
        return header.notes;
    };
    CHECK(notes(9).empty());
    CHECK(notes(10).empty());
    REQUIRE(notes(11).size() == 1);
    CHECK(notes(12).front() == "The pixel data has 12 bytes where its frames need 9; the rest is "
                               "passed over");
}
