#include "pipeline/scan.hpp"

#include "pipeline/read_files.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <sys/stat.h>
#include <utility>

namespace torchdicom {

namespace {

// Files that one task reads. Each makes columns of its own, which costs as much as some files do;
// clock and signals are looked at only between tasks, which takes a while on slow disks.
constexpr std::size_t kBlock = 32;

/// What reading some files gave.
struct Block {
    Columns columns = make_columns(kBlock);
    std::vector<std::int64_t> file;
    std::vector<Column> texts;
    std::vector<PassedOver> others;
};

std::vector<Column> text_columns(std::size_t count, std::size_t records) {
    std::vector<Column> columns;
    columns.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        columns.push_back(make_column({.name = {}, .type = ColumnType::word}, records));
    }
    return columns;
}

/// A file that is not DICOM is worth a message only where it should have been.
void judge_other(const std::string& path, PassedOver& passed, LoadStats& stats) {
    if (passed.code != code_name(ErrorCode::not_dicom)) {
        return;
    }
    try {
        if (!is_lost_dicom(Source{.path = path, .bytes = {}, .is_named = false}, stats)) {
            passed.message.clear();
        }
    } catch (const Error& error) {
        passed.code = code_name(error.code());
        passed.message = error.message();
    }
}

FileStates unknown_states(std::size_t count) {
    return {.size = std::vector<std::int64_t>(count, -1),
            .mtime_ns = std::vector<std::int64_t>(count, -1)};
}

void note_state(NearbyFolder::Place place, std::size_t index, FileStates& states) noexcept {
    struct stat status{};
    if (::fstatat(place.folder, place.name, &status, 0) == 0) {
        states.size[index] = status.st_size;
        states.mtime_ns[index] =
            std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    }
}

std::string_view text_of(const FileHeader& header, Tag tag) {
    if (tag == tags::TransferSyntaxUID) {
        return header.transfer_syntax_uid; // of the meta group
    }
    const auto found = std::find_if(header.texts.begin(), header.texts.end(),
                                    [tag](const auto& text) { return text.first == tag; });
    return found == header.texts.end() ? std::string_view{} : found->second;
}

void append_slice(const FileHeader& slice, std::size_t file, std::span<const Tag> texts,
                  Block& block) {
    append(slice, block.columns);
    block.file.push_back(static_cast<std::int64_t>(file));
    for (std::size_t k = 0; k < texts.size(); ++k) {
        append_text(text_of(slice, texts[k]), block.texts[k]);
    }
}

/// Adds the file of an index to those of its block, and notes its state when it was opened.
void read_one(const std::string& path, std::size_t index, std::span<const Tag> texts,
              NearbyFolder& near, Block& block, FileStates& states, LoadStats& stats) {
    PassedOver passed{.file = index, .code = "no_pixels", .message = {}};
    try {
        const File file{path, near, stats};
        states.size[index] = static_cast<std::int64_t>(file.identity().size);
        states.mtime_ns[index] = file.identity().mtime_ns;
        FileHeader header = read_header(
            file, HeaderOptions{.texts = texts, .skip_tables = true, .reads_slices = true}, stats);
        require_pixels_of_image(header);
        if (header.pixels) {
            const bool is_one = header.frames.size() == 1 && header.modality != "RTDOSE";
            if (is_one && !header.slices_of_file) {
                append_slice(header, index, texts, block); // nearly all of them
                return;
            }
            for (const FileHeader& slice : slices_of(std::move(header))) {
                append_slice(slice, index, texts, block);
            }
            return;
        }
    } catch (const Error& error) {
        passed.code = code_name(error.code());
        passed.message = error.message();
    }
    if (states.size[index] == -1) { // it could not be opened
        note_state(near.locate(path), index, states);
    }
    judge_other(path, passed, stats);
    block.others.push_back(std::move(passed));
}

/// `before`: how many files there were before the first of this read.
void extend(Rows& rows, std::size_t before, Block block) {
    for (std::size_t k = 0; k < rows.columns.size(); ++k) {
        append(block.columns[k], rows.columns[k]);
    }
    for (std::size_t k = 0; k < rows.texts.size(); ++k) {
        append(block.texts[k], rows.texts[k]);
    }
    for (const std::int64_t file : block.file) {
        rows.file.push_back(static_cast<std::int64_t>(before) + file);
    }
    for (PassedOver& other : block.others) {
        other.file += before;
        rows.others.push_back(std::move(other));
    }
}

/// What tells records apart.
struct Identity {
    std::string_view path;
    std::int64_t frame = 0;
    std::int64_t tile = 0;

    friend auto operator<=>(const Identity&, const Identity&) = default;
};

Identity identity_of(const FileHeader& header) {
    return {.path = header.path, .frame = header.part.first, .tile = header.part.tile};
}

Identity identity_at(const Records& records, std::size_t record) {
    return {.path = records.path_at(record),
            .frame = records.frame_at(record),
            .tile = records.tile_at(record)};
}

/// Some records, in the order of their paths, and in the order of a file that has several.
class Members {
  public:
    Members(const Records& records, std::vector<std::size_t> members)
        : records_{&records}, members_{std::move(members)} {
        const auto identity = [&records](std::size_t one) { return identity_at(records, one); };
        const auto is_disordered = [](const Identity& a, const Identity& b) { return a >= b; };
        if (std::ranges::adjacent_find(members_, is_disordered, identity) == members_.end()) {
            return;
        }
        std::ranges::sort(members_, {}, identity);
        if (std::ranges::adjacent_find(members_, {}, identity) != members_.end()) {
            fail_index("path", "a file or a frame that is there twice");
        }
    }

    [[nodiscard]] std::vector<FileHeader> headers() const {
        std::vector<FileHeader> headers;
        headers.reserve(members_.size());
        for (const std::size_t record : members_) {
            records_->read_at(record, headers.emplace_back());
            if (!headers.back().pixels) {
                fail_index("pixel_tag", "a file without pixels");
            }
        }
        return headers;
    }

    /// The record that a header is of.
    [[nodiscard]] std::size_t record_of(const FileHeader& header) const {
        return members_[member_of(header)];
    }

    [[nodiscard]] std::vector<std::int64_t>
    records_of(const std::vector<FileHeader>& headers) const {
        std::vector<std::int64_t> records;
        records.reserve(headers.size());
        std::size_t next = 0; // mostly they follow each other here, too
        for (const FileHeader& header : headers) {
            if (next == members_.size() ||
                identity_at(*records_, members_[next]) != identity_of(header)) {
                next = member_of(header);
            }
            records.push_back(static_cast<std::int64_t>(members_[next++]));
        }
        return records;
    }

  private:
    [[nodiscard]] std::size_t member_of(const FileHeader& header) const {
        const auto found =
            std::ranges::lower_bound(members_, identity_of(header), {},
                                     [this](std::size_t i) { return identity_at(*records_, i); });
        return static_cast<std::size_t>(found - members_.begin());
    }

    const Records* records_;
    std::vector<std::size_t> members_;
};

struct PlacedPart {
    std::string first_path;
    GroupedPart part;
};

/// Judging reads copies of an instance; where that fails, the rest of the index is still good.
void refuse(const Error& error, Series& series) {
    series.affine.reset();
    series.defects.push_back({.code = ErrorCode::unreadable_file,
                              .message = error.message(),
                              .files = {error.place().path},
                              .place = error.place(),
                              .is_refusal = true});
}

PlacedPart group_part(Series series, const Members& members, const Tolerances& tolerances,
                      LoadStats& stats) {
    PlacedPart placed{.first_path = series.slices.front().path, .part = {}};
    const std::vector<std::int64_t> all = members.records_of(series.slices);
    GroupedPart& part = placed.part;
    try {
        judge_series(series, tolerances, stats);
        part.rows = members.records_of(series.slices);
    } catch (const Error& error) {
        refuse(error, series);
        part.rows = all;
    }
    std::vector<std::int64_t> kept = part.rows;
    std::ranges::sort(kept);
    std::ranges::copy_if(all, std::back_inserter(part.set_aside), [&kept](std::int64_t record) {
        return !std::binary_search(kept.begin(), kept.end(), record);
    });
    part.is_ok = is_ok(series);
    series.slices = {};
    part.series = std::move(series);
    return placed;
}

/// The records of each SeriesInstanceUID.
std::vector<std::vector<std::size_t>> records_by_uid(const Records& records) {
    std::map<std::string_view, std::vector<std::size_t>> by_uid;
    auto last = by_uid.end(); // nearly always that of the next record too
    for (std::size_t i = 0; i < records.size(); ++i) {
        const std::string_view uid = records.series_instance_uid_at(i);
        if (last == by_uid.end() || last->first != uid) {
            last = by_uid.try_emplace(uid).first;
        }
        last->second.push_back(i);
    }
    std::vector<std::vector<std::size_t>> groups;
    groups.reserve(by_uid.size());
    for (auto& [uid, members] : by_uid) {
        groups.push_back(std::move(members));
    }
    return groups;
}

} // namespace

FileStates file_states(const ColumnView& paths, const ParallelOptions& parallel) {
    constexpr std::size_t kTogether = 256;
    const std::size_t count = paths.offsets.size() - 1;
    FileStates states = unknown_states(count);
    parallel_for((count + kTogether - 1) / kTogether, parallel, [&](std::size_t task) {
        NearbyFolder near;
        std::string path;
        for (std::size_t i = task * kTogether; i < std::min(count, (task + 1) * kTogether); ++i) {
            path = text_at(paths, i);
            note_state(near.locate(path), i, states);
        }
    });
    return states;
}

std::vector<std::int64_t> find_paths(const ColumnView& sorted, const ColumnView& wanted,
                                     std::size_t skip) {
    const std::size_t count = sorted.offsets.size() - 1;
    const auto known_at = [&sorted, skip](std::size_t i) {
        return text_at(sorted, i).substr(skip);
    };
    const auto first_from = [&known_at, count](std::string_view path) {
        std::size_t low = 0; // not std::views::iota, which clang 14 cannot compile
        for (std::size_t high = count; low < high;) {
            const std::size_t middle = low + (high - low) / 2;
            if (known_at(middle) < path) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    };
    std::vector<std::int64_t> found;
    found.reserve(wanted.offsets.size() - 1);
    std::size_t next = 0;
    for (std::size_t i = 0; i + 1 < wanted.offsets.size(); ++i) {
        const std::string_view path = text_at(wanted, i);
        bool is_there = next != count && known_at(next) == path;
        if (!is_there) {
            next = first_from(path);
            is_there = next != count && known_at(next) == path;
        }
        found.push_back(is_there ? static_cast<std::int64_t>(next++) : -1);
    }
    return found;
}

Rows make_rows(std::size_t texts) {
    Rows rows;
    rows.texts = text_columns(texts, 0);
    return rows;
}

std::size_t read_rows(const std::vector<std::string>& paths, std::span<const Tag> texts,
                      std::chrono::duration<double> most, const ParallelOptions& parallel,
                      LoadStats& stats, Rows& rows) {
    FileStates states = unknown_states(paths.size());
    std::vector<std::optional<Block>> blocks((paths.size() + kBlock - 1) / kBlock);
    const auto start = std::chrono::steady_clock::now();
    parallel_for(blocks.size(), parallel, [&](std::size_t i) {
        if (i != 0 && std::chrono::steady_clock::now() - start >= most) {
            return;
        }
        Block& block = blocks[i].emplace();
        block.texts = text_columns(texts.size(), kBlock);
        NearbyFolder near;
        const std::size_t end = std::min(paths.size(), (i + 1) * kBlock);
        for (std::size_t file = i * kBlock; file < end; ++file) {
            read_one(paths[file], file, texts, near, block, states, stats);
        }
    });
    // A later block may be there, of a thread that looked at the clock first: it is read again.
    const auto end = std::ranges::find_if(blocks, [](const auto& block) { return !block; });
    const auto done = static_cast<std::size_t>(end - blocks.begin());
    const std::size_t before = rows.states.size.size();
    for (auto block = blocks.begin(); block != end; ++block) {
        extend(rows, before, std::move(**block));
    }
    const std::size_t read = std::min(paths.size(), done * kBlock);
    const auto first = [read](const std::vector<std::int64_t>& all) {
        return std::span{all}.first(read);
    };
    std::ranges::copy(first(states.size), std::back_inserter(rows.states.size));
    std::ranges::copy(first(states.mtime_ns), std::back_inserter(rows.states.mtime_ns));
    return read;
}

void reorder(std::span<const std::int64_t> order, Rows& rows) {
    const std::size_t records = rows.file.size();
    const bool is_inside = std::ranges::all_of(order, [records](std::int64_t record) {
        return record >= 0 && std::cmp_less(record, records);
    });
    if (!is_inside) {
        fail_index("order", "a record that is not there");
    }
    if (order.size() == records && std::ranges::is_sorted(order) &&
        std::ranges::adjacent_find(order) == order.end()) {
        return; // as where the names of the files follow the slices
    }
    for (Column& column : rows.columns) {
        reorder(order, column);
    }
    for (Column& column : rows.texts) {
        reorder(order, column);
    }
    std::vector<std::int64_t> files;
    files.reserve(order.size());
    for (const std::int64_t record : order) {
        files.push_back(rows.file[static_cast<std::size_t>(record)]);
    }
    rows.file = std::move(files);
}

std::vector<GroupedPart> group_records(const Records& records, const Tolerances& tolerances,
                                       const ParallelOptions& parallel, LoadStats& stats) {
    std::vector<std::vector<std::size_t>> groups = records_by_uid(records);
    std::vector<std::vector<PlacedPart>> found(groups.size());
    parallel_for(groups.size(), parallel, [&](std::size_t i) {
        const Members members{records, std::move(groups[i])};
        for (Series& series : split_series(members.headers())) {
            found[i].push_back(group_part(std::move(series), members, tolerances, stats));
        }
    });
    std::vector<PlacedPart> placed;
    for (std::vector<PlacedPart>& parts : found) {
        std::ranges::move(parts, std::back_inserter(placed));
    }
    std::ranges::sort(placed, {}, &PlacedPart::first_path);
    std::vector<GroupedPart> result;
    result.reserve(placed.size());
    for (PlacedPart& one : placed) {
        result.push_back(std::move(one.part));
    }
    return result;
}

Series part_of(const Records& records, std::span<const TextColumn> texts, std::string key,
               std::vector<Defect> context) {
    std::vector<std::size_t> all(records.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    const Members members{records, std::move(all)};
    std::vector<FileHeader> headers = members.headers();
    for (FileHeader& header : headers) {
        const std::size_t record = members.record_of(header);
        for (const auto& [tag, column] : texts) {
            if (const std::string_view text = text_at(column, record); !text.empty()) {
                header.texts.emplace_back(tag, text);
            }
        }
    }
    std::vector<Series> parts = split_series(std::move(headers));
    if (parts.size() != 1) {
        fail_index("series_instance_uid", "records of " + std::to_string(parts.size()) +
                                              " series where those of one belong");
    }
    parts.front().key = std::move(key);
    parts.front().defects = std::move(context);
    return std::move(parts.front());
}

} // namespace torchdicom
