// base/file and pipeline/frame: what is no regular file is refused, and a file that changes between
// header and pixels is an error, never wrong pixels.
#include "base/file.hpp"
#include "data_set_writer.hpp"
#include "pipeline/frame.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <utility>
#include <vector>

using namespace torchdicom;
using test::bytes_of;
using test::code_of;

namespace {

namespace fs = std::filesystem;

constexpr OutputOptions kStored{.output = Output::stored, .dtype = {}};

/// The errno of the os_error that opening `path` throws, 0 where it opens.
int errno_of_open(const std::string& path) {
    LoadStats stats;
    try {
        const File file{path, stats};
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::os_error);
        CHECK(error.place().path == path);
        return error.system_errno();
    }
    return 0;
}

test::Bytes read(const File& file, std::uint64_t offset, std::size_t count) {
    test::Bytes bytes(count);
    bytes.resize(file.read_at(offset, bytes));
    return bytes;
}

/// 64 x 128 cells: 16 KiB of pixels, so that not all of them come with the header.
constexpr std::uint32_t kRows = 64;
constexpr std::uint32_t kColumns = 128;

test::Bytes large_image() {
    std::vector<std::uint32_t> cells(std::size_t{kRows} * kColumns);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        cells[i] = static_cast<std::uint32_t>(i % 4001);
    }
    return test::image_file({.rows = kRows, .columns = kColumns}, cells);
}

/// A header that was read from a file of its own, as a load has it before the pixels.
struct Opened {
    test::TemporaryFolder folder{};
    std::string path = folder.write("a.dcm", large_image());
    LoadStats stats{};
    FileHeader header = read_header(Source{.path = path, .bytes = {}}, {}, stats);

    test::Bytes decode(const PixelSource& source) const {
        const Plan plan = make_plan(std::span{&header, 1}, {{0, 0}}, kStored);
        test::Bytes slot(plan.plane_bytes());
        run_frame(source, plan, plan.tasks.front(), {.planes = {slot}});
        return slot;
    }
    std::optional<ErrorCode> error_of_reopening() {
        return code_of([&] { static_cast<void>(decode(PixelSource{header, stats})); });
    }
};

} // namespace

TEST_CASE("a file is the same by way of its folder, whichever was asked for before") {
    const test::TemporaryFolder folder;
    for (const char* const name : {"a", "ab", "a/deep"}) {
        fs::create_directories(folder.path(name));
    }
    fs::create_directory_symlink(folder.path("ab"), folder.path("link"));
    const std::vector<std::string> paths{
        folder.write("a/1", bytes_of({'1'})),  folder.write("a/2", bytes_of({'2'})),
        folder.write("ab/1", bytes_of({'3'})), folder.write("a/deep/1", bytes_of({'4'})),
        folder.write("1", bytes_of({'5'})),    folder.path("link/1")};
    LoadStats stats;
    NearbyFolder near;
    for (const std::size_t i : {0U, 1U, 2U, 0U, 3U, 4U, 5U, 2U, 4U}) {
        const File file{paths[i], near, stats};
        CHECK(file.path() == paths[i]);
        CHECK(file.identity() == File{paths[i], stats}.identity());
        CHECK(read(file, 0, 9) == read(File{paths[i], stats}, 0, 9));
    }
    for (const std::string& path : {folder.path("a/3"), folder.path("none/1"), folder.path("a/"),
                                    folder.path("a/1/x"), std::string{}, folder.path("a/deep")}) {
        try {
            const File file{path, near, stats};
            FAIL("it opened");
        } catch (const Error& error) {
            CHECK(error.place().path == path);
            CHECK(error.system_errno() == errno_of_open(path));
        }
    }
}

TEST_CASE("what is no regular file is refused with errno, and a FIFO does not block") {
    const test::TemporaryFolder folder;
    CHECK(errno_of_open(folder.path("missing.dcm")) == ENOENT);
    CHECK(errno_of_open(folder.path("")) == EISDIR);
    REQUIRE(::mkfifo(folder.path("fifo").c_str(), 0600) == 0);
    CHECK(errno_of_open(folder.path("fifo")) == EINVAL);
    CHECK(errno_of_open("/dev/null") == EINVAL);
    CHECK(errno_of_open(folder.write("file", bytes_of({1}))) == 0);
}

TEST_CASE("reads past the end of a file are short") {
    const test::TemporaryFolder folder;
    LoadStats stats;
    const File file{folder.write("file", bytes_of({1, 2, 3, 4, 5})), stats};
    CHECK(file.identity().size == 5);
    CHECK(read(file, 1, 3) == bytes_of({2, 3, 4}));
    CHECK(read(file, 3, 3) == bytes_of({4, 5}));
    CHECK(read(file, 5, 3).empty());
    CHECK(read(file, 1'000'000, 3).empty());
    CHECK(read(file, 0, 0).empty());
    CHECK(stats.opens.load() == 1);
    CHECK(stats.bytes_read.load() == 5);
}

TEST_CASE("a file that was moved reads on, and each descriptor is closed once") {
    const test::TemporaryFolder folder;
    LoadStats stats;
    File first{folder.write("first", bytes_of({1, 1})), stats};
    File second{folder.write("second", bytes_of({2, 2, 2})), stats};
    File moved{std::move(first)};
    CHECK(moved.path() == folder.path("first"));
    CHECK(read(moved, 0, 9) == bytes_of({1, 1}));
    moved = std::move(second);
    CHECK(moved.path() == folder.path("second"));
    CHECK(moved.identity().size == 3);
    CHECK(read(moved, 0, 9) == bytes_of({2, 2, 2}));
    File& self = moved;
    moved = std::move(self);
    CHECK(read(moved, 2, 9) == bytes_of({2}));
}

TEST_CASE("a missing file has an errno of its own when it is removed before the pixels are read") {
    Opened opened;
    fs::remove(opened.path);
    CHECK(opened.error_of_reopening() == ErrorCode::os_error);
}

TEST_CASE("an unchanged file decodes to its cells") {
    Opened opened;
    const test::Bytes slot = opened.decode(PixelSource{opened.header, opened.stats});
    REQUIRE(slot.size() == 32'768); // 16 unsigned bits: int32
    CHECK(load_number<std::uint32_t>(slot, 0, std::endian::native) == 0);
    CHECK(load_number<std::uint32_t>(slot, 4 * 4000, std::endian::native) == 4000);
    CHECK(load_number<std::uint32_t>(slot, 4 * 4001, std::endian::native) == 0);
    CHECK(load_number<std::uint32_t>(slot, 4 * 8191, std::endian::native) == 189);
}

TEST_CASE("a file whose size changed after its header was read is refused") {
    Opened opened;
    test::Bytes longer = large_image();
    longer.resize(longer.size() + 2);
    opened.folder.write("a.dcm", longer);
    fs::last_write_time(opened.path, fs::file_time_type{} + std::chrono::seconds{1});
    CHECK(opened.error_of_reopening() == ErrorCode::file_changed);
    fs::resize_file(opened.path, 100);
    CHECK(opened.error_of_reopening() == ErrorCode::file_changed);
}

TEST_CASE("a file whose time alone changed is refused") {
    Opened opened;
    fs::last_write_time(opened.path,
                        fs::last_write_time(opened.path) + std::chrono::microseconds{1});
    CHECK(opened.error_of_reopening() == ErrorCode::file_changed);
}

TEST_CASE("a file that is written to between its opening and its last pixel is refused") {
    Opened opened;
    const PixelSource source{opened.header, opened.stats};
    source.require_unchanged();
    fs::last_write_time(opened.path,
                        fs::last_write_time(opened.path) + std::chrono::microseconds{1});
    try {
        static_cast<void>(opened.decode(source)); // all bytes are there to be read
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::file_changed);
    }
}

TEST_CASE("another file of the same size and time is refused") {
    Opened opened;
    const auto time = fs::last_write_time(opened.path);
    fs::rename(opened.folder.write("b.dcm", large_image()), opened.path);
    fs::last_write_time(opened.path, time);
    CHECK(opened.error_of_reopening() == ErrorCode::file_changed);
}

TEST_CASE("a file that is cut off while its pixels are read is refused with its path") {
    Opened opened;
    const PixelSource source{opened.header, opened.stats};
    fs::resize_file(opened.path, 1000);
    try {
        static_cast<void>(opened.decode(source));
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::file_changed);
        CHECK(error.place().path == opened.path);
    }
}
