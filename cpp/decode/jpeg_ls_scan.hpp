// One scan of a JPEG-LS codestream, decoded a row at a time.
#pragma once

#include "decode/jpeg_ls_rows.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace torchdicom {

class JpegLsScanDecoder {
  public:
    /// `bits` is scratch of `kJpegLsPadding` bytes more than the scan has; it and `gradients`
    /// outlive the decoder.
    JpegLsScanDecoder(const JpegLsScan& scan, const JpegLsFrame& frame,
                      const JpegLsGradients& gradients, MutableByteSpan bits);

    /// Decodes the next row of all components of the scan. Throws invalid_codestream.
    void next_row();

    /// The last row of the scan's component number `index`.
    [[nodiscard]] std::span<const std::uint16_t> row(std::size_t index) const noexcept;

    /// Throws invalid_codestream where samples are left over behind the last row: then the bits
    /// were damaged, and what was decoded is not the image.
    void finish() const;

  private:
    void start_interval();
    void skip_restart_marker();
    void check_end() const;
    /// The slice of a vector that has one for each row of samples.
    template <typename T>
    [[nodiscard]] std::span<T> slice(std::vector<T>& rows, std::size_t number) const noexcept {
        return std::span{rows}.subspan(number * width_, width_);
    }

    const JpegLsScan* scan_;
    std::size_t width_; ///< of a row with the samples at its ends
    ByteSpan rest_;     ///< of the scan's bytes, behind the interval that is decoded
    MutableByteSpan bits_;
    std::vector<std::uint16_t> lines_;  ///< two a component
    std::vector<std::int16_t> regions_; ///< scratch of one row
    std::vector<std::uint16_t> starts_; ///< the same, one a component
    std::vector<std::int32_t> turns_;
    std::size_t flip_ = 0; ///< which of the two is the current one
    std::uint32_t rows_done_ = 0;
    JpegLsState state_;
};

} // namespace torchdicom
