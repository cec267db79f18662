#include "decode/jpeg_lossless.hpp"

#include "decode/huffman.hpp"
#include "decode/jpeg_lossless_cells.hpp"
#include "decode/jpeg_lossless_scan.hpp"
#include "decode/jpeg_process.hpp"
#include "decode/jpeg_segments.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace torchdicom {

namespace {

constexpr std::size_t kTables = 4; // Table B.5

class LosslessDecoder {
  public:
    LosslessDecoder(const Codestream& stream, const DecodeRequest& request, RowSink& rows)
        : info_{&stream.info}, format_{&request.format}, window_{request.window}, sink_{&rows},
          segments_{stream.bytes} {}

    /// Marker segment after marker segment, until all components are there.
    void run() {
        while (!is_done_) {
            const JpegSegment segment = segments_.next();
            if (segment.marker == kEoi) {
                fail_invalid("The codestream ends with " + std::to_string(planes_done_) + " of " +
                             std::to_string(components_.size()) + " components");
            }
            visit(segment.marker,
                  ByteReader{segment.body, std::endian::big, ErrorCode::invalid_codestream});
        }
    }

  private:
    struct Component {
        std::uint8_t id = 0;
        std::uint8_t sampling = 0; ///< horizontal and vertical factors
        bool is_decoded = false;
    };

    void visit(std::uint8_t marker, ByteReader body) {
        if (marker == kDht) {
            while (body.remaining() > 0) {
                read_table(body);
            }
        } else if (marker == kDri) {
            restart_pixels_ = body.read<std::uint16_t>();
        } else if (marker == kSof3) {
            read_components(body);
        } else if (marker == kSos) {
            decode_scan(body);
        }
    }

    /// B.2.4.2.
    void read_table(ByteReader& body) {
        const std::uint32_t id = body.read<std::uint8_t>();
        HuffmanSpec spec;
        std::size_t total = 0;
        for (std::uint8_t& count : spec.counts) {
            count = body.read<std::uint8_t>();
            total += count;
        }
        const ByteSpan symbols = body.take(total);
        if ((id & 0xFU) >= kTables || total > spec.symbols.size()) {
            fail_invalid("The Huffman table " + std::to_string(id & 0xFU) + " has " +
                         std::to_string(total) + " codes; tables are 0 to 3, with 256 at most");
        }
        if (id < kTables) { // others are of class 1, which lossless JPEG has no use for
            std::memcpy(spec.symbols.data(), symbols.data(), total);
            specs_.at(id) = spec;
            tables_.at(id).reset();
        }
    }

    /// B.2.2.
    void read_components(ByteReader& body) {
        body.skip(6); // precision, rows, columns, number of components: in info_
        for (std::uint32_t i = 0; i < info_->components; ++i) {
            const auto id = body.read<std::uint8_t>();
            const auto sampling = body.read<std::uint8_t>();
            body.skip(1);
            components_.push_back({.id = id, .sampling = sampling});
            if (sampling != components_.front().sampling) {
                fail_sampling();
            }
        }
    }

    [[noreturn]] static void fail_sampling() {
        fail(ErrorCode::decoder_failed,
             "The lossless JPEG frame has subsampled components, which no decoder here puts "
             "together; convert the file to an uncompressed transfer syntax");
    }

    void decode_scan(ByteReader& header) {
        const LosslessScan scan = read_scan(header);
        if (scan.has_whole_pixels) {
            hand_on(scan);
        } else {
            collect(scan);
        }
    }

    /// B.2.3; `check_codestream` saw that components, predictor and point transform are legal.
    LosslessScan read_scan(ByteReader& header) {
        LosslessScan scan{.rows = info_->rows,
                          .columns = info_->columns,
                          .precision = info_->precision,
                          .restart_pixels = restart_pixels_};
        const std::size_t planes_left = components_.size() - planes_done_;
        scan.loop.components = header.read<std::uint8_t>();
        scan.has_whole_pixels = scan.loop.components == components_.size();
        for (std::size_t c = 0; c < scan.loop.components; ++c) {
            scan.planes.at(c) = claim(header.read<std::uint8_t>());
            scan.tables.at(c) = &table(header.read<std::uint8_t>() >> 4U);
            scan.has_whole_pixels = scan.has_whole_pixels && scan.planes.at(c) == c;
        }
        // A.2.3: then the samples of a pixel would not be side by side.
        if (scan.loop.components > 1 && components_.front().sampling != 0x11) {
            fail_sampling();
        }
        scan.loop.predictor = header.read<std::uint8_t>();
        header.skip(1);
        scan.shift = header.read<std::uint8_t>() & 0xFU;
        scan.bytes = segments_.rest();
        scan.loop.is_dense = scan.bytes.size() > scan.rows * scan.columns * planes_left;
        return scan;
    }

    /// The place of a component that was not decoded yet. Some encoders give all the same id.
    std::size_t claim(std::uint8_t id) {
        const auto found = std::ranges::find_if(components_, [id](const Component& component) {
            return component.id == id && !component.is_decoded;
        });
        if (found == components_.end()) {
            fail_invalid("The component " + std::to_string(id) + " is coded a second time");
        }
        found->is_decoded = true;
        ++planes_done_;
        return static_cast<std::size_t>(found - components_.begin());
    }

    const HuffmanTable& table(std::size_t id) {
        if (id >= kTables || !specs_.at(id)) {
            fail_invalid("The scan uses the Huffman table " + std::to_string(id) +
                         ", which is not defined");
        }
        std::optional<HuffmanTable>& table = tables_.at(id);
        if (!table) {
            table.emplace(*specs_.at(id));
        }
        return *table;
    }

    /// A scan of all components: its rows go to the sink as they come.
    void hand_on(const LosslessScan& scan) {
        start();
        const std::size_t row_samples = scan.columns * scan.loop.components;
        const bool are_cells = scan.shift == 0 && format_->bytes_per_sample() == 2;
        decode_lossless_scan(scan, window_.y1, [&](ByteSpan rows, std::size_t first) {
            const std::size_t row_bytes = row_samples * sizeof(std::uint16_t);
            const std::size_t count = rows.size() / row_bytes;
            const std::size_t unwanted = std::clamp(window_.y0, first, first + count) - first;
            const ByteSpan wanted = rows.subspan(unwanted * row_bytes);
            if (wanted.empty()) {
                return true;
            }
            if (are_cells) {
                return sink_->put(wanted);
            }
            const MutableByteSpan cells = decode_scratch(
                Scratch::frame, (count - unwanted) * row_samples * format_->bytes_per_sample());
            store_lossless(wanted, scan, *format_, cells);
            return sink_->put(cells);
        });
        is_done_ = true;
    }

    /// A scan of some components: the frame is handed on with the last of them.
    void collect(const LosslessScan& scan) {
        if (frame_.empty()) {
            frame_ = decode_scratch(Scratch::frame, format_->bytes_per_frame());
        }
        const std::size_t row_bytes = format_->bytes_per_row();
        segments_.skip(
            decode_lossless_scan(scan, window_.y1, [&](ByteSpan rows, std::size_t first) {
                store_lossless(rows, scan, *format_, frame_.subspan(first * row_bytes));
                return true;
            }));
        if (planes_done_ == components_.size()) {
            start();
            static_cast<void>(
                sink_->put(frame_.subspan(window_.y0 * row_bytes, window_.rows() * row_bytes)));
            is_done_ = true;
        }
    }

    void start() { sink_->start({.window = whole_rows(window_, *format_)}); }

    const CodestreamInfo* info_;
    const PixelFormat* format_;
    Window window_;
    RowSink* sink_;
    JpegSegments segments_;
    std::vector<Component> components_;
    std::array<std::optional<HuffmanSpec>, kTables> specs_;
    std::array<std::optional<HuffmanTable>, kTables> tables_;
    std::size_t restart_pixels_ = 0;
    std::size_t planes_done_ = 0;
    MutableByteSpan frame_{}; ///< scratch, of frames whose components have scans of their own
    bool is_done_ = false;
};

} // namespace

void decode_jpeg_lossless(const Codestream& stream, const DecodeRequest& request, RowSink& rows) {
    LosslessDecoder{stream, request, rows}.run();
}

} // namespace torchdicom
