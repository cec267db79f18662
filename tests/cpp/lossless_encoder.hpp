// Encodes lossless JPEG (ISO 10918-1 Annex H), plainly and slowly, with every choice that a file
// may make.
#pragma once

#include "decode/huffman.hpp"
#include "stream_writer.hpp"

#include <bit>
#include <cstdint>
#include <vector>

namespace torchdicom::test {

struct LosslessImage {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::uint32_t components = 1;
    std::uint32_t precision = 16;
    std::vector<std::uint32_t> samples{}; ///< those of a pixel side by side

    [[nodiscard]] std::uint32_t at(std::uint32_t y, std::uint32_t x, std::uint32_t c) const {
        return samples.at((std::size_t{y} * columns + x) * components + c);
    }
};

/// How many codes of each length, and the categories in the order of their codes.
struct Codes {
    std::vector<std::uint32_t> counts;
    std::vector<std::uint32_t> categories;
};

/// Seventeen codes of five bits.
inline Codes even_codes() {
    Codes codes{.counts = {0, 0, 0, 0, 17}, .categories = {}};
    for (std::uint32_t category = 0; category <= 16; ++category) {
        codes.categories.push_back(category);
    }
    return codes;
}

/// Codes of 2 to 16 bits, the longest for the smallest differences.
inline Codes long_codes() {
    Codes codes{.counts = {0, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}, .categories = {}};
    for (std::uint32_t category = 0; category <= 16; ++category) {
        codes.categories.push_back(16 - category);
    }
    return codes;
}

/// What DHT says of them.
inline HuffmanSpec spec_of(const Codes& codes) {
    HuffmanSpec spec;
    for (std::size_t i = 0; i < codes.counts.size(); ++i) {
        spec.counts.at(i) = static_cast<std::uint8_t>(codes.counts[i]);
    }
    for (std::size_t i = 0; i < codes.categories.size(); ++i) {
        spec.symbols.at(i) = static_cast<std::uint8_t>(codes.categories[i]);
    }
    return spec;
}

struct LosslessOptions {
    std::uint32_t predictor = 1;
    std::uint32_t shift = 0;
    std::uint32_t restart_rows = 0;
    bool is_interleaved = true;
    std::uint32_t sampling = 0x11;
    Codes codes = even_codes();
    Codes other_codes = long_codes(); ///< of all components but the first
};

/// Bits from the top; a byte FF is stuffed (B.1.1.5).
class EntropyWriter {
  public:
    void bits(std::uint32_t value, std::uint32_t count) {
        for (std::uint32_t i = count; i-- > 0;) {
            byte_ = (byte_ << 1U) | ((value >> i) & 1U);
            if (++used_ == 8) {
                put();
            }
        }
    }
    /// Fills the last byte with ones (F.1.2.3).
    void flush() {
        while (used_ != 0) {
            bits(1, 1);
        }
    }
    void restart(std::uint32_t number) {
        flush();
        bytes_.u16(0xFFD0U + number);
    }
    [[nodiscard]] const StreamWriter& bytes() const { return bytes_; }

  private:
    void put() {
        bytes_.u8(byte_);
        if (byte_ == 0xFF) {
            bytes_.u8(0);
        }
        byte_ = 0;
        used_ = 0;
    }
    StreamWriter bytes_;
    std::uint32_t byte_ = 0;
    std::uint32_t used_ = 0;
};

class LosslessEncoder {
  public:
    LosslessEncoder(const LosslessImage& image, const LosslessOptions& options)
        : image_{image}, options_{options} {}

    /// From SOI to EOI.
    [[nodiscard]] StreamWriter stream() const {
        StreamWriter out;
        out.u16(0xFFD8).segment(0xFFC3, frame_header());
        out.segment(0xFFC4, table(0, options_.codes).append(table(1, options_.other_codes)));
        if (options_.restart_rows > 0) {
            out.segment(0xFFDD, StreamWriter{}.u16(options_.restart_rows * image_.columns));
        }
        if (options_.is_interleaved) {
            append_scan(out, 0, image_.components);
        } else {
            for (std::uint32_t c = 0; c < image_.components; ++c) {
                append_scan(out, c, 1);
            }
        }
        return out.u16(0xFFD9);
    }

    /// The entropy-coded data of a scan of `count` components from `first` on.
    [[nodiscard]] StreamWriter scan(std::uint32_t first, std::uint32_t count) const {
        EntropyWriter out;
        const std::uint32_t interval = options_.restart_rows;
        for (std::uint32_t y = 0; y < image_.rows; ++y) {
            if (interval > 0 && y > 0 && y % interval == 0) {
                out.restart((y / interval - 1) % 8);
            }
            for (std::uint32_t x = 0; x < image_.columns; ++x) {
                for (std::uint32_t c = first; c < first + count; ++c) {
                    put(out, c == 0 ? options_.codes : options_.other_codes,
                        coded(y, x, c) - prediction(y, x, c));
                }
            }
        }
        out.flush();
        return out.bytes();
    }

  private:
    [[nodiscard]] StreamWriter frame_header() const {
        StreamWriter body;
        body.u8(image_.precision).u16(image_.rows).u16(image_.columns).u8(image_.components);
        for (std::uint32_t c = 0; c < image_.components; ++c) {
            body.u8(c + 1).u8(options_.sampling).u8(0);
        }
        return body;
    }

    static StreamWriter table(std::uint32_t id, const Codes& codes) {
        StreamWriter body;
        body.u8(id);
        for (std::size_t i = 0; i < 16; ++i) {
            body.u8(i < codes.counts.size() ? codes.counts[i] : 0);
        }
        for (const std::uint32_t category : codes.categories) {
            body.u8(category);
        }
        return body;
    }

    void append_scan(StreamWriter& out, std::uint32_t first, std::uint32_t count) const {
        StreamWriter header;
        header.u8(count);
        for (std::uint32_t c = first; c < first + count; ++c) {
            header.u8(c + 1).u8(c == 0 ? 0x00 : 0x10);
        }
        header.u8(options_.predictor).u8(0).u8(options_.shift);
        out.segment(0xFFDA, header).append(scan(first, count));
    }

    [[nodiscard]] std::uint32_t coded(std::uint32_t y, std::uint32_t x, std::uint32_t c) const {
        return image_.at(y, x, c) >> options_.shift;
    }

    /// H.1.1 and Table H.1.
    [[nodiscard]] std::uint32_t prediction(std::uint32_t y, std::uint32_t x,
                                           std::uint32_t c) const {
        const bool is_first = options_.restart_rows == 0 ? y == 0 : y % options_.restart_rows == 0;
        if (is_first) {
            return x == 0 ? 1U << (image_.precision - options_.shift - 1) : coded(y, x - 1, c);
        }
        const auto b = static_cast<std::int32_t>(coded(y - 1, x, c));
        if (x == 0) {
            return static_cast<std::uint32_t>(b);
        }
        const auto a = static_cast<std::int32_t>(coded(y, x - 1, c));
        const auto corner = static_cast<std::int32_t>(coded(y - 1, x - 1, c));
        const std::int32_t by_selection[] = {0,
                                             a,
                                             b,
                                             corner,
                                             a + b - corner,
                                             a + ((b - corner) >> 1),
                                             b + ((a - corner) >> 1),
                                             (a + b) / 2};
        return static_cast<std::uint32_t>(by_selection[options_.predictor]);
    }

    /// H.1.2: modulo 2^16, from -32767 to 32768.
    static void put(EntropyWriter& out, const Codes& codes, std::uint32_t difference) {
        const std::uint32_t wrapped = difference & 0xFFFFU;
        const bool is_negative = wrapped > 0x8000;
        const std::uint32_t magnitude = is_negative ? 0x10000 - wrapped : wrapped;
        const auto category = static_cast<std::uint32_t>(std::bit_width(magnitude));
        put_code(out, codes, category);
        if (category < 16) {
            out.bits(is_negative ? wrapped - 1 : wrapped, category);
        }
    }

    /// Codes of a length follow each other; the first is twice what follows the last shorter one.
    static void put_code(EntropyWriter& out, const Codes& codes, std::uint32_t category) {
        std::uint32_t code = 0;
        std::size_t index = 0;
        for (std::uint32_t length = 1; length <= codes.counts.size(); ++length, code *= 2) {
            for (std::uint32_t i = 0; i < codes.counts[length - 1]; ++i, ++code, ++index) {
                if (codes.categories[index] == category) {
                    out.bits(code, length);
                    return;
                }
            }
        }
        fail(ErrorCode::internal_error, "the test's table has no code for a category");
    }

    const LosslessImage& image_;
    const LosslessOptions& options_;
};

} // namespace torchdicom::test
