// Columns as NumPy arrays, both ways, without a copy of their values.
#pragma once

#include "bind/bindings.hpp"
#include "header/columns.hpp"

namespace torchdicom::bind {

/// The array of a column, or the pair of arrays: (values, valid), (offsets, values).
[[nodiscard]] py::object to_python(Column column);

/// An array that owns the numbers.
[[nodiscard]] py::array to_array(std::vector<std::int64_t> values);

/// Arrays from Python that stay alive, and in place, as long as this does. Needs the GIL, to be
/// destroyed too.
class HeldArrays {
  public:
    /// Throws invalid_index, naming the column, unless `value` has the arrays that the type calls
    /// for, each with one axis, contiguous and aligned.
    [[nodiscard]] ColumnView view(ColumnSpec spec, const py::handle& value);

  private:
    template <typename T>
    std::span<const T> span_of(const py::handle& value, std::string_view column);
    [[nodiscard]] std::span<const std::uint8_t> flags_of(const py::handle& value,
                                                         std::string_view column);
    void hold(const py::array& array, std::string_view column);

    std::vector<py::array> arrays_;
};

/// The value of a key. Throws invalid_index where it is not there.
[[nodiscard]] py::object item(const py::dict& columns, std::string_view name);

} // namespace torchdicom::bind
