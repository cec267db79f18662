// Walks the data elements of a data set (PS3.5 chapter 7) without trusting a single length.
#pragma once

#include "base/limits.hpp"
#include "header/byte_window.hpp"
#include "header/tags.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace torchdicom {

/// How the elements of a data set are written.
struct ElementSyntax {
    std::endian order = std::endian::little;
    bool is_explicit = true; ///< the VR stands in the element
};

/// Tag, VR and length of one element; the value is still in the window.
struct Element {
    Tag tag = 0;
    std::array<char, 2> vr{}; ///< zeros where implicit
    bool has_undefined_length = false;
    std::uint64_t offset = 0; ///< of the element's first byte
    std::uint64_t value_offset = 0;
    std::uint64_t length = 0; ///< 0 where undefined

    /// The place that errors about this element name.
    [[nodiscard]] Place place() const {
        return Place{.element = element_name(tag), .offset = offset};
    }
};

/// Whether two bytes are a VR of PS3.5 6.2.
[[nodiscard]] bool is_known_vr(std::array<char, 2> vr) noexcept;

class ElementReader {
  public:
    ElementReader(ByteWindow& window, ElementSyntax syntax, std::uint64_t offset) noexcept
        : window_{&window}, syntax_{syntax}, position_{offset} {}

    [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
    [[nodiscard]] bool at_end() const noexcept { return position_ >= window_->size(); }

    /// Reads the next element's tag, VR and length, and stands at its value afterwards.
    /// Throws truncated_header, invalid_vr, length_exceeds_file.
    [[nodiscard]] Element next();

    /// The value of the element just read; stands behind it afterwards.
    /// Throws limit_element_length where it is longer than `max_length`.
    [[nodiscard]] ByteSpan value(const Element& element,
                                 std::uint64_t max_length = limits::kMaxElementLength);

    /// Passes over the value of the element just read, items and all.
    /// Throws invalid_sequence, limit_sequence_depth, and what `next` throws.
    void skip(const Element& element);

    /// What `walk` calls for each element of each item, whose number it gives; the element may be
    /// read with `value`, walked or left alone.
    using Visit = std::function<void(std::size_t item, const Element& element)>;

    /// Reads the items of the sequence just read, of defined length or not, and stands behind it
    /// afterwards. Returns the number of items. Throws what `skip` and `visit` throw.
    std::size_t walk(const Element& sequence, const Visit& visit);

    /// Throws invalid_multiplicity where an attribute is there again (PS3.5 7.1): walks the
    /// elements from `first` on up to it once more. Where elements are in order, as nearly all are,
    /// nobody has to ask; and of attributes that the core does not read nobody should.
    void check_once(std::uint64_t first, const Element& element) const;

    /// The byte order of the values at this place.
    [[nodiscard]] std::endian order() const noexcept { return syntax_.order; }

  private:
    void read_explicit_length(ByteSpan short_header, Element& element);
    static void check_delimiter(const Element& element);
    void check_length(const Element& element) const;
    void skip_items(const Element& sequence, std::size_t depth);
    void skip_item_elements(const Element& sequence, std::size_t depth);
    void walk_item(const Element& sequence, const Element& item, std::size_t index,
                   const Visit& visit);

    ByteWindow* window_;
    ElementSyntax syntax_;
    std::uint64_t position_;
    std::size_t depth_ = 0; ///< of the sequences that are being walked
};

} // namespace torchdicom
