// discover: which files are looked at. What else it does is in test_pipeline.cpp and in Python.
#include "data_set_writer.hpp"
#include "discover/discover.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <vector>

using namespace torchdicom;
using test::code_of;

namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_of(const std::vector<Unreachable>& unreachable) {
    std::vector<std::string> names;
    for (const Unreachable& one : unreachable) {
        CHECK_FALSE(one.message.empty());
        names.push_back(fs::path{one.path}.filename().native());
    }
    return names;
}

} // namespace

TEST_CASE("a scan finds each file once, sorted, and goes on where it cannot look") {
    const test::TemporaryFolder folder;
    fs::create_directories(folder.path("b/c"));
    folder.write("b/c/2", {});
    folder.write("b/1", {});
    const std::string named = folder.write("a", {});
    fs::create_directory_symlink(folder.path("b"), folder.path("b/c/back"));
    fs::create_directory_symlink(folder.path("b/c"), folder.path("b/d"));
    fs::create_symlink(folder.path("nowhere"), folder.path("b/dangling"));
    fs::create_symlink(folder.path("a"), folder.path("b/link"));
    REQUIRE(::mkfifo(folder.path("b/fifo").c_str(), 0600) == 0);
    fs::create_symlink(folder.path("loop"), folder.path("loop"));

    std::size_t checks = 0;
    const FoundFiles found =
        find_files({folder.path("b"), named, named, folder.path("b/c"), folder.path("b/dangling"),
                    folder.path("b/fifo"), folder.path("loop"), folder.path("loop")},
                   [&checks] { ++checks; });
    CHECK(found.paths == std::vector<std::string>{named, folder.path("b/1"), folder.path("b/c/2"),
                                                  folder.path("b/link")});
    CHECK(names_of(found.unreachable) == std::vector<std::string>{"dangling", "fifo", "loop"});
    CHECK(checks == 0); // too few entries to ask
}

TEST_CASE("paths are in byte order, where folders and files alternate too") {
    const test::TemporaryFolder folder;
    fs::create_directories(folder.path("a/b"));
    const std::vector<std::string> names{"a.dcm", "a/b/1", "a/b0", "a/c", "a0", "b"};
    std::vector<std::string> expected;
    for (const std::string& name : names) {
        expected.push_back(folder.write(name, {}));
    }
    CHECK(find_files({folder.path("")}, {}).paths == expected);
}

TEST_CASE("a scan throws for a name that is not there, and for nothing else") {
    const test::TemporaryFolder folder;
    const std::string file = folder.write("a", {});
    for (const std::string& path : {folder.path("missing"), file + "/below"}) {
        CHECK(code_of([&] { static_cast<void>(find_files({file, path}, {})); }) ==
              ErrorCode::os_error);
    }
    fs::create_directory(folder.path("empty"));
    const FoundFiles found = find_files({folder.path("empty")}, {});
    CHECK(found.paths.empty());
    CHECK(found.unreachable.empty());
}

TEST_CASE("a walk can be stopped") {
    const test::TemporaryFolder folder;
    for (int i = 0; i < 300; ++i) {
        folder.write(std::to_string(i), {});
    }
    const auto stop = [] { throw std::runtime_error{"stop"}; };
    CHECK_THROWS_AS(static_cast<void>(find_files({folder.path("")}, stop)), std::runtime_error);
}

TEST_CASE("a folder that two links lead to is found under the first name") {
    const test::TemporaryFolder folder;
    fs::create_directory(folder.path("m"));
    folder.write("m/1", {});
    fs::create_directory_symlink(folder.path("m"), folder.path("z"));
    fs::create_directory_symlink(folder.path("m"), folder.path("a"));
    CHECK(find_files({folder.path("")}, {}).paths == std::vector<std::string>{folder.path("a/1")});
    const std::vector<Source> sources = discover({Source{.path = folder.path(""), .bytes = {}}});
    REQUIRE(sources.size() == 1);
    CHECK(sources[0].path == folder.path("a/1"));
}
