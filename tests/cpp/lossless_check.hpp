// What the tests of lossless JPEG share: a small image, its streams and what becomes of them.
#pragma once

#include "decoded.hpp"
#include "lossless_encoder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace torchdicom::test::lossless {

/// 6 rows of 4 pixels, 16 bits: 100 * i.
inline LosslessImage image_of(std::uint32_t components = 1) {
    LosslessImage image{.rows = 6, .columns = 4, .components = components};
    for (std::uint32_t i = 0; i < 24 * components; ++i) {
        image.samples.push_back(100 * i);
    }
    return image;
}

inline PixelFormat format_of(std::uint32_t components = 1) {
    return test::format_of(6, 4, 16, components);
}

struct Decoded {
    std::optional<ErrorCode> error;
    std::vector<std::uint32_t> samples;
};

inline Decoded decode(ByteSpan frame, std::uint32_t components = 1) {
    Decoded result;
    result.error = code_of([&] {
        const auto samples =
            decoded<std::uint16_t>(frame, ".4.57", format_of(components), {.codec = "torchdicom"});
        result.samples.assign(samples.begin(), samples.end());
    });
    return result;
}

inline std::optional<ErrorCode> failure(const StreamWriter& stream, std::uint32_t components = 1) {
    return decode(stream.span(), components).error;
}

inline StreamWriter encoded(const LosslessImage& image, const LosslessOptions& options = {}) {
    return LosslessEncoder{image, options}.stream();
}

/// The stream with the bytes `from` replaced, where they stand first, by as many others.
inline StreamWriter with(const StreamWriter& stream, const StreamWriter& from,
                         const StreamWriter& to) {
    std::vector<std::byte> bytes(stream.span().begin(), stream.span().end());
    const auto at = std::search(bytes.begin(), bytes.end(), from.span().begin(), from.span().end());
    REQUIRE(at != bytes.end());
    StreamWriter changed;
    for (auto byte = bytes.begin(); byte != bytes.end(); ++byte) {
        const auto offset = byte - at;
        const bool is_new = offset >= 0 && offset < static_cast<std::ptrdiff_t>(to.size());
        changed.u8(std::to_integer<std::uint32_t>(
            is_new ? to.span()[static_cast<std::size_t>(offset)] : *byte));
    }
    return changed;
}

/// The parts of a stream, to be put together otherwise.
struct Parts {
    StreamWriter frame = StreamWriter{}.raw({16, 0, 6, 0, 4, 1, 1, 0x11, 0});
    StreamWriter table = dht(0, {0, 1, 1, 2}); // codes 00, 010, 0110 and 0111
    StreamWriter scan = StreamWriter{}.raw({1, 1, 0x00, 1, 0, 0});
    StreamWriter data = StreamWriter{}.raw({0, 0, 0, 0, 0, 0}); // 24 differences of 0

    static StreamWriter dht(std::uint32_t id, std::vector<std::uint32_t> counts,
                            std::uint32_t category = 0) {
        StreamWriter body = StreamWriter{}.u8(id);
        counts.resize(16);
        std::uint32_t total = 0;
        for (const std::uint32_t count : counts) {
            body.u8(count);
            total += count;
        }
        for (std::uint32_t i = 0; i < total; ++i) {
            body.u8(category + i);
        }
        return body;
    }
    [[nodiscard]] StreamWriter stream() const {
        StreamWriter out;
        out.u16(0xFFD8).segment(0xFFC3, frame);
        if (table.size() > 0) {
            out.segment(0xFFC4, table);
        }
        return out.segment(0xFFDA, scan).append(data).u16(0xFFD9);
    }
};

} // namespace torchdicom::test::lossless
