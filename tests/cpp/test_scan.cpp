// pipeline/scan: every file gives a record or a reason, records become the same series
// that the files do, and a damaged index is an error and never a crash.
#include "data_set_writer.hpp"
#include "pipeline/load.hpp"
#include "pipeline/scan.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace torchdicom;
using test::bytes_of;
using test::code_of;

namespace {

namespace fs = std::filesystem;

/// A slice of 64 x 64 pixels, all of them `value`: 8 KiB.
struct SliceFile {
    std::string series = "1.2.7";
    int z = 0;
    std::uint32_t value = 0;
    std::string instance{}; ///< empty: one of the series and z
    std::string type = "ORIGINAL\\PRIMARY\\AXIAL";
    std::string transfer_syntax = "1.2.840.10008.1.2.1";
};

constexpr std::uint32_t kSide = 64;
constexpr std::uint32_t kPixelBytes = kSide * kSide * 2;
constexpr std::string_view kEncapsulated = "1.2.840.10008.1.2.1.98";

test::Bytes bytes_of_slice(const SliceFile& slice) {
    const std::string z = std::to_string(slice.z);
    test::DataSetWriter writer = test::file_start(slice.transfer_syntax);
    writer.text(tags::ImageType, "CS", slice.type)
        .text(tags::SOPClassUID, "UI", "1.2.840.10008.5.1.4.1.1.2")
        .text(tags::SOPInstanceUID, "UI",
              slice.instance.empty() ? slice.series + "." + z : slice.instance)
        .text(tags::Modality, "CS", "CT")
        .text(tags::SliceThickness, "DS", "2.5")
        .text(tags::SeriesInstanceUID, "UI", slice.series)
        .text(tags::ImagePositionPatient, "DS", "0\\0\\" + z)
        .text(tags::ImageOrientationPatient, "DS", "1\\0\\0\\0\\1\\0")
        .us(tags::Rows, kSide)
        .us(tags::Columns, kSide)
        .text(tags::PixelSpacing, "DS", "0.5\\0.5")
        .us(tags::BitsAllocated, 16)
        .us(tags::PixelRepresentation, 0)
        .text(tags::RescaleIntercept, "DS", "-1000")
        .text(tags::RescaleSlope, "DS", "2");
    if (slice.transfer_syntax == kEncapsulated) {
        writer.sequence(tags::PixelData, "OB").item(ByteSpan{}).item(kPixelBytes);
    } else {
        writer.head(tags::PixelData, "OW", kPixelBytes);
    }
    for (std::size_t i = 0; i < kPixelBytes / 2; ++i) {
        writer.number(slice.value, 2);
    }
    return slice.transfer_syntax == kEncapsulated ? writer.end_sequence().bytes() : writer.bytes();
}

/// A structure set has no pixels by nature; with rows and columns they were cut off.
test::Bytes without_pixels(bool is_image) {
    test::DataSetWriter writer = test::file_start("1.2.840.10008.1.2.1");
    writer.text(tags::SOPInstanceUID, "UI", "1.2.9");
    if (is_image) {
        writer.us(tags::Rows, 2).us(tags::Columns, 2);
    }
    return writer.bytes();
}

const ParallelOptions kOneThread{.threads = 1, .checkpoint = {}};

constexpr std::chrono::hours kAnyTime{1};

Rows rows_of(const std::vector<std::string>& paths, std::span<const Tag> texts = {}) {
    LoadStats stats;
    Rows rows = make_rows(texts.size());
    read_rows(paths, texts, kAnyTime, kOneThread, stats, rows);
    return rows;
}

Records records_of(const Rows& rows) { return Records{view_of(rows.columns)}; }

std::vector<GroupedPart> group(const Rows& rows, std::size_t threads = 1) {
    LoadStats stats;
    return group_records(records_of(rows), Tolerances{},
                         ParallelOptions{.threads = threads, .checkpoint = {}}, stats);
}

using Numbers = std::vector<std::int64_t>;

/// Three slices of one series, their files in another order than their places.
struct ThreeSlices {
    test::TemporaryFolder folder{};
    std::vector<std::string> paths{folder.write("a", bytes_of_slice({.z = 6, .value = 3})),
                                   folder.write("b", bytes_of_slice({.z = 0, .value = 1})),
                                   folder.write("c", bytes_of_slice({.z = 3, .value = 2}))};
};

LoadRequest request_for(std::vector<std::string> paths) {
    LoadRequest request;
    for (std::string& path : paths) {
        request.sources.push_back({.path = std::move(path), .bytes = {}});
    }
    return request;
}

LoadedSeries load_records(const Rows& rows, LoadStats& stats) {
    return load_part(part_of(records_of(rows), {}, "key", {}), LoadRequest{}, stats);
}

std::optional<ErrorCode> error_of_loading(const Rows& rows) {
    LoadStats stats;
    return code_of([&] { static_cast<void>(load_records(rows, stats)); });
}

/// How loads of damaged indexes ended.
struct Endings {
    std::size_t all = 0;
    std::size_t as_volume = 0;
    std::size_t as_damaged = 0; ///< invalid_index
    std::size_t as_other = 0;   ///< another Error
};

void group_and_load(const Rows& rows, Endings& endings) {
    ++endings.all;
    LoadStats stats;
    try {
        static_cast<void>(group(rows));
        static_cast<void>(load_records(rows, stats));
        ++endings.as_volume;
    } catch (const Error& error) {
        CHECK(error.code() != ErrorCode::internal_error);
        ++(error.code() == ErrorCode::invalid_index ? endings.as_damaged : endings.as_other);
    }
}

/// Replaces one cell after the other by each of the values; `cells` are some of those of `rows`.
template <typename T, std::size_t N>
void damage_each(std::vector<T>& cells, const std::array<T, N>& values, const Rows& rows,
                 Endings& endings) {
    for (T& cell : cells) {
        for (const T value : values) {
            const T kept = std::exchange(cell, value);
            group_and_load(rows, endings);
            cell = kept;
        }
    }
}

} // namespace

TEST_CASE("when the time is over the first files are there, and no others") {
    const test::TemporaryFolder folder;
    const std::vector<std::string> paths(100, folder.write("0.dcm", bytes_of_slice({})));
    LoadStats stats;
    Rows rows = make_rows(0);
    CHECK(read_rows(paths, {}, std::chrono::seconds{0}, kOneThread, stats, rows) == 32);
    CHECK(rows.file.size() == 32);
    CHECK(rows.file.back() == 31);
    CHECK(rows.states.size.size() == 32);
    CHECK(stats.opens.load() == 32);
}

TEST_CASE("what is read later is counted on from what was read before, and goes into any order") {
    const test::TemporaryFolder folder;
    const std::vector<std::string> some{folder.write("0", bytes_of_slice({.z = 1})),
                                        folder.write("1.txt", bytes_of({'n', 'o', 't', 'e'}))};
    const std::vector<std::string> more{folder.write("2.txt", bytes_of({'n'})),
                                        folder.write("3", bytes_of_slice({.z = 2}))};
    LoadStats stats;
    Rows rows = make_rows(0);
    read_rows(some, {}, kAnyTime, kOneThread, stats, rows);
    read_rows(more, {}, kAnyTime, kOneThread, stats, rows);
    CHECK(rows.file == Numbers{0, 3});
    REQUIRE(rows.others.size() == 2);
    CHECK(rows.others[0].file == 1);
    CHECK(rows.others[1].file == 2);
    CHECK(rows.states.size[2] == 1);
    reorder(Numbers{1, 0, 1}, rows);
    CHECK(rows.file == Numbers{3, 0, 3});
    CHECK(records_of(rows).header_at(0).path == more[1]);
    CHECK(records_of(rows).header_at(1).image_position_patient->back() == 1);
    CHECK(records_of(rows).header_at(2).path == more[1]);
    CHECK(code_of([&rows] { reorder(Numbers{3}, rows); }) == ErrorCode::invalid_index);
    CHECK(code_of([&rows] { reorder(Numbers{-1}, rows); }) == ErrorCode::invalid_index);
}

TEST_CASE("each file gives a record or the reason why not, on any number of threads") {
    const test::TemporaryFolder folder;
    const test::Bytes slice = bytes_of_slice({});
    const std::vector<std::string> paths{
        folder.write("0.dcm", bytes_of_slice({.z = 1})),
        folder.write("1.txt", bytes_of({'n', 'o', 't', 'e'})),
        folder.write("2.dcm", bytes_of({'n', 'o', 't', 'e'})),
        folder.write("3", {}),
        folder.write("4.dcm", ByteSpan{slice}.first(slice.size() - 1)),
        folder.write("5.dcm", without_pixels(false)),
        folder.write("6.dcm", without_pixels(true)),
        folder.path("7"),
        folder.write("8.dcm", slice)};
    for (const std::size_t threads : {1U, 2U, 16U}) {
        LoadStats stats;
        Rows rows = make_rows(0);
        CHECK(read_rows(paths, {}, kAnyTime, {.threads = threads, .checkpoint = {}}, stats, rows) ==
              paths.size());
        CHECK(rows.file == Numbers{0, 8});
        CHECK(records_of(rows).header_at(1).path == paths[8]);
        using Other = std::pair<std::size_t, std::string>;
        std::vector<Other> others;
        std::vector<bool> is_lost;
        for (const PassedOver& other : rows.others) {
            others.emplace_back(other.file, other.code);
            is_lost.push_back(!other.message.empty());
        }
        CHECK((others == std::vector<Other>{{1, "not_dicom"},
                                            {2, "not_dicom"},
                                            {3, "not_dicom"},
                                            {4, "truncated_pixels"},
                                            {5, "no_pixels"},
                                            {6, "no_pixel_data"},
                                            {7, "os_error"}}));
        CHECK(is_lost == std::vector<bool>{false, true, true, true, false, true, true});
        CHECK(rows.states.size[1] == 4);
        CHECK(rows.states.size[7] == -1);
        CHECK(rows.states.mtime_ns[7] == -1);
        CHECK(rows.states.size[8] == static_cast<std::int64_t>(slice.size()));
    }
}

TEST_CASE("size and time of a path are those of its record") {
    const ThreeSlices files;
    const Rows rows = rows_of(files.paths);
    for (std::size_t i = 0; i < files.paths.size(); ++i) {
        const FileHeader header = records_of(rows).header_at(i);
        CHECK(rows.states.size[i] == static_cast<std::int64_t>(header.identity.size));
        CHECK(rows.states.mtime_ns[i] == header.identity.mtime_ns);
    }
    std::vector<std::string> paths = files.paths;
    paths.push_back(files.folder.path("missing"));
    Column column = make_column({.name = "paths", .type = ColumnType::text});
    for (const std::string& path : paths) {
        append_text(path, column);
    }
    for (const std::size_t threads : {1U, 2U, 16U}) {
        const FileStates states =
            file_states(view_of({column})[0], {.threads = threads, .checkpoint = {}});
        CHECK(states.size ==
              Numbers{rows.states.size[0], rows.states.size[1], rows.states.size[2], -1});
        CHECK(states.mtime_ns == Numbers{rows.states.mtime_ns[0], rows.states.mtime_ns[1],
                                         rows.states.mtime_ns[2], -1});
    }
}

TEST_CASE("texts that are asked for stand in columns, empty where absent") {
    const ThreeSlices files;
    constexpr std::array<Tag, 4> kTags{tags::TransferSyntaxUID, tags::ImageType,
                                       tags::SliceThickness, tags::EchoTime};
    const Rows rows = rows_of(files.paths, kTags);
    const std::vector<ColumnView> texts = view_of(rows.texts);
    REQUIRE(texts.size() == 4);
    CHECK(count_records(texts[0]) == 3);
    CHECK(text_at(texts[0], 2) == "1.2.840.10008.1.2.1");
    CHECK(text_at(texts[1], 1) == "ORIGINAL\\PRIMARY\\AXIAL");
    CHECK(text_at(texts[2], 0) == "2.5");
    CHECK(text_at(texts[3], 0).empty());
}

TEST_CASE("records are grouped and sorted as the files are") {
    ThreeSlices files;
    files.paths.push_back(files.folder.write("d", bytes_of_slice({.series = "1.1"})));
    files.paths.push_back(files.folder.write(
        "e", bytes_of_slice({.instance = "1.2.7.99", .type = "ORIGINAL\\PRIMARY\\LOCALIZER"})));
    const Rows rows = rows_of(files.paths);
    for (const std::size_t threads : {1U, 2U, 16U}) {
        const std::vector<GroupedPart> parts = group(rows, threads);
        REQUIRE(parts.size() == 3); // in the order of their first paths
        CHECK(parts[0].series.key.starts_with("1.2.7#"));
        CHECK(parts[0].rows == Numbers{1, 2, 0});
        CHECK(parts[0].set_aside.empty());
        CHECK(parts[0].is_ok);
        CHECK(parts[0].series.slices.empty());
        CHECK((*parts[0].series.affine)[0] == Vector3{0, 0, 3});
        REQUIRE(parts[0].series.defects.size() == 1);
        CHECK(parts[0].series.defects[0].code == ErrorCode::localizer);
        CHECK(parts[1].series.key == "1.1");
        CHECK(parts[1].rows == Numbers{3});
        CHECK(parts[2].series.kind == Kind::localizer);
        CHECK(parts[2].rows == Numbers{4});
    }
}

TEST_CASE("copies are set aside, and one that vanished spoils its own series only") {
    ThreeSlices files;
    files.paths.push_back(files.folder.write("d", bytes_of_slice({.z = 0, .value = 1})));
    files.paths.push_back(files.folder.write("e", bytes_of_slice({.series = "1.3"})));
    const Rows rows = rows_of(files.paths);
    std::vector<GroupedPart> parts = group(rows);
    REQUIRE(parts.size() == 2);
    CHECK(parts[0].rows == Numbers{1, 2, 0});
    CHECK(parts[0].set_aside == Numbers{3});
    CHECK(parts[0].is_ok);

    fs::remove(files.paths[3]);
    parts = group(rows);
    REQUIRE(parts.size() == 2);
    CHECK_FALSE(parts[0].is_ok);
    CHECK(parts[0].rows == Numbers{0, 1, 2, 3});
    CHECK(parts[0].set_aside.empty());
    REQUIRE(parts[0].series.defects.size() == 1);
    CHECK(parts[0].series.defects[0].code == ErrorCode::unreadable_file);
    CHECK(parts[0].series.defects[0].files == std::vector<std::string>{files.paths[3]});
    CHECK(parts[0].series.defects[0].is_refusal);
    CHECK(parts[1].is_ok);
}

TEST_CASE("records load as the files do, each file opened once and only its pixels read") {
    const ThreeSlices files;
    LoadStats stats;
    const LoadedSeries direct = load_series(request_for(files.paths), stats);
    const Rows rows = rows_of(files.paths);
    LoadStats counts;
    const LoadedSeries loaded = load_records(rows, counts);
    CHECK(std::ranges::equal(loaded.buffer.bytes(), direct.buffer.bytes()));
    CHECK(loaded.series.affine == direct.series.affine);
    CHECK(loaded.series.slices[0].path == files.paths[1]);
    CHECK(loaded.series.key == "key");
    CHECK(counts.files.load() == 0);
    CHECK(counts.opens.load() == 3);
    CHECK(counts.bytes_read.load() == 3 * kPixelBytes);
}

TEST_CASE("texts and what is known of siblings come along") {
    const ThreeSlices files;
    constexpr std::array<Tag, 2> kTags{tags::SliceThickness, tags::EchoTime};
    const Rows rows = rows_of(files.paths, kTags);
    const std::vector<ColumnView> views = view_of(rows.texts);
    const std::array<TextColumn, 2> texts{TextColumn{.tag = kTags[0], .column = views[0]},
                                          TextColumn{.tag = kTags[1], .column = views[1]}};
    const Defect sibling{.code = ErrorCode::localizer, .message = "a localizer"};
    const Series part = part_of(records_of(rows), texts, "key", {sibling});
    REQUIRE(part.slices.size() == 3);
    CHECK(part.slices[0].path == files.paths[0]);
    REQUIRE(part.slices[0].texts.size() == 1);
    CHECK(part.slices[0].texts[0].first == tags::SliceThickness);
    CHECK(part.slices[0].texts[0].second == "2.5");
    REQUIRE(part.defects.size() == 1);
    CHECK(part.defects[0].message == "a localizer");
}

TEST_CASE("a copied tree loads, a changed file does not") {
    const ThreeSlices files;
    const Rows rows = rows_of(files.paths);
    const std::string& path = files.paths[2];
    const fs::file_time_type time = fs::last_write_time(path);
    const std::string other = files.folder.write("other", bytes_of_slice({.z = 3, .value = 2}));
    fs::rename(other, path); // another inode
    fs::last_write_time(path, time);
    CHECK(error_of_loading(rows) == std::nullopt);

    fs::last_write_time(path, time + std::chrono::seconds{1});
    CHECK(error_of_loading(rows) == ErrorCode::file_changed);
    files.folder.write("c", bytes_of({1, 2, 3}));
    fs::last_write_time(path, time);
    CHECK(error_of_loading(rows) == ErrorCode::file_changed);
    fs::remove(path);
    CHECK(error_of_loading(rows) == ErrorCode::os_error);
}

TEST_CASE("records of several series, of one file twice, or without pixels are no part") {
    const ThreeSlices files;
    const std::string other = files.folder.write("d", bytes_of_slice({.series = "1.1"}));
    CHECK(error_of_loading(rows_of({files.paths[0], other})) == ErrorCode::invalid_index);
    CHECK(error_of_loading(rows_of({files.paths[0], files.paths[0]})) == ErrorCode::invalid_index);
    CHECK(error_of_loading(rows_of({})) == ErrorCode::invalid_index);
    LoadStats stats;
    Rows rows = rows_of({});
    const std::string structures = files.folder.write("e", without_pixels(false));
    append(read_header(Source{.path = structures, .bytes = {}}, {}, stats), rows.columns);
    CHECK(error_of_loading(rows) == ErrorCode::invalid_index);
    CHECK(code_of([&] { static_cast<void>(group(rows)); }) == ErrorCode::invalid_index);
}

// One value after the other is replaced by one that a flipped bit or a bug might leave there. What
// comes out is a volume or an Error; what is wrong besides, the sanitizers see.
TEST_CASE("whatever value of an index is damaged, a load of it ends well") {
    constexpr std::int64_t kOne = 1;
    constexpr std::array kIntegers{-kOne,
                                   std::int64_t{0},
                                   kOne,
                                   std::int64_t{2},
                                   std::int64_t{7},
                                   std::int64_t{16},
                                   std::int64_t{255},
                                   std::int64_t{4096},
                                   std::int64_t{32'768},
                                   std::int64_t{65'535},
                                   std::int64_t{1'000'000},
                                   kOne << 31,
                                   kOne << 40,
                                   std::numeric_limits<std::int64_t>::min(),
                                   std::numeric_limits<std::int64_t>::max()};
    constexpr std::array kDecimals{0.0,
                                   -1.0,
                                   1e-300,
                                   1e300,
                                   std::numeric_limits<double>::infinity(),
                                   std::numeric_limits<double>::quiet_NaN()};
    constexpr std::array<std::uint8_t, 2> kFlags{0, 255};
    constexpr std::array<std::int32_t, 10> kWords{-99, -3, -2, kNoWord, 0, 1, 2, 3, 255, 9999};
    const ThreeSlices files;
    const std::string encapsulated =
        files.folder.write("d", bytes_of_slice({.transfer_syntax = std::string{kEncapsulated}}));
    // In one of several the damage mostly shows as a series that fell apart; alone it goes further.
    const std::vector<std::vector<std::string>> indexes{
        files.paths, {files.paths[0]}, {encapsulated}};
    Endings endings;
    for (const std::vector<std::string>& paths : indexes) {
        const Rows good = rows_of(paths);
        REQUIRE(error_of_loading(good) == std::nullopt);
        for (std::size_t k = 0; k < good.columns.size(); ++k) {
            Rows rows = good;
            Column& column = rows.columns[k];
            damage_each(column.integers, kIntegers, rows, endings);
            damage_each(column.offsets, kIntegers, rows, endings);
            damage_each(column.decimals, kDecimals, rows, endings);
            damage_each(column.valid, kFlags, rows, endings);
            damage_each(column.words, kWords, rows, endings);
        }
    }
    CHECK(endings.all > 5000);
    CHECK(endings.as_damaged > endings.all / 3);
    CHECK(endings.as_other > 100);  // as a file that has changed, say
    CHECK(endings.as_volume > 500); // most attributes may have most values
}

TEST_CASE("the same for its texts and flags, at places that chance chooses") {
    const ThreeSlices files;
    const Rows good = rows_of(files.paths);
    std::mt19937 random{7}; // NOLINT(bugprone-random-generator-seed): the same in every run
    Endings endings;
    for (std::size_t i = 0; i < 4000; ++i) {
        Rows rows = good;
        std::vector<std::uint8_t>& bytes = rows.columns[random() % rows.columns.size()].bytes;
        if (bytes.empty()) {
            continue;
        }
        bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random() % 256);
        group_and_load(rows, endings);
    }
    CHECK(endings.all > 500);
    CHECK(endings.as_volume > 0);
    CHECK(endings.as_volume < endings.all);
}
