// Cine, series whose bad files are left out, and series of an index.
#include "small_series.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace torchdicom;
using test::code_of;
using test::Floats;
using test::floats_of;
using test::image_at;
using test::load;
using test::mask_of;
using test::memory;
using test::request_for;
using test::sources_of;
using test::stack;

namespace {

/// Frames without a place in the patient, each of one pixel with its number in it.
test::Bytes ultrasound(std::uint32_t frames, const std::string& frame_time) {
    test::DataSetWriter writer = test::file_start("1.2.840.10008.1.2.1");
    writer.text(tags::SOPInstanceUID, "UI", "1.2.3").text(tags::Modality, "CS", "US");
    if (!frame_time.empty()) {
        writer.text(tags::FrameTime, "DS", frame_time);
    }
    writer.text(tags::NumberOfFrames, "IS", std::to_string(frames));
    writer.us(tags::Rows, 1).us(tags::Columns, 1).us(tags::BitsAllocated, 8);
    writer.us(tags::PixelRepresentation, 0).head(tags::PixelData, "OB", (frames + 1) / 2 * 2);
    for (std::uint32_t i = 0; i < (frames + 1) / 2 * 2; ++i) {
        writer.number(i, 1);
    }
    return writer.bytes();
}

/// An image of one pixel whose RLE frame has one segment, where 16 bits call for two.
test::Bytes broken_at(int z) {
    test::Bytes frame(66);
    frame[0] = std::byte{1};
    frame[4] = std::byte{64};
    return test::encapsulated(image_at(z, 1, 1), "1.2.840.10008.1.2.5", frame);
}

} // namespace

TEST_CASE("a cine is frames over time, with one slice") {
    const test::Bytes bytes = ultrasound(3, "40");
    auto request = request_for({memory(bytes)});
    request.mask = true;
    const LoadedSeries loaded = load(request);
    CHECK(loaded.series.kind == Kind::cine);
    CHECK(loaded.plan.shape() == std::vector<std::size_t>{3, 1, 1, 1});
    CHECK(floats_of(loaded.buffer) == Floats{0, 1, 2});
    CHECK(mask_of(loaded) == std::vector<int>{1, 1, 1});
    CHECK_FALSE(loaded.grid.affine);
    REQUIRE(loaded.over_time.size() == 1);
    CHECK(loaded.over_time[0].name == "FrameTime");
    CHECK(loaded.over_time[0].values == std::vector<double>{0, 40, 80});
    request.slices = std::vector<std::int64_t>{-1};
    CHECK(floats_of(load(request).buffer) == Floats{0, 1, 2});
    for (const std::vector<std::int64_t>& wrong :
         {std::vector<std::int64_t>{1}, std::vector<std::int64_t>{0, 0}}) {
        request.slices = wrong;
        CHECK_THROWS_AS(static_cast<void>(load(request)), std::out_of_range);
    }
    const test::Bytes untimed = ultrasound(2, "");
    CHECK(load(request_for({memory(untimed)})).over_time.empty());
}

TEST_CASE("files that cannot be read are left out where the policy says so") {
    std::vector<test::Bytes> files = stack(4);
    files[3].pop_back(); // pixels cut off
    files.push_back(test::bytes_of({'n', 'o'}));
    auto request = request_for(sources_of(files));
    CHECK(code_of([&] { static_cast<void>(load(request)); }) == ErrorCode::truncated_pixels);
    request.policy.set("truncated_pixels", "drop");
    CHECK(code_of([&] { static_cast<void>(load(request)); }) == ErrorCode::not_dicom);
    request.policy.set("unreadable_file", "drop");
    const LoadedSeries loaded = load(request);
    CHECK(floats_of(loaded.buffer) == Floats{0, 1, 2});
    REQUIRE(loaded.series.defects.size() == 2);
    CHECK(loaded.series.defects[0].code == ErrorCode::truncated_pixels);
    CHECK(loaded.series.defects[0].files == std::vector<std::string>{"<bytes 3>"});
    CHECK(loaded.series.defects[1].code == ErrorCode::unreadable_file);
    CHECK_FALSE(is_ok(loaded.series));
}

TEST_CASE("where all files are left out there is nothing to load") {
    const test::Bytes text = test::bytes_of({'n', 'o'});
    auto request = request_for({memory(text)});
    request.policy.set("unreadable_file", "drop");
    CHECK(code_of([&] { static_cast<void>(load(request)); }) == ErrorCode::no_dicom_files);
}

TEST_CASE("a slice whose codestream contradicts its header is left out, and then judged") {
    std::vector<test::Bytes> files = stack(7);
    const auto break_slice = [&files](std::size_t i) {
        files[i] = broken_at(static_cast<int>(3 * i));
    };
    break_slice(6);
    break_slice(0);
    auto request = request_for(sources_of(files));
    CHECK(code_of([&] { static_cast<void>(load(request)); }) == ErrorCode::codestream_mismatch);
    request.policy.set("codestream_mismatch", "drop");
    const LoadedSeries loaded = load(request);
    CHECK(floats_of(loaded.buffer) == Floats{1, 2, 3, 4, 5});
    CHECK(loaded.grid.affine.value()[3] == Vector3{0, 0, 3});
    REQUIRE(loaded.series.defects.size() == 2);
    CHECK(loaded.series.defects[0].files == std::vector<std::string>{"<bytes 0>"});
    CHECK(loaded.series.defects[1].files == std::vector<std::string>{"<bytes 6>"});

    break_slice(3); // in the middle: what is left has a gap
    request.sources = sources_of(files);
    CHECK(code_of([&] { static_cast<void>(load(request)); }) == ErrorCode::missing_slices);
    request.policy.set("missing_slices", "allow");
    CHECK(floats_of(load(request).buffer) == Floats{1, 2, 4, 5});
    request.slices = std::vector<std::int64_t>{1}; // of what is known: the bad ones are there still
    request.policy.set("codestream_mismatch", "raise");
    CHECK(floats_of(load(request).buffer) == Floats{1});
}

TEST_CASE("the last slice of a series is not left out") {
    const test::Bytes bytes = broken_at(0);
    auto request = request_for({memory(bytes)});
    request.policy.set("codestream_mismatch", "drop");
    CHECK(code_of([&] { static_cast<void>(load(request)); }) == ErrorCode::codestream_mismatch);
}

TEST_CASE("headers from an index are compared by size and time, and the error says to refresh") {
    const test::TemporaryFolder folder;
    const test::Bytes bytes = test::image_file(image_at(0, 1, 2), {5, 6});
    const std::string path = folder.write("a.dcm", bytes);
    LoadStats stats;
    FileHeader header = read_header({.path = path, .bytes = {}}, {}, stats);
    header.identity.inode = 0;
    const auto load_listed = [&] {
        return load_part(split_series({header}).front(), request_for({}), stats);
    };
    CHECK(floats_of(load_listed().buffer) == Floats{5, 6});
    header.identity.mtime_ns += 1;
    try {
        static_cast<void>(load_listed());
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::file_changed);
        CHECK(error.message().find("Refresh the index") != std::string::npos);
    }
}
