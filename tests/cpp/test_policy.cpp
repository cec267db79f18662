// series/policy: which defect stops a load, which is a warning, and what cannot be asked for.
#include "series/policy.hpp"
#include "series_builder.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

using namespace torchdicom;

namespace {

struct Row {
    ErrorCode code;
    std::vector<std::string> possible; ///< the default first
};

const std::vector<Row> kTable{
    {ErrorCode::missing_slices, {"raise", "warn", "allow", "fill"}},
    {ErrorCode::uneven_spacing, {"raise", "warn", "allow", "resample"}},
    {ErrorCode::duplicate_files, {"drop", "raise"}},
    {ErrorCode::duplicate_positions, {"raise", "drop"}},
    {ErrorCode::gantry_tilt, {"allow", "warn", "raise", "resample"}},
    {ErrorCode::localizer, {"drop", "raise"}},
    {ErrorCode::mixed_orientation, {"split", "raise"}},
    {ErrorCode::mixed_size, {"split", "raise"}},
    {ErrorCode::mixed_pixel_format, {"split", "raise"}},
    {ErrorCode::no_position, {"warn", "allow", "raise"}},
    {ErrorCode::assumed_spacing, {"allow", "warn", "raise"}},
    {ErrorCode::unreadable_file, {"raise", "drop"}},
    {ErrorCode::truncated_pixels, {"raise", "drop"}},
    {ErrorCode::frame_count_mismatch, {"raise", "drop"}},
    {ErrorCode::codestream_mismatch, {"raise", "drop"}},
};

const std::vector<std::string> kActions{"raise", "warn",     "allow", "drop",
                                        "split", "resample", "fill",  ""};

std::string invalid_argument_of(const std::string& code, const std::string& action) {
    Policy policy;
    try {
        policy.set(code, action);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

Series series_with(std::vector<Defect> defects) {
    Series series;
    series.defects = std::move(defects);
    return series;
}

Defect defect_of(ErrorCode code, bool is_refusal = false) {
    return {.code = code,
            .message = "text of " + std::string{code_name(code)},
            .place = {.path = "p", .element = "e"},
            .is_refusal = is_refusal};
}

} // namespace

TEST_CASE("each code has a default, and takes the actions of its row alone") {
    CHECK(std::tuple_size_v<decltype(Policy::actions)> == kTable.size());
    for (const Row& row : kTable) {
        const std::string code{code_name(row.code)};
        CAPTURE(code);
        CHECK(name_of(Policy{}.of(row.code)) == row.possible[0]);
        for (const std::string& action : kActions) {
            CAPTURE(action);
            Policy policy;
            if (std::ranges::count(row.possible, action) == 1) {
                policy.set(code, action);
                CHECK(name_of(policy.of(row.code)) == action);
            } else {
                const std::string message = invalid_argument_of(code, action);
                CHECK(message.starts_with(code + "='" + action + "' is not "));
                CHECK(message.ends_with("'" + row.possible.back() + "'"));
                CHECK(name_of(policy.of(row.code)) == row.possible[0]);
            }
        }
    }
}

TEST_CASE("the message of an action that is not possible says what is") {
    CHECK(invalid_argument_of("duplicate_files", "warn") ==
          "duplicate_files='warn' is not possible; possible are 'drop', 'raise'");
    CHECK(invalid_argument_of("missing_slices", "resample") ==
          "missing_slices='resample' is not possible; possible are 'raise', 'warn', 'allow', "
          "'fill'");
    CHECK(invalid_argument_of("not_dicom", "raise") ==
          "'not_dicom' is no defect that a policy names");
    CHECK(invalid_argument_of("", "raise") == "'' is no defect that a policy names");
}

TEST_CASE("codes are set one by one, and those without an action are let pass") {
    Policy policy;
    policy.set("missing_slices", "allow");
    policy.set("codestream_mismatch", "drop");
    CHECK(policy.of(ErrorCode::missing_slices) == Action::allow);
    CHECK(policy.of(ErrorCode::codestream_mismatch) == Action::drop);
    CHECK(policy.of(ErrorCode::uneven_spacing) == Action::raise);
    CHECK(policy.of(ErrorCode::not_dicom) == Action::allow);
}

TEST_CASE("tolerances have a range each") {
    Policy policy;
    policy.set_tolerance("spacing_tolerance", 0.49);
    policy.set_tolerance("position_tolerance_mm", 0);
    CHECK(policy.tolerances.spacing == 0.49);
    CHECK(policy.tolerances.position_mm == 0);
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    for (const double wrong : {0.0, 0.5, -0.1, kNaN, kInfinity}) {
        CHECK_THROWS_AS(policy.set_tolerance("spacing_tolerance", wrong), std::invalid_argument);
    }
    for (const double wrong : {-0.1, kNaN, kInfinity}) {
        CHECK_THROWS_AS(policy.set_tolerance("position_tolerance_mm", wrong),
                        std::invalid_argument);
    }
    CHECK_THROWS_AS(policy.set_tolerance("fill_value", 1), std::invalid_argument);
    CHECK(policy.tolerances.spacing == 0.49);
}

TEST_CASE("a fill value is finite") {
    Policy policy;
    CHECK(!policy.fill_value);
    policy.set_fill_value(-2000.5);
    CHECK(policy.fill_value == -2000.5);
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    for (const double wrong : {std::numeric_limits<double>::quiet_NaN(), kInfinity, -kInfinity}) {
        CHECK_THROWS_AS(policy.set_fill_value(wrong), std::invalid_argument);
    }
    CHECK(policy.fill_value == -2000.5);
}

TEST_CASE("the first defect that the policy raises is thrown, with its place") {
    const Series series =
        series_with({defect_of(ErrorCode::gantry_tilt), defect_of(ErrorCode::no_position),
                     defect_of(ErrorCode::missing_slices), defect_of(ErrorCode::uneven_spacing)});
    Policy policy;
    try {
        static_cast<void>(apply_policy(series, policy));
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.code() == ErrorCode::missing_slices);
        CHECK(error.message() == "text of missing_slices");
        CHECK(error.place().path == "p");
        CHECK(error.place().element == "e");
        CHECK(kind_of(error.code()) == ErrorKind::series);
    }
    policy.set("missing_slices", "warn");
    policy.set("uneven_spacing", "allow");
    CHECK(apply_policy(series, policy) ==
          std::vector<std::string>{"text of no_position", "text of missing_slices"});
    policy.set("gantry_tilt", "raise");
    CHECK(test::code_of([&] { static_cast<void>(apply_policy(series, policy)); }) ==
          ErrorCode::gantry_tilt);
}

TEST_CASE("a refusal is thrown whatever the policy says") {
    const Series series = series_with(
        {defect_of(ErrorCode::duplicate_files), defect_of(ErrorCode::unsupported_mosaic, true)});
    CHECK(test::code_of([&] { static_cast<void>(apply_policy(series, {})); }) ==
          ErrorCode::unsupported_mosaic);
    const Series twice = series_with({defect_of(ErrorCode::duplicate_files, true)});
    CHECK(test::code_of([&] { static_cast<void>(apply_policy(twice, {})); }) ==
          ErrorCode::duplicate_files);
}

TEST_CASE("a series is ok where the default policy raises nothing") {
    CHECK(is_ok({}));
    for (const Row& row : kTable) {
        CAPTURE(code_name(row.code));
        CHECK(is_ok(series_with({defect_of(row.code)})) == (row.possible[0] != "raise"));
        CHECK(!is_ok(series_with({defect_of(row.code, true)})));
    }
    CHECK(!is_ok(
        series_with({defect_of(ErrorCode::gantry_tilt), defect_of(ErrorCode::missing_slices)})));
}

TEST_CASE("a file that is left out keeps its error as a defect") {
    const auto defect = [](ErrorCode code) {
        return left_out(Error{code, "what", {.path = "a", .element = "e", .offset = 7}});
    };
    CHECK(test::text_of(defect(ErrorCode::invalid_vr)) == "unreadable_file a @a e");
    CHECK(test::text_of(defect(ErrorCode::limit_rows)) == "unreadable_file a @a e");
    CHECK(test::text_of(defect(ErrorCode::truncated_pixels)) == "truncated_pixels a @a e");
    CHECK(test::text_of(defect(ErrorCode::frame_count_mismatch)) == "frame_count_mismatch a @a e");
    CHECK(test::text_of(defect(ErrorCode::codestream_mismatch)) == "codestream_mismatch a @a e");
    CHECK(defect(ErrorCode::invalid_vr).message == "what");
    CHECK(defect(ErrorCode::invalid_vr).place.offset == 7);
}
