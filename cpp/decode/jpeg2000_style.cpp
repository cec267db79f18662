#include "decode/jpeg2000_style.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <string_view>

namespace torchdicom {

namespace {

constexpr std::uint16_t kCap = 0xFF50;
constexpr std::uint16_t kCod = 0xFF52;
constexpr std::uint16_t kCoc = 0xFF53;
constexpr std::uint16_t kFirstPart2 = 0xFF72; // DFS ADS MCT NLT MCC MCO CBD ATK (ISO 15444-2)
constexpr std::uint16_t kLastPart2 = 0xFF79;

std::uint32_t u8(ByteSpan bytes, std::size_t at) {
    return std::to_integer<std::uint32_t>(bytes[at]);
}

[[noreturn, gnu::cold]] void fail_extension(const std::string& what) {
    fail(ErrorCode::decoder_failed,
         "The codestream has " + what +
             ", an extension of JPEG 2000 that is not read here; convert the file to another "
             "transfer syntax with the software that wrote it");
}

[[noreturn, gnu::cold]] void fail_size(const char* name, std::size_t size) {
    fail_invalid("The " + std::string{name} + " segment has " + std::to_string(size) +
                 " bytes, which do not fit what it says");
}

/// Pcap has a bit a part of ISO 15444, the first in the highest; Part 15 alone, HTJ2K, is read.
void check_capabilities(ByteSpan cap) {
    if (cap.size() < 6) {
        fail_size("CAP", cap.size());
    }
    constexpr std::uint32_t kPart15 = std::uint32_t{1} << (32U - 15U);
    const auto parts = load_number<std::uint32_t>(cap, 2, std::endian::big);
    if ((parts & ~kPart15) != 0) {
        fail_extension("capabilities " + std::to_string(parts) + " beyond Part 15");
    }
}

} // namespace

void Jpeg2000Style::read(std::uint16_t marker, ByteSpan segment) {
    if (marker == kCap) {
        check_capabilities(segment);
    } else if (marker == kCod) {
        read_cod(segment);
    } else if (marker == kCoc) {
        read_coc(segment);
    } else if (marker >= kFirstPart2 && marker <= kLastPart2) {
        fail_extension("marker " + std::to_string(marker) + " of Part 2");
    }
}

void Jpeg2000Style::require_default() const {
    if (!transform_) {
        fail_invalid("The codestream's main header has no coding style (COD)");
    }
}

void Jpeg2000Style::read_cod(ByteSpan cod) {
    constexpr std::size_t kParameters = 7;
    if (cod.size() < kParameters) {
        fail_size("COD", cod.size());
    }
    const std::uint32_t transform = u8(cod, 6);
    if (transform > 1) { // 2 and above: arrays of Part 2
        fail_extension("component transform " + std::to_string(transform) + " of Part 2");
    }
    if (transform_ && *transform_ != transform && components_ == 3) {
        fail_mismatch("One tile of the codestream has a colour transform and another has none");
    }
    transform_ = transform;
    const std::uint32_t layers = load_number<std::uint16_t>(cod, 4, std::endian::big);
    layers_ = std::max(layers_, layers);
    const std::uint32_t flags = u8(cod, 2); // Table A.13
    has_sop_ = has_sop_ || (flags & 2U) != 0;
    has_eph_ = has_eph_ || (flags & 4U) != 0;
    read_levels(cod.subspan(kParameters), (flags & 1U) != 0, components_);
}

/// Packets are stuffed so that no byte above 8F follows an FF (B.10.1; ISO 15444-15 7.1.1), but for
/// the markers SOP and EPH (A.8). An assertion of OpenJPEG 2.5.0's HT decoder counts on that, and
/// ends the process.
void Jpeg2000Style::check_data(ByteSpan data) const {
    if (!has_ht_blocks_) {
        return;
    }
    const std::string_view text = as_text(data);
    std::size_t at = text.find('\xFF');
    while (at != std::string_view::npos && at + 1 < data.size()) {
        const std::uint32_t next = u8(data, at + 1);
        const bool is_sop = has_sop_ && text.substr(at + 1, 3) == std::string_view{"\x91\0\4", 3};
        const bool is_eph = has_eph_ && next == 0x92;
        if (next > 0x8F && !is_sop && !is_eph) {
            fail_invalid("Byte " + std::to_string(at + 1) + " of a tile-part's data is " +
                         std::to_string(next) + ", which cannot follow a 255");
        }
        at = text.find('\xFF', at + (is_sop ? 6 : 1)); // SOP's number is not stuffed
    }
}

void Jpeg2000Style::read_coc(ByteSpan coc) {
    const std::size_t style_at = components_ < 257 ? 3 : 4;
    if (coc.size() <= style_at) {
        fail_size("COC", coc.size());
    }
    read_levels(coc.subspan(style_at + 1), (u8(coc, style_at) & 1U) != 0, 1);
}

/// SPcod and SPcoc (Table A.20): levels, block width and height, style, wavelet, precinct sizes.
void Jpeg2000Style::read_levels(ByteSpan parameters, bool has_precincts, std::uint32_t components) {
    constexpr std::size_t kFixed = 5;
    const std::uint32_t levels = parameters.empty() ? 0 : u8(parameters, 0);
    const std::size_t sizes = has_precincts ? levels + std::size_t{1} : 0;
    if (levels > 32 || parameters.size() != kFixed + sizes) {
        fail_invalid("A coding style of " + std::to_string(parameters.size()) +
                     " bytes does not fit its " + std::to_string(levels) +
                     " resolution levels, of which 32 is the most");
    }
    levels_ = std::min(levels_, levels);
    has_ht_blocks_ = has_ht_blocks_ || (u8(parameters, 3) & 0x40U) != 0;
    // A packet takes at least a byte, and a layer has one for each precinct: a few bytes cannot
    // announce many and make a decoder reserve tables for them. A stream that was cut to fewer
    // layers may lack some.
    constexpr double kFreePackets = 65'536;
    const double packets =
        precincts(parameters.subspan(kFixed), levels) * components * std::max(layers_, 1U);
    if (packets > std::max(kFreePackets, static_cast<double>(stream_bytes_))) {
        fail_invalid("A coding style gives " +
                     std::to_string(static_cast<std::uint64_t>(std::min(packets, 1e18))) +
                     " packets, and the " + std::to_string(stream_bytes_) +
                     " bytes of the codestream cannot hold them");
    }
}

/// Precincts of one component over all its resolutions (equation B-16), of the whole image. Where
/// no sizes are given each is 2^15.
double Jpeg2000Style::precincts(ByteSpan sizes, std::uint32_t levels) const {
    double count = 0;
    for (std::uint32_t level = 0; level <= levels; ++level) {
        const std::uint32_t size = sizes.empty() ? 0xFF : u8(sizes, level);
        const auto along = [halved = levels - level](std::uint32_t length, std::uint32_t exponent) {
            const double halvings = static_cast<double>(halved) + exponent;
            return std::ceil(std::ldexp(length, -static_cast<int>(halvings)));
        };
        count += along(columns_, size & 0xFU) * along(rows_, size >> 4U);
    }
    return count;
}

} // namespace torchdicom
