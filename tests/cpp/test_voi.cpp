// rescale/voi and plan/finish: windows and VOI lookup tables (PS3.3 C.11.2), from literals and from
// files.
#include "data_set_writer.hpp"
#include "pipeline/load.hpp"
#include "rescale/voi.hpp"
#include "small_series.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace torchdicom;
using test::code_of;
using test::DataSetWriter;
using test::Floats;

namespace {

using Values = std::vector<double>;
using Way = ValueWindow::Way;

Values windowed(const ValueWindow& window, Values values) {
    apply_window(window, values);
    return values;
}

/// What a file says about the display of its pixels.
struct Display {
    std::string center{};
    std::string width{};
    std::string function{};
    std::string photometric = "MONOCHROME2";
    std::string slope = "1";
    std::string intercept = "0";
};

void put_text(DataSetWriter& writer, Tag tag, std::string_view vr, const std::string& text) {
    if (!text.empty()) {
        writer.text(tag, vr, text);
    }
}

/// One row of 16-bit pixels, with room for more elements before them.
DataSetWriter start_of(const Display& display, std::size_t columns, int z = 0) {
    test::Image image = test::image_at(z, 1, static_cast<std::uint32_t>(columns));
    image.slope = display.slope;
    image.intercept = display.intercept;
    DataSetWriter writer = test::image_start(image);
    writer.text(tags::PhotometricInterpretation, "CS", display.photometric);
    put_text(writer, tags::WindowCenter, "DS", display.center);
    put_text(writer, tags::WindowWidth, "DS", display.width);
    put_text(writer, tags::VOILUTFunction, "CS", display.function);
    return writer;
}

test::Bytes finish_file(DataSetWriter& writer, const std::vector<std::uint32_t>& cells) {
    writer.head(tags::PixelData, "OW", static_cast<std::uint32_t>(2 * cells.size()));
    for (const std::uint32_t cell : cells) {
        writer.number(cell, 2);
    }
    return writer.bytes();
}

test::Bytes file_of(const Display& display, const std::vector<std::uint32_t>& cells, int z = 0) {
    DataSetWriter writer = start_of(display, cells.size(), z);
    return finish_file(writer, cells);
}

struct Lut {
    std::vector<std::uint32_t> descriptor;
    std::vector<std::uint32_t> data;
    std::string descriptor_vr = "US";
    std::size_t data_bytes = 2;
};

test::Bytes file_with_lut(const Lut& lut, const std::vector<std::uint32_t>& cells,
                          const Display& display = {}) {
    DataSetWriter writer = start_of(display, cells.size());
    writer.sequence(tags::VOILUTSequence).item();
    writer.head(tags::LUTDescriptor, lut.descriptor_vr,
                static_cast<std::uint32_t>(2 * lut.descriptor.size()));
    for (const std::uint32_t value : lut.descriptor) {
        writer.number(value, 2);
    }
    writer.head(tags::LUTData, "OW", static_cast<std::uint32_t>(lut.data_bytes * lut.data.size()));
    for (const std::uint32_t value : lut.data) {
        writer.number(value, lut.data_bytes);
    }
    writer.end_item().item().end_item().end_sequence();
    return finish_file(writer, cells);
}

const FinishOptions kFile{.takes_file_window = true};

LoadRequest request_of(const std::vector<Source>& sources, const FinishOptions& finish = kFile) {
    LoadRequest request = test::request_for(sources);
    request.output.finish = finish;
    return request;
}

/// What load and decode both give.
Floats shown(const test::Bytes& file, const FinishOptions& finish = kFile) {
    const LoadRequest request = request_of({test::memory(file)}, finish);
    LoadStats stats;
    const Floats decoded = test::floats_of(decode_frames(request, {}, stats).buffer);
    CHECK(test::floats_of(test::load(request).buffer) == decoded);
    return decoded;
}

Error error_of(const test::Bytes& file) {
    try {
        static_cast<void>(test::load(request_of({test::memory(file)})));
    } catch (const Error& error) {
        return error;
    }
    return Error{ErrorCode::internal_error, "nothing was thrown", {}};
}

std::string code_and_element(const test::Bytes& file) {
    const Error error = error_of(file);
    CHECK(error.place().path == "a");
    return std::string{code_name(error.code())} + " " + error.place().element;
}

} // namespace

TEST_CASE("a window that is given maps its span to 0 to 1") {
    const ValueWindow window{.way = Way::span, .low = -160, .width = 400};
    CHECK(windowed(window, {-1000, -160, -60, 40, 240, 1000}) == Values{0, 0, 0.25, 0.5, 1, 1});
    const Values odd = windowed(window, {std::numeric_limits<double>::quiet_NaN(),
                                         std::numeric_limits<double>::infinity(),
                                         -std::numeric_limits<double>::infinity()});
    CHECK(std::isnan(odd[0]));
    CHECK(odd[1] == 1);
    CHECK(odd[2] == 0);
}

TEST_CASE("values are cut to a range, and not scaled") {
    Values values{-5, -1, 0.5, 7, 8};
    apply_clip({-1, 7}, values);
    CHECK(values == Values{-1, -1, 0.5, 7, 7});
}

TEST_CASE("the linear window of a file has its last value one below its width") {
    CHECK(shown(file_of({"2048", "4096"}, {0, 4095, 819, 5000})) == Floats{0, 1, 0.2F, 1});
    // PS3.3 C.11.2.1.2.1: center 0, width 100 is 0 up to -50, 1 above 49.
    const Display display{.center = "0", .width = "100", .function = "LINEAR", .intercept = "-100"};
    CHECK(shown(file_of(display, {49, 50, 149, 150})) == Floats{0, 0, 1, 1});
    CHECK(shown(file_of(display, {83})) == Floats{static_cast<float>((-17 + 0.5) / 99 + 0.5)});
}

TEST_CASE("a window of width 1 is a step") {
    // PS3.3 C.11.2.1.2.1: center 2048, width 1 is 0 up to 2047, 1 above.
    CHECK(shown(file_of({"2048", "1"}, {0, 2047, 2048, 4095})) == Floats{0, 0, 1, 1});
}

TEST_CASE("the other functions of PS3.3 C.11.2.1.3") {
    const Display exact{
        .center = "0", .width = "100", .function = "LINEAR_EXACT", .intercept = "-100"};
    CHECK(shown(file_of(exact, {50, 75, 100, 150, 151})) == Floats{0, 0.25, 0.5, 1, 1});
    const Display sigmoid{.center = "100", .width = "0.5", .function = "SIGMOID", .slope = "0.25"};
    const Floats values = shown(file_of(sigmoid, {400, 402, 398, 0, 4000}));
    CHECK(values[0] == 0.5F);
    CHECK(values[1] == doctest::Approx(0.9820137900379085));
    CHECK(values[2] == doctest::Approx(0.0179862099620916));
    CHECK(values[3] == doctest::Approx(0));
    CHECK(values[4] == 1);
}

TEST_CASE("of several windows the first is taken, and nothing else is looked at") {
    CHECK(shown(file_of({"2048\\junk", "4096\\ \\3"}, {4095})) == Floats{1});
}

TEST_CASE("a VOI LUT goes before a window, entries in parts of what their bits hold") {
    // Entries for 10, 11, 12, 13; rounded down, and the ends for what is beyond.
    const Lut lut{.descriptor = {4, 10, 8}, .data = {0, 51, 102, 255}};
    const Display display{.center = "junk", .width = "0", .slope = "0.5"};
    CHECK(shown(file_with_lut(lut, {0, 20, 22, 23, 24, 26, 900}, display)) ==
          Floats{0, 0, 0.2F, 0.2F, 0.4F, 1, 1});
    CHECK(shown(file_with_lut({.descriptor = {2, 0, 16}, .data = {0, 13107}}, {0, 1, 2})) ==
          Floats{0, 0.2F, 0.2F});
    CHECK(shown(file_with_lut({.descriptor = {2, 0, 10}, .data = {0, 1023}}, {0, 1})) ==
          Floats{0, 1});
    CHECK(shown(file_with_lut({.descriptor = {2, 0, 10}, .data = {0, 13107}}, {0, 1})) ==
          Floats{0, 0.2F}); // more than 10 bits hold
    CHECK(shown(file_with_lut({.descriptor = {4, 0, 8}, .data = {0, 51, 102, 255}, .data_bytes = 1},
                              {0, 1, 2, 3})) == Floats{0, 0.2F, 0.4F, 1});
}

TEST_CASE("the first value of a VOI LUT has a sign where the values or its VR have one") {
    const Lut lut{.descriptor = {2, 0xFFFE, 8}, .data = {51, 255}};
    const Display below{.intercept = "-10"};
    CHECK(shown(file_with_lut(lut, {7, 8, 9, 20}, below)) == Floats{0.2F, 0.2F, 1, 1});
    CHECK(shown(file_with_lut(lut, {0, 0xFFFE, 0xFFFF})) == Floats{0.2F, 0.2F, 1});
    Lut with_sign = lut;
    with_sign.descriptor_vr = "SS";
    CHECK(shown(file_with_lut(with_sign, {0})) == Floats{1}); // beyond -2 and -1
}

TEST_CASE("MONOCHROME1 is inverted by windows, and by nothing else") {
    const Display display{.center = "2048", .width = "4096", .photometric = "MONOCHROME1"};
    const test::Bytes file = file_of(display, {0, 819, 4095});
    CHECK(shown(file) == Floats{1, 0.8F, 0});
    const ValueWindow window{.way = Way::span, .low = 0, .width = 8190};
    CHECK(shown(file, {.window = window}) == Floats{1, 0.9F, 0.5F});
    CHECK(shown(file, {.clip = ClipRange{1, 1000}}) == Floats{1, 819, 1000});
}

TEST_CASE("a file without a window says so, and what is wrong with one is said") {
    const std::string center = "(0028,1050) WindowCenter";
    const std::string width = "(0028,1051) WindowWidth";
    CHECK(code_and_element(file_of({}, {1})) == "no_window " + center);
    CHECK(code_and_element(file_of({.width = "9"}, {1})) == "no_window " + center);
    CHECK(code_and_element(file_of({.center = "9"}, {1})) == "no_window " + center);
    CHECK(code_and_element(file_of({"\\40", "400"}, {1})) == "no_window " + center);
    CHECK(code_and_element(file_of({"4o", "400"}, {1})) == "invalid_decimal_string " + center);
    CHECK(code_and_element(file_of({"40", "0.5"}, {1})) == "invalid_value " + width);
    CHECK(code_and_element(file_of({"40", "0", "SIGMOID"}, {1})) == "invalid_value " + width);
    CHECK(code_and_element(file_of({"40", "9", "CUBIC"}, {1})) ==
          "invalid_value (0028,1056) VOILUTFunction");
    CHECK(shown(file_of({"40", "0.5", "LINEAR_EXACT"}, {40})) == Floats{0.5F});
}

TEST_CASE("a VOI LUT that is malformed is an error for its window alone") {
    const test::Bytes file = file_with_lut({.descriptor = {2, 0, 7}, .data = {0, 1}}, {3, 4});
    CHECK(code_and_element(file) == "invalid_value (0028,3002) LUTDescriptor");
    CHECK(code_and_element(file_with_lut({.descriptor = {2, 0}, .data = {0, 1}}, {3})) ==
          "invalid_multiplicity (0028,3002) LUTDescriptor");
    CHECK(code_and_element(file_with_lut({.descriptor = {9, 0, 16}, .data = {0, 1}}, {3})) ==
          "invalid_value (0028,3006) LUTData");
    const LoadRequest request = test::request_for({test::memory(file)});
    CHECK(test::floats_of(test::load(request).buffer) == Floats{3, 4});
    const ValueWindow window{.way = Way::span, .low = 0, .width = 8};
    CHECK(shown(file, {.window = window}) == Floats{0.375, 0.5});
    // A sequence without an item is none.
    DataSetWriter writer = start_of({"2048", "4096"}, 1);
    writer.sequence(tags::VOILUTSequence).end_sequence();
    CHECK(shown(finish_file(writer, {819})) == Floats{0.2F});
}

TEST_CASE("all slices have the window of the middle one, whichever are loaded") {
    std::vector<test::Bytes> files;
    for (int z = 0; z < 4; ++z) {
        const std::string width = z == 2 ? "11" : "";
        files.push_back(file_of({"5.5", width}, {0, 5, 10}, z));
    }
    LoadRequest request = request_of(test::sources_of(files));
    const LoadedSeries whole = test::load(request);
    CHECK(test::floats_of(whole.buffer) == Floats{0, 0.5, 1, 0, 0.5, 1, 0, 0.5, 1, 0, 0.5, 1});
    request.slices = SliceSelection{std::vector<std::int64_t>{0}};
    CHECK(test::floats_of(test::load(request).buffer) == Floats{0, 0.5, 1});
    // Files on a disk: the middle one alone is read again.
    const test::TemporaryFolder folder;
    std::vector<Source> sources;
    for (const test::Bytes& file : files) {
        sources.push_back(
            {.path = folder.write(std::to_string(sources.size()), file), .bytes = {}});
    }
    LoadRequest plain = test::request_for(sources);
    LoadStats stats;
    static_cast<void>(load_series(plain, stats));
    LoadStats with_window;
    CHECK(test::floats_of(load_series(request_of(sources), with_window).buffer) ==
          test::floats_of(whole.buffer));
    CHECK(with_window.opens.load() == stats.opens.load() + 1);
}

TEST_CASE("colours have no window: all that their bits hold is shown") {
    test::Image image{.rows = 1, .columns = 2, .bits = 8, .intercept = "", .slope = ""};
    DataSetWriter writer = test::image_start(image);
    writer.us(tags::SamplesPerPixel, 3).us(tags::PlanarConfiguration, 0);
    writer.text(tags::PhotometricInterpretation, "CS", "RGB");
    writer.text(tags::WindowCenter, "DS", "3");
    writer.head(tags::PixelData, "OB", 6);
    for (const std::uint32_t value : {0U, 51U, 102U, 255U, 204U, 0U}) {
        writer.number(value, 1);
    }
    const LoadRequest request = request_of({test::memory(writer.bytes())});
    LoadStats stats;
    CHECK(test::floats_of(decode_frames(request, {}, stats).buffer) ==
          Floats{0, 1, 0.2F, 0.8F, 0.4F, 0});
}
