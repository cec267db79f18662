// FileHeaders to columns.

#include "header/columns.hpp"

#include "header/column_fields.hpp"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

namespace torchdicom {

namespace {

using detail::HeaderParts;

/// The column type of a C++ type.
template <typename T> inline constexpr ColumnType kTypeOf = ColumnType::integer;
template <> inline constexpr ColumnType kTypeOf<bool> = ColumnType::flag;
template <> inline constexpr ColumnType kTypeOf<std::string> = ColumnType::word;
template <typename T>
inline constexpr ColumnType kTypeOf<std::optional<T>> = ColumnType::optional_integer;
template <>
inline constexpr ColumnType kTypeOf<std::optional<double>> = ColumnType::optional_decimal;
template <std::size_t N>
inline constexpr ColumnType kTypeOf<std::optional<std::array<double, N>>> =
    ColumnType::decimal_list;
template <>
inline constexpr ColumnType kTypeOf<std::vector<std::int64_t>> = ColumnType::integer_list;
template <> inline constexpr ColumnType kTypeOf<std::vector<double>> = ColumnType::decimal_list;

class SpecList {
  public:
    template <typename T> void operator()(std::string_view name, const T& /*field*/) {
        const bool is_unique = name == "path" || name == "sop_instance_uid";
        specs_.push_back({.name = name, .type = is_unique ? ColumnType::text : kTypeOf<T>});
    }
    [[nodiscard]] std::vector<ColumnSpec> take() noexcept { return std::move(specs_); }

  private:
    std::vector<ColumnSpec> specs_;
};

std::vector<ColumnSpec> list_specs() {
    const FileHeader header{};
    const HeaderParts parts{};
    SpecList specs;
    detail::for_each_field(header, parts, specs);
    return specs.take();
}

bool has_offsets(ColumnType type) noexcept {
    return type == ColumnType::text || type == ColumnType::word ||
           type == ColumnType::integer_list || type == ColumnType::decimal_list;
}

/// Adds to the texts of a column, whether they are one a record or all words.
void add_text(std::string_view text, Column& column) {
    column.bytes.insert(column.bytes.end(), text.begin(), text.end());
    column.offsets.push_back(static_cast<std::int64_t>(column.bytes.size()));
}

std::string_view word_at(const Column& column, std::int32_t word) {
    const auto number = static_cast<std::size_t>(word);
    const auto begin = static_cast<std::size_t>(column.offsets[number]);
    const auto end = static_cast<std::size_t>(column.offsets[number + 1]);
    return as_text(std::as_bytes(std::span{column.bytes}.subspan(begin, end - begin)));
}

std::int32_t number_of(std::string_view text, Column& column) {
    if (text.empty()) {
        return kNoWord;
    }
    // Nearly always that of the file before, of the same series.
    const std::int32_t last = column.words.empty() ? kNoWord : column.words.back();
    if (last != kNoWord && word_at(column, last) == text) {
        return last;
    }
    const auto next = static_cast<std::int32_t>(column.known_words.size());
    const auto [entry, is_new] = column.known_words.try_emplace(std::string{text}, next);
    if (is_new) {
        add_text(text, column);
    }
    return entry->second;
}

/// Adds each field to the next column.
class Writer {
  public:
    explicit Writer(Columns& columns) noexcept : columns_{columns} {}

    void operator()(std::string_view /*name*/, const std::string& text) {
        append_text(text, next());
    }
    void operator()(std::string_view /*name*/, bool flag) { next().bytes.push_back(flag ? 1 : 0); }
    void operator()(std::string_view /*name*/, std::int64_t number) {
        next().integers.push_back(number);
    }
    void operator()(std::string_view /*name*/, std::uint64_t number) {
        next().integers.push_back(static_cast<std::int64_t>(number)); // no file is that large
    }
    template <typename T>
    void operator()(std::string_view /*name*/, const std::optional<T>& number) {
        Column& column = next();
        column.integers.push_back(number ? std::int64_t{*number} : 0);
        column.valid.push_back(number ? 1 : 0);
    }
    void operator()(std::string_view /*name*/, const std::optional<double>& number) {
        Column& column = next();
        column.decimals.push_back(number.value_or(0));
        column.valid.push_back(number ? 1 : 0);
    }
    template <std::size_t N>
    void operator()(std::string_view /*name*/, const std::optional<std::array<double, N>>& vector) {
        Column& column = next();
        if (vector) {
            column.decimals.insert(column.decimals.end(), vector->begin(), vector->end());
        }
        end_list(column, column.decimals.size());
    }
    void operator()(std::string_view /*name*/, const std::vector<double>& values) {
        Column& column = next();
        column.decimals.insert(column.decimals.end(), values.begin(), values.end());
        end_list(column, column.decimals.size());
    }
    void operator()(std::string_view /*name*/, const std::vector<std::int64_t>& values) {
        Column& column = next();
        column.integers.insert(column.integers.end(), values.begin(), values.end());
        end_list(column, column.integers.size());
    }

  private:
    Column& next() noexcept { return columns_[next_++]; }
    static void end_list(Column& column, std::size_t end) {
        column.offsets.push_back(static_cast<std::int64_t>(end));
    }

    Columns& columns_;
    std::size_t next_ = 0;
};

void take_ranges(const FrameTable& frames, HeaderParts& parts) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const std::span<const ByteRange> ranges = frames.ranges(i);
        parts.ranges_per_frame.push_back(static_cast<std::int64_t>(ranges.size()));
        for (const ByteRange& range : ranges) {
            parts.range_offset.push_back(static_cast<std::int64_t>(range.offset));
            parts.range_length.push_back(static_cast<std::int64_t>(range.length));
        }
    }
}

HeaderParts take_apart(const FileHeader& header) {
    HeaderParts parts;
    parts.is_big_endian = header.element_syntax.order == std::endian::big;
    parts.is_explicit = header.element_syntax.is_explicit;
    parts.functional_groups = header.functional_groups;
    if (header.pixels) {
        const Element& element = header.pixels->element;
        parts.pixel_tag = element.tag;
        if (element.vr != std::array<char, 2>{}) {
            parts.pixel_vr.assign(element.vr.begin(), element.vr.end());
        }
        parts.has_undefined_length = element.has_undefined_length;
        parts.pixel_offset = element.offset;
        parts.pixel_value_offset = element.value_offset;
        parts.pixel_length = element.length;
        parts.data_set_end = header.pixels->data_set_end;
    }
    take_ranges(header.frames, parts);
    return parts;
}

/// `reorder` for columns whose records have any number of values.
void reorder_parts(std::span<const std::int64_t> order, Column& column) {
    std::vector<std::int64_t> offsets{0};
    offsets.reserve(order.size() + 1);
    const auto pick = [&column, order](auto& values) {
        if (values.empty()) {
            return;
        }
        std::decay_t<decltype(values)> picked;
        picked.reserve(values.size());
        for (const std::int64_t record : order) {
            const auto i = static_cast<std::size_t>(record);
            picked.insert(picked.end(), values.begin() + column.offsets[i],
                          values.begin() + column.offsets[i + 1]);
        }
        values = std::move(picked);
    };
    if (column.spec.type == ColumnType::text) {
        pick(column.bytes);
    } else if (column.spec.type == ColumnType::integer_list) {
        pick(column.integers);
    } else {
        pick(column.decimals);
    }
    for (const std::int64_t record : order) {
        const auto i = static_cast<std::size_t>(record);
        offsets.push_back(offsets.back() + column.offsets[i + 1] - column.offsets[i]);
    }
    column.offsets = std::move(offsets);
}

void check_validity(const ColumnView& column, std::size_t values) {
    if (column.valid.size() != values) {
        fail_index(column.spec.name, "values and validity differ in length");
    }
}

/// Then no record reaches outside of the values, and all of them together have no more than those.
void check_offsets(const ColumnView& column, std::size_t values) {
    const std::span<const std::int64_t> offsets = column.offsets;
    const bool is_inside = !offsets.empty() && offsets.front() >= 0 &&
                           std::is_sorted(offsets.begin(), offsets.end()) &&
                           std::cmp_less_equal(offsets.back(), values);
    if (!is_inside) {
        fail_index(column.spec.name, "offsets outside of the values, or not ascending");
    }
}

/// Then every record has a word of the column, or none.
void check_words(const ColumnView& column) {
    check_offsets(column, column.bytes.size());
    const std::size_t count = column.offsets.size() - 1;
    const bool is_inside = std::ranges::all_of(column.words, [count](std::int32_t word) {
        return word == kNoWord || (word >= 0 && std::cmp_less(word, count));
    });
    if (!is_inside) {
        fail_index(column.spec.name, "a word that the column does not have");
    }
}

} // namespace

std::string_view name_of(ColumnType type) noexcept {
    constexpr std::array<std::string_view, 8> kNames{
        "int64", "bool", "int64?", "float64?", "text", "word", "list<int64>", "list<float64>"};
    return kNames[static_cast<std::size_t>(type)];
}

std::span<const ColumnSpec> core_columns() {
    static const std::vector<ColumnSpec> specs = list_specs();
    return specs;
}

Column make_column(ColumnSpec spec, std::size_t records) {
    Column column;
    column.spec = spec;
    switch (spec.type) {
    case ColumnType::optional_integer:
        column.valid.reserve(records);
        [[fallthrough]];
    case ColumnType::integer:
        column.integers.reserve(records);
        break;
    case ColumnType::optional_decimal:
        column.valid.reserve(records);
        column.decimals.reserve(records);
        break;
    case ColumnType::flag:
        column.bytes.reserve(records);
        break;
    case ColumnType::word:
        column.words.reserve(records);
        break;
    case ColumnType::text:
    case ColumnType::integer_list:
    case ColumnType::decimal_list:
        column.offsets.reserve(records + 1);
        break;
    }
    if (has_offsets(spec.type)) {
        column.offsets.push_back(0);
    }
    return column;
}

void append_text(std::string_view text, Column& column) {
    if (column.spec.type == ColumnType::word) {
        column.words.push_back(number_of(text, column));
    } else {
        add_text(text, column);
    }
}

Columns make_columns(std::size_t records) {
    Columns columns;
    columns.reserve(core_columns().size());
    for (const ColumnSpec& spec : core_columns()) {
        columns.push_back(make_column(spec, records));
    }
    return columns;
}

std::vector<ColumnView> view_of(const Columns& columns) {
    std::vector<ColumnView> views;
    views.reserve(columns.size());
    for (const Column& column : columns) {
        views.push_back({.spec = column.spec,
                         .offsets = column.offsets,
                         .integers = column.integers,
                         .decimals = column.decimals,
                         .bytes = column.bytes,
                         .valid = column.valid,
                         .words = column.words});
    }
    return views;
}

void fail_index(std::string_view column, const std::string& what) {
    fail(ErrorCode::invalid_index,
         "The index is damaged, or of another version: " + what +
             ". Scan the files again with torchdicom.scan",
         Place{.element = std::string{column}});
}

std::size_t count_records(const ColumnView& column) {
    switch (column.spec.type) {
    case ColumnType::integer:
        return column.integers.size();
    case ColumnType::flag:
        return column.bytes.size();
    case ColumnType::optional_integer:
        check_validity(column, column.integers.size());
        return column.integers.size();
    case ColumnType::optional_decimal:
        check_validity(column, column.decimals.size());
        return column.decimals.size();
    case ColumnType::word:
        check_words(column);
        return column.words.size();
    case ColumnType::text:
        check_offsets(column, column.bytes.size());
        break;
    case ColumnType::integer_list:
        check_offsets(column, column.integers.size());
        break;
    case ColumnType::decimal_list:
        check_offsets(column, column.decimals.size());
        break;
    }
    return column.offsets.size() - 1;
}

void append(const Column& more, Column& column) {
    const auto add = [](const auto& from, auto& to) {
        to.insert(to.end(), from.begin(), from.end());
    };
    if (column.spec.type == ColumnType::word) {
        std::vector<std::int32_t> numbers; // of each word of `more` here
        for (std::size_t i = 0; i + 1 < more.offsets.size(); ++i) {
            numbers.push_back(number_of(word_at(more, static_cast<std::int32_t>(i)), column));
        }
        for (const std::int32_t word : more.words) {
            column.words.push_back(word == kNoWord ? kNoWord
                                                   : numbers[static_cast<std::size_t>(word)]);
        }
        return;
    }
    for (std::size_t i = 1; i < more.offsets.size(); ++i) {
        column.offsets.push_back(column.offsets.back() + more.offsets[i] - more.offsets[i - 1]);
    }
    add(more.integers, column.integers);
    add(more.decimals, column.decimals);
    add(more.bytes, column.bytes);
    add(more.valid, column.valid);
}

void reorder(std::span<const std::int64_t> order, Column& column) {
    const auto pick = [order](auto& values) {
        std::decay_t<decltype(values)> picked;
        picked.reserve(values.empty() ? 0 : order.size());
        for (std::size_t i = 0; i < order.size() && !values.empty(); ++i) {
            picked.push_back(values[static_cast<std::size_t>(order[i])]);
        }
        values = std::move(picked);
    };
    pick(column.valid);
    if (column.spec.type == ColumnType::word) {
        pick(column.words);
    } else if (has_offsets(column.spec.type)) {
        reorder_parts(order, column);
    } else {
        pick(column.integers);
        pick(column.decimals);
        pick(column.bytes);
    }
}

void append(const FileHeader& header, Columns& columns) {
    const HeaderParts parts = take_apart(header);
    Writer writer{columns};
    detail::for_each_field(header, parts, writer);
}

} // namespace torchdicom
