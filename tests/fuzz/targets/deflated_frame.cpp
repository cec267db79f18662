// Frames of native layout: deflated ones, and encapsulated uncompressed ones.
// Covers: decode/deflated_frame.cpp decode/native_rows.cpp decode/unpack.cpp
// Covers: decode/uncompressed.cpp

#include "frame_input.hpp"

using namespace torchdicom;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input{data, size};
    const bool is_deflated = input.flag();
    PixelFormat format = fuzz::frame_format_from(input);
    if (format.shares_chroma()) {
        format.columns += format.columns % 2; // as `pixel_format_of` has seen to
    }
    const Window window = fuzz::window_from(input, format);
    fuzz::check_rows(input.rest(), is_deflated ? "1.2.840.10008.1.2.8.1" : "1.2.840.10008.1.2.1.98",
                     format, window);
    return 0;
}
