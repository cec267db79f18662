// FileHeaders as columns, which is how an index keeps them, and the way back, which trusts nothing.
#pragma once

#include "header/file_header.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace torchdicom {

/// What the values of a column are.
enum class ColumnType : std::uint8_t {
    integer,          ///< 64 bits, signed
    flag,             ///< 0 or 1, a byte each
    optional_integer, ///< with a byte that says whether it is there
    optional_decimal, ///< the same
    text,             ///< bytes; none where the attribute is absent
    word,             ///< the same, of which few differ: a number into those that do
    integer_list,     ///< any number of values a record
    decimal_list,     ///< the same; none where the attribute is absent
};

/// The type's public name: "int64", "bool", "int64?", "float64?", "text", "word", "list<int64>",
/// "list<float64>".
[[nodiscard]] std::string_view name_of(ColumnType type) noexcept;

struct ColumnSpec {
    std::string_view name;
    ColumnType type = ColumnType::integer;
};

/// One column for each attribute of a FileHeader, in a fixed order. Left out are what a load has
/// and an index has not (memory, fetched, texts), the inode, which a copied tree does not keep, the
/// extended offset tables, since the frame ranges are made from them, notes and lookup tables (a
/// load reads those again, see complete_header), and SeriesDescription, which may identify a
/// person.
[[nodiscard]] std::span<const ColumnSpec> core_columns();

/// The word of a record that has none.
inline constexpr std::int32_t kNoWord = -1;

/// A column that grows. Which of the vectors count follows from the type.
struct Column {
    ColumnSpec spec;
    std::vector<std::int64_t> offsets; ///< texts, lists: where each record starts, then the end
    std::vector<std::int64_t> integers;
    std::vector<double> decimals;
    std::vector<std::uint8_t> bytes; ///< of texts; flags
    std::vector<std::uint8_t> valid; ///< optional values: 1 where there is one
    std::vector<std::int32_t> words; ///< the word of each record; `offsets`, `bytes`: all words
    std::unordered_map<std::string, std::int32_t> known_words;
};

/// The same in memory that somebody else owns.
struct ColumnView {
    ColumnSpec spec;
    std::span<const std::int64_t> offsets; ///< need not start at 0
    std::span<const std::int64_t> integers;
    std::span<const double> decimals;
    std::span<const std::uint8_t> bytes;
    std::span<const std::uint8_t> valid;
    std::span<const std::int32_t> words;
};

/// `records`: for how many there will be room at once.
[[nodiscard]] Column make_column(ColumnSpec spec, std::size_t records = 0);

/// Adds a record to a column of texts or words.
void append_text(std::string_view text, Column& column);

/// Those of `core_columns`, in that order.
using Columns = std::vector<Column>;

[[nodiscard]] Columns make_columns(std::size_t records = 0);
[[nodiscard]] std::vector<ColumnView> view_of(const Columns& columns);

/// Adds one record.
void append(const FileHeader& header, Columns& columns);

/// Adds the records of another column of the same type.
void append(const Column& more, Column& column);

/// Puts the records into another order: each of `order` is the record that comes next. Every one is
/// below `count_records`.
void reorder(std::span<const std::int64_t> order, Column& column);

/// Throws invalid_index; the column's name stands where other errors have the element.
[[noreturn]] void fail_index(std::string_view column, const std::string& what);

/// The number of records. Throws invalid_index where the column's parts disagree about it, or its
/// offsets lead outside of its values.
[[nodiscard]] std::size_t count_records(const ColumnView& column);

/// One value of a column of texts or words that `count_records` has passed.
[[nodiscard]] std::string_view text_at(const ColumnView& column, std::size_t record) noexcept;

/// Records from outside, which may be damaged: what is read here is checked for all that
/// read_header checks, so that the later stages may rely on it as on a header from a file.
class Records {
  public:
    /// `columns`: those of `core_columns` in that order. Throws invalid_index unless all of them
    /// have the same number of records.
    explicit Records(std::vector<ColumnView> columns);

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// The header that was appended, in all that columns keep. Throws invalid_index with the path.
    [[nodiscard]] FileHeader header_at(std::size_t record) const;
    /// The same into a header that has nothing yet.
    void read_at(std::size_t record, FileHeader& header) const;

    [[nodiscard]] std::string_view path_at(std::size_t record) const noexcept;
    [[nodiscard]] std::int64_t frame_at(std::size_t record) const noexcept;
    [[nodiscard]] std::int64_t tile_at(std::size_t record) const noexcept;
    [[nodiscard]] std::string_view series_instance_uid_at(std::size_t record) const noexcept;

  private:
    std::vector<ColumnView> columns_;
    std::size_t size_ = 0;
};

} // namespace torchdicom
