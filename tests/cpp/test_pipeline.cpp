// pipeline/: files and memory become one block of values, whatever the number of threads.
#include "data_set_writer.hpp"
#include "pipeline/load.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

using namespace torchdicom;
using test::bytes_of;
using test::code_of;

namespace {

constexpr OutputOptions kStored{.output = Output::stored, .dtype = {}};

using Frames = std::optional<std::vector<std::int64_t>>;

Source memory(const test::Bytes& bytes, const std::string& name = "<bytes 0>") {
    return {.path = name, .bytes = bytes};
}

Source file(const std::string& path) { return {.path = path, .bytes = {}}; }

LoadRequest request_for(std::vector<Source> sources, OutputOptions output = {}) {
    LoadRequest request;
    request.sources = std::move(sources);
    request.output = output;
    return request;
}

template <typename T> std::vector<T> values_of(ByteSpan bytes) {
    std::vector<T> values(bytes.size() / sizeof(T));
    std::ranges::copy(bytes, std::as_writable_bytes(std::span{values}).begin());
    return values;
}

/// Three frames of 1 x 2 pixels: 1, 2 | 3, 4 | 5, 6.
test::Bytes three_frames() {
    return test::image_file({.rows = 1, .columns = 2, .frames = "3"}, {1, 2, 3, 4, 5, 6});
}

/// These frames as stored, in int32.
std::vector<std::int32_t> decode(const test::Bytes& bytes, const Frames& frames) {
    LoadStats stats;
    const auto request = request_for({memory(bytes)}, kStored);
    return values_of<std::int32_t>(decode_frames(request, frames, stats).buffer.bytes());
}

/// A slice of 1 x 2 pixels at z.
test::Bytes slice_at(int z, std::uint32_t first, std::uint32_t second) {
    const std::string place = std::to_string(z);
    return test::image_file(
        {.rows = 1, .columns = 2, .instance = "1.2." + place, .position = "0\\0\\" + place},
        {first, second});
}

std::string invalid_argument_of(const LoadRequest& request) {
    LoadStats stats;
    try {
        static_cast<void>(decode_frames(request, {}, stats));
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

} // namespace

TEST_CASE("frames are decoded in the order asked for, negative ones from the end") {
    const test::Bytes bytes = three_frames();
    using Values = std::vector<std::int32_t>;
    CHECK(decode(bytes, {}) == Values{1, 2, 3, 4, 5, 6});
    CHECK(decode(bytes, Frames{{1}}) == Values{3, 4});
    CHECK(decode(bytes, Frames{{-1, 0, -3}}) == Values{5, 6, 1, 2, 1, 2});
    CHECK(decode(bytes, Frames{std::vector<std::int64_t>{}}) == Values{});
}

TEST_CASE("a frame that is not there is out of range, and the message has the file") {
    const test::Bytes bytes = three_frames();
    const std::string text = " is not there: <bytes 0> has 3 frames";
    CHECK_THROWS_WITH_AS(decode(bytes, Frames{{3}}), ("frame 3" + text).c_str(), std::out_of_range);
    CHECK_THROWS_WITH_AS(decode(bytes, Frames{{0, -4}}), ("frame -4" + text).c_str(),
                         std::out_of_range);
    CHECK_THROWS_WITH_AS(decode(bytes, Frames{{std::numeric_limits<std::int64_t>::min()}}),
                         ("frame -9223372036854775808" + text).c_str(), std::out_of_range);
    CHECK_THROWS_WITH_AS(decode(slice_at(0, 1, 2), Frames{{1}}),
                         "frame 1 is not there: <bytes 0> has 1 frame", std::out_of_range);
}

TEST_CASE("slope and intercept are applied, and the bits choose the type of stored values") {
    LoadStats stats;
    const test::Bytes bytes = three_frames();
    const auto modality = decode_frames(request_for({memory(bytes)}), {{2}}, stats);
    CHECK(modality.plan.dtype == DType::float32);
    CHECK(values_of<float>(modality.buffer.bytes()) == std::vector<float>{-995, -994});
    const auto stored = decode_frames(request_for({memory(bytes)}, kStored), {}, stats);
    CHECK(stored.plan.dtype == DType::int32); // 16 bits without sign
    CHECK(stats.files.load() == 2);
    CHECK(stats.opens.load() == 0);
    CHECK(stats.bytes_read.load() == 0);
    CHECK(stats.allocations.load() == 2);
}

TEST_CASE("the caller's memory is filled if shape and dtype are the result's") {
    const test::Bytes bytes = three_frames();
    std::array<float, 6> values{};
    auto request = request_for({memory(bytes)});
    request.out = CallerBuffer{.bytes = std::as_writable_bytes(std::span{values}),
                               .dtype = DType::float32,
                               .shape = {3, 1, 2}};
    LoadStats stats;
    const DecodedFrames decoded = decode_frames(request, {}, stats);
    CHECK(decoded.buffer.bytes().empty());
    CHECK(values == std::array<float, 6>{-999, -998, -997, -996, -995, -994});
    CHECK(stats.allocations.load() == 0);

    request.out->shape = {3, 2, 1};
    CHECK(invalid_argument_of(request) == "out has shape (3, 2, 1), and the result has (3, 1, 2)");
    request.out->shape = {6};
    CHECK(invalid_argument_of(request) == "out has shape (6), and the result has (3, 1, 2)");
    request.out->shape = {3, 1, 2};
    request.out->dtype = DType::int32;
    const std::string dtype =
        "out has another dtype than the result: make it with the dtype asked for";
    CHECK(invalid_argument_of(request) == dtype);
    request.out->dtype = DType::float32;
    request.out->bytes = request.out->bytes.first(20);
    CHECK(invalid_argument_of(request) == dtype);
    CHECK(values[5] == -994);
}

TEST_CASE("a series is loaded in slice order, from files and from memory, on any threads") {
    const test::TemporaryFolder folder;
    const test::Bytes last = slice_at(6, 5, 6);
    folder.write("a.dcm", slice_at(3, 3, 4));
    folder.write("b.dcm", slice_at(0, 1, 2));
    folder.write("notes.txt", bytes_of({'h', 'i'}));
    for (const std::size_t threads : {1U, 2U, 16U}) {
        auto request = request_for({memory(last), file(folder.path(""))});
        request.parallel.threads = threads;
        LoadStats stats;
        const LoadedSeries loaded = load_series(request, stats);
        CHECK(values_of<float>(loaded.buffer.bytes()) ==
              std::vector<float>{-999, -998, -997, -996, -995, -994});
        CHECK(loaded.series.slices[2].path == "<bytes 0>");
        CHECK(loaded.grid.affine.value()[0] == Vector3{0, 0, 3});
        CHECK(stats.files.load() == 4); // the text file too
        CHECK(stats.opens.load() == 5); // headers of three files, pixels of two
        CHECK(stats.threads == threads);
    }
}

TEST_CASE("each byte of a file is read once") {
    const test::TemporaryFolder folder;
    const test::Bytes bytes =
        test::image_file({.rows = 100, .columns = 200}, std::vector<std::uint32_t>(20'000, 7));
    LoadStats stats;
    const auto request = request_for({file(folder.write("a.dcm", bytes))});
    CHECK(values_of<float>(load_series(request, stats).buffer.bytes()) ==
          std::vector<float>(20'000, -993));
    CHECK(stats.bytes_read.load() == bytes.size());
}

TEST_CASE("a value that does not fit is named with its slice and file") {
    const test::Bytes first = slice_at(0, 1000, 1001);
    const test::Bytes second = slice_at(3, 1255, 1256);
    auto request = request_for({memory(second, "second"), memory(first, "first")});
    request.output.dtype = DType::uint8;
    LoadStats stats;
    try {
        static_cast<void>(load_series(request, stats));
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::value_overflow);
        CHECK(error.place().path == "second");
        CHECK(error.message() == "The value 256 does not fit the dtype, in slice 1. Ask for a "
                                 "larger dtype, or one of floating point");
    }
}

TEST_CASE("what is no DICOM is passed over in a folder, and an error where it is named") {
    const test::TemporaryFolder folder;
    const std::string path = folder.write("notes.txt", bytes_of({'n', 'o', 't', 'e', 's'}));
    LoadStats stats;
    const auto code = [&stats](const std::string& source) {
        return code_of([&] { static_cast<void>(load_series(request_for({file(source)}), stats)); });
    };
    CHECK(code(path) == ErrorCode::not_dicom);
    CHECK(code(folder.path("")) == ErrorCode::no_dicom_files);
    CHECK(code(folder.path("missing")) == ErrorCode::os_error);
    const test::TemporaryFolder empty;
    CHECK(code(empty.path("")) == ErrorCode::empty_folder);
}
