// Numbers in text, against strtod and a second reading of the grammar (PS3.5 6.2).
// Covers: header/values.cpp

#include "header/values.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <vector>

using namespace torchdicom;

namespace {

constexpr Element kElement{.tag = tags::RescaleSlope};

/// Takes the digits at the front away; how many they were.
std::size_t take_digits(std::string_view& text) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(end);
    return end;
}

void take_one_of(std::string_view& text, std::string_view characters) {
    const bool is_there = !text.empty() && characters.find(text.front()) != std::string_view::npos;
    text.remove_prefix(is_there ? 1 : 0);
}

bool is_integer_text(std::string_view text) {
    take_one_of(text, "+-");
    return take_digits(text) > 0 && text.empty();
}

bool is_decimal_text(std::string_view text) {
    take_one_of(text, "+-");
    const std::size_t whole = take_digits(text);
    take_one_of(text, ".");
    if (whole + take_digits(text) == 0) {
        return false;
    }
    const std::size_t before = text.size();
    take_one_of(text, "eE");
    return text.size() == before ? text.empty() : is_integer_text(text);
}

void check_decimal(const std::string& text) {
    double value = 0;
    const auto error = fuzz::error_of([&] { value = parse_decimal(text, kElement); });
    const std::string number{trimmed(text)};
    if (!is_decimal_text(number)) {
        fuzz::require(error.has_value(), "what is no decimal string is refused");
        return;
    }
    const double expected = std::strtod(number.c_str(), nullptr);
    const std::string mantissa = number.substr(0, number.find_first_of("eE"));
    const bool is_zero = mantissa.find_first_of("123456789") == std::string::npos;
    const bool has_value = std::isfinite(expected) && (expected != 0 || is_zero);
    fuzz::require(has_value == !error, "a decimal string that a double holds is read");
    fuzz::require(error ||
                      std::bit_cast<std::uint64_t>(value) == std::bit_cast<std::uint64_t>(expected),
                  "a decimal string gives the nearest double");
}

void check_integer(const std::string& text) {
    std::int32_t value = 0;
    const auto error = fuzz::error_of([&] { value = parse_integer(text, kElement); });
    const std::string number{trimmed(text)};
    const bool is_integer = is_integer_text(number);
    const double expected = is_integer ? std::strtod(number.c_str(), nullptr) : 0;
    const bool fits = is_integer && expected >= INT32_MIN && expected <= INT32_MAX;
    fuzz::require(fits == !error, "an integer string of 32 bits is read, and nothing else");
    fuzz::require(error || value == expected, "an integer string gives its number");
}

/// A list is read where each of its values is, and gives the same numbers.
void check_list(const std::string& text) {
    std::vector<double> list;
    const auto error = fuzz::error_of([&] { list = parse_decimal_list(text, kElement); });
    std::vector<double> one_by_one;
    const auto expected = fuzz::error_of([&] {
        for (std::size_t i = 0; !trimmed(text).empty() && i < count_values(text); ++i) {
            one_by_one.push_back(parse_decimal(nth_value(text, i), kElement));
        }
    });
    fuzz::require(error.has_value() == expected.has_value(), "a list is read value by value");
    fuzz::require(error || list == one_by_one, "a list has all values in their order");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text{as_text(std::as_bytes(std::span{data, size}))};
    check_decimal(text);
    check_integer(text);
    check_list(text);
    const std::size_t count = count_values(text);
    const auto three = fuzz::error_of([&] {
        const auto values = parse_decimals<3>(text, kElement);
        fuzz::require(values.has_value() != trimmed(text).empty(), "only padding has no value");
    });
    fuzz::require(three || count == 3 || trimmed(text).empty(), "three values are asked for");
    fuzz::require(nth_value(text, count).empty(), "there is no value behind the last");
    for (std::size_t i = 0; i < count; ++i) {
        check_decimal(std::string{nth_value(text, i)});
    }
    static_cast<void>(
        fuzz::error_of([&] { static_cast<void>(parse_one_decimal(text, kElement)); }));
    static_cast<void>(
        fuzz::error_of([&] { static_cast<void>(parse_one_integer(text, kElement)); }));
    return 0;
}
