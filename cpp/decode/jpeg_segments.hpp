// A JPEG or JPEG-LS codestream, segment after segment, and where its entropy-coded data ends.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>

namespace torchdicom {

/// What follows a byte FF that is data: a byte 00 in JPEG (ISO 10918-1 B.1.1.5), one below 80 in
/// JPEG-LS (ISO 14495-1 A.1).
enum class Stuffing : std::uint8_t { byte, bit };

/// The number of bytes from `at` on before the next FF, or before the end.
[[nodiscard]] std::size_t bytes_before_ff(ByteSpan bytes, std::size_t at) noexcept;

/// Where the next marker stands in entropy-coded data, from `at` on: its FF, or the end of the
/// bytes (or an FF that is their last).
[[nodiscard]] std::size_t find_marker(ByteSpan bytes, std::size_t at, Stuffing stuffing) noexcept;

/// The same for the first marker that is no restart: there the scan ends.
[[nodiscard]] std::size_t find_scan_end(ByteSpan bytes, std::size_t at, Stuffing stuffing) noexcept;

struct JpegSegment {
    std::uint8_t marker = 0; ///< its second byte
    std::size_t offset = 0;  ///< of the body in the codestream
    ByteSpan body{};         ///< what follows the length; of EOI nothing
};

/// Reads no byte that is not there, and throws DecodeError invalid_codestream where a segment is
/// cut off or a marker has no place.
class JpegSegments {
  public:
    /// Throws unless the codestream starts with SOI.
    explicit JpegSegments(ByteSpan codestream);

    /// The next marker and its segment.
    [[nodiscard]] JpegSegment next();

    /// Behind what was read.
    [[nodiscard]] std::size_t position() const noexcept { return at_; }
    [[nodiscard]] ByteSpan rest() const noexcept { return codestream_.subspan(at_); }

    /// Passes over some bytes of `rest()`.
    void skip(std::size_t count);

    /// Passes over the entropy-coded data behind a scan header, restart markers among it.
    ByteSpan take_scan(Stuffing stuffing);

  private:
    std::uint8_t next_byte();
    std::uint8_t next_marker();

    ByteSpan codestream_;
    std::size_t at_ = 0;
};

} // namespace torchdicom
