#include "bind/columns.hpp"

#include <array>
#include <memory>
#include <string>
#include <utility>

namespace torchdicom::bind {

namespace {

/// An array over memory that the vector gives away.
template <typename T> py::array array_over(std::vector<T> values, const py::dtype& dtype) {
    const auto size = static_cast<py::ssize_t>(values.size());
    auto owner = std::make_unique<std::vector<T>>(std::move(values));
    const void* const data = owner->data();
    const py::capsule base{owner.get(), [](void* held) {
                               const std::unique_ptr<std::vector<T>> freed{
                                   static_cast<std::vector<T>*>(held)};
                           }};
    owner.release(); // NOLINT(bugprone-unused-return-value): the capsule has it now
    return py::array{dtype, size, data, base};
}

template <typename T> py::array to_numbers(std::vector<T> values) {
    return array_over(std::move(values), py::dtype::of<T>());
}

py::array to_flags(std::vector<std::uint8_t> values) {
    return array_over(std::move(values), py::dtype::of<bool>());
}

/// The parts of a column that has several.
template <std::size_t N>
std::array<py::handle, N> parts_of(const py::handle& value, std::string_view column) {
    if (!py::isinstance<py::tuple>(value) || py::len(value) != N) {
        fail_index(column, "not " + std::to_string(N) + " arrays");
    }
    std::array<py::handle, N> parts;
    for (std::size_t i = 0; i < N; ++i) {
        parts[i] = PyTuple_GET_ITEM(value.ptr(), static_cast<py::ssize_t>(i));
    }
    return parts;
}

} // namespace

py::array to_array(std::vector<std::int64_t> values) { return to_numbers(std::move(values)); }

py::object to_python(Column column) {
    switch (column.spec.type) {
    case ColumnType::integer:
        return to_numbers(std::move(column.integers));
    case ColumnType::flag:
        return to_flags(std::move(column.bytes));
    case ColumnType::optional_integer:
        return py::make_tuple(to_numbers(std::move(column.integers)),
                              to_flags(std::move(column.valid)));
    case ColumnType::optional_decimal:
        return py::make_tuple(to_numbers(std::move(column.decimals)),
                              to_flags(std::move(column.valid)));
    case ColumnType::text:
        return py::make_tuple(to_numbers(std::move(column.offsets)),
                              to_numbers(std::move(column.bytes)));
    case ColumnType::word:
        return py::make_tuple(to_numbers(std::move(column.words)),
                              to_numbers(std::move(column.offsets)),
                              to_numbers(std::move(column.bytes)));
    case ColumnType::integer_list:
        return py::make_tuple(to_numbers(std::move(column.offsets)),
                              to_numbers(std::move(column.integers)));
    case ColumnType::decimal_list:
        return py::make_tuple(to_numbers(std::move(column.offsets)),
                              to_numbers(std::move(column.decimals)));
    }
    fail(ErrorCode::internal_error, "No such type of column");
}

void HeldArrays::hold(const py::array& array, std::string_view column) {
    constexpr auto kAligned = static_cast<unsigned>(py::detail::npy_api::NPY_ARRAY_ALIGNED_);
    const bool is_aligned = (static_cast<unsigned>(array.flags()) & kAligned) != 0;
    if (array.ndim() != 1 || !is_aligned) {
        fail_index(column, "an array with more than one axis, or not aligned");
    }
    arrays_.push_back(array);
}

template <typename T>
std::span<const T> HeldArrays::span_of(const py::handle& value, std::string_view column) {
    if (!py::isinstance<py::array_t<T, py::array::c_style>>(value)) {
        fail_index(column, "not a contiguous array of " +
                               py::str{py::dtype::of<T>()}.template cast<std::string>());
    }
    const auto array = py::reinterpret_borrow<py::array>(value);
    hold(array, column);
    return {static_cast<const T*>(array.data()), static_cast<std::size_t>(array.size())};
}

std::span<const std::uint8_t> HeldArrays::flags_of(const py::handle& value,
                                                   std::string_view column) {
    if (!py::isinstance<py::array_t<bool, py::array::c_style>>(value)) {
        fail_index(column, "not a contiguous array of bool");
    }
    // As bytes: from outside they may be other than 0 and 1, which no bool may be.
    const auto array = py::reinterpret_borrow<py::array>(value);
    hold(array, column);
    return {static_cast<const std::uint8_t*>(array.data()), static_cast<std::size_t>(array.size())};
}

ColumnView HeldArrays::view(ColumnSpec spec, const py::handle& value) {
    ColumnView column;
    column.spec = spec;
    if (spec.type == ColumnType::integer) {
        column.integers = span_of<std::int64_t>(value, spec.name);
        return column;
    }
    if (spec.type == ColumnType::flag) {
        column.bytes = flags_of(value, spec.name);
        return column;
    }
    if (spec.type == ColumnType::word) {
        const auto [words, offsets, bytes] = parts_of<3>(value, spec.name);
        column.words = span_of<std::int32_t>(words, spec.name);
        column.offsets = span_of<std::int64_t>(offsets, spec.name);
        column.bytes = span_of<std::uint8_t>(bytes, spec.name);
        return column;
    }
    const auto [first, second] = parts_of<2>(value, spec.name);
    if (spec.type == ColumnType::optional_integer) {
        column.integers = span_of<std::int64_t>(first, spec.name);
        column.valid = flags_of(second, spec.name);
    } else if (spec.type == ColumnType::optional_decimal) {
        column.decimals = span_of<double>(first, spec.name);
        column.valid = flags_of(second, spec.name);
    } else {
        column.offsets = span_of<std::int64_t>(first, spec.name);
        if (spec.type == ColumnType::text) {
            column.bytes = span_of<std::uint8_t>(second, spec.name);
        } else if (spec.type == ColumnType::integer_list) {
            column.integers = span_of<std::int64_t>(second, spec.name);
        } else {
            column.decimals = span_of<double>(second, spec.name);
        }
    }
    return column;
}

py::object item(const py::dict& columns, std::string_view name) {
    const py::str key{name.data(), name.size()};
    if (!columns.contains(key)) {
        fail_index(name, "the column is not there");
    }
    return columns[key];
}

} // namespace torchdicom::bind
