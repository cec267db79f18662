#include "decode/jpeg_ls_scan.hpp"

#include "decode/codestream.hpp"
#include "decode/jpeg_process.hpp"

#include <algorithm>
#include <string>

namespace torchdicom {

JpegLsScanDecoder::JpegLsScanDecoder(const JpegLsScan& scan, const JpegLsFrame& frame,
                                     const JpegLsGradients& gradients, MutableByteSpan bits)
    : scan_{&scan}, width_{std::size_t{frame.columns} + 2}, rest_{scan.data}, bits_{bits},
      lines_(2 * width_ * scan.components.size()), regions_(width_),
      starts_(width_ * scan.components.size()), turns_(starts_.size()) {
    state_.coding = make_coding(scan.preset, scan.near);
    state_.gradients = &gradients;
    start_interval();
}

/// A restart interval begins as a scan does: nothing above, nothing learnt.
void JpegLsScanDecoder::start_interval() {
    const JpegLsBits unstuffed = unstuff_jpeg_ls(rest_, bits_);
    rest_ = rest_.subspan(unstuffed.bytes);
    state_.cursor = JpegLsCursor{bits_, unstuffed.bits};
    reset_contexts(state_.contexts, state_.coding);
    state_.run_contexts.fill({.a = state_.coding.start, .n = 1, .negative = 0});
    state_.run_index.fill(0);
    std::ranges::fill(lines_, std::uint16_t{0});
}

std::span<const std::uint16_t> JpegLsScanDecoder::row(std::size_t index) const noexcept {
    // The current line of the last row is the one above of the next.
    return std::span{lines_}.subspan((2 * index + flip_) * width_ + 1, width_ - 2);
}

void JpegLsScanDecoder::next_row() {
    const std::uint32_t interval = scan_->restart_interval;
    if (interval != 0 && rows_done_ != 0 && rows_done_ % interval == 0) {
        check_end();
        skip_restart_marker();
        start_interval();
    }
    std::array<JpegLsRow, 4> rows{};
    const std::size_t count = scan_->components.size();
    for (std::size_t i = 0; i < count; ++i) {
        rows.at(i) = {.above = slice(lines_, 2 * i + flip_),
                      .current = slice(lines_, 2 * i + 1 - flip_),
                      .regions = regions_,
                      .starts = slice(starts_, i),
                      .turns = slice(turns_, i)};
    }
    if (scan_->interleave == JpegLsInterleave::sample) {
        decode_jpeg_ls_samples(state_, std::span{rows}.first(count));
    } else {
        for (std::size_t i = 0; i < count; ++i) {
            decode_jpeg_ls_row(state_, rows.at(i), i);
        }
    }
    if (state_.cursor.is_past_end()) {
        fail_invalid("The JPEG-LS scan ends in row " + std::to_string(rows_done_) +
                     ", before all its samples are there");
    }
    flip_ = 1 - flip_;
    ++rows_done_;
}

void JpegLsScanDecoder::skip_restart_marker() {
    const std::uint32_t wanted = kRst0 + (rows_done_ / scan_->restart_interval - 1) % 8;
    const std::uint32_t found = rest_.size() < 2 ? 0 : std::to_integer<std::uint32_t>(rest_[1]);
    if (found != wanted) {
        fail_invalid("Row " + std::to_string(rows_done_) +
                     " of the JPEG-LS scan must follow the restart marker " +
                     marker_name(static_cast<std::uint8_t>(wanted)) + ", and there is " +
                     (found == 0 ? "none" : marker_name(static_cast<std::uint8_t>(found))));
    }
    rest_ = rest_.subspan(2);
}

void JpegLsScanDecoder::check_end() const {
    if (state_.cursor.has_rest()) {
        fail_invalid("The JPEG-LS scan has " +
                     std::to_string(state_.cursor.end() - state_.cursor.position()) +
                     " bits behind the last sample of row " + std::to_string(rows_done_ - 1));
    }
}

void JpegLsScanDecoder::finish() const {
    check_end();
    if (!rest_.empty()) {
        fail_invalid("The JPEG-LS scan goes on for " + std::to_string(rest_.size()) +
                     " bytes behind its last row");
    }
}

} // namespace torchdicom
