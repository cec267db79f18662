// What a compressed frame says about itself, read without decoding, and the check against the
// header.
#pragma once

#include "base/bytes.hpp"
#include "header/pixel_format.hpp"
#include "header/transfer_syntax.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace torchdicom {

/// The frame header of a codestream: JPEG SOF (ISO 10918-1 B.2.2), JPEG-LS SOF55 (ISO 14495-1
/// C.2.2), JPEG 2000 SIZ and COD (ISO 15444-1 A.5.1, A.6.1), JPEG XL's image header (ISO 18181-1).
struct CodestreamInfo {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::uint32_t components = 0;
    std::uint32_t precision = 0;  ///< the largest of all components
    bool is_signed = false;       ///< only JPEG 2000 says so
    std::uint8_t process = 0;     ///< second byte of the SOF marker, of JPEG and JPEG-LS only
    std::uint32_t scans = 0;      ///< of JPEG and JPEG-LS only, like what follows
    std::size_t frame_header = 0; ///< where in the codestream the parameters of the SOF stand
    std::array<std::uint8_t, 3> component_ids{};   ///< of the first three components
    std::optional<std::uint8_t> adobe_transform{}; ///< of the APP14 segment of Adobe
    std::optional<std::uint8_t> jfif_version{};    ///< major version of the JFIF segment
    std::uint32_t levels = 0;          ///< halvings that a JPEG 2000 decoder can do by itself
    bool has_ht_blocks = false;        ///< of HTJ2K
    bool has_colour_transform = false; ///< of JPEG 2000 (G.1): decoded colours are RGB
};

/// A codestream that was walked from its first marker to its last.
struct Codestream {
    CodestreamInfo info;
    /// SOI to EOI or SOC to EOC: no JP2 boxes around it and no padding behind it. Of JPEG XL, which
    /// has no end marker, the frame.
    ByteSpan bytes;
};

/// Walks a JPEG, JPEG-LS or JPEG 2000 codestream (raw or inside JP2 boxes) over all its marker
/// segments. One that stops before its end marker would decode to an image with a made-up rest, so
/// that is an error here; JPEG XL's decoder finds that out. Throws DecodeError invalid_codestream
/// (broken, cut off), codestream_mismatch (of another process than `encoding`) or decoder_failed (a
/// process that no decoder here knows).
[[nodiscard]] Codestream find_codestream(ByteSpan frame, Encoding encoding);

/// Throws unless a decoder may safely be given this frame: the codestream agrees with the header on
/// rows, columns and components, its precision fits BitsAllocated, every component is whole (no
/// subsampled or differing component of a single-sample image). An RLE frame (PS3.5 G.5) has the
/// number of segments that the pixel format calls for, with offsets ascending and inside the frame.
/// Throws as `find_codestream` does, and codestream_mismatch where the header says otherwise.
/// Returns what it found, so that a decoder need not walk the markers again; of RLE, which has
/// none, the frame as it is.
Codestream check_codestream(ByteSpan codestream, Encoding encoding, const PixelFormat& format);

/// Whether samples of the codestream have bits beyond the header's HighBit.
[[nodiscard]] bool may_exceed_high_bit(const CodestreamInfo& info,
                                       const PixelFormat& format) noexcept;

/// For a codestream of more bits than the header's HighBit: throws codestream_mismatch where a
/// decoded sample has a value up there, which BitsStored would cut off. Signs, extended or not, are
/// none. Samples of JPEG 2000 come with PixelRepresentation's sign.
void check_unused_bits(ByteSpan samples, const CodestreamInfo& info, const PixelFormat& format);

/// Throws invalid_codestream with `sentence`, and says what to do.
[[noreturn, gnu::cold]] void fail_invalid(const std::string& sentence);

/// Throws codestream_mismatch with `sentence`, and says what to do.
[[noreturn, gnu::cold]] void fail_mismatch(const std::string& sentence);

} // namespace torchdicom
