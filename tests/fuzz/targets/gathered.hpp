// All rows that a codec hands over, for the fuzz targets of codecs.
#pragma once

#include "decode/decoder.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace torchdicom::fuzz {

struct Gathered {
    DecodedArea area;
    std::vector<std::byte> bytes;
};

/// Requires that the area lies in the image, and that whole rows come, as many as it has.
class GatheredRows final : public RowSink {
  public:
    explicit GatheredRows(const DecodeRequest& request) : request_{&request} {}

    void start(const DecodedArea& area) override {
        const PixelFormat& format = request_->format;
        const std::size_t up = (std::size_t{1} << area.reduced) - 1;
        require(area.reduced <= request_->reduce && area.window.y0 < area.window.y1 &&
                    area.window.x0 < area.window.x1 &&
                    area.window.y1 <= (format.rows + up) >> area.reduced &&
                    area.window.x1 <= (format.columns + up) >> area.reduced,
                "the area lies in the image");
        all.area = area;
        row_bytes_ = area.window.columns() * format.samples_per_pixel * format.bytes_per_sample();
    }
    [[nodiscard]] bool put(ByteSpan rows) override {
        require(row_bytes_ != 0 && !rows.empty() && rows.size() % row_bytes_ == 0,
                "rows are whole, and come after the start");
        require(!has_enough, "no rows come after the last that was wanted");
        all.bytes.insert(all.bytes.end(), rows.begin(), rows.end());
        has_enough = stops_at_once;
        return !has_enough;
    }
    void require_all() const {
        require(all.bytes.size() == all.area.window.rows() * row_bytes_, "every row comes");
    }

    Gathered all;
    bool stops_at_once = false; ///< the first rows are enough
    bool has_enough = false;

  private:
    const DecodeRequest* request_;
    std::size_t row_bytes_ = 0;
};

/// What a frame decodes to; nothing where it is refused.
inline std::optional<Gathered> gather(ByteSpan frame, const DecodeRequest& request) {
    GatheredRows rows{request};
    if (error_of([&] { decode_frame(frame, request, rows); })) {
        return std::nullopt;
    }
    rows.require_all();
    return rows.all;
}

/// Decodes for a sink that wants the first rows alone.
inline void gather_first(ByteSpan frame, const DecodeRequest& request) {
    GatheredRows rows{request};
    rows.stops_at_once = true;
    static_cast<void>(error_of([&] { decode_frame(frame, request, rows); }));
}

/// Whether the part has the bytes that the whole has there.
inline bool is_crop(const Gathered& part, const Gathered& whole, const PixelFormat& format) {
    const std::size_t pixel = format.samples_per_pixel * format.bytes_per_sample();
    const Window& inner = part.area.window;
    const Window& outer = whole.area.window;
    const std::size_t length = inner.columns() * pixel;
    for (std::size_t row = 0; row < inner.rows(); ++row) {
        const std::size_t at =
            ((inner.y0 - outer.y0 + row) * outer.columns() + inner.x0 - outer.x0) * pixel;
        if (!std::equal(part.bytes.begin() + static_cast<std::ptrdiff_t>(row * length),
                        part.bytes.begin() + static_cast<std::ptrdiff_t>((row + 1) * length),
                        whole.bytes.begin() + static_cast<std::ptrdiff_t>(at))) {
            return false;
        }
    }
    return part.area.reduced == whole.area.reduced;
}

} // namespace torchdicom::fuzz
