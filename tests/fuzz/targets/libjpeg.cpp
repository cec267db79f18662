// What stands around libjpeg-turbo: its errors and warnings, colours, parts of an image.
// Covers: decode/libjpeg_8_bits.cpp decode/libjpeg_12_bits.cpp decode/libjpeg_session.cpp
// Covers: decode/inverse_dct.cpp

#include "frame_input.hpp"

using namespace torchdicom;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input{data, size};
    PixelFormat format = fuzz::frame_format_from(input);
    format.photometric = input.flag() ? Photometric::rgb : Photometric::ybr_full;
    const std::uint32_t reduce = input.byte() % 5;
    const Window window = fuzz::window_from(input, format, reduce);
    fuzz::check_rows(input.rest(), "1.2.840.10008.1.2.4.50", format, window, reduce,
                     "libjpeg-turbo");
    return 0;
}
