// One call from a frame to its samples, for the tests of the codecs.
#pragma once

#include "decoded.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torchdicom::test {

inline PixelFormat format_of(std::uint32_t rows, std::uint32_t columns, std::uint32_t bits,
                             std::uint32_t samples = 1) {
    return {.rows = rows,
            .columns = columns,
            .samples_per_pixel = samples,
            .bits_allocated = bits,
            .bits_stored = bits,
            .high_bit = bits - 1,
            .photometric = samples == 3 ? Photometric::rgb : Photometric::monochrome};
}

inline TransferSyntax syntax_of(std::string_view last_components) {
    return find_transfer_syntax("1.2.840.10008.1.2" + std::string{last_components}).value();
}

/// Keeps the rows that a codec hands on, and takes no more after `most` calls.
class KeptRows final : public RowSink {
  public:
    explicit KeptRows(std::size_t most = 1'000'000) : most_{most} {}

    void start(const DecodedArea& given) override {
        CHECK_FALSE(is_started_);
        is_started_ = true;
        area = given;
    }
    [[nodiscard]] bool put(ByteSpan rows) override {
        CHECK(is_started_);
        CHECK_FALSE(rows.empty());
        CHECK(calls < most_);
        ++calls;
        bytes.insert(bytes.end(), rows.begin(), rows.end());
        return calls < most_;
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
    std::size_t most_;
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

template <typename Sample>
std::vector<Sample> decoded(ByteSpan frame, std::string_view syntax, const PixelFormat& format,
                            const Asked& asked = {}) {
    KeptRows rows;
    decode_into(rows, frame, syntax, format, asked);
    REQUIRE(sizeof(Sample) == format.bytes_per_sample());
    return rows.samples<Sample>();
}

inline std::optional<ErrorCode> failure_of(ByteSpan frame, std::string_view syntax,
                                           const PixelFormat& format, const Asked& asked = {}) {
    return code_of([&] {
        KeptRows rows;
        decode_into(rows, frame, syntax, format, asked);
    });
}

/// An RLE frame of these segments, PackBits bytes each.
inline StreamWriter rle_frame(const std::vector<StreamWriter>& segments) {
    StreamWriter bytes;
    bytes.u32_little(static_cast<std::uint32_t>(segments.size()));
    std::size_t at = 64;
    for (const StreamWriter& segment : segments) {
        bytes.u32_little(static_cast<std::uint32_t>(at));
        at += segment.size();
    }
    while (bytes.size() < 64) {
        bytes.u8(0);
    }
    for (const StreamWriter& segment : segments) {
        bytes.append(segment);
    }
    return bytes;
}

} // namespace torchdicom::test
