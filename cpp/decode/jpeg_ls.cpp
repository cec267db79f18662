#include "decode/jpeg_ls.hpp"

#include "base/cells.hpp"
#include "decode/jpeg_ls_scan.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace torchdicom {

namespace {

using Samples = std::span<const std::uint16_t>;

/// Rows that are handed on together: they fit a cache beside what decodes the next ones.
constexpr std::size_t kBatchBytes = 32'768;

/// Cells of a row, the samples of a pixel side by side.
template <typename Cell> void store_cells(std::span<const Samples> rows, MutableByteSpan cells) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::byte* at = cells.data() + i * sizeof(Cell);
        for (const std::uint16_t sample : rows[i]) {
            const auto cell = static_cast<Cell>(sample);
            std::memcpy(at, &cell, sizeof cell);
            at += rows.size() * sizeof(Cell);
        }
    }
}

void store_row(std::span<const Samples> rows, std::size_t bytes_per_sample, MutableByteSpan cells) {
    if (bytes_per_sample == 2 && rows.size() == 1) {
        std::memcpy(cells.data(), rows[0].data(), cells.size());
    } else {
        with_cell(bytes_per_sample,
                  [&]<typename Cell>(Cell /*type*/) { store_cells<Cell>(rows, cells); });
    }
}

/// What is done to samples after decoding: the point transform, and HP's colour transforms.
class Finish {
  public:
    explicit Finish(const JpegLsFrame& frame)
        : colour_{frame.components == 3 ? frame.colour : JpegLsColour::none},
          maxval_{(1U << frame.precision) - 1} {
        // What the encoder did not interleave it did not transform either.
        if (frame.scans.size() != 1) {
            colour_ = JpegLsColour::none;
        }
        for (const JpegLsScan& scan : frame.scans) {
            shift_.resize(frame.components);
            for (const std::size_t component : scan.components) {
                shift_[component] = scan.point_transform;
            }
        }
        if (colour_ != JpegLsColour::none || std::ranges::any_of(shift_, std::identity{})) {
            copies_.assign(frame.components, std::vector<std::uint16_t>(frame.columns));
        }
    }

    /// Replaces the rows by others where there is something to do: decoding needs them as they are.
    void apply(std::span<Samples> rows) {
        if (copies_.empty()) {
            return;
        }
        for (std::size_t i = 0; i < rows.size(); ++i) {
            shift(rows[i], shift_[i], copies_[i]);
            rows[i] = copies_[i];
        }
        if (colour_ != JpegLsColour::none) {
            for (std::size_t x = 0; x < copies_[0].size(); ++x) {
                transform(copies_[0][x], copies_[1][x], copies_[2][x]);
            }
        }
    }

  private:
    void shift(Samples from, std::uint32_t bits, std::vector<std::uint16_t>& to) const {
        for (std::size_t x = 0; x < from.size(); ++x) {
            const std::uint32_t sample = std::uint32_t{from[x]} << bits;
            if (sample > maxval_) {
                fail_invalid("A JPEG-LS sample is " + std::to_string(sample) +
                             " after the point transform of " + std::to_string(bits) +
                             " bits, and can be " + std::to_string(maxval_) + " at most");
            }
            to[x] = static_cast<std::uint16_t>(sample);
        }
    }

    /// From what HP's encoder made of red, green and blue, modulo the range of samples.
    void transform(std::uint16_t& first, std::uint16_t& second, std::uint16_t& third) const {
        const std::uint32_t half = (maxval_ + 1) / 2;
        std::uint32_t red = 0;
        std::uint32_t green = second;
        std::uint32_t blue = 0;
        if (colour_ == JpegLsColour::hp3) {
            green = (first - ((std::uint32_t{third} + second) >> 2U) + half / 2) & maxval_;
            red = third + green - half;
            blue = second + green - half;
        } else {
            red = (first + green - half) & maxval_;
            const bool is_first = colour_ == JpegLsColour::hp1;
            blue = third + (is_first ? green : (red + green) >> 1U) - half;
        }
        first = static_cast<std::uint16_t>(red & maxval_);
        second = static_cast<std::uint16_t>(green);
        third = static_cast<std::uint16_t>(blue & maxval_);
    }

    JpegLsColour colour_;
    std::uint32_t maxval_;
    std::vector<std::uint32_t> shift_; ///< by component
    std::vector<std::vector<std::uint16_t>> copies_;
};

/// The scans of a frame side by side: a row of each is a row of the image.
class FrameDecoder {
  public:
    explicit FrameDecoder(const JpegLsFrame& frame) : frame_{&frame}, finish_{frame} {
        thread_local std::array<JpegLsGradients, 4> gradients;
        std::size_t size = 0;
        for (const JpegLsScan& scan : frame.scans) {
            size += scan.data.size() + kJpegLsPadding;
        }
        MutableByteSpan bits = decode_scratch(Scratch::frame, size);
        scans_.reserve(frame.scans.size());
        for (const JpegLsScan& scan : frame.scans) {
            JpegLsGradients& table = gradients.at(scans_.size());
            table.prepare(scan.preset, scan.near);
            const std::size_t own = scan.data.size() + kJpegLsPadding;
            scans_.emplace_back(scan, frame, table, bits.first(own));
            bits = bits.subspan(own);
        }
    }

    /// The next row of each component; it is there until the next call.
    [[nodiscard]] std::span<const Samples> next_row() {
        for (std::size_t s = 0; s < scans_.size(); ++s) {
            scans_[s].next_row();
            const std::vector<std::size_t>& components = frame_->scans[s].components;
            for (std::size_t i = 0; i < components.size(); ++i) {
                rows_.at(components[i]) = scans_[s].row(i);
            }
        }
        const std::span<Samples> rows = std::span{rows_}.first(frame_->components);
        finish_.apply(rows);
        return rows;
    }

    void finish() const {
        for (const JpegLsScanDecoder& scan : scans_) {
            scan.finish();
        }
    }

  private:
    const JpegLsFrame* frame_;
    Finish finish_;
    std::vector<JpegLsScanDecoder> scans_;
    std::array<Samples, 4> rows_{};
};

} // namespace

void decode_jpeg_ls(const Codestream& stream, const DecodeRequest& request, RowSink& rows) {
    const PixelFormat& format = request.format;
    const JpegLsFrame frame = read_jpeg_ls(stream.bytes);
    FrameDecoder decoder{frame};
    const Window area = whole_rows(request.window, format);
    rows.start({.window = area});
    const std::size_t row_bytes = format.bytes_per_row();
    const std::size_t batch_rows = rows_of_band(row_bytes, kBatchBytes);
    const MutableByteSpan batch = decode_scratch(Scratch::rows, batch_rows * row_bytes);
    std::size_t filled = 0;
    for (std::size_t y = 0; y < area.y1; ++y) {
        const std::span<const Samples> row = decoder.next_row();
        if (y + 1 == frame.rows) {
            decoder.finish();
        }
        if (y < area.y0) {
            continue;
        }
        store_row(row, format.bytes_per_sample(), batch.subspan(filled, row_bytes));
        filled += row_bytes;
        if (filled == batch.size() || y + 1 == area.y1) {
            if (!rows.put(batch.first(filled))) {
                return;
            }
            filled = 0;
        }
    }
}

} // namespace torchdicom
