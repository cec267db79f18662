// What the main and tile headers of JPEG 2000 say about how samples are coded (ISO 15444-1 A.6,
// ISO 15444-15 A.3): resolution levels, the colour transform, and extensions that nobody here
// reads.
#pragma once

#include "decode/codestream.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace torchdicom {

/// Gathers COD, COC and CAP segments. Segments start with their two length bytes.
class Jpeg2000Style {
  public:
    /// `info` has size and components already; `stream_bytes` bounds what can be announced.
    Jpeg2000Style(const CodestreamInfo& info, std::size_t stream_bytes)
        : rows_{info.rows}, columns_{info.columns}, components_{info.components},
          stream_bytes_{stream_bytes} {}

    /// One segment of the main header or of a tile's. Throws invalid_codestream,
    /// codestream_mismatch (tiles that differ in their colours) or decoder_failed (Part 2).
    void read(std::uint16_t marker, ByteSpan segment);

    /// Throws where the main header, which has been read, had no COD.
    void require_default() const;

    /// Throws invalid_codestream where the data of a tile-part with HT blocks hold two bytes that
    /// no coder writes.
    void check_data(ByteSpan data) const;

    /// The least of all components and tiles.
    [[nodiscard]] std::uint32_t levels() const noexcept { return levels_; }
    /// Whether any component of any tile has blocks of Part 15.
    [[nodiscard]] bool has_ht_blocks() const noexcept { return has_ht_blocks_; }
    [[nodiscard]] bool has_colour_transform() const noexcept {
        return transform_ == 1 && components_ == 3;
    }

  private:
    void read_cod(ByteSpan cod);
    void read_coc(ByteSpan coc);
    void read_levels(ByteSpan parameters, bool has_precincts, std::uint32_t components);
    [[nodiscard]] double precincts(ByteSpan sizes, std::uint32_t levels) const;

    std::uint32_t rows_;
    std::uint32_t columns_;
    std::uint32_t components_;
    std::size_t stream_bytes_;
    std::uint32_t levels_ = 32; // the most that SPcod has
    std::uint32_t layers_ = 1;
    bool has_ht_blocks_ = false;
    bool has_sop_ = false;
    bool has_eph_ = false;
    std::optional<std::uint32_t> transform_;
};

} // namespace torchdicom
