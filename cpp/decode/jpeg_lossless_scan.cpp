#include "decode/jpeg_lossless_scan.hpp"

#include "decode/codec.hpp"
#include "decode/entropy_bytes.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

namespace torchdicom {

namespace {

// As many rows at a time as the second-level cache does not notice.
constexpr std::size_t kRowsAtOnce = std::size_t{32} << 10U;
constexpr std::size_t kSample = sizeof(std::uint16_t);

/// H.1.1: intervals are whole rows.
std::size_t rows_per_interval(const LosslessScan& scan) {
    if (scan.restart_pixels == 0) {
        return std::numeric_limits<std::size_t>::max();
    }
    if (scan.restart_pixels % scan.columns != 0) {
        fail_invalid("The restart interval is " + std::to_string(scan.restart_pixels) +
                     " pixels, which is no multiple of the " + std::to_string(scan.columns) +
                     " columns");
    }
    return scan.restart_pixels / scan.columns;
}

/// H.1.1: the first row of an interval is predicted from the left.
DecodeLosslessRow first_row_decoder(LosslessRowKind loop) {
    loop.predictor = 1;
    return lossless_row_decoder(loop);
}

class ScanDecoder {
  public:
    explicit ScanDecoder(const LosslessScan& scan)
        : scan_{&scan}, row_bytes_{scan.columns * scan.loop.components * kSample},
          interval_rows_{rows_per_interval(scan)}, first_row_{first_row_decoder(scan.loop)},
          other_row_{lossless_row_decoder(scan.loop)} {
        // H.1.1: the first pixel of an interval is predicted to be of middling value.
        const auto middle = static_cast<std::uint16_t>(1U << (scan.precision - scan.shift - 1));
        for (std::size_t at = 0; at < middle_.size(); at += kSample) {
            std::memcpy(&middle_.at(at), &middle, kSample);
        }
    }

    std::size_t run(std::size_t end_row, const TakeLosslessRows& take) {
        const std::size_t margin = lossless_row_margin(scan_->columns * scan_->loop.components);
        const std::size_t at_once = rows_of_band(row_bytes_, kRowsAtOnce);
        const std::size_t held = (at_once + 1) * row_bytes_; // the last of those before, and these
        const MutableByteSpan memory =
            decode_scratch(Scratch::rows, held + EntropyBytes::buffer_size(margin));
        const MutableByteSpan rows = memory.first(held);
        EntropyBytes entropy{scan_->bytes, memory.subspan(held), margin};
        for (std::size_t row = 0; row < end_row;) {
            const std::size_t first = row;
            std::size_t at = 0;
            for (; row < std::min(first + at_once, end_row); ++row, at += row_bytes_) {
                decode_row(entropy, row, rows.subspan(at, row_bytes_),
                           rows.subspan(at + row_bytes_, row_bytes_));
            }
            if (!take(rows.subspan(row_bytes_, at), first)) {
                return scan_->bytes.size();
            }
            std::memcpy(rows.data(), rows.subspan(at).data(), row_bytes_);
        }
        return entropy.find_end();
    }

  private:
    void decode_row(EntropyBytes& entropy, std::size_t row, ByteSpan above,
                    MutableByteSpan samples) const {
        const bool is_first = row % interval_rows_ == 0;
        if (is_first && row > 0) {
            entropy.next_interval((row / interval_rows_ - 1) % 8);
        }
        entropy.prepare();
        const DecodeLosslessRow decode = is_first ? first_row_ : other_row_;
        const LosslessRowEnd end = decode({.bits = entropy.bytes(),
                                           .bit = entropy.bit(),
                                           .components = scan_->loop.components,
                                           .tables = scan_->tables,
                                           .above = is_first ? ByteSpan{middle_} : above,
                                           .samples = samples});
        if (!entropy.advance(end.bit)) {
            fail_invalid("The entropy-coded data ends in row " + std::to_string(row) + " of " +
                         std::to_string(scan_->rows));
        }
        if (end.has_bad) {
            fail_invalid("Row " + std::to_string(row) + " has bits that are no Huffman code");
        }
    }

    const LosslessScan* scan_;
    std::size_t row_bytes_;
    std::size_t interval_rows_;
    DecodeLosslessRow first_row_;
    DecodeLosslessRow other_row_;
    std::array<std::byte, kMaxScanComponents * kSample> middle_{}; // what is above a first row
};

} // namespace

std::size_t decode_lossless_scan(const LosslessScan& scan, std::size_t end_row,
                                 const TakeLosslessRows& take) {
    return ScanDecoder{scan}.run(end_row, take);
}

} // namespace torchdicom
