// An index is made of these: the headers of many files as records, and records judged as series.
#pragma once

#include "base/parallel.hpp"
#include "header/columns.hpp"
#include "series/series.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torchdicom {

/// A file that gives no record.
struct PassedOver {
    std::size_t file = 0; ///< index of its path
    std::string_view code;
    std::string message; ///< empty where nothing is lost: no DICOM, or one that has no pixels
};

/// What the system says of files, in the order of their paths; -1 where it says nothing.
struct FileStates {
    std::vector<std::int64_t> size;
    std::vector<std::int64_t> mtime_ns;
};

/// The index of each of `wanted` among `sorted`, -1 where it is not there; both are columns of
/// texts that `count_records` has passed. `skip`: so many bytes, the same in all of `sorted`, which
/// are that long, do not count. Quick where one mostly follows the other.
[[nodiscard]] std::vector<std::int64_t> find_paths(const ColumnView& sorted,
                                                   const ColumnView& wanted, std::size_t skip = 0);

/// What reading the headers of many files gives.
struct Rows {
    /// A record for each slice of the DICOM files with pixels, in the order of paths and frames.
    Columns columns = make_columns();
    std::vector<std::int64_t> file; ///< of each record, the index of its path
    std::vector<Column> texts;      ///< for each tag asked for, the raw text of each record
    std::vector<PassedOver> others; ///< the other files, in path order
    FileStates states;              ///< of all files
};

/// No rows yet, with a column for each of so many tags.
[[nodiscard]] Rows make_rows(std::size_t texts);

/// Asks the system alone: no file is opened. `paths`: texts that `count_records` has passed.
[[nodiscard]] FileStates file_states(const ColumnView& paths, const ParallelOptions& parallel);

/// Reads the headers of all files, each by one task; no pixel byte is asked for. A file that cannot
/// be read is one of `others` and never an error. `texts` ascending. Size and time are those from
/// before a file is read, so that one that changes meanwhile looks changed later. After `most` no
/// more files are begun, but for the first few. Adds to `rows`, where an index of a path counts on
/// from the paths before; returns how many of these paths, the first, were read.
std::size_t read_rows(const std::vector<std::string>& paths, std::span<const Tag> texts,
                      std::chrono::duration<double> most, const ParallelOptions& parallel,
                      LoadStats& stats, Rows& rows);

/// Puts the records into another order: each of `order` is the record that comes next. Throws
/// invalid_index where there is none.
void reorder(std::span<const std::int64_t> order, Rows& rows);

/// A part of a series as an index shows it.
struct GroupedPart {
    Series series;                       ///< judged; its slices are not kept
    std::vector<std::int64_t> rows;      ///< records of the slices, in slice order
    std::vector<std::int64_t> set_aside; ///< records of copies and repeats, in path order
    bool is_ok = false;
};

/// Groups, sorts and judges all records, one SeriesInstanceUID after the other in each thread, so
/// that no more headers are in memory than those belong to. Parts are in the order of their first
/// paths. A part whose files can no longer be read gets a refusal. Throws invalid_index.
[[nodiscard]] std::vector<GroupedPart> group_records(const Records& records,
                                                     const Tolerances& tolerances,
                                                     const ParallelOptions& parallel,
                                                     LoadStats& stats);

/// A column of metadata.
struct TextColumn {
    Tag tag = 0;
    ColumnView column;
};

/// The records of one part as `load_part` wants them, not judged. `key` and `context`, the defects
/// that concern its siblings, are what grouping with those gave. `texts`: in the order of their
/// tags. Throws invalid_index.
[[nodiscard]] Series part_of(const Records& records, std::span<const TextColumn> texts,
                             std::string key, std::vector<Defect> context);

} // namespace torchdicom
