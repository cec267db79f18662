// Collects what a Quantity is made of while the elements of a data set are read.
#pragma once

#include "header/quantity.hpp"
#include "header/table_reader.hpp"

#include <map>
#include <string_view>

namespace torchdicom::detail {

/// Private elements of one data set or item, by tag.
class PrivateValues {
  public:
    /// Takes the element just read, or in place of the last of its tag.
    void add(const Element& element, ElementReader& reader);

    /// The element of this number in the first block of that creator that has it (PS3.5 7.8.1).
    [[nodiscard]] const RawValue* find(Tag group, Tag number, std::string_view creator) const;

    /// Whether an element is in a block of that creator.
    [[nodiscard]] bool is_of(Tag tag, std::string_view creator) const;

  private:
    std::map<Tag, RawValue> values_;
};

class QuantityReader {
  public:
    /// Takes the element just read if it counts. `reader` is a copy: the caller's stands still.
    void read(const Element& element, ElementReader reader, Quantity& quantity);

    /// Finds out whose the private elements are (PS3.5 7.8.1).
    void finish(Quantity& quantity) const;

  private:
    void read_dose(const Element& sequence, ElementReader& reader, Quantity& quantity);

    PrivateValues private_;
    bool has_dose_ = false;
};

} // namespace torchdicom::detail
