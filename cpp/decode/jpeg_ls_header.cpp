#include "decode/jpeg_ls_header.hpp"

#include "decode/codestream.hpp"
#include "decode/jpeg_process.hpp"
#include "decode/jpeg_segments.hpp"

#include <algorithm>
#include <string>

namespace torchdicom {

namespace {

// ISO 14495-1 C.1.1; the second byte of each marker.
constexpr std::uint8_t kLse = 0xF8;
constexpr std::uint8_t kApp8 = 0xE8;

[[noreturn, gnu::cold]] void fail_unsupported(const std::string& sentence) {
    fail(ErrorCode::decoder_failed,
         sentence + ", which is not decoded; convert the file to an uncompressed transfer syntax "
                    "with the software that wrote it");
}

class JpegLsReader {
  public:
    explicit JpegLsReader(ByteSpan codestream) : segments_{codestream} {}

    JpegLsFrame read() {
        for (auto segment = segments_.next(); segment.marker != kEoi; segment = segments_.next()) {
            ByteReader body{segment.body, std::endian::big, ErrorCode::invalid_codestream};
            visit(segment.marker, body);
        }
        const auto missing = std::find(has_scan_.begin(), has_scan_.end(), false);
        if (missing != has_scan_.end()) {
            fail_invalid("No scan of the JPEG-LS codestream has component " +
                         std::to_string(missing - has_scan_.begin() + 1) + " of " +
                         std::to_string(has_scan_.size()));
        }
        return std::move(frame_);
    }

  private:
    void visit(std::uint8_t marker, ByteReader& body) {
        switch (marker) {
        case kSof55:
            read_frame_header(body);
            break;
        case kLse:
            read_preset(body);
            break;
        case kDri:
            read_restart_interval(body);
            break;
        case kApp8:
            read_colour(body);
            break;
        case kSos:
            read_scan(body);
            break;
        default: // says nothing about the samples
            break;
        }
    }

    void read_frame_header(ByteReader& body) {
        frame_.precision = body.read<std::uint8_t>();
        frame_.rows = body.read<std::uint16_t>();
        frame_.columns = body.read<std::uint16_t>();
        frame_.components = body.read<std::uint8_t>();
        if (frame_.components > 4) {
            fail_unsupported("The JPEG-LS codestream has " + std::to_string(frame_.components) +
                             " components");
        }
        std::uint32_t sampling = 0;
        for (std::uint32_t i = 0; i < frame_.components; ++i) {
            const auto id = body.read<std::uint8_t>();
            if (std::find(ids_.begin(), ids_.end(), id) != ids_.end()) {
                fail_invalid("Two JPEG-LS components have the number " + std::to_string(id));
            }
            ids_.push_back(id);
            const auto factors = body.read<std::uint8_t>();
            if (i > 0 && factors != sampling) {
                fail_unsupported("JPEG-LS component " + std::to_string(i + 1) +
                                 " is of another size than the first");
            }
            sampling = factors;
            body.skip(1); // no quantisation in JPEG-LS
        }
        has_scan_.assign(ids_.size(), false);
    }

    /// C.2.4.1. Parameters hold for the scans that follow.
    void read_preset(ByteReader& body) {
        const auto id = body.read<std::uint8_t>();
        if (id == 2 || id == 3) {
            fail_unsupported("The JPEG-LS codestream has a mapping table (LSE " +
                             std::to_string(id) + ")");
        }
        if (id != 1) {
            fail_unsupported("The JPEG-LS codestream has parameters of type " + std::to_string(id) +
                             " (LSE; 4 is for oversize images, 5 and more for ISO 14495-2)");
        }
        given_.maxval = body.read<std::uint16_t>();
        given_.t1 = body.read<std::uint16_t>();
        given_.t2 = body.read<std::uint16_t>();
        given_.t3 = body.read<std::uint16_t>();
        given_.reset = body.read<std::uint16_t>();
    }

    /// C.2.5: 2, 3 or 4 bytes.
    void read_restart_interval(ByteReader& body) {
        const std::size_t size = body.remaining();
        if (size < 2 || size > 4) {
            fail_invalid("The JPEG-LS restart interval has " + std::to_string(size) +
                         " bytes, which must be 2 to 4");
        }
        restart_interval_ = 0;
        for (std::size_t i = 0; i < size; ++i) {
            restart_interval_ = restart_interval_ << 8U | body.read<std::uint8_t>();
        }
    }

    void read_colour(ByteReader& body) {
        if (body.remaining() != 5 || as_text(body.take(4)) != "mrfx") {
            return; // SPIFF and others, which describe the image
        }
        const auto number = body.read<std::uint8_t>();
        if (number > 3) {
            fail_unsupported("The JPEG-LS codestream has the colour transform " +
                             std::to_string(number) + " in its segment APP8 mrfx");
        }
        frame_.colour = static_cast<JpegLsColour>(number);
    }

    /// C.2.3.
    void read_scan(ByteReader& body) {
        JpegLsScan scan;
        const std::size_t count = body.read<std::uint8_t>();
        for (std::size_t i = 0; i < count; ++i) {
            scan.components.push_back(claim(body.read<std::uint8_t>()));
            const auto table = body.read<std::uint8_t>();
            if (table != 0) {
                fail_unsupported("A JPEG-LS scan names the mapping table " + std::to_string(table));
            }
        }
        scan.near = body.read<std::uint8_t>();
        const auto interleave = body.read<std::uint8_t>();
        if (interleave == 0 && count != 1) {
            fail_invalid("A JPEG-LS scan has " + std::to_string(count) +
                         " components and interleave mode 0, which is for one");
        }
        scan.interleave =
            count == 1 ? JpegLsInterleave::none : static_cast<JpegLsInterleave>(interleave);
        scan.point_transform = body.read<std::uint8_t>() & 0xFU;
        if (scan.point_transform >= frame_.precision) {
            fail_invalid("A JPEG-LS scan has the point transform " +
                         std::to_string(scan.point_transform) + ", which must be below the " +
                         std::to_string(frame_.precision) + " bits of a sample");
        }
        scan.preset = complete_preset(given_, scan.near, frame_.precision);
        scan.restart_interval = restart_interval_;
        scan.data = segments_.take_scan(Stuffing::bit);
        frame_.scans.push_back(std::move(scan));
    }

    /// The number of the component with this identifier, which no other scan has.
    std::size_t claim(std::uint8_t id) {
        const auto found = std::find(ids_.begin(), ids_.end(), id);
        const auto number = static_cast<std::size_t>(found - ids_.begin());
        if (found == ids_.end() || has_scan_[number]) {
            fail_invalid("A JPEG-LS scan names the component " + std::to_string(id) +
                         ", which the frame header does not have or another scan has");
        }
        has_scan_[number] = true;
        return number;
    }

    JpegSegments segments_;
    JpegLsFrame frame_;
    std::vector<std::uint8_t> ids_;
    std::vector<bool> has_scan_;
    JpegLsPreset given_{};
    std::uint32_t restart_interval_ = 0;
};

} // namespace

JpegLsFrame read_jpeg_ls(ByteSpan codestream) { return JpegLsReader{codestream}.read(); }

} // namespace torchdicom
