// Columns to FileHeaders. They come from a file that anything may have happened to.

#include "header/column_fields.hpp"
#include "header/columns.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace torchdicom {

namespace {

using detail::HeaderParts;

/// Where the values of a record start, and how many they are; `count_records` has checked it.
std::pair<std::size_t, std::size_t> bounds_at(const ColumnView& column,
                                              std::size_t record) noexcept {
    const auto begin = static_cast<std::size_t>(column.offsets[record]);
    return {begin, static_cast<std::size_t>(column.offsets[record + 1]) - begin};
}

[[noreturn]] void fail_number(std::string_view column, std::int64_t number) {
    fail_index(column, "the number " + std::to_string(number));
}

double finite(const ColumnView& column, double number) {
    if (!std::isfinite(number)) {
        fail_index(column.spec.name, "a number that is none");
    }
    return number;
}

/// Fills each field from the next column.
class Reader {
  public:
    Reader(std::span<const ColumnView> columns, std::size_t record) noexcept
        : columns_{columns}, record_{record} {}

    void operator()(std::string_view /*name*/, std::string& text) {
        text = text_at(next(), record_);
    }
    void operator()(std::string_view /*name*/, bool& flag) { flag = next().bytes[record_] != 0; }
    void operator()(std::string_view /*name*/, std::int64_t& number) {
        number = next().integers[record_];
    }
    void operator()(std::string_view name, std::uint64_t& number) {
        const std::int64_t found = next().integers[record_];
        if (found < 0) {
            fail_number(name, found);
        }
        number = static_cast<std::uint64_t>(found);
    }
    void operator()(std::string_view name, std::optional<std::int32_t>& number) {
        number = integer_between<std::int32_t>(name, std::numeric_limits<std::int32_t>::min(),
                                               std::numeric_limits<std::int32_t>::max());
    }
    /// The US attributes: what 16 bits hold.
    void operator()(std::string_view name, std::optional<std::uint32_t>& number) {
        number = integer_between<std::uint32_t>(name, 0, 0xFFFF);
    }
    /// The tags.
    void operator()(std::string_view name, std::optional<std::int64_t>& number) {
        number = integer_between<std::int64_t>(name, 0, 0xFFFF'FFFF);
    }
    void operator()(std::string_view /*name*/, std::optional<double>& number) {
        const ColumnView& column = next();
        if (column.valid[record_] != 0) {
            number = finite(column, column.decimals[record_]);
        }
    }
    template <std::size_t N>
    void operator()(std::string_view name, std::optional<std::array<double, N>>& vector) {
        const ColumnView& column = next();
        const auto [begin, count] = bounds_at(column, record_);
        if (count == 0) {
            return;
        }
        if (count != N) {
            fail_index(name,
                       std::to_string(count) + " values where " + std::to_string(N) + " belong");
        }
        vector.emplace();
        // A position that follows from a rule (divide) may lie beyond all numbers: it is judged.
        const bool may_overflow = name == "image_position_patient";
        for (std::size_t i = 0; i < N; ++i) {
            const double number = column.decimals[begin + i];
            (*vector)[i] = may_overflow ? number : finite(column, number);
        }
    }
    void operator()(std::string_view /*name*/, std::vector<double>& values) {
        const ColumnView& column = next();
        const auto [begin, count] = bounds_at(column, record_);
        values.reserve(count);
        for (const double value : column.decimals.subspan(begin, count)) {
            values.push_back(finite(column, value));
        }
    }
    void operator()(std::string_view /*name*/, std::vector<std::int64_t>& values) {
        const ColumnView& column = next();
        const auto [begin, count] = bounds_at(column, record_);
        const std::span<const std::int64_t> found = column.integers.subspan(begin, count);
        values.assign(found.begin(), found.end());
    }

  private:
    const ColumnView& next() noexcept { return columns_[next_++]; }

    template <typename T>
    std::optional<T> integer_between(std::string_view name, std::int64_t least, std::int64_t most) {
        const ColumnView& column = next();
        if (column.valid[record_] == 0) {
            return std::nullopt;
        }
        const std::int64_t number = column.integers[record_];
        if (number < least || number > most) {
            fail_number(name, number);
        }
        return static_cast<T>(number);
    }

    std::span<const ColumnView> columns_;
    std::size_t record_;
    std::size_t next_ = 0;
};

/// Frames that a decoder may be given: read_header has made and checked a table of them.
bool has_frame_table(const FileHeader& header) noexcept {
    return header.pixels && header.transfer_syntax.encoding != Encoding::unsupported;
}

void check_size(std::string_view column, std::optional<std::uint32_t> size, std::uint32_t most) {
    if (size.value_or(0) < 1 || *size > most) {
        fail_number(column, size.value_or(0));
    }
}

/// What divide gives: buffers are sized and read by it.
void check_part(const FileHeader& header) {
    const FramePart& part = header.part;
    const auto frames = static_cast<std::int64_t>(header.number_of_frames_given.value_or(1));
    if (part.first < 0 || part.first >= frames || (!part.is_frame && part.first > 0)) {
        fail_number("first_frame", part.first);
    }
    if (part.frame_rows == 0) {
        if (part.tile != 0 || part.frame_columns != 0) {
            fail_number("tile", part.tile);
        }
        return;
    }
    const std::int64_t rows = header.rows.value_or(0);
    const std::int64_t columns = header.columns.value_or(0);
    const std::int64_t most = limits::kMaxRows;
    if (!part.is_frame || rows < 1 || columns < 1 || part.frame_rows < rows ||
        part.frame_rows > most || part.frame_columns < columns || part.frame_columns > most) {
        fail_number("frame_rows", part.frame_rows);
    }
    const std::int64_t tiles = (part.frame_rows / rows) * (part.frame_columns / columns);
    if (part.tile < 0 || part.tile >= tiles) {
        fail_number("tile", part.tile);
    }
}

/// What read_frame_table and its like refuse, since buffers are sized by it later.
void check_sizes(const FileHeader& header) {
    const std::int32_t frames = header.number_of_frames_given.value_or(1);
    if (frames < 1 || header.number_of_frames() > limits::kMaxFrames) {
        fail_number("number_of_frames", frames);
    }
    if (has_frame_table(header)) {
        check_size("rows", header.rows, limits::kMaxRows);
        check_size("columns", header.columns, limits::kMaxColumns);
    }
}

void settle_pixels(const HeaderParts& parts, FileHeader& header) {
    if (!parts.pixel_tag) {
        return;
    }
    const auto tag = static_cast<Tag>(*parts.pixel_tag);
    if (tag != tags::PixelData && tag != tags::FloatPixelData &&
        tag != tags::DoubleFloatPixelData) {
        fail_number("pixel_tag", *parts.pixel_tag);
    }
    PixelElement pixels;
    pixels.element = Element{.tag = tag,
                             .has_undefined_length = parts.has_undefined_length,
                             .offset = parts.pixel_offset,
                             .value_offset = parts.pixel_value_offset,
                             .length = parts.pixel_length};
    if (!parts.pixel_vr.empty() && parts.pixel_vr.size() != pixels.element.vr.size()) {
        fail_index("pixel_vr", "a VR of " + std::to_string(parts.pixel_vr.size()) + " characters");
    }
    std::ranges::copy(parts.pixel_vr, pixels.element.vr.begin());
    pixels.data_set_end = parts.data_set_end;
    const std::uint64_t most =
        header.transfer_syntax.is_deflated ? limits::kMaxInflatedBytes : header.identity.size;
    if (pixels.data_set_end > most) {
        fail_index("data_set_end", "the data set is longer than the file");
    }
    if (parts.pixel_offset > parts.pixel_value_offset ||
        parts.pixel_value_offset > pixels.data_set_end) {
        fail_index("pixel_value_offset", "pixels outside of the file");
    }
    header.pixels = pixels;
}

ByteRange range_at(const HeaderParts& parts, std::size_t index) {
    const std::int64_t offset = parts.range_offset[index];
    const std::int64_t length = parts.range_length[index];
    if (offset < 0 || length < 0) {
        fail_number(offset < 0 ? "range_offset" : "range_length", offset < 0 ? offset : length);
    }
    const ByteRange range{static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(length)};
    if (range.offset < parts.pixel_value_offset || range.offset > parts.data_set_end ||
        range.length > parts.data_set_end - range.offset) {
        fail_index("range_offset", "a frame outside of the pixel data");
    }
    return range;
}

void settle_frames(const HeaderParts& parts, FileHeader& header) {
    const std::size_t ranges = parts.range_offset.size();
    const std::size_t frames = parts.ranges_per_frame.size();
    if (parts.range_length.size() != ranges) {
        fail_index("range_length", "another number of values than range_offset has");
    }
    if (has_frame_table(header) ? frames != header.number_of_frames()
                                : frames != 0 && !header.pixels) {
        fail_index("ranges_per_frame", std::to_string(frames) + " frames where the file has " +
                                           std::to_string(header.number_of_frames()));
    }
    std::size_t next = 0;
    for (const std::int64_t count : parts.ranges_per_frame) {
        if (count < 1 || static_cast<std::uint64_t>(count) > ranges - next) {
            fail_number("ranges_per_frame", count);
        }
        std::uint64_t total = 0;
        for (const std::size_t end = next + static_cast<std::size_t>(count); next < end; ++next) {
            const ByteRange range = range_at(parts, next);
            total += range.length;
            // Fragments don't overlap, so that memory for a frame never exceeds its file.
            if (total > parts.data_set_end) {
                fail_index("range_length", "a frame longer than the file");
            }
            header.frames.add_fragment(range);
        }
        header.frames.end_frame();
    }
    if (next != ranges) {
        fail_index("ranges_per_frame", "ranges that belong to no frame");
    }
}

/// The fields that are no columns, from those that are.
void settle(const HeaderParts& parts, FileHeader& header) {
    // A path with NUL would open another file.
    if (header.path.empty() || header.path.find('\0') != std::string::npos) {
        fail_index("path", "a path that no file can have");
    }
    header.element_syntax = {.order = parts.is_big_endian ? std::endian::big : std::endian::little,
                             .is_explicit = parts.is_explicit};
    header.transfer_syntax =
        find_transfer_syntax(header.transfer_syntax_uid)
            .value_or(TransferSyntax{.uid = {}, .name = {}, .encoding = Encoding::unsupported});
    if (parts.functional_groups) {
        header.functional_groups = static_cast<Tag>(*parts.functional_groups);
    }
    settle_pixels(parts, header);
    check_sizes(header);
    check_part(header);
    settle_frames(parts, header);
}

std::size_t index_of(std::string_view name) {
    const std::span<const ColumnSpec> specs = core_columns();
    const auto found = std::find_if(specs.begin(), specs.end(),
                                    [name](const ColumnSpec& spec) { return spec.name == name; });
    return static_cast<std::size_t>(found - specs.begin());
}

} // namespace

std::string_view text_at(const ColumnView& column, std::size_t record) noexcept {
    if (column.spec.type == ColumnType::word) {
        const std::int32_t word = column.words[record];
        if (word == kNoWord) {
            return {};
        }
        record = static_cast<std::size_t>(word);
    }
    const auto [begin, count] = bounds_at(column, record);
    return as_text(std::as_bytes(column.bytes.subspan(begin, count)));
}

Records::Records(std::vector<ColumnView> columns) : columns_{std::move(columns)} {
    if (columns_.size() != core_columns().size()) {
        fail_index("columns", std::to_string(columns_.size()) + " columns");
    }
    size_ = count_records(columns_.front());
    for (const ColumnView& column : columns_) {
        if (const std::size_t count = count_records(column); count != size_) {
            fail_index(column.spec.name, std::to_string(count) +
                                             " records where other columns have " +
                                             std::to_string(size_));
        }
    }
}

FileHeader Records::header_at(std::size_t record) const {
    FileHeader header;
    read_at(record, header);
    return header;
}

void Records::read_at(std::size_t record, FileHeader& header) const {
    HeaderParts parts;
    try {
        Reader reader{columns_, record};
        detail::for_each_field(header, parts, reader);
        settle(parts, header);
    } catch (const Error& error) {
        throw error.located({.path = header.path});
    }
}

std::string_view Records::path_at(std::size_t record) const noexcept {
    static const std::size_t index = index_of("path");
    return text_at(columns_[index], record);
}

std::int64_t Records::frame_at(std::size_t record) const noexcept {
    static const std::size_t index = index_of("first_frame");
    return columns_[index].integers[record];
}

std::int64_t Records::tile_at(std::size_t record) const noexcept {
    static const std::size_t index = index_of("tile");
    return columns_[index].integers[record];
}

std::string_view Records::series_instance_uid_at(std::size_t record) const noexcept {
    static const std::size_t index = index_of("series_instance_uid");
    return text_at(columns_[index], record);
}

} // namespace torchdicom
