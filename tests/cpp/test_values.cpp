// header/values: the grammar of numbers in text (PS3.5 6.2).
#include "header/values.hpp"
#include "stream_writer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <string>
#include <vector>

using namespace torchdicom;
using test::code_of;

TEST_CASE("a DS is read by one grammar, and nothing else is a number") {
    struct Row {
        std::string text;
        double value;
    };
    const std::vector<Row> good{{"0", 0.0},
                                {" 1.5 ", 1.5},
                                {"+1.5", 1.5},
                                {"-1.5", -1.5},
                                {".5", 0.5},
                                {"-.5", -0.5},
                                {"5.", 5.0},
                                {"5.e1", 50.0},
                                {"1e3", 1000.0},
                                {"1E-3", 0.001},
                                {"1e+3", 1000.0},
                                {"0.1", 0.1},
                                {"007", 7.0},
                                {"0e999", 0.0},
                                {"5e-324", 5e-324},
                                {"1.7976931348623157e308", 1.7976931348623157e308},
                                {std::string("2\0", 2), 2.0}};
    for (const Row& row : good) {
        CAPTURE(row.text);
        CHECK(parse_decimal(row.text, {}) == row.value);
    }
    for (const std::string text :
         {"",    " ",     "+",      "-",        ".",    "+.",    "e5",    "1e",
          "1e+", "1,5",   "1_0",    "1 5",      "+-1",  "-+1",   "--1",   "++1",
          "nan", "inf",   "-inf",   "INFINITY", "0x10", "1.5.2", "1.5mm", "1\t",
          "\n1", "1e400", "-1e400", "1e-400",   "1\\2", "1f",    "1d5"}) {
        CAPTURE(text);
        CHECK(code_of([&] { static_cast<void>(parse_decimal(text, {})); }) ==
              ErrorCode::invalid_decimal_string);
    }
}

TEST_CASE("a list of DS has any number of them, and its values are asked for in their order") {
    using Values = std::vector<double>;
    CHECK(parse_decimal_list("", {}).empty());
    CHECK(parse_decimal_list(" \0", {}).empty());
    CHECK(parse_decimal_list("1", {}) == Values{1});
    CHECK(parse_decimal_list("1\\ 2 \\-.5", {}) == Values{1, 2, -0.5});
    for (const std::string text : {"\\", "1\\", "\\1", "1\\x", "1 2"}) {
        CAPTURE(text);
        CHECK(code_of([&] { static_cast<void>(parse_decimal_list(text, {})); }) ==
              ErrorCode::invalid_decimal_string);
    }
    std::vector<std::string> asked;
    const auto is_c = [&asked](std::string_view value) {
        asked.emplace_back(value);
        return value == "c";
    };
    CHECK(any_value("a\\\\c\\d", is_c));
    CHECK(asked == std::vector<std::string>{"a", "", "c"});
    CHECK(!any_value("", is_c));
    CHECK(!any_value("ab", is_c));
}

TEST_CASE("an IS has 32 bits, a sign at most and digits") {
    CHECK(parse_integer(" +7 ", {}) == 7);
    CHECK(parse_integer("-007", {}) == -7);
    CHECK(parse_integer("2147483647", {}) == 2'147'483'647);
    CHECK(parse_integer("-2147483648", {}) == std::numeric_limits<std::int32_t>::min());
    for (const std::string text : {"", "+", "-", "2147483648", "-2147483649", "1.0", "1e3", "+-1",
                                   "-+1", "++1", "1 2", "0x1", "1\\2", "99999999999999999999"}) {
        CAPTURE(text);
        CHECK(code_of([&] { static_cast<void>(parse_integer(text, {})); }) ==
              ErrorCode::invalid_integer_string);
    }
}

TEST_CASE("several values need their number, and an empty text is no value") {
    const auto code_of_three = [](std::string_view text) {
        return code_of([&] { static_cast<void>(parse_decimals<3>(text, {})); });
    };
    CHECK(parse_decimals<3>("1\\ -2.5 \\+3", {}) == std::array{1.0, -2.5, 3.0});
    CHECK(!parse_decimals<3>("  ", {}));
    CHECK(code_of_three("1\\2") == ErrorCode::invalid_multiplicity);
    CHECK(code_of_three("1\\2\\3\\4") == ErrorCode::invalid_multiplicity);
    CHECK(code_of_three("1\\\\3") == ErrorCode::invalid_decimal_string);
    CHECK(!parse_one_integer("", {}));
    CHECK(code_of([] { static_cast<void>(parse_one_integer("1\\2", {})); }) ==
          ErrorCode::invalid_multiplicity);
    CHECK(code_of([] { static_cast<void>(parse_one_decimal("1\\2", {})); }) ==
          ErrorCode::invalid_multiplicity);
}
