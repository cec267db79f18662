#include "header/values.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace torchdicom {

namespace {

bool is_padding(char c) noexcept { return c == ' ' || c == '\0'; }

/// What from_chars takes: it knows no plus sign, and it would take "inf" and "nan".
std::string_view without_plus(std::string_view text) noexcept {
    const bool has_plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
    return has_plus ? text.substr(1) : text;
}

bool starts_as_number(std::string_view text) noexcept {
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    return !digits.empty() && (is_digit(digits[0]) || digits[0] == '.');
}

/// Printable, and short enough for a message.
std::string quoted(std::string_view text) {
    constexpr std::size_t kMaxShown = 40;
    std::string shown{text.substr(0, kMaxShown)};
    std::ranges::replace_if(shown, [](char c) { return c < ' ' || c > '~'; }, '?');
    return "'" + shown + (text.size() > kMaxShown ? "...'" : "'");
}

} // namespace

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && is_padding(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_padding(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

std::size_t count_values(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::ranges::count(text, '\\')) + 1;
}

std::string_view nth_value(std::string_view text, std::size_t index) noexcept {
    for (; index > 0; --index) {
        const std::size_t end = text.find('\\');
        if (end == std::string_view::npos) {
            return {};
        }
        text.remove_prefix(end + 1);
    }
    return text.substr(0, text.find('\\'));
}

double parse_decimal(std::string_view text, const Element& element) {
    const std::string_view number = without_plus(trimmed(text));
    double value = 0;
    const char* const end = number.data() + number.size();
    const auto [parsed_to, error] = std::from_chars(number.data(), end, value);
    // Out of double's range, on either side, is an error here: no attribute means infinity or zero.
    if (!starts_as_number(number) || error != std::errc{} || parsed_to != end) {
        fail(ErrorCode::invalid_decimal_string,
             quoted(trimmed(text)) +
                 " is not a decimal string (PS3.5 6.2, DS), such as -1.5 or 1e-3. Correct the "
                 "element or leave the file out",
             element.place());
    }
    return value;
}

std::int32_t parse_integer(std::string_view text, const Element& element) {
    const std::string_view number = without_plus(trimmed(text));
    std::int32_t value = 0;
    const char* const end = number.data() + number.size();
    const auto [parsed_to, error] = std::from_chars(number.data(), end, value);
    if (error != std::errc{} || parsed_to != end) {
        fail(ErrorCode::invalid_integer_string,
             quoted(trimmed(text)) +
                 " is not an integer string of 32 bits (PS3.5 6.2, IS). Correct the element or "
                 "leave the file out",
             element.place());
    }
    return value;
}

void fail_multiplicity(const Element& element, std::size_t wanted, std::size_t found) {
    fail(ErrorCode::invalid_multiplicity,
         "The attribute has " + std::to_string(found) + " values where " + std::to_string(wanted) +
             " belong. Correct the element or leave the file out",
         element.place());
}

std::optional<double> parse_one_decimal(std::string_view text, const Element& element) {
    const auto values = parse_decimals<1>(text, element);
    return values ? std::optional{(*values)[0]} : std::nullopt;
}

std::vector<double> parse_decimal_list(std::string_view text, const Element& element) {
    std::vector<double> values;
    if (!trimmed(text).empty()) {
        static_cast<void>(any_value(text, [&](std::string_view value) {
            values.push_back(parse_decimal(value, element));
            return false;
        }));
    }
    return values;
}

std::optional<std::int32_t> parse_one_integer(std::string_view text, const Element& element) {
    if (trimmed(text).empty()) {
        return std::nullopt;
    }
    if (const std::size_t found = count_values(text); found != 1) {
        fail_multiplicity(element, 1, found);
    }
    return parse_integer(text, element);
}

} // namespace torchdicom
