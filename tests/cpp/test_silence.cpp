// Libraries that write to stdout or stderr about damaged frames would do so in a user's training
// log, once a frame.
#include "codestreams.hpp"
#include "codestreams_jpeg2000.hpp"
#include "codestreams_jpegxl.hpp"
#include "decoded.hpp"
#include "rle_frame.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

using namespace torchdicom;
using test::format_of;

namespace {

using Bytes = std::vector<std::byte>;

struct Frame {
    std::string_view syntax;
    test::StreamWriter stream;
    PixelFormat format;
};

/// zlib.compressobj(9, wbits=-15) of bytes([(y * x * 3 + y) % 256 ...]) for 8 rows of 8 pixels.
test::StreamWriter deflated_frame() {
    return test::StreamWriter{}.raw({
        0x63, 0x60, 0x80, 0x00, 0x46, 0x16, 0x76, 0x2E, 0x5E, 0x01, 0x61, 0x31, 0x26,
        0x0E, 0x3E, 0x11, 0x29, 0x05, 0x35, 0x1D, 0x66, 0x1E, 0x51, 0x39, 0x75, 0x03,
        0x4B, 0x27, 0x16, 0x01, 0x19, 0x0D, 0x13, 0x07, 0x9F, 0x08, 0x56, 0x11, 0x65,
        0x23, 0xC7, 0x80, 0xF8, 0x3C, 0x36, 0x09, 0x2D, 0x1B, 0xBF, 0x84, 0xA2, 0x16,
        0x76, 0x19, 0x43, 0xB7, 0xE8, 0x82, 0xD6, 0x59, 0x00,
    });
}

std::vector<Frame> frames() {
    return {{".4.50", test::baseline_jpeg(), format_of(8, 8, 8)},
            {".4.51", test::extended_jpeg_12_bits(), format_of(8, 8, 16)},
            {".4.70", test::lossless_jpeg(), format_of(4, 4, 16)},
            {".4.80", test::jpeg_ls(), format_of(4, 4, 16)},
            {".4.90", test::jpeg_2000(), format_of(4, 4, 16)},
            {".4.201", test::j2k::ht_gray(), format_of(33, 21, 16)},
            {".5", test::rle_frame({test::StreamWriter{}.raw({0xFD, 9})}), format_of(2, 2, 8)},
            {".8.1", deflated_frame(), format_of(8, 8, 8)}};
}

std::vector<Frame> jpeg_xl_frames() {
    return {{".4.110", test::jxl::gray_8_bits(), format_of(16, 16, 8)},
            {".4.110", test::jxl::gray_container(), format_of(5, 6, 8)},
            {".4.110", test::jxl::rgb_8_bits(), format_of(8, 10, 8, 3)},
            {".4.111", test::jxl::from_jpeg(), format_of(8, 8, 8)},
            {".4.112", test::jxl::gray_lossy(), format_of(16, 16, 8)}};
}

Bytes bytes_of(const Frame& frame) {
    return {frame.stream.span().begin(), frame.stream.span().end()};
}

std::vector<Bytes> cut_off(const Frame& frame) {
    const Bytes whole = bytes_of(frame);
    std::vector<Bytes> found;
    found.reserve(whole.size());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        found.emplace_back(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    }
    return found;
}

/// Each byte set to 0, to FF and with its lowest bit changed.
std::vector<Bytes> changed(const Frame& frame) {
    const Bytes whole = bytes_of(frame);
    std::vector<Bytes> found;
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const std::byte value : {std::byte{0}, std::byte{0xFF}, whole[at] ^ std::byte{1}}) {
            found.push_back(whole);
            found.back()[at] = value;
        }
    }
    return found;
}

using Damage = std::vector<Bytes> (*)(const Frame&);

std::size_t size_of_file(int file) {
    struct stat state{};
    return fstat(file, &state) == 0 ? static_cast<std::size_t>(state.st_size) : 0;
}

/// Decodes frames in a process whose output is the file, and adds a line to it where something was
/// written about a frame that is decoded after all.
void decode_all(const std::vector<Frame>& frames, Damage damage, int output) {
    for (const Frame& frame : frames) {
        for (const Bytes& damaged : damage(frame)) {
            const std::size_t before = size_of_file(output);
            const auto code = test::failure_of(damaged, frame.syntax, frame.format);
            std::fflush(nullptr);
            if (!code && size_of_file(output) != before) {
                std::puts("about a frame that is decoded");
            }
        }
    }
    std::fflush(nullptr);
}

/// All that stands in a file.
std::string text_of(std::FILE& file) {
    std::string text(size_of_file(fileno(&file)), ' ');
    CHECK(std::fseek(&file, 0, SEEK_SET) == 0);
    CHECK(std::fread(text.data(), 1, text.size(), &file) == text.size());
    return text;
}

/// What a process writes that decodes these frames, damaged in every way of a kind.
std::string written_about(const std::vector<Frame>& frames, Damage damage) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::tmpfile(), std::fclose};
    REQUIRE(file);
    const int output = fileno(file.get());
    std::cout.flush(); // else the child writes what the test runner has not yet
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        decode_all(frames, damage, output);
        _exit(0);
    }
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    return text_of(*file);
}

} // namespace

TEST_CASE("the frames are whole: what is written about them is about their damage") {
    for (const std::vector<Frame>& all : {frames(), jpeg_xl_frames()}) {
        for (const Frame& frame : all) {
            CAPTURE(frame.syntax);
            CHECK(test::failure_of(frame.stream.span(), frame.syntax, frame.format) ==
                  std::nullopt);
        }
    }
}

TEST_CASE("damaged frames are told by errors alone: nothing is written to stdout and stderr") {
    CHECK(written_about(frames(), cut_off) == std::string{});
    CHECK(written_about(frames(), changed) == std::string{});
}

// libjxl 0.7 as Debian builds it says where in its sources it gives up, and has no switch for that.
TEST_CASE("libjxl writes of frames that it refuses alone, not of those that are cut off") {
    CHECK(written_about(jpeg_xl_frames(), cut_off) == std::string{});
    std::istringstream lines{written_about(jpeg_xl_frames(), changed)};
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        CHECK((line.empty() || line.find("lib/jxl/") != std::string::npos));
    }
}
