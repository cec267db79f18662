#include "decode/libjpeg_codec.hpp"

#include "decode/libjpeg_session.hpp"

#include <string>

namespace torchdicom {

namespace {

// A progressive image of ten scans is common; one of hundreds costs a pass over the frame each.
constexpr std::uint32_t kMostScans = 200;

} // namespace

void decode_with_libjpeg(const Codestream& stream, const DecodeRequest& request, RowSink& rows) {
    if (stream.info.scans > kMostScans) {
        fail_invalid("The JPEG frame has " + std::to_string(stream.info.scans) +
                     " scans, and no encoder makes more than " + std::to_string(kMostScans));
    }
    if (stream.info.precision == 8) {
        decode_jpeg_8_bits(stream, request, rows);
    } else {
        decode_jpeg_12_bits(stream, request, rows);
    }
}

bool libjpeg_takes(const CodestreamInfo& info, const PixelFormat& /*format*/) noexcept {
    const bool has_8_bits = info.precision == 8 && (info.components == 1 || info.components == 3);
    return has_8_bits || (info.precision == 12 && info.components == 1);
}

std::string libjpeg_version() {
    constexpr int kNumber = LIBJPEG_TURBO_VERSION_NUMBER;
    return std::to_string(kNumber / 1'000'000) + "." + std::to_string(kNumber / 1'000 % 1'000) +
           "." + std::to_string(kNumber % 1'000);
}

} // namespace torchdicom
