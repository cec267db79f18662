#include "decode/jpeg2000_markers.hpp"

#include "decode/jpeg2000_style.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace torchdicom {

namespace {

constexpr std::uint16_t kSoc = 0xFF4F;
constexpr std::uint16_t kSiz = 0xFF51;
constexpr std::uint16_t kSot = 0xFF90;
constexpr std::uint16_t kSod = 0xFF93;
constexpr std::uint16_t kEoc = 0xFFD9;

constexpr std::uint32_t kSignatureBox = 0x6A502020;  // "jP  "
constexpr std::uint32_t kCodestreamBox = 0x6A703263; // "jp2c"

std::uint16_t u16(ByteSpan bytes, std::size_t at) {
    return load_number<std::uint16_t>(bytes, at, std::endian::big);
}

std::uint32_t u32(ByteSpan bytes, std::size_t at) {
    return load_number<std::uint32_t>(bytes, at, std::endian::big);
}

/// The contents of the first jp2c box. PS3.5 A.4.4 forbids the boxes, and files have them all the
/// same.
ByteSpan unbox(ByteSpan frame) {
    std::size_t at = 0;
    while (frame.size() - at >= 8) {
        const std::size_t left = frame.size() - at;
        std::uint64_t length = u32(frame, at);
        std::size_t header = 8;
        if (length == 1 && left >= 16) { // I.4: the length follows in eight bytes
            length = load_number<std::uint64_t>(frame, at + 8, std::endian::big);
            header = 16;
        } else if (length == 0) { // I.4: to the end
            length = left;
        }
        if (length < header || length > left) {
            fail_invalid("The JP2 box at byte " + std::to_string(at) + " of the frame is " +
                         std::to_string(length) + " bytes long and " + std::to_string(left) +
                         " are left");
        }
        if (u32(frame, at + 4) == kCodestreamBox) {
            return frame.subspan(at + header, static_cast<std::size_t>(length) - header);
        }
        at += static_cast<std::size_t>(length);
    }
    fail_invalid("The frame's JP2 boxes end at byte " + std::to_string(frame.size()) +
                 " without a codestream box (jp2c)");
}

/// Image and tile grid of a SIZ segment (A.5.1).
struct Grid {
    std::uint32_t x_size, y_size, x_offset, y_offset;
    std::uint32_t tile_x, tile_y, tile_x_offset, tile_y_offset;

    explicit Grid(ByteSpan siz)
        : x_size{u32(siz, 4)}, y_size{u32(siz, 8)}, x_offset{u32(siz, 12)}, y_offset{u32(siz, 16)},
          tile_x{u32(siz, 20)}, tile_y{u32(siz, 24)}, tile_x_offset{u32(siz, 28)},
          tile_y_offset{u32(siz, 32)} {}

    /// Equations B-3 and B-4, in 64 bits since sums of two fields can pass 2^32.
    [[nodiscard]] bool is_valid() const {
        return x_size > x_offset && y_size > y_offset && tile_x > 0 && tile_y > 0 &&
               tile_x_offset <= x_offset && tile_y_offset <= y_offset &&
               std::uint64_t{tile_x_offset} + tile_x > x_offset &&
               std::uint64_t{tile_y_offset} + tile_y > y_offset;
    }

    [[nodiscard]] std::uint64_t tile_count() const {
        const auto along = [](std::uint64_t size, std::uint64_t offset, std::uint64_t tile) {
            return (size - offset + tile - 1) / tile;
        };
        return along(x_size, tile_x_offset, tile_x) * along(y_size, tile_y_offset, tile_y);
    }
};

class Jpeg2000Walker {
  public:
    explicit Jpeg2000Walker(ByteSpan bytes) : bytes_{bytes} {}

    Codestream walk() {
        if (bytes_.size() < 4 || u16(bytes_, 0) != kSoc || u16(bytes_, 2) != kSiz) {
            fail_invalid("The frame does not start with the JPEG 2000 markers SOC and SIZ "
                         "(FF4F FF51)");
        }
        at_ = 4;
        read_siz(next_segment(kSiz));
        read_main_header();
        walk_tile_parts();
        const auto missing = std::find(seen_.begin(), seen_.end(), false);
        if (missing != seen_.end()) {
            fail_invalid("The codestream has " + std::to_string(seen_.size()) +
                         " tiles, and tile " + std::to_string(missing - seen_.begin()) +
                         " is not in it");
        }
        // Of an image whose corner lies between the samples of a halving, ceil(N/2) samples are not
        // what is left of N.
        const int aligned = std::countr_zero(offset_bits_);
        info_.levels = std::min(style_->levels(), static_cast<std::uint32_t>(aligned));
        info_.has_ht_blocks = style_->has_ht_blocks();
        info_.has_colour_transform = style_->has_colour_transform();
        return {info_, bytes_.first(at_)};
    }

  private:
    std::uint16_t next_marker() {
        if (bytes_.size() - at_ < 2) {
            fail_invalid("The codestream stops at byte " + std::to_string(bytes_.size()) +
                         ", before its end marker EOC (FFD9)");
        }
        const std::uint16_t marker = u16(bytes_, at_);
        if (marker < 0xFF00) {
            fail_invalid("Byte " + std::to_string(at_) + " of the codestream is " +
                         std::to_string(marker >> 8U) +
                         " where a JPEG 2000 marker (255) must start");
        }
        at_ += 2;
        return marker;
    }

    /// The segment with its two length bytes, so that offsets are those of Annex A less the marker.
    ByteSpan next_segment(std::uint16_t marker) {
        const std::size_t left = bytes_.size() - at_;
        const std::size_t length = left < 2 ? 2 : u16(bytes_, at_);
        if (length < 2 || length > left) {
            fail_invalid("The segment with marker " + std::to_string(marker) + " at byte " +
                         std::to_string(at_ - 2) + " of the codestream is " +
                         std::to_string(length) + " bytes long and " + std::to_string(left) +
                         " are left");
        }
        const ByteSpan segment = bytes_.subspan(at_, length);
        at_ += length;
        return segment;
    }

    void read_siz(ByteSpan siz) {
        constexpr std::size_t kFixed = 38;
        const std::size_t components = siz.size() < kFixed ? 0 : u16(siz, 36);
        if (components == 0 || siz.size() != kFixed + 3 * components) {
            fail_invalid("The SIZ segment has " + std::to_string(siz.size()) +
                         " bytes, which do not fit its " + std::to_string(components) +
                         " components");
        }
        const Grid grid{siz};
        if (!grid.is_valid()) {
            fail_invalid("The SIZ segment gives an image of " + std::to_string(grid.x_size) +
                         " x " + std::to_string(grid.y_size) + " less " +
                         std::to_string(grid.x_offset) + " x " + std::to_string(grid.y_offset) +
                         " in tiles of " + std::to_string(grid.tile_x) + " x " +
                         std::to_string(grid.tile_y) + ", which is no image");
        }
        // Each tile takes at least 14 bytes (SOT and SOD), so a few bytes can't announce many tiles
        // and make a decoder reserve tables for them.
        const std::uint64_t tiles = grid.tile_count();
        if (tiles > bytes_.size() / 14) {
            fail_invalid("The SIZ segment gives " + std::to_string(tiles) + " tiles, and the " +
                         std::to_string(bytes_.size()) +
                         " bytes of the codestream cannot hold them");
        }
        seen_.assign(static_cast<std::size_t>(tiles), false);
        info_.rows = grid.y_size - grid.y_offset;
        info_.columns = grid.x_size - grid.x_offset;
        info_.components = static_cast<std::uint32_t>(components);
        offset_bits_ = grid.x_offset | grid.y_offset;
        style_.emplace(info_, bytes_.size());
        for (std::size_t i = 0; i < components; ++i) {
            read_component(siz.subspan(kFixed + 3 * i, 3), i);
        }
    }

    void read_component(ByteSpan component, std::size_t index) {
        const auto depth = std::to_integer<std::uint32_t>(component[0]);
        const std::uint32_t precision = (depth & 0x7FU) + 1;
        const bool is_signed = (depth & 0x80U) != 0;
        const auto step_x = std::to_integer<std::uint32_t>(component[1]);
        const auto step_y = std::to_integer<std::uint32_t>(component[2]);
        if (precision > 38 || step_x == 0 || step_y == 0) { // Table A.11
            fail_invalid("Component " + std::to_string(index) + " of the SIZ segment has " +
                         std::to_string(precision) + " bits and a step of " +
                         std::to_string(step_x) + " x " + std::to_string(step_y) +
                         ", beyond 38 bits or 1 x 1");
        }
        if (step_x != 1 || step_y != 1) {
            fail_mismatch("Component " + std::to_string(index) +
                          " of the codestream has a sample only every " + std::to_string(step_x) +
                          " x " + std::to_string(step_y) +
                          " pixels, and the header gives each pixel one");
        }
        if (index > 0 && (precision != info_.precision || is_signed != info_.is_signed)) {
            fail_mismatch("Component " + std::to_string(index) + " of the codestream has " +
                          std::to_string(precision) + " bits and the first has " +
                          std::to_string(info_.precision) +
                          ", or their signs differ; a DICOM image has one pixel format");
        }
        info_.precision = precision;
        info_.is_signed = is_signed;
    }

    void read_main_header() {
        for (std::uint16_t marker = next_marker(); marker != kSot; marker = next_marker()) {
            if (marker == kEoc || marker == kSod || marker == kSoc || marker == kSiz) {
                fail_invalid("The marker " + std::to_string(marker) + " at byte " +
                             std::to_string(at_ - 2) +
                             " of the codestream has no place before the first tile");
            }
            style_->read(marker, next_segment(marker));
        }
        style_->require_default();
        at_ -= 2;
    }

    void walk_tile_parts() {
        for (std::uint16_t marker = next_marker(); marker != kEoc; marker = next_marker()) {
            if (marker != kSot) {
                fail_invalid("The marker " + std::to_string(marker) + " at byte " +
                             std::to_string(at_ - 2) +
                             " of the codestream stands where a tile-part must start");
            }
            read_tile_part();
        }
    }

    /// A.4.2: Psot counts from the SOT marker to the end of the tile-part's data; 0 in the last one
    /// means up to EOC.
    void read_tile_part() {
        const std::size_t start = at_ - 2;
        const ByteSpan sot = next_segment(kSot);
        if (sot.size() != 10) {
            fail_invalid("The SOT segment at byte " + std::to_string(start) +
                         " of the codestream has " + std::to_string(sot.size()) +
                         " bytes, which must be 10");
        }
        const std::size_t tile = u16(sot, 2);
        if (tile >= seen_.size()) {
            fail_invalid("The tile-part at byte " + std::to_string(start) +
                         " of the codestream belongs to tile " + std::to_string(tile) + " of " +
                         std::to_string(seen_.size()));
        }
        seen_[tile] = true;
        const std::size_t left = bytes_.size() - start;
        const std::size_t length = u32(sot, 4) == 0 ? length_to_eoc(start) : u32(sot, 4);
        if (length < 14 || length > left) {
            fail_invalid("The tile-part at byte " + std::to_string(start) +
                         " of the codestream is " + std::to_string(length) + " bytes long and " +
                         std::to_string(left) + " are left");
        }
        read_tile_header(start + length);
        at_ = start + length;
    }

    /// Segments up to SOD, all before byte `end`.
    void read_tile_header(std::size_t end) {
        for (std::uint16_t marker = next_marker(); marker != kSod; marker = next_marker()) {
            if (marker == kEoc || marker == kSot || marker == kSoc || marker == kSiz) {
                fail_invalid("The marker " + std::to_string(marker) + " at byte " +
                             std::to_string(at_ - 2) +
                             " of the codestream has no place in the header of a tile");
            }
            style_->read(marker, next_segment(marker));
        }
        if (at_ > end) {
            fail_invalid("The header of the tile-part that ends at byte " + std::to_string(end) +
                         " of the codestream goes on to byte " + std::to_string(at_));
        }
        style_->check_data(bytes_.subspan(at_, end - at_));
    }

    /// Bytes from `start` to the last EOC: the frame may be padded behind it.
    [[nodiscard]] std::size_t length_to_eoc(std::size_t start) const {
        for (std::size_t end = bytes_.size(); end >= start + 2; --end) {
            if (u16(bytes_, end - 2) == kEoc) {
                return end - 2 - start;
            }
        }
        return bytes_.size() - start;
    }

    ByteSpan bytes_;
    std::size_t at_ = 0;
    CodestreamInfo info_;
    std::uint32_t offset_bits_ = 0; ///< all bits of the image's offsets in the reference grid
    std::optional<Jpeg2000Style> style_;
    std::vector<bool> seen_;
};

} // namespace

Codestream walk_jpeg2000(ByteSpan frame) {
    const bool is_boxed =
        frame.size() >= 8 && u32(frame, 0) == 12 && u32(frame, 4) == kSignatureBox;
    return Jpeg2000Walker{is_boxed ? unbox(frame) : frame}.walk();
}

} // namespace torchdicom
