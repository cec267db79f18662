// Items of RealWorldValueMappingSequence while a file is read (PS3.3 C.7.6.16.2.11).
#pragma once

#include "header/element_reader.hpp"
#include "header/lookup_table.hpp"

#include <optional>

namespace torchdicom {

/// An item with the two spellings of the range.
struct RawMap {
    RealWorldMap map;
    std::optional<double> first;
    std::optional<double> last;
    std::optional<double> double_first;
    std::optional<double> double_last;
    std::optional<double> slope;
    std::optional<double> intercept;
};

/// Reads an element of item number `item`, unless it is none that counts, into that one of `maps`.
/// Throws invalid_sequence where there are more items than any file has.
void add_map_element(std::size_t item, const Element& element, ElementReader& reader,
                     bool is_signed, std::vector<RawMap>& maps);

/// Throws missing_element where there is neither a table nor slope and intercept, or no range.
[[nodiscard]] RealWorldMap settle_map(RawMap raw, bool is_float);

} // namespace torchdicom
