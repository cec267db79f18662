#include "decode/jpegxl_markers.hpp"

#include "decode/jpegxl_input.hpp"

#include <string>

namespace torchdicom {

namespace {

[[noreturn, gnu::cold]] void fail_kind(const std::string& what) {
    fail(ErrorCode::decoder_failed,
         "The codestream has " + what +
             ", which no DICOM image has and which is not read here; convert the file to another "
             "transfer syntax with the software that wrote it");
}

JxlBasicInfo read_basic_info(ByteSpan frame) {
    const JxlDecoderPointer decoder = open_jpegxl(frame, JXL_DEC_BASIC_INFO);
    JxlBasicInfo basic; // NOLINT(*-member-init): no zero is valid for all of it; filled below
    const JxlDecoderStatus status = JxlDecoderProcessInput(decoder.get());
    if (status != JXL_DEC_BASIC_INFO ||
        JxlDecoderGetBasicInfo(decoder.get(), &basic) != JXL_DEC_SUCCESS) {
        fail_invalid(status == JXL_DEC_NEED_MORE_INPUT
                         ? "The codestream stops at byte " + std::to_string(frame.size()) +
                               ", inside its image header"
                         : std::string{"libjxl finds no valid image header in the codestream"});
    }
    return basic;
}

} // namespace

Codestream read_jpegxl_header(ByteSpan frame) {
    const JxlBasicInfo basic = read_basic_info(frame);
    if (basic.exponent_bits_per_sample != 0) {
        fail_kind("samples in floating point");
    }
    if (basic.bits_per_sample > 16) { // libjxl hands out no wider integers
        fail_kind(std::to_string(basic.bits_per_sample) + " bits a sample, beyond 16");
    }
    if (basic.num_extra_channels != 0) {
        fail_kind(std::to_string(basic.num_extra_channels) + " channels beside the colours");
    }
    if (basic.have_animation != JXL_FALSE) {
        fail_kind("an animation");
    }
    return {.info = {.rows = basic.ysize,
                     .columns = basic.xsize,
                     .components = basic.num_color_channels,
                     .precision = basic.bits_per_sample},
            .bytes = frame};
}

} // namespace torchdicom
