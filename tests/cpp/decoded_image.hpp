// A frame, or what is wanted of it, decoded into numbers.
#pragma once

#include "decode/decoder.hpp"
#include "formula_images.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <string>
#include <string_view>

namespace torchdicom::test {

inline TransferSyntax syntax_named(std::string_view last_components) {
    return find_transfer_syntax("1.2.840.10008.1.2.4" + std::string{last_components}).value();
}

/// A format with all bits of its cells, which a test then changes.
inline PixelFormat format_named(std::uint32_t rows, std::uint32_t columns, std::uint32_t bits,
                                bool is_signed = false) {
    return {.rows = rows,
            .columns = columns,
            .bits_allocated = bits,
            .bits_stored = bits,
            .high_bit = bits - 1,
            .is_signed = is_signed};
}

inline PixelFormat colour_named(std::uint32_t rows, std::uint32_t columns,
                                Photometric photometric) {
    PixelFormat format = format_named(rows, columns, 8);
    format.samples_per_pixel = 3;
    format.photometric = photometric;
    return format;
}

/// What a sink was given.
struct Decoded {
    Pixels image;
    DecodedArea area;
    std::size_t puts = 0;
};

/// Reads cells as the header's sign says; checks that every row comes, whole and once.
class CollectedRows final : public RowSink {
  public:
    explicit CollectedRows(const PixelFormat& format) : format_{&format} {}

    void start(const DecodedArea& area) override {
        CHECK(all.image.rows == 0);
        all.area = area;
        all.image.rows = area.window.rows();
        all.image.columns = area.window.columns() * format_->samples_per_pixel;
    }
    [[nodiscard]] bool put(ByteSpan rows) override {
        const std::size_t cell = format_->bytes_per_sample();
        CHECK(!rows.empty());
        CHECK(rows.size() % (all.image.columns * cell) == 0);
        for (std::size_t at = 0; at < rows.size(); at += cell) {
            all.image.values.push_back(value_of(rows.subspan(at, cell)));
        }
        ++all.puts;
        return all.puts != most_puts;
    }

    Decoded all;
    std::size_t most_puts = 0; ///< after so many it wants no more

  private:
    [[nodiscard]] std::int64_t value_of(ByteSpan cell) const {
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < cell.size(); ++i) {
            const std::size_t place =
                std::endian::native == std::endian::little ? i : cell.size() - 1 - i;
            bits |= std::to_integer<std::uint32_t>(cell[i]) << (8 * place);
        }
        const std::int64_t range = std::int64_t{1} << (8 * cell.size());
        return format_->is_signed && bits >= range / 2 ? bits - range : std::int64_t{bits};
    }

    const PixelFormat* format_;
};

/// Decodes through `decode_frame`, checks and all.
inline Decoded decoded(const StreamWriter& frame, std::string_view syntax,
                       const PixelFormat& format, std::uint32_t reduce = 0,
                       std::optional<Window> window = std::nullopt, std::string_view codec = {}) {
    CollectedRows rows{format};
    decode_frame(frame.span(),
                 {.syntax = syntax_named(syntax),
                  .format = format,
                  .window = window.value_or(whole_image(format)),
                  .reduce = reduce,
                  .codec = codec},
                 rows);
    CHECK(rows.all.image.values.size() == rows.all.image.rows * rows.all.image.columns);
    return rows.all;
}

inline std::optional<ErrorCode> refusal(ByteSpan frame, std::string_view syntax,
                                        const PixelFormat& format) {
    CollectedRows rows{format};
    return code_of([&] {
        decode_frame(
            frame,
            {.syntax = syntax_named(syntax), .format = format, .window = whole_image(format)},
            rows);
    });
}

} // namespace torchdicom::test
