// The markers of JPEG and JPEG-LS, and which coding process each frame header announces.
#pragma once

#include "header/transfer_syntax.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace torchdicom {

// ISO 10918-1 Table B.1 and ISO 14495-1 C.1.1; the second byte of each marker.
inline constexpr std::uint8_t kSof0 = 0xC0;
inline constexpr std::uint8_t kSof1 = 0xC1;
inline constexpr std::uint8_t kSof2 = 0xC2;
inline constexpr std::uint8_t kSof3 = 0xC3;
inline constexpr std::uint8_t kDht = 0xC4;
inline constexpr std::uint8_t kJpg = 0xC8;
inline constexpr std::uint8_t kDac = 0xCC;
inline constexpr std::uint8_t kSof15 = 0xCF;
inline constexpr std::uint8_t kRst0 = 0xD0;
inline constexpr std::uint8_t kRst7 = 0xD7;
inline constexpr std::uint8_t kSoi = 0xD8;
inline constexpr std::uint8_t kEoi = 0xD9;
inline constexpr std::uint8_t kSos = 0xDA;
inline constexpr std::uint8_t kDri = 0xDD;
inline constexpr std::uint8_t kDhp = 0xDE;
inline constexpr std::uint8_t kExp = 0xDF;
inline constexpr std::uint8_t kApp0 = 0xE0;
inline constexpr std::uint8_t kApp14 = 0xEE;
inline constexpr std::uint8_t kSof55 = 0xF7;

/// "FFC3" of the marker whose second byte this is.
[[nodiscard]] std::string marker_name(std::uint8_t marker);

[[nodiscard]] constexpr bool is_restart(std::uint8_t marker) noexcept {
    return marker >= kRst0 && marker <= kRst7;
}

/// One of the SOF markers, of whatever process.
[[nodiscard]] constexpr bool is_frame_header(std::uint8_t marker) noexcept {
    const bool in_range = marker >= kSof0 && marker <= kSof15;
    return marker == kSof55 || (in_range && marker != kDht && marker != kJpg && marker != kDac);
}

/// "lossless JPEG (SOF3)" and the like.
[[nodiscard]] std::string_view process_name(std::uint8_t marker) noexcept;

/// Throws unless the process that a frame header announces is one that the transfer syntax allows
/// (PS3.5 A.4.1 and A.4.3): DecodeError codestream_mismatch, or decoder_failed where no decoder
/// here knows the process.
void check_process(std::uint8_t marker, Encoding encoding);

/// Whether the process has samples of `precision` bits (ISO 10918-1 Table B.2, ISO 14495-1 C.2.2).
[[nodiscard]] bool allows_precision(std::uint8_t marker, std::uint32_t precision) noexcept;

} // namespace torchdicom
