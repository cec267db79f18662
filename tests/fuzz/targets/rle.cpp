// Byte planes of runs, unpacked in pieces and joined.
// Covers: decode/rle.cpp decode/packbits.cpp

#include "frame_input.hpp"

using namespace torchdicom;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input{data, size};
    const PixelFormat format = fuzz::frame_format_from(input);
    const Window window = fuzz::window_from(input, format);
    fuzz::check_rows(input.rest(), "1.2.840.10008.1.2.5", format, window);
    return 0;
}
