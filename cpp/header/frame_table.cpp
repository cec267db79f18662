// The byte ranges of the frames, by arithmetic where the pixels are native (PS3.5 8.1.1).

#include "base/checked.hpp"
#include "base/limits.hpp"
#include "header/file_header.hpp"
#include "header/pixel_format.hpp"

#include <algorithm>

namespace torchdicom {

namespace {

std::uint32_t checked_size(const FileHeader& header, std::optional<std::uint32_t> size, Tag tag,
                           std::uint32_t most, ErrorCode code) {
    if (require_attribute(header, size, tag) == 0) {
        fail(ErrorCode::invalid_value,
             "The image has no pixel: the value is 0. Correct the file or leave it out",
             header.place_of(tag));
    }
    if (*size > most) {
        fail(code,
             "The value " + std::to_string(*size) + " is above the limit of " +
                 std::to_string(most) + ". The file is corrupt, or an image of a size not foreseen",
             header.place_of(tag));
    }
    return *size;
}

void check_number_of_frames(const FileHeader& header) {
    const std::int32_t frames = header.number_of_frames_given.value_or(1);
    if (frames < 1) {
        fail(ErrorCode::invalid_value,
             "The value " + std::to_string(frames) +
                 " is no number of frames. Correct the file or leave it out",
             header.place_of(tags::NumberOfFrames));
    }
    if (header.number_of_frames() > limits::kMaxFrames) {
        fail(ErrorCode::limit_frames,
             "The value " + std::to_string(frames) + " is above the limit of " +
                 std::to_string(limits::kMaxFrames) + " frames. The file is corrupt",
             header.place_of(tags::NumberOfFrames));
    }
}

/// Floating point pixels have the width that their element's name says.
std::uint64_t bits_of_sample(const FileHeader& header) {
    switch (header.pixels->element.tag) {
    case tags::FloatPixelData:
        return 32;
    case tags::DoubleFloatPixelData:
        return 64;
    default:
        return require_attribute(header, header.bits_allocated, tags::BitsAllocated);
    }
}

/// Bits of one frame as native pixel data stores it.
std::uint64_t native_frame_bits(const FileHeader& header) {
    const std::uint64_t rows =
        checked_size(header, header.rows, tags::Rows, limits::kMaxRows, ErrorCode::limit_rows);
    const std::uint64_t columns = checked_size(header, header.columns, tags::Columns,
                                               limits::kMaxColumns, ErrorCode::limit_columns);
    // Chroma of YBR_FULL_422 is shared by two pixels (PS3.3 C.7.6.3.1.2).
    const std::uint64_t stated = header.samples_per_pixel.value_or(1);
    const bool is_shared = stated == 3 && header.photometric_interpretation == "YBR_FULL_422";
    const std::uint64_t samples = is_shared ? 2 : stated;
    return checked_product({rows, columns, samples, bits_of_sample(header)}, "The size of a frame");
}

/// Most writers add a byte where the length is odd (PS3.5 8.1.1); more than that says that the file
/// has something else in mind than its header has.
void note_rest(FileHeader& header, std::uint64_t needed, std::uint64_t present) {
    if (present > needed + needed % 2) {
        header.notes.push_back("The pixel data has " + std::to_string(present) +
                               " bytes where its frames need " + std::to_string(needed) +
                               "; the rest is passed over");
    }
}

[[noreturn]] void fail_short(const FileHeader& header, std::uint64_t needed, std::uint64_t present,
                             std::uint64_t frame_bits) {
    const std::uint64_t whole = present * 8 / frame_bits;
    const std::string numbers = std::to_string(needed) + " bytes of pixels are needed and " +
                                std::to_string(present) + " are there";
    if (header.number_of_frames() > 1 && whole >= 1 && present * 8 % frame_bits == 0) {
        fail(ErrorCode::frame_count_mismatch,
             numbers + ": " + std::to_string(whole) + " frames where NumberOfFrames says " +
                 std::to_string(header.number_of_frames()) + ". Correct the file or leave it out",
             header.pixels->element.place());
    }
    fail(ErrorCode::truncated_pixels,
         numbers + ". The file is cut off: fetch it again or leave it out",
         header.pixels->element.place());
}

void add_native_frames(std::uint64_t bits, FileHeader& header) {
    const Element& element = header.pixels->element;
    const std::uint64_t frames = header.number_of_frames();
    const std::uint64_t all_bits = checked_mul(bits, frames, "The size of the pixel data");
    const std::uint64_t needed = all_bits / 8 + (all_bits % 8 != 0 ? 1 : 0);
    const std::uint64_t present =
        std::min(element.length, header.pixels->data_set_end - element.value_offset);
    if (present < needed) {
        fail_short(header, needed, present, bits);
    }
    note_rest(header, needed, present);
    for (std::uint64_t i = 0; i < frames; ++i) {
        // Frames of 1-bit pixels need not start at a byte (PS3.5 8.1.1): take the bytes around.
        const std::uint64_t first = i * bits / 8;
        const std::uint64_t end = ((i + 1) * bits + 7) / 8;
        header.frames.add_fragment({element.value_offset + first, end - first});
        header.frames.end_frame();
    }
}

} // namespace

void read_frame_table(ByteWindow& window, FileHeader& header) {
    check_number_of_frames(header);
    if (!header.pixels || header.transfer_syntax.encoding == Encoding::unsupported) {
        return; // what is inside is not ours to judge
    }
    const bool is_encapsulated = header.transfer_syntax.is_encapsulated();
    if (header.pixels->element.has_undefined_length != is_encapsulated) {
        fail(ErrorCode::invalid_fragments,
             std::string{is_encapsulated
                             ? "The transfer syntax calls for fragments and the pixel data has none"
                             : "The pixel data has fragments and the transfer syntax has not"} +
                 ". The file is corrupt",
             header.pixels->element.place());
    }
    const std::uint64_t bits = native_frame_bits(header); // checks rows and columns in any case
    if (is_encapsulated) {
        add_encapsulated_frames(window, header);
    } else {
        add_native_frames(bits, header);
    }
}

} // namespace torchdicom
