// header/times, series/times: what dates and times say, and which attribute tells slices at one
// position apart.
#include "header/times.hpp"
#include "series/times.hpp"
#include "series_builder.hpp"

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

using namespace torchdicom;
using test::Headers;
using test::judged;
using test::paths_of;
using test::slice_at;
using test::verdict_of;

namespace {

using Paths = std::vector<std::string>;
using Numbers = std::vector<double>;
using Set = std::function<void(FileHeader&, std::size_t time, std::size_t slice)>;

/// Slices at z = 0 and 3, named "a" at the first, "b" at the second, "c" again at the first ...
Headers repeated(std::size_t times, const Set& set) {
    Headers headers;
    for (std::size_t time = 0; time < times; ++time) {
        for (std::size_t slice = 0; slice < 2; ++slice) {
            FileHeader header = slice_at(slice == 0 ? 0 : 3);
            header.path = std::string(1, static_cast<char>('a' + headers.size()));
            header.sop_instance_uid = header.path;
            header.instance_number = static_cast<std::int32_t>(headers.size());
            set(header, time, slice);
            headers.push_back(header);
        }
    }
    return headers;
}

/// The last time has the least value, so that it comes first.
double falling(std::size_t time) { return 10 - static_cast<double>(time); }

/// "name: values", an attribute a line.
std::string coordinates_of(const Series& series) {
    std::string text;
    for (const auto& [name, width, values] : coordinates_over_time(series)) {
        text.append(text.empty() ? "" : "\n").append(name).append(":");
        for (const double value : values) {
            std::array<char, 32> number{};
            std::snprintf(number.data(), number.size(), " %.10g", value);
            text.append(number.data());
        }
    }
    return text;
}

} // namespace

TEST_CASE("a day is the number of days since 1970") {
    CHECK(parse_day("19700101") == 0);
    CHECK(parse_day("19691231") == -1);
    CHECK(parse_day("20240310 ") == 19'792);
    CHECK(parse_day("2024.03.10") == 19'792);
    CHECK(parse_day("20240229") == 19'782);
    for (const char* text : {"", "2024031", "202403100", "20230229", "20241301", "20240100",
                             "00000101", "2024-03-10", "2024.0310", "202403.10", "+2024031"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_day(text));
    }
}

TEST_CASE("a time of day is seconds since midnight") {
    CHECK(parse_time_of_day("00") == 0);
    CHECK(parse_time_of_day("1030") == 37'800);
    CHECK(parse_time_of_day("235960") == 86'400); // a leap second
    CHECK(parse_time_of_day("103015.5 ") == 37'815.5);
    CHECK(parse_time_of_day("103015.000001") == 37'815.000001);
    CHECK(parse_time_of_day("10:30") == 37'800);
    CHECK(parse_time_of_day("10:30:15.25") == 37'815.25);
    for (const char* text : {"", "1", "103", "10301", "24", "1060", "103061", "103015.", "1030.5",
                             "103015.1234567", "103015.x", "103015,5", "10 30", "-1030"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_time_of_day(text));
    }
}

TEST_CASE("a moment has a day and a time, or says nothing") {
    const auto check = [](const char* text, double time) {
        CAPTURE(text);
        CHECK(parse_moment(text).day == 19'792);
        CHECK(parse_moment(text).time == time);
    };
    check("2024031012", 43'200);
    check("20240310120030.5", 43'230.5);
    check("20240310120030.5+0100", 43'230.5);
    check("2024031012-0500 ", 43'200);
    for (const char* text : {"", "2024", "20240310", "20240310+0100", "2024023012", "2024031025",
                             "2024.03.1012", "20240310120030+01", "20240310120030+01x0"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_moment(text).day);
        CHECK_FALSE(parse_moment(text).time);
    }
}

TEST_CASE("each attribute tells times, and orders them") {
    const std::vector<std::pair<std::string, std::optional<double> SliceTimes::*>> attributes{
        {"TemporalPositionIdentifier: 9 10", &SliceTimes::temporal_position},
        {"TriggerTime: 9 10", &SliceTimes::trigger_time},
        {"NominalPercentageOfCardiacPhase: 9 10", &SliceTimes::cardiac_phase},
        {"DiffusionBValue: 9 10", &SliceTimes::diffusion_b_value},
        {"FrameReferenceTime: 9 10", &SliceTimes::frame_reference_time},
        {"AcquisitionNumber: 9 10", &SliceTimes::acquisition_number},
        {"AcquisitionTime: 9 10", &SliceTimes::acquisition_time}};
    for (const auto& row : attributes) {
        const auto attribute = row.second;
        const Series series =
            judged(repeated(2, [=](FileHeader& header, std::size_t t, std::size_t) {
                header.times.*attribute = falling(t);
            }));
        CHECK(series.times == 2);
        CHECK(paths_of(series) == Paths{"c", "d", "a", "b"});
        CHECK(verdict_of(series).empty());
        CHECK(coordinates_of(series) == row.first);
    }
}

TEST_CASE("gradients of one b-value are times, and a missing one is zero") {
    const Series series = judged(repeated(3, [](FileHeader& header, std::size_t t, std::size_t) {
        header.times.diffusion_b_value = t == 2 ? 0 : 1000;
        if (t < 2) {
            header.times.diffusion_gradient = {0, t == 0 ? 1.0 : 0.0, t == 0 ? 0.0 : 1.0};
        }
    }));
    CHECK(paths_of(series) == Paths{"e", "f", "c", "d", "a", "b"});
    CHECK(coordinates_of(series) ==
          "DiffusionBValue: 0 1000 1000\nDiffusionGradientOrientation: 0 0 0 0 0 1 0 1 0");
}

TEST_CASE("the first attribute that serves is the axis; of a time the earliest counts") {
    const Series series = judged(repeated(2, [](FileHeader& header, std::size_t t, std::size_t z) {
        header.times.temporal_position = 5;
        header.times.trigger_time = 100 * falling(t) + static_cast<double>(z);
        header.times.frame_reference_time = falling(t);
        header.times.acquisition_number = falling(t) + static_cast<double>(z);
    }));
    CHECK(series.times == 2);
    CHECK(paths_of(series) == Paths{"c", "d", "a", "b"});
    CHECK(coordinates_of(series) == "TriggerTime: 900 1000\nFrameReferenceTime: 9 10");
}

TEST_CASE("equal values are told apart by InstanceNumber") {
    const auto pairs = [](std::int32_t first, std::int32_t second) {
        return repeated(3, [=](FileHeader& header, std::size_t t, std::size_t) {
            header.times.temporal_position = t == 2 ? 1 : 2;
            header.instance_number = t == 0 ? first : second;
        });
    };
    CHECK(paths_of(judged(pairs(8, 7))) == Paths{"e", "f", "c", "d", "a", "b"});
    const Series twice = judged(pairs(7, 7));
    CHECK(twice.times == 1);
    CHECK(twice.defects.front().code == ErrorCode::duplicate_positions);
    Headers frames = pairs(7, 7);
    for (std::size_t i = 0; i < frames.size(); ++i) { // all of one file
        frames[i].path = "a";
        frames[i].sop_instance_uid = "a";
        frames[i].part = {.is_frame = true, .first = static_cast<std::int64_t>(i)};
        frames[i].number_of_frames_given = 6;
    }
    CHECK(judged(frames).times == 3);
}

TEST_CASE("times across midnight go on after it where no slice has a date") {
    const auto night = [](bool has_days) {
        return judged(repeated(3, [=](FileHeader& header, std::size_t t, std::size_t) {
            header.times.acquisition_time = std::array{86'390.0, 5.0, 20.0}.at(t);
            if (has_days) {
                header.times.acquisition_day = t == 0 ? 19'792 : 19'793;
            }
        }));
    };
    for (const bool has_days : {false, true}) {
        CAPTURE(has_days);
        CHECK(paths_of(night(has_days)) == Paths{"a", "b", "c", "d", "e", "f"});
        CHECK(coordinates_of(night(has_days)) == "AcquisitionTime: 86390 86405 86420");
    }
    const Series day = judged(repeated(2, [](FileHeader& header, std::size_t t, std::size_t) {
        header.times.acquisition_time = t == 0 ? 43'200 : 0; // no more than half a day
    }));
    CHECK(coordinates_of(day) == "AcquisitionTime: 0 43200");
}

TEST_CASE("repeats that are incomplete, or differ between positions, are no times") {
    Headers headers = repeated(2, [](FileHeader& header, std::size_t t, std::size_t) {
        header.times.temporal_position = falling(t);
    });
    headers.pop_back();
    const Series incomplete = judged(headers);
    CHECK(incomplete.times == 1);
    CHECK(verdict_of(incomplete).find("least 1, most 2") != std::string::npos);
    CHECK(coordinates_of(incomplete).empty());
    const Series uneven = judged(repeated(2, [](FileHeader& header, std::size_t t, std::size_t z) {
        header.times.temporal_position = static_cast<double>(2 * t + z);
    }));
    CHECK(uneven.times == 1);
    const Series constant = judged(repeated(
        2, [](FileHeader& header, std::size_t, std::size_t) { header.times.trigger_time = 7; }));
    CHECK(constant.times == 1);
    const Series partial = judged(repeated(2, [](FileHeader& header, std::size_t t, std::size_t z) {
        if (z == 0) {
            header.times.trigger_time = falling(t);
        }
    }));
    CHECK(partial.times == 1);
}

TEST_CASE("slice times are those of the first time, where all slices have one") {
    const auto timed = [](std::size_t without) {
        return judged(repeated(2, [=](FileHeader& header, std::size_t t, std::size_t z) {
            header.times.temporal_position = falling(t);
            if (z < without) {
                header.times.slice_time = 100 * static_cast<double>(t) + static_cast<double>(z);
            }
        }));
    };
    const std::vector<Coordinate> found = coordinates_over_slices(timed(2));
    REQUIRE(found.size() == 1);
    CHECK(found[0].name == "MosaicRefAcqTimes");
    CHECK(found[0].values == Numbers{100, 101});
    CHECK(coordinates_over_slices(timed(1)).empty());
}

TEST_CASE("files of an object that was cut into several are missed") {
    const auto cut = [](std::vector<std::pair<std::string, double>> objects) {
        Headers headers;
        for (const auto& [uid, total] : objects) {
            FileHeader header = slice_at(3 * static_cast<double>(headers.size()));
            header.concatenation = {.uid = uid, .total = total};
            headers.push_back(header);
        }
        return verdict_of(judged(headers));
    };
    constexpr const char* kTotal = " (0020,9163) InConcatenationTotalNumber";
    CHECK(cut({{"1.9", 3}, {"1.9", 3}, {"1.9", 3}}).empty());
    CHECK(cut({{"1.9", 2}, {"1.9", 5}}) ==
          std::string{"missing_slices z0 {missing 3} @z0"} + kTotal);
    CHECK(cut({{"1.9", 1}, {"1.8", 3}, {"1.7", 2}}) ==
          std::string{"missing_slices z6 {missing 3} @z6"} + kTotal);
    CHECK(cut({{"", 9}, {"", 9}}).empty());
}
