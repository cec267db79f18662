#include "plan/suv_time.hpp"

#include "header/values.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

namespace torchdicom::suv {

namespace {

/// A number of a few digits and nothing else.
std::optional<int> digits(std::string_view text) noexcept {
    if (text.empty() || !std::ranges::all_of(text, is_digit)) {
        return std::nullopt;
    }
    int number = 0;
    for (const char c : text) {
        number = number * 10 + (c - '0');
    }
    return number;
}

/// Takes two digits off the front; nothing where they are none or too large.
std::optional<int> take_pair(std::string_view& text, int end) noexcept {
    const std::optional<int> number = text.size() < 2 ? std::nullopt : digits(text.substr(0, 2));
    if (!number || *number >= end) {
        return std::nullopt;
    }
    text.remove_prefix(2);
    return number;
}

/// The offset from UTC at the end of a DT, such as "+0100"; empty where there is none.
std::string_view offset_at_end(std::string_view text) noexcept {
    constexpr std::size_t kLength = 5;
    if (text.size() < kLength) {
        return {};
    }
    const std::string_view end = text.substr(text.size() - kLength);
    const bool is_offset = (end[0] == '+' || end[0] == '-') && digits(end.substr(1));
    return is_offset ? end : std::string_view{};
}

} // namespace

std::optional<double> days_of(std::string_view date) {
    constexpr std::size_t kLength = 8;
    std::string text{date};
    if (text.size() == kLength + 2 && text[4] == '.' && text[7] == '.') {
        std::erase(text, '.');
    }
    const std::optional<int> number = text.size() == kLength ? digits(text) : std::nullopt;
    if (!number || *number < 10'000) { // there is no year 0
        return std::nullopt;
    }
    const auto month = static_cast<unsigned>(*number / 100 % 100);
    const auto day = static_cast<unsigned>(*number % 100);
    const std::chrono::year_month_day ymd{std::chrono::year{*number / 10'000},
                                          std::chrono::month{month}, std::chrono::day{day}};
    if (!ymd.ok()) {
        return std::nullopt;
    }
    return static_cast<double>(std::chrono::sys_days{ymd}.time_since_epoch().count());
}

std::optional<double> seconds_of(std::string_view time) {
    constexpr std::size_t kMostDigits = 6;
    const std::optional<int> hour = take_pair(time, 24);
    if (!hour) {
        return std::nullopt;
    }
    int seconds = *hour * 3'600;
    const bool has_colons = time.starts_with(':');
    for (const auto& [unit, end] : {std::pair{60, 60}, std::pair{1, 61}}) {
        if (time.empty() || time.starts_with('.')) {
            break;
        }
        if (has_colons) {
            if (!time.starts_with(':')) {
                return std::nullopt;
            }
            time.remove_prefix(1);
        }
        const std::optional<int> number = take_pair(time, end);
        if (!number) {
            return std::nullopt;
        }
        seconds += *number * unit;
        if (unit == 1 && time.starts_with('.')) {
            const std::string_view fraction = time.substr(1);
            const std::optional<int> parts =
                fraction.size() > kMostDigits ? std::nullopt : digits(fraction);
            if (!parts) {
                return std::nullopt;
            }
            return static_cast<double>(seconds) +
                   static_cast<double>(*parts) /
                       std::pow(10.0, static_cast<double>(fraction.size()));
        }
    }
    return time.empty() ? std::optional{static_cast<double>(seconds)} : std::nullopt;
}

std::optional<double> moment_of(std::string_view date_time, std::string_view offset) {
    constexpr std::size_t kDate = 8;
    const std::string_view stated = offset_at_end(date_time);
    if (!stated.empty() && stated != offset) {
        return std::nullopt;
    }
    date_time.remove_suffix(stated.size());
    if (date_time.size() < kDate) {
        return std::nullopt;
    }
    const std::optional<double> days = days_of(date_time.substr(0, kDate));
    const std::optional<double> seconds = seconds_of(date_time.substr(kDate));
    if (!days || !seconds) {
        return std::nullopt;
    }
    return *days * kDay + *seconds;
}

} // namespace torchdicom::suv
