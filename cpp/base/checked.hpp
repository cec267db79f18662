// Arithmetic on sizes that come from a file: every overflow is an error, none a wrap.
#pragma once

#include "base/error.hpp"

#include <concepts>
#include <initializer_list>
#include <string_view>

namespace torchdicom {

/// a * b, or LimitError naming `what` where that does not fit.
template <std::unsigned_integral T> [[nodiscard]] T checked_mul(T a, T b, std::string_view what) {
    T product{};
    if (__builtin_mul_overflow(a, b, &product)) {
        fail(ErrorCode::limit_output_bytes, std::string{what} + " overflows");
    }
    return product;
}

/// a + b, or LimitError naming `what` where that does not fit.
template <std::unsigned_integral T> [[nodiscard]] T checked_add(T a, T b, std::string_view what) {
    T sum{};
    if (__builtin_add_overflow(a, b, &sum)) {
        fail(ErrorCode::limit_output_bytes, std::string{what} + " overflows");
    }
    return sum;
}

/// The product of all factors, checked at each step.
template <std::unsigned_integral T>
[[nodiscard]] T checked_product(std::initializer_list<T> factors, std::string_view what) {
    T product{1};
    for (const T factor : factors) {
        product = checked_mul(product, factor, what);
    }
    return product;
}

} // namespace torchdicom
