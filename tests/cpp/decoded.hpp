// One call from a frame to its rows, through `decode_frame`, for all tests of codecs.
#pragma once

#include "decode/decoder.hpp"
#include "stream_writer.hpp"

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torchdicom::test {

/// A format with all bits of its cells, which a test then changes.
inline PixelFormat format_of(std::size_t rows, std::size_t columns, std::uint32_t bits,
                             std::size_t samples = 1) {
    return {.rows = static_cast<std::uint32_t>(rows),
            .columns = static_cast<std::uint32_t>(columns),
            .samples_per_pixel = static_cast<std::uint32_t>(samples),
            .bits_allocated = bits,
            .bits_stored = bits,
            .high_bit = bits - 1,
            .photometric = samples == 3 ? Photometric::rgb : Photometric::monochrome};
}

inline PixelFormat as_signed(PixelFormat format) {
    format.is_signed = true;
    return format;
}

inline PixelFormat as_colour(PixelFormat format, Photometric photometric) {
    format.samples_per_pixel = 3;
    format.photometric = photometric;
    return format;
}

inline TransferSyntax syntax_of(std::string_view last_components) {
    return find_transfer_syntax("1.2.840.10008.1.2" + std::string{last_components}).value();
}

/// Keeps the rows that a codec hands on, and takes no more after `most` calls. A codec that breaks
/// the contract of RowSink is an internal_error.
class KeptRows final : public RowSink {
  public:
    explicit KeptRows(const PixelFormat& format,
                      std::size_t most = std::numeric_limits<std::size_t>::max())
        : pixel_bytes_{format.samples_per_pixel * format.bytes_per_sample()}, most_{most} {}

    void start(const DecodedArea& given) override {
        if (is_started_) {
            fail(ErrorCode::internal_error, "a second start");
        }
        is_started_ = true;
        area = given;
        row_bytes_ = area.window.columns() * pixel_bytes_;
    }
    [[nodiscard]] bool put(ByteSpan rows) override {
        if (row_bytes_ == 0 || rows.empty() || rows.size() % row_bytes_ != 0 ||
            rows.size() > area.window.rows() * row_bytes_ - bytes.size() || calls == most_) {
            fail(ErrorCode::internal_error, "rows that were not announced, or not wanted");
        }
        ++calls;
        bytes.insert(bytes.end(), rows.begin(), rows.end());
        return calls < most_ && !is_whole();
    }

    [[nodiscard]] bool is_whole() const {
        return is_started_ && bytes.size() == area.window.rows() * row_bytes_;
    }
    template <typename Sample> [[nodiscard]] std::vector<Sample> samples() const {
        std::vector<Sample> values(bytes.size() / sizeof(Sample));
        std::memcpy(values.data(), bytes.data(), values.size() * sizeof(Sample));
        return values;
    }

    DecodedArea area;
    std::vector<std::byte> bytes;
    std::size_t calls = 0;

  private:
    std::size_t pixel_bytes_;
    std::size_t most_;
    std::size_t row_bytes_ = 0;
    bool is_started_ = false;
};

struct Asked {
    std::optional<Window> window{};
    std::uint32_t reduce = 0;
    std::string_view codec{};
};

/// Decodes through the table of codecs. The frame lies in memory of its own, so that a sanitizer
/// sees what is read beyond.
inline void decode_into(KeptRows& rows, ByteSpan frame, std::string_view syntax,
                        const PixelFormat& format, const Asked& asked = {}) {
    const std::vector<std::byte> exact{frame.begin(), frame.end()};
    decode_frame(exact,
                 {.syntax = syntax_of(syntax),
                  .format = format,
                  .window = asked.window.value_or(whole_image(format)),
                  .reduce = asked.reduce,
                  .codec = asked.codec},
                 rows);
}

/// All rows that are asked for.
inline std::vector<std::byte> decoded_bytes(ByteSpan frame, std::string_view syntax,
                                            const PixelFormat& format, const Asked& asked = {}) {
    KeptRows rows{format};
    decode_into(rows, frame, syntax, format, asked);
    if (!rows.is_whole()) {
        fail(ErrorCode::internal_error, "rows are missing");
    }
    return std::move(rows.bytes);
}

inline std::optional<ErrorCode> failure_of(ByteSpan frame, std::string_view syntax,
                                           const PixelFormat& format, const Asked& asked = {}) {
    return code_of([&] { static_cast<void>(decoded_bytes(frame, syntax, format, asked)); });
}

template <typename Sample>
std::vector<Sample> decoded(ByteSpan frame, std::string_view syntax, const PixelFormat& format,
                            const Asked& asked = {}) {
    if (sizeof(Sample) != format.bytes_per_sample()) {
        fail(ErrorCode::internal_error, "samples of another width than the format's");
    }
    const std::vector<std::byte> bytes = decoded_bytes(frame, syntax, format, asked);
    std::vector<Sample> values(bytes.size() / sizeof(Sample));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

} // namespace torchdicom::test
