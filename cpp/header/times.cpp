#include "header/times.hpp"

#include "header/values.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

namespace torchdicom {

namespace {

bool are_digits(std::string_view text) noexcept { return std::ranges::all_of(text, is_digit); }

int value_of(std::string_view digits) noexcept {
    int number = 0;
    for (const char c : digits) {
        number = number * 10 + (c - '0');
    }
    return number;
}

/// The text without a separator that stands at these places, or as it is.
std::string without(std::string_view text, char separator, std::size_t first, std::size_t second) {
    std::string plain{text};
    if (plain.size() > second && plain[first] == separator && plain[second] == separator) {
        plain.erase(second, 1);
    }
    if (plain.size() > first && plain[first] == separator) {
        plain.erase(first, 1);
    }
    return plain;
}

/// Up to six digits behind the point of the seconds.
std::optional<double> fraction_of(std::string_view text) {
    constexpr std::size_t kMostDigits = 6;
    if (text.empty()) {
        return 0.0;
    }
    const std::string_view digits = text.substr(1);
    if (text.front() != '.' || digits.empty() || digits.size() > kMostDigits ||
        !are_digits(digits)) {
        return std::nullopt;
    }
    return value_of(digits) / std::pow(10.0, static_cast<double>(digits.size()));
}

} // namespace

std::optional<double> parse_day(std::string_view text) {
    const std::string_view written = trimmed(text);
    const std::string digits = without(written, '.', 4, 7);
    const bool has_one_point = digits.size() + 1 == written.size();
    if (has_one_point || digits.size() != 8 || !are_digits(digits)) {
        return std::nullopt;
    }
    const std::string_view all = digits;
    const std::chrono::year_month_day day{
        std::chrono::year{value_of(all.substr(0, 4))},
        std::chrono::month{static_cast<unsigned>(value_of(all.substr(4, 2)))},
        std::chrono::day{static_cast<unsigned>(value_of(all.substr(6, 2)))}};
    if (!day.ok() || value_of(all.substr(0, 4)) == 0) {
        return std::nullopt;
    }
    return static_cast<double>(std::chrono::sys_days{day}.time_since_epoch().count());
}

std::optional<double> parse_time_of_day(std::string_view text) {
    const std::string plain = without(trimmed(text), ':', 2, 5);
    const std::size_t whole = std::min(plain.find('.'), plain.size());
    const std::string_view digits = std::string_view{plain}.substr(0, whole);
    if ((whole != 2 && whole != 4 && whole != 6) || !are_digits(digits)) {
        return std::nullopt;
    }
    const std::optional<double> fraction = fraction_of(std::string_view{plain}.substr(whole));
    const int hours = value_of(digits.substr(0, 2));
    const int minutes = whole > 2 ? value_of(digits.substr(2, 2)) : 0;
    const int seconds = whole > 4 ? value_of(digits.substr(4, 2)) : 0;
    const bool has_rest = whole < plain.size();
    if (!fraction || (has_rest && whole != 6) || hours > 23 || minutes > 59 || seconds > 60) {
        return std::nullopt;
    }
    return static_cast<double>(hours * 3600 + minutes * 60 + seconds) + *fraction;
}

Moment parse_moment(std::string_view text) {
    constexpr std::size_t kDay = 8;
    std::string_view all = trimmed(text);
    constexpr std::size_t kOffset = 5; // a sign and four digits
    if (all.size() > kDay + kOffset) {
        const std::string_view offset = all.substr(all.size() - kOffset);
        if ((offset.front() == '+' || offset.front() == '-') && are_digits(offset.substr(1))) {
            all.remove_suffix(kOffset);
        }
    }
    if (all.size() <= kDay || !are_digits(all.substr(0, kDay))) {
        return {};
    }
    const std::optional<double> day = parse_day(all.substr(0, kDay));
    const std::optional<double> time = parse_time_of_day(all.substr(kDay));
    return day && time ? Moment{.day = day, .time = time} : Moment{};
}

} // namespace torchdicom
