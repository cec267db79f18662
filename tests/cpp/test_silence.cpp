// Libraries that write to stdout or stderr about damaged frames would do so in a user's training
// log, once a frame.
#include "codestreams.hpp"
#include "decoded.hpp"
#include "rle_frame.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace torchdicom;
using test::format_of;

namespace {

struct Frame {
    std::string_view syntax;
    test::StreamWriter stream;
    PixelFormat format;
};

std::vector<Frame> frames() {
    return {{".4.50", test::baseline_jpeg(), format_of(8, 8, 8)},
            {".4.51", test::extended_jpeg_12_bits(), format_of(8, 8, 16)},
            {".4.70", test::lossless_jpeg(), format_of(4, 4, 16)},
            {".4.90", test::jpeg_2000(), format_of(4, 4, 16)},
            {".5", test::rle_frame({test::StreamWriter{}.raw({0xFD, 9})}), format_of(2, 2, 8)}};
}

/// Each byte set to 0, to FF and with its lowest bit changed, and each length that is too short.
void decode_damaged(const Frame& frame) {
    const auto decode = [&](const std::vector<std::byte>& bytes) {
        static_cast<void>(test::code_of(
            [&] { static_cast<void>(test::decoded_bytes(bytes, frame.syntax, frame.format)); }));
    };
    const std::vector<std::byte> whole{frame.stream.span().begin(), frame.stream.span().end()};
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const std::byte value : {std::byte{0}, std::byte{0xFF}, whole[at] ^ std::byte{1}}) {
            std::vector<std::byte> damaged = whole;
            damaged[at] = value;
            decode(damaged);
        }
        decode({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at)});
    }
}

} // namespace

TEST_CASE("damaged frames are told by errors alone: nothing is written to stdout and stderr") {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::tmpfile(), std::fclose};
    REQUIRE(file);
    const int output = fileno(file.get());
    const std::vector<Frame> all = frames();
    std::cout.flush(); // else the child writes what the test runner has not yet
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        for (const Frame& frame : all) {
            decode_damaged(frame);
        }
        std::fflush(nullptr);
        _exit(0);
    }
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    struct stat written{};
    REQUIRE(fstat(output, &written) == 0);
    std::string text(static_cast<std::size_t>(written.st_size), ' ');
    std::rewind(file.get());
    CHECK(std::fread(text.data(), 1, text.size(), file.get()) == text.size());
    CHECK(text == std::string{});
}
