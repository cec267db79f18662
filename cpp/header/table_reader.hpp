// Collects the lookup tables of a data set while its elements are read.
#pragma once

#include "header/file_header.hpp"
#include "header/real_world_map.hpp"

#include <bit>
#include <optional>
#include <string>
#include <vector>

namespace torchdicom::detail {

/// The value of an element, for when all parts of a table are there.
struct RawValue {
    Element element;
    std::endian order = std::endian::little;
    std::vector<std::byte> bytes;
};

/// A table from its descriptor (three values: entries, the first value mapped, bits of an entry)
/// and its data, in one word or one byte an entry. `any_bits`: entries have 8 to 16 bits, else 8 or
/// 16. Throws invalid_multiplicity, invalid_value.
[[nodiscard]] LookupTable make_table(const RawValue& descriptor, const RawValue& data,
                                     bool is_signed, bool any_bits = false);

/// The same from segmented data (PS3.3 C.7.9.2).
[[nodiscard]] LookupTable make_segmented_table(const RawValue& descriptor, const RawValue& segments,
                                               bool is_signed);

class TableReader {
  public:
    /// Takes the element just read if it is part of a table, and then stands behind it; else, or
    /// where the options skip tables, it notes at most that the table is there.
    void read(const Element& element, ElementReader& reader, const HeaderOptions& options,
              FileHeader& header);

    /// Fills the header from what was read; its pixels are known now.
    void finish(FileHeader& header);

  private:
    void read_sequence(const Element& element, ElementReader& reader, FileHeader& header);
    static void read_voi_sequence(const Element& element, ElementReader& reader,
                                  FileHeader& header);
    void finish_palette(FileHeader& header) const;
    [[nodiscard]] LookupTable channel(std::uint32_t number, const FileHeader& header) const;
    [[nodiscard]] const RawValue* find(Tag tag) const noexcept;

    std::vector<RawValue> palette_;
    std::vector<RawMap> maps_;
};

} // namespace torchdicom::detail
