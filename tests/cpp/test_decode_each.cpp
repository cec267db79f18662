// pipeline/load: one frame each of many files, and those that are not there.
#include "data_set_writer.hpp"
#include "pipeline/load.hpp"
#include "small_series.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <sys/stat.h>
#include <vector>

using namespace torchdicom;

namespace {

/// Files of 2 x 3 pixels; file i has i + 0 to i + 5.
class Files {
  public:
    explicit Files(std::uint32_t count) {
        for (std::uint32_t i = 0; i < count; ++i) {
            test::Cells cells = test::counted(6);
            for (std::uint32_t& cell : cells) {
                cell += i;
            }
            const std::string name = std::to_string(i);
            folder_.write(name, test::image_file(test::image_at(static_cast<int>(i), 2, 3), cells));
            paths_.push_back(folder_.path(name));
        }
    }

    /// As an index knows the file.
    [[nodiscard]] FrameOfFile frame(std::size_t i, std::vector<float>& values) const {
        struct stat found{};
        REQUIRE(::stat(paths_[i].c_str(), &found) == 0);
        const auto [seconds, nanoseconds] = found.st_mtim;
        return {.path = paths_[i],
                .known = {.size = static_cast<std::uint64_t>(found.st_size),
                          .mtime_ns = seconds * 1'000'000'000 + nanoseconds},
                .out = {.bytes = std::as_writable_bytes(std::span{values}),
                        .dtype = DType::float32,
                        .shape = {1, 2, 3}}};
    }

  private:
    test::TemporaryFolder folder_;
    std::vector<std::string> paths_;
};

} // namespace

TEST_CASE("each file's frame comes to its own memory, and others do not keep it from there") {
    constexpr std::size_t kFiles = 9;
    const Files files{kFiles};
    for (const std::size_t threads : {1U, 4U}) {
        CAPTURE(threads);
        std::vector<test::Floats> values(kFiles, test::Floats(6, -1));
        std::vector<FrameOfFile> wanted;
        for (std::size_t i = 0; i < kFiles; ++i) {
            wanted.push_back(files.frame(i, values[i]));
        }
        wanted[2].path += ".gone";
        wanted[3].known.mtime_ns += 1;
        wanted[5].frame = 1;
        wanted[6].out.shape = {1, 3, 2};
        LoadRequest request;
        request.parallel.threads = threads;
        LoadStats stats;
        CHECK(decode_each(request, wanted, stats) ==
              std::vector<bool>{true, true, false, false, true, false, false, true, true});
        for (const std::size_t i : {0U, 1U, 4U, 7U, 8U}) {
            const auto first = static_cast<float>(i);
            CHECK(values[i] ==
                  test::Floats{first, first + 1, first + 2, first + 3, first + 4, first + 5});
        }
        CHECK(stats.files == kFiles - 1);
        CHECK(stats.threads == threads);
    }
}
