#include "decode/jpeg_process.hpp"

#include "decode/codestream.hpp"

namespace torchdicom {

namespace {

std::string_view expected_process(Encoding encoding) {
    switch (encoding) {
    case Encoding::jpeg_lossless:
        return "lossless JPEG (SOF3)";
    case Encoding::jpeg_ls:
        return "JPEG-LS (SOF55)";
    default:
        return "lossy JPEG (SOF0, SOF1 or SOF2)";
    }
}

bool allows_process(Encoding encoding, std::uint8_t marker) {
    switch (encoding) {
    case Encoding::jpeg_lossless:
        return marker == kSof3;
    case Encoding::jpeg_ls:
        return marker == kSof55;
    default:
        return marker <= kSof2;
    }
}

} // namespace

std::string marker_name(std::uint8_t marker) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    return std::string{"FF"} + kDigits[marker >> 4U] + kDigits[marker & 0xFU];
}

std::string_view process_name(std::uint8_t marker) noexcept {
    switch (marker) {
    case kSof0:
        return "baseline JPEG (SOF0)";
    case kSof1:
        return "extended JPEG (SOF1)";
    case kSof2:
        return "progressive JPEG (SOF2)";
    case kSof3:
        return "lossless JPEG (SOF3)";
    case kSof55:
        return "JPEG-LS (SOF55)";
    default:
        return marker < kJpg ? "hierarchical JPEG" : "arithmetic-coded JPEG";
    }
}

void check_process(std::uint8_t marker, Encoding encoding) {
    const bool known = marker <= kSof3 || marker == kSof55;
    if (!known) {
        fail(ErrorCode::decoder_failed,
             "The frame is " + std::string{process_name(marker)} + " (marker " +
                 marker_name(marker) +
                 "), which no decoder here knows; convert the file to JPEG "
                 "lossless or to an uncompressed transfer syntax");
    }
    if (!allows_process(encoding, marker)) {
        fail_mismatch("The frame is " + std::string{process_name(marker)} +
                      " and the transfer syntax calls for " +
                      std::string{expected_process(encoding)});
    }
}

bool allows_precision(std::uint8_t marker, std::uint32_t precision) noexcept {
    switch (marker) {
    case kSof0:
        return precision == 8;
    case kSof1:
    case kSof2:
        return precision == 8 || precision == 12;
    default:
        return precision >= 2 && precision <= 16;
    }
}

} // namespace torchdicom
