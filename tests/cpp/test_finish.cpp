// pipeline/finish: frames resized, windowed and normalised on the way to their slots, against
// literals and the definition in full.
#include "data_set_writer.hpp"
#include "pipeline/load.hpp"
#include "rescale_reference.hpp"
#include "small_series.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

using namespace torchdicom;
using test::Cells;
using test::code_of;
using test::Floats;

namespace {

using Way = ValueWindow::Way;

LoadRequest request_of(std::vector<Source> sources, const FinishOptions& finish,
                       std::optional<DType> dtype = {}) {
    LoadRequest request = test::request_for(std::move(sources));
    request.output.finish = finish;
    request.output.dtype = dtype;
    return request;
}

ValueWindow span_of(double low, double width) {
    return {.way = Way::span, .low = low, .width = width};
}

Floats loaded(const test::Bytes& file, const FinishOptions& finish) {
    return test::floats_of(test::load(request_of({test::memory(file)}, finish)).buffer);
}

bool is_refused(const LoadRequest& request) {
    try {
        static_cast<void>(test::load(request));
    } catch (const std::invalid_argument&) {
        return true;
    }
    return false;
}

/// Cells of 16 bits without a pattern.
Cells noise(std::size_t count, std::uint32_t highest) {
    Cells cells(count);
    std::uint32_t state = 99;
    for (std::uint32_t& cell : cells) {
        state = state * 1'664'525 + 1'013'904'223;
        cell = (state >> 8U) % (highest + 1);
    }
    return cells;
}

/// Each step in the open: rescale, window, mean and std.
double finished(std::uint32_t cell, double slope, double intercept, const FinishOptions& finish) {
    const volatile double product = cell * slope;
    volatile double value = product + intercept;
    if (finish.window) {
        value = value - finish.window->low;
        value = value / finish.window->width;
        value = value < 0 ? 0 : value;
        value = value > 1 ? 1 : value;
    }
    if (finish.clip) {
        value = value < finish.clip->first ? finish.clip->first : value;
        value = value > finish.clip->second ? finish.clip->second : value;
    }
    if (!finish.mean.empty()) {
        value = value - finish.mean.front();
        value = value / finish.std.front();
    }
    return value;
}

test::Bytes bytes_of(const Buffer& buffer) {
    return {buffer.bytes().begin(), buffer.bytes().end()};
}

test::Bytes rgb_file(std::uint32_t rows, std::uint32_t columns, const Cells& samples) {
    const test::Image image{
        .rows = rows, .columns = columns, .bits = 8, .intercept = "", .slope = ""};
    test::DataSetWriter writer = test::image_start(image);
    writer.us(tags::SamplesPerPixel, 3).us(tags::PlanarConfiguration, 0);
    writer.text(tags::PhotometricInterpretation, "CS", "RGB");
    writer.head(tags::PixelData, "OB", static_cast<std::uint32_t>(samples.size()));
    for (const std::uint32_t sample : samples) {
        writer.number(sample, 1);
    }
    return writer.bytes();
}

} // namespace

TEST_CASE("every value is windowed or clipped, then normalised, in double, for every dtype") {
    const std::array<FinishOptions, 5> all{
        {{.window = span_of(-160.3, 400.7)},
         {.window = span_of(-160.3, 400.7), .mean = {0.449}, .std = {0.226}},
         {.clip = ClipRange{-100.5, 99.25}},
         {.clip = ClipRange{-100.5, 99.25}, .mean = {-37.3}, .std = {111.1}},
         {.mean = {12.5}, .std = {0.3}}}};
    // Few pixels are calculated one by one. From two pixels an entry they are looked up in a table:
    // 512 of 8 bits, 131,072 of 16.
    for (const std::uint32_t edge : {22U, 363U}) {
        for (const std::uint32_t bits : {8U, 16U}) {
            const std::uint32_t highest = bits == 8 ? 255 : 2'000;
            const Cells cells = noise(std::size_t{edge} * edge, highest);
            test::Image image = test::image_at(0, edge, edge);
            image.bits = bits;
            image.slope = "0.7";
            image.intercept = "-321.1";
            const test::Bytes file = test::image_file(image, cells);
            for (const FinishOptions& finish : all) {
                for (const DType dtype :
                     {DType::float16, DType::bfloat16, DType::float32, DType::float64}) {
                    CAPTURE(edge);
                    CAPTURE(bits);
                    CAPTURE(static_cast<int>(dtype));
                    std::vector<test::Bytes> results(highest + 1);
                    for (std::uint32_t cell = 0; cell <= highest; ++cell) {
                        const double value = finished(cell, 0.7, -321.1, finish);
                        test::append_value(results[cell], value, dtype);
                    }
                    test::Bytes expected;
                    for (const std::uint32_t cell : cells) {
                        const test::Bytes& result = results[cell];
                        expected.insert(expected.end(), result.begin(), result.end());
                    }
                    const LoadRequest request = request_of({test::memory(file)}, finish, dtype);
                    CHECK(bytes_of(test::load(request).buffer) == expected);
                }
            }
        }
    }
}

TEST_CASE("slices of different slopes are each rescaled by their own") {
    std::vector<test::Bytes> files;
    for (int z = 0; z < 2; ++z) {
        test::Image image = test::image_at(z, 300, 300);
        image.slope = z == 0 ? "1" : "2";
        files.push_back(test::image_file(image, Cells(90'000, 10)));
    }
    const LoadRequest request = request_of(test::sources_of(files), {.window = span_of(0, 40)});
    const Floats values = test::floats_of(test::load(request).buffer);
    CHECK(values[0] == 0.25F);
    CHECK(values[179'999] == 0.5F);
}

TEST_CASE("values in large memory are the same, written past the caches") {
    const Cells cells = noise(std::size_t{700} * 700, 65'535);
    std::vector<test::Bytes> files;
    for (int z = 0; z < 12; ++z) {
        files.push_back(test::image_file(test::image_at(z, 700, 700), cells));
    }
    const FinishOptions finish{.window = span_of(100, 60'000), .mean = {0.5}, .std = {0.25}};
    const LoadRequest request = request_of(test::sources_of(files), finish);
    test::Bytes slice;
    for (const std::uint32_t cell : cells) {
        test::append(slice, static_cast<float>(finished(cell, 1, 0, finish)));
    }
    for (int again = 0; again < 3; ++again) { // memory that was touched before
        const test::Bytes values = bytes_of(test::load(request).buffer);
        REQUIRE(values.size() == files.size() * slice.size());
        for (std::size_t at = 0; at < values.size(); at += slice.size()) {
            CHECK(std::memcmp(&values[at], slice.data(), slice.size()) == 0);
        }
    }
}

TEST_CASE("gray is repeated, each channel with its own mean and std") {
    const FinishOptions finish{
        .window = span_of(0, 4), .mean = {0, 0.5, 1}, .std = {1, 0.5, 0.25}, .repeats_gray = true};
    const Cells cells{0, 1, 2, 4};
    const Floats expected{0, 0.25, 0.5, 1, -1, -0.5, 0, 1, -4, -3, -2, 0};
    const LoadedSeries one =
        test::load(request_of({test::memory(image_file(test::image_at(0, 2, 2), cells))}, finish));
    CHECK(one.plan.shape() == std::vector<std::size_t>{3, 1, 2, 2});
    CHECK(test::floats_of(one.buffer) == expected);
    // Channel by channel in a volume, frame by frame in a cine.
    std::vector<test::Bytes> files;
    for (const std::uint32_t cell : {0U, 4U}) {
        files.push_back(test::image_file(test::image_at(static_cast<int>(cell), 1, 1), {cell}));
    }
    const FinishOptions repeated{.repeats_gray = true};
    const LoadedSeries volume = test::load(request_of(test::sources_of(files), repeated));
    CHECK(volume.plan.shape() == std::vector<std::size_t>{3, 2, 1, 1});
    CHECK(test::floats_of(volume.buffer) == Floats{0, 4, 0, 4, 0, 4});
    LoadStats stats;
    const test::Bytes frames =
        test::image_file({.rows = 1, .columns = 1, .frames = "2", .intercept = "0"}, {7, 8});
    const DecodedFrames decoded =
        decode_frames(request_of({test::memory(frames)}, repeated), {}, stats);
    CHECK(decoded.plan.shape() == std::vector<std::size_t>{2, 3, 1, 1});
    CHECK(test::floats_of(decoded.buffer) == Floats{7, 7, 7, 8, 8, 8});
}

TEST_CASE("colours have a mean and std each, and stay three channels") {
    const test::Bytes file = rgb_file(1, 2, {0, 51, 102, 255, 204, 0});
    const LoadRequest request = request_of(
        {test::memory(file)},
        {.window = span_of(0, 255), .mean = {0, 0.2, 1}, .std = {1, 0.5, 2}, .repeats_gray = true});
    LoadStats stats;
    const DecodedFrames decoded = decode_frames(request, {}, stats);
    CHECK(decoded.plan.shape() == std::vector<std::size_t>{1, 3, 1, 2});
    const Floats values = test::floats_of(decoded.buffer);
    const Floats expected{0, 1, 0, 1.2F, -0.3F, -0.5F};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(values[i] == doctest::Approx(expected[i]));
    }
    CHECK(loaded(file, {}) == Floats{0, 255, 51, 204, 102, 0});
}

TEST_CASE("a resize comes behind the rescale, and before the window") {
    test::Image image = test::image_at(0, 2, 4);
    image.slope = "2";
    image.intercept = "-10";
    const test::Bytes file = test::image_file(image, {0, 7, 14, 21, 0, 7, 14, 21});
    CHECK(loaded(file, {.size = Extent{1, 2}})[0] == doctest::Approx(0));
    CHECK(loaded(file, {.size = Extent{1, 2}})[1] == doctest::Approx(22));
    // The mean of 0 and 1 that a window of single pixels would give is not what comes out.
    const test::Bytes edge = test::image_file(test::image_at(0, 1, 2), {0, 100});
    CHECK(loaded(edge, {.size = Extent{1, 1}, .window = span_of(0, 50)}) == Floats{1});
    CHECK(loaded(edge, {.size = Extent{1, 1}, .clip = ClipRange{0, 40}}) == Floats{40});
    CHECK(loaded(edge, {.size = Extent{2, 4}}) == Floats{0, 25, 75, 100, 0, 25, 75, 100});
    CHECK(loaded(edge, {.size = Extent{1, 2}}) == Floats{0, 100});
}

TEST_CASE("colours are resized one by one, codecs and native pixels alike") {
    const Cells samples{0, 10, 20, 8, 30, 60};
    const Floats expected{0, 2, 6, 8, 10, 15, 25, 30, 20, 30, 50, 60};
    const test::Bytes file = rgb_file(1, 2, samples);
    CHECK(loaded(file, {.size = Extent{1, 4}}) == expected);
    LoadStats stats;
    test::Bytes frame;
    for (const std::uint32_t sample : samples) {
        frame.push_back(static_cast<std::byte>(sample));
    }
    const test::Image image{.rows = 1,
                            .columns = 2,
                            .bits = 8,
                            .intercept = "",
                            .slope = "",
                            .transfer_syntax = "1.2.840.10008.1.2.1.98"};
    test::DataSetWriter writer = test::image_start(image);
    writer.us(tags::SamplesPerPixel, 3).us(tags::PlanarConfiguration, 0);
    writer.text(tags::PhotometricInterpretation, "CS", "RGB");
    writer.sequence(tags::PixelData, "OB").item(ByteSpan{}).item(frame).end_sequence();
    const LoadRequest request = request_of({test::memory(writer.bytes())}, {.size = Extent{1, 4}});
    CHECK(test::floats_of(decode_frames(request, {}, stats).buffer) == expected);
}

TEST_CASE("a resize acts on what region and reduce leave, and the grid follows") {
    const test::Bytes file = test::image_file(test::image_at(5, 8, 8), test::counted(64));
    LoadRequest request = request_of({test::memory(file)}, {.size = Extent{1, 4}});
    request.region = Region{.y0 = 2, .y1 = 6, .x0 = 4, .x1 = 8};
    request.reduce = 1;
    const LoadedSeries result = test::load(request);
    // Means of blocks: 24.5 26.5, 40.5 42.5; then rows are halved and columns doubled.
    CHECK(test::floats_of(result.buffer) == Floats{32.5, 33, 34, 34.5});
    const auto& [z, y, x, origin] = *result.grid.affine;
    // 0.5 mm pixels: the region starts at (2, 1) mm, its blocks at a quarter more, 1 mm wide.
    CHECK(y == Vector3{0, 2, 0});
    CHECK(x == Vector3{0.5, 0, 0});
    CHECK(origin == Vector3{2.25 - 0.25, 1.25 + 0.5, 5});
    CHECK(result.grid.spacing_mm[1] == 2);
    CHECK(result.grid.spacing_mm[2] == 0.5);
}

TEST_CASE("spacing without an affine follows a resize") {
    Grid grid{.spacing_mm = {1, 0.25, 0.5}};
    grid = resize_grid(grid, {.rows = 6, .columns = 2}, {.rows = 3, .columns = 8});
    CHECK(grid.spacing_mm == Vector3{1, 0.5, 0.125});
}

TEST_CASE("a resized pixel is valid where all are that it is made of") {
    test::Image image = test::image_at(0, 2, 4);
    test::DataSetWriter writer = test::image_start(image);
    writer.us(tags::PixelPaddingValue, 9).head(tags::PixelData, "OW", 16);
    for (const std::uint32_t cell : {1U, 2U, 3U, 9U, 1U, 2U, 3U, 4U}) {
        writer.number(cell, 2);
    }
    const test::Bytes file = writer.bytes();
    const auto mask = [&file](Extent size, std::uint32_t reduce) {
        LoadRequest request = request_of({test::memory(file)}, {.size = size});
        request.mask = true;
        request.reduce = reduce;
        return test::mask_of(test::load(request));
    };
    CHECK(mask({2, 2}, 0) == std::vector<int>{1, 0, 1, 1});
    CHECK(mask({1, 2}, 0) == std::vector<int>{1, 0});
    CHECK(mask({2, 4}, 0) == std::vector<int>{1, 1, 1, 0, 1, 1, 1, 1});
    CHECK(mask({2, 4}, 1) == std::vector<int>{1, 0, 0, 0, 1, 0, 0, 0}); // of blocks 1 and 0
}

TEST_CASE("units are gone behind a window or a mean, and else they stay") {
    test::Image image = test::image_at(0, 1, 1);
    const test::Bytes file = test::image_file(image, {1});
    const auto units = [&file](const FinishOptions& finish) {
        return test::load(request_of({test::memory(file)}, finish)).units;
    };
    CHECK(units({.clip = ClipRange{0, 1}}) == "HU");
    CHECK(units({.size = Extent{2, 2}}) == "HU");
    CHECK(units({.window = span_of(0, 1)}).empty());
    CHECK(units({.mean = {0}, .std = {1}}).empty());
}

TEST_CASE("results are float32 unless another floating point is asked for") {
    const test::Bytes file = rgb_file(1, 1, {1, 2, 3});
    LoadRequest request = request_of({test::memory(file)}, {.clip = ClipRange{0, 9}});
    LoadStats stats;
    CHECK(decode_frames(request, {}, stats).plan.dtype == DType::float32);
    request.output.output = Output::stored;
    CHECK(decode_frames(request, {}, stats).plan.dtype == DType::float32);
    request.output.dtype = DType::int32;
    CHECK(is_refused(request));
}

TEST_CASE("options that do not fit the images are refused") {
    const test::Bytes file = test::image_file(test::image_at(0, 1, 1), {1});
    const auto refused = [&file](const FinishOptions& finish) {
        return is_refused(request_of({test::memory(file)}, finish));
    };
    CHECK(refused({.mean = {1, 2, 3}, .std = {1, 2, 3}}));
    CHECK_FALSE(refused({.mean = {1, 2, 3}, .std = {1, 2, 3}, .repeats_gray = true}));
    CHECK(refused({.mean = {1}}));
    CHECK(refused({.size = Extent{0, 3}}));
    LoadRequest request = request_of({test::memory(file)}, {.takes_file_window = true});
    request.output.output = Output::stored;
    CHECK(is_refused(request));
}

TEST_CASE("memory of the caller has the shape that a finish gives") {
    const test::Bytes file = test::image_file(test::image_at(0, 1, 2), {0, 8});
    Floats memory(12, -1);
    LoadRequest request =
        request_of({test::memory(file)}, {.size = Extent{1, 4}, .repeats_gray = true});
    request.out = CallerBuffer{.bytes = std::as_writable_bytes(std::span{memory}),
                               .dtype = DType::float32,
                               .shape = {3, 1, 1, 4}};
    static_cast<void>(test::load(request));
    CHECK(memory == Floats{0, 2, 6, 8, 0, 2, 6, 8, 0, 2, 6, 8});
    request.out->shape = {1, 1, 4};
    CHECK(is_refused(request));
}
