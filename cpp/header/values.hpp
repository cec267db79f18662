// Values of elements: one grammar for numbers in text, whatever the locale (PS3.5 6.2).
#pragma once

#include "header/element_reader.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torchdicom {

[[nodiscard]] inline bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Without the spaces and NULs at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

/// One value of a multi-valued text and the rest behind the backslash.
[[nodiscard]] std::size_t count_values(std::string_view text) noexcept;
[[nodiscard]] std::string_view nth_value(std::string_view text, std::size_t index) noexcept;

/// Whether `is_wanted` holds for one of the values, asked in their order and untrimmed. A text of
/// 64 KiB may be all backslashes, so this goes through it once, as calls of `nth_value` do not.
template <typename Predicate>
[[nodiscard]] bool any_value(std::string_view text, const Predicate& is_wanted) {
    while (true) {
        const std::size_t end = text.find('\\');
        if (is_wanted(text.substr(0, end))) {
            return true;
        }
        if (end == std::string_view::npos) {
            return false;
        }
        text.remove_prefix(end + 1);
    }
}

/// A DS: optional sign, digits with an optional point, optional exponent, nothing else (no "1,5",
/// "1_0", "nan"); spaces and NULs around it. Throws invalid_decimal_string.
[[nodiscard]] double parse_decimal(std::string_view text, const Element& element);

/// An IS of 32 bits. Throws invalid_integer_string.
[[nodiscard]] std::int32_t parse_integer(std::string_view text, const Element& element);

/// Nothing where the text is empty; throws invalid_multiplicity unless it has exactly one value.
[[nodiscard]] std::optional<double> parse_one_decimal(std::string_view text,
                                                      const Element& element);
[[nodiscard]] std::optional<std::int32_t> parse_one_integer(std::string_view text,
                                                            const Element& element);

/// Any number of them; none where the text is empty.
[[nodiscard]] std::vector<double> parse_decimal_list(std::string_view text, const Element& element);

/// Throws invalid_multiplicity: `element` has `found` values where `wanted` belong.
[[noreturn]] void fail_multiplicity(const Element& element, std::size_t wanted, std::size_t found);

/// Exactly N values; nothing where the text is empty. Throws invalid_multiplicity.
template <std::size_t N>
[[nodiscard]] std::optional<std::array<double, N>> parse_decimals(std::string_view text,
                                                                  const Element& element) {
    if (trimmed(text).empty()) {
        return std::nullopt;
    }
    if (const std::size_t found = count_values(text); found != N) {
        fail_multiplicity(element, N, found);
    }
    std::array<double, N> values{};
    for (std::size_t i = 0; i < N; ++i) {
        values[i] = parse_decimal(nth_value(text, i), element);
    }
    return values;
}

} // namespace torchdicom
