// A whole frame, decoded into memory of the test's own.
#pragma once

#include "decode/decoder.hpp"

#include <algorithm>
#include <cstdint>

namespace torchdicom::test {

/// Copies rows to where they belong; more or fewer than announced are an internal_error.
class CopiedRows final : public RowSink {
  public:
    CopiedRows(const PixelFormat& format, MutableByteSpan samples)
        : format_{&format}, samples_{samples} {}

    void start(const DecodedArea& area) override { area_ = area; }
    [[nodiscard]] bool put(ByteSpan rows) override {
        const std::size_t row_bytes =
            area_.window.columns() * format_->samples_per_pixel * format_->bytes_per_sample();
        if (rows.empty() || row_bytes == 0 || rows.size() % row_bytes != 0 ||
            rows.size() > samples_.size() - done_) {
            fail(ErrorCode::internal_error, "rows that were not announced");
        }
        std::ranges::copy(rows, samples_.subspan(done_).begin());
        done_ += rows.size();
        return done_ < samples_.size();
    }

    [[nodiscard]] const DecodedArea& area() const noexcept { return area_; }
    [[nodiscard]] std::size_t bytes_done() const noexcept { return done_; }

  private:
    const PixelFormat* format_;
    MutableByteSpan samples_;
    DecodedArea area_;
    std::size_t done_ = 0;
};

/// Decodes all of a frame into `samples`, which it has to fill exactly.
inline void decode_whole(ByteSpan frame, const TransferSyntax& syntax, const PixelFormat& format,
                         MutableByteSpan samples, std::string_view codec = {}) {
    CopiedRows rows{format, samples};
    decode_frame(
        frame, {.syntax = syntax, .format = format, .window = whole_image(format), .codec = codec},
        rows);
    if (rows.bytes_done() != samples.size()) {
        fail(ErrorCode::internal_error, "rows are missing");
    }
}

} // namespace torchdicom::test
