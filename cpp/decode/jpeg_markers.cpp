#include "decode/jpeg_markers.hpp"

#include "decode/jpeg_process.hpp"
#include "decode/jpeg_segments.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torchdicom {

namespace {

class JpegWalker {
  public:
    JpegWalker(ByteSpan frame, Encoding encoding)
        : frame_{frame}, segments_{frame}, encoding_{encoding} {}

    Codestream walk() {
        for (auto segment = segments_.next(); segment.marker != kEoi; segment = segments_.next()) {
            visit(segment);
        }
        if (info_.scans == 0) {
            fail_invalid("The codestream ends at byte " + std::to_string(segments_.position()) +
                         " of the frame without a scan (SOS)");
        }
        return {info_, frame_.first(segments_.position())};
    }

  private:
    void visit(const JpegSegment& segment) {
        const auto [marker, offset, body] = segment;
        if (marker == kDhp || marker == kExp || marker == kDac) {
            check_process(marker == kDac ? kSof15 : kSof0 + 5, encoding_);
        } else if (is_frame_header(marker)) {
            read_frame_header(segment);
        } else if (marker == kApp0) {
            read_jfif(body);
        } else if (marker == kApp14) {
            read_adobe(body);
        } else if (marker == kSos) {
            read_scan_header(body);
            segments_.take_scan(sof_ == kSof55 ? Stuffing::bit : Stuffing::byte);
        }
    }

    /// JFIF, ISO 10918-5 10.1: "JFIF", 0, major version. Of several the first that is odd stays.
    void read_jfif(ByteSpan body) {
        const bool is_jfif =
            as_text(body).starts_with(std::string_view{"JFIF\0", 5}) && body.size() > 5;
        if (is_jfif && info_.jfif_version.value_or(1) == 1) {
            info_.jfif_version = byte_of(body, 5);
        }
    }

    /// ISO 10918-6 6.5.3: "Adobe", version, two flags of 16 bits each, transform.
    void read_adobe(ByteSpan body) {
        if (as_text(body).starts_with("Adobe") && body.size() >= 12) {
            info_.adobe_transform = byte_of(body, 11);
        }
    }

    void read_frame_header(const JpegSegment& segment) {
        const auto [marker, offset, body] = segment;
        check_process(marker, encoding_);
        if (sof_) {
            fail_invalid("The codestream has a second frame header at byte " +
                         std::to_string(offset - 4) + " of the frame");
        }
        constexpr std::size_t kFixed = 6;
        const std::size_t components = body.size() < kFixed ? 0 : byte_of(body, 5);
        if (components == 0 || body.size() != kFixed + 3 * components) {
            fail_invalid("The JPEG frame header has " + std::to_string(body.size()) +
                         " bytes, which do not fit its " + std::to_string(components) +
                         " components");
        }
        info_.precision = byte_of(body, 0);
        info_.rows = load_number<std::uint16_t>(body, 1, std::endian::big);
        info_.columns = load_number<std::uint16_t>(body, 3, std::endian::big);
        info_.components = static_cast<std::uint32_t>(components);
        if (info_.rows == 0 || info_.columns == 0) {
            fail_invalid("The JPEG frame header gives a size of " + std::to_string(info_.rows) +
                         " rows and " + std::to_string(info_.columns) + " columns");
        }
        if (!allows_precision(marker, info_.precision)) {
            fail_invalid("The JPEG frame header gives a precision of " +
                         std::to_string(info_.precision) + " bits, which " +
                         std::string{process_name(marker)} + " does not have");
        }
        for (std::size_t at = kFixed; at < body.size(); at += 3) {
            read_component(body.subspan(at, 3));
        }
        info_.process = marker;
        info_.frame_header = offset;
        sof_ = marker;
    }

    void read_component(ByteSpan component) {
        const std::uint32_t sampling = byte_of(component, 1);
        const std::uint32_t horizontal = sampling >> 4U;
        const std::uint32_t vertical = sampling & 0xFU;
        if (horizontal < 1 || horizontal > 4 || vertical < 1 || vertical > 4) {
            fail_invalid("A JPEG component has the sampling factors " + std::to_string(horizontal) +
                         " and " + std::to_string(vertical) + ", which must be 1 to 4");
        }
        const std::uint8_t id = byte_of(component, 0);
        if (component_ids_.size() < info_.component_ids.size()) {
            info_.component_ids.at(component_ids_.size()) = id;
        }
        component_ids_.push_back(id);
    }

    void read_scan_header(ByteSpan body) {
        if (!sof_) {
            fail_invalid("The codestream has a scan (SOS) before its frame header (SOF)");
        }
        const std::size_t count = body.empty() ? 0 : byte_of(body, 0);
        if (count < 1 || count > 4 || body.size() != 4 + 2 * count) {
            fail_invalid("The scan header has " + std::to_string(body.size()) +
                         " bytes, which do not fit its " + std::to_string(count) + " components");
        }
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint8_t id = byte_of(body, 1 + 2 * i);
            if (std::find(component_ids_.begin(), component_ids_.end(), id) ==
                component_ids_.end()) {
                fail_invalid("A scan names component " + std::to_string(id) +
                             ", which the frame header does not have");
            }
        }
        check_scan_parameters(body.last(3));
        ++info_.scans;
    }

    void check_scan_parameters(ByteSpan parameters) const {
        const std::uint32_t first = byte_of(parameters, 0);
        const std::uint32_t second = byte_of(parameters, 1);
        const std::uint32_t shift = byte_of(parameters, 2) & 0xFU;
        // H.1.2.1: a selection value of 0 is for differential frames only.
        if (sof_ == kSof3 && (first < 1 || first > 7 || shift >= info_.precision)) {
            fail_invalid("The lossless scan has predictor " + std::to_string(first) +
                         " and point transform " + std::to_string(shift) +
                         ", which must be 1 to 7 and below the precision of " +
                         std::to_string(info_.precision));
        }
        if (sof_ == kSof55 && second > 2) { // ISO 14495-1 C.2.3
            fail_invalid("The JPEG-LS scan has interleave mode " + std::to_string(second) +
                         ", which must be 0 to 2");
        }
    }

    static std::uint8_t byte_of(ByteSpan bytes, std::size_t at) {
        return std::to_integer<std::uint8_t>(bytes[at]);
    }

    ByteSpan frame_;
    JpegSegments segments_;
    Encoding encoding_;
    CodestreamInfo info_;
    std::optional<std::uint8_t> sof_;
    std::vector<std::uint8_t> component_ids_;
};

} // namespace

Codestream walk_jpeg(ByteSpan frame, Encoding encoding) {
    return JpegWalker{frame, encoding}.walk();
}

} // namespace torchdicom
