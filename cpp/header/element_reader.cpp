#include "header/element_reader.hpp"

#include <algorithm>
#include <string_view>

namespace torchdicom {

namespace {

constexpr std::uint32_t kUndefinedLength = 0xFFFF'FFFF;
constexpr std::size_t kShortHeader = 8; // tag and length; or tag, VR and 16-bit length
constexpr std::size_t kLongHeader = 12; // tag, VR, two reserved bytes and 32-bit length

enum class LengthField : std::uint8_t { none, short_field, long_field };

/// How long the length is after each VR, by its two letters: one look at a table, since every
/// element of every header asks.
class VrTable {
  public:
    constexpr VrTable() {
        // PS3.5 Table 7.1-1: these have a 32-bit length ...
        add("OB OD OF OL OV OW SQ SV UC UN UR UT UV", LengthField::long_field);
        // ... and these, of Table 7.1-2, one of 16 bits.
        add("AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US",
            LengthField::short_field);
    }

    [[nodiscard]] constexpr LengthField operator[](std::array<char, 2> vr) const noexcept {
        const std::size_t first = letter(vr[0]);
        const std::size_t second = letter(vr[1]);
        return first < kLetters && second < kLetters ? fields_[first * kLetters + second]
                                                     : LengthField::none;
    }

  private:
    static constexpr std::size_t kLetters = 26;

    /// 0 to 25, and more for what is no capital letter.
    static constexpr std::size_t letter(char c) noexcept {
        return static_cast<std::size_t>(static_cast<unsigned char>(c)) - 'A';
    }

    constexpr void add(std::string_view names, LengthField field) {
        for (std::size_t i = 0; i < names.size(); i += 3) {
            fields_[letter(names[i]) * kLetters + letter(names[i + 1])] = field;
        }
    }

    std::array<LengthField, kLetters * kLetters> fields_{};
};

constexpr VrTable kVrs;

// A value of VR UN that is a sequence is in implicit little endian, whatever the transfer syntax
// (PS3.5 6.2.2 Note 2).
ElementSyntax syntax_inside(const Element& sequence, ElementSyntax outer) noexcept {
    return sequence.vr == std::array{'U', 'N'}
               ? ElementSyntax{.order = std::endian::little, .is_explicit = false}
               : outer;
}

bool is_delimiter(Tag tag) noexcept { return (tag >> 16U) == 0xFFFE; }

Tag load_tag(ByteSpan bytes, std::endian order) noexcept {
    const Tag group = load_number<std::uint16_t>(bytes, 0, order);
    return (group << 16U) | load_number<std::uint16_t>(bytes, 2, order);
}

// The errors stand apart, so that what each element goes through is short.

[[noreturn]] void fail_vr(const Element& element) {
    fail(ErrorCode::invalid_vr,
         "The two bytes where the value representation stands are none of PS3.5 6.2. The file is "
         "corrupt, or not in the transfer syntax that it names",
         element.place());
}

[[noreturn]] void fail_length(const Element& element, std::uint64_t left) {
    fail(ErrorCode::length_exceeds_file,
         "The element's length is " + std::to_string(element.length) + " bytes and " +
             std::to_string(left) +
             " are left. The file is cut off or the length is corrupt: fetch it again or leave it "
             "out",
         element.place());
}

[[noreturn]] void fail_sequence(const Element& sequence, const Element& found) {
    fail(ErrorCode::invalid_sequence,
         "The sequence at byte " + std::to_string(sequence.offset) + " (" +
             element_name(sequence.tag) +
             ") has something else than an item or its end in it. The file is corrupt",
         found.place());
}

[[noreturn]] void fail_depth(const Element& sequence) {
    fail(ErrorCode::limit_sequence_depth,
         "Sequences are nested more than " + std::to_string(limits::kMaxSequenceDepth) +
             " deep. The file is corrupt",
         sequence.place());
}

[[noreturn]] void fail_longer(const Element& outer) {
    fail(ErrorCode::invalid_sequence,
         "What stands in it is longer than its length of " + std::to_string(outer.length) +
             " bytes. The file is corrupt",
         outer.place());
}

} // namespace

bool is_known_vr(std::array<char, 2> vr) noexcept { return kVrs[vr] != LengthField::none; }

Element ElementReader::next() {
    const ByteSpan header = window_->at(position_, kShortHeader);
    Element element{.tag = load_tag(header, syntax_.order), .offset = position_};
    // Items and delimiters have no VR, in any syntax (PS3.5 7.5).
    if (syntax_.is_explicit && !is_delimiter(element.tag)) {
        element.vr = {static_cast<char>(header[4]), static_cast<char>(header[5])};
        read_explicit_length(header, element);
    } else {
        const auto length = load_number<std::uint32_t>(header, 4, syntax_.order);
        element.has_undefined_length = length == kUndefinedLength;
        element.length = element.has_undefined_length ? 0 : length;
        element.value_offset = position_ + kShortHeader;
    }
    if (is_delimiter(element.tag)) {
        check_delimiter(element);
    }
    check_length(element);
    position_ = element.value_offset;
    return element;
}

void ElementReader::read_explicit_length(ByteSpan short_header, Element& element) {
    switch (kVrs[element.vr]) {
    case LengthField::short_field:
        element.length = load_number<std::uint16_t>(short_header, 6, syntax_.order);
        element.value_offset = position_ + kShortHeader;
        return;
    case LengthField::long_field: {
        const ByteSpan header = window_->at(position_, kLongHeader);
        const auto length = load_number<std::uint32_t>(header, 8, syntax_.order);
        element.has_undefined_length = length == kUndefinedLength;
        element.length = element.has_undefined_length ? 0 : length;
        element.value_offset = position_ + kLongHeader;
        return;
    }
    case LengthField::none:
        fail_vr(element);
    }
}

void ElementReader::check_delimiter(const Element& element) {
    const bool is_end =
        element.tag == tags::ItemDelimitationItem || element.tag == tags::SequenceDelimitationItem;
    if (is_end && (element.length != 0 || element.has_undefined_length)) {
        fail(
            ErrorCode::invalid_sequence,
            "The end of an item or sequence has a length, and PS3.5 7.5 gives it none. The file is "
            "corrupt",
            element.place());
    }
}

void ElementReader::check_length(const Element& element) const {
    const std::uint64_t left = window_->size() - element.value_offset;
    // Pixel data that is cut off has an error of its own, made where the frames are known.
    if (element.length > left && !holds_pixels(element.tag)) {
        fail_length(element, left);
    }
}

ByteSpan ElementReader::value(const Element& element, std::uint64_t max_length) {
    if (element.length > max_length) {
        fail(ErrorCode::limit_element_length,
             "The value is " + std::to_string(element.length) +
                 " bytes long, and no such attribute has more than " + std::to_string(max_length) +
                 ". The file is corrupt",
             element.place());
    }
    const ByteSpan bytes = window_->at(element.value_offset, element.length);
    position_ = element.value_offset + element.length;
    return bytes;
}

void ElementReader::skip(const Element& element) {
    if (!element.has_undefined_length) {
        position_ = element.value_offset + element.length;
        return;
    }
    skip_items(element, depth_ + 1);
}

std::size_t ElementReader::walk(const Element& sequence, const Visit& visit) {
    if (++depth_ > limits::kMaxSequenceDepth) {
        fail_depth(sequence);
    }
    const ElementSyntax outer = syntax_;
    syntax_ = syntax_inside(sequence, outer);
    const std::uint64_t end = sequence.value_offset + sequence.length; // where it has a length
    std::size_t items = 0;
    while (sequence.has_undefined_length || position_ < end) {
        const Element item = next();
        if (sequence.has_undefined_length && item.tag == tags::SequenceDelimitationItem) {
            break;
        }
        if (item.tag != tags::Item) {
            fail_sequence(sequence, item);
        }
        if (!sequence.has_undefined_length && item.value_offset + item.length > end) {
            fail_longer(sequence);
        }
        walk_item(sequence, item, items++, visit);
    }
    if (!sequence.has_undefined_length && position_ != end) {
        fail_longer(sequence);
    }
    syntax_ = outer;
    --depth_;
    return items;
}

void ElementReader::walk_item(const Element& sequence, const Element& item, std::size_t index,
                              const Visit& visit) {
    const std::uint64_t end = item.value_offset + item.length; // where it has a length
    Tag highest = 0;
    while (item.has_undefined_length || position_ < end) {
        const Element element = next();
        if (item.has_undefined_length && element.tag == tags::ItemDelimitationItem) {
            return;
        }
        if (is_delimiter(element.tag)) {
            fail_sequence(sequence, element);
        }
        if (element.tag <= highest && !keyword_of(element.tag).empty()) {
            check_once(item.value_offset, element);
        }
        highest = std::max(highest, element.tag);
        visit(index, element);
        if (position_ == element.value_offset) {
            skip(element);
        }
    }
    if (position_ != end) {
        fail_longer(item);
    }
}

void ElementReader::check_once(std::uint64_t first, const Element& element) const {
    ElementReader before{*window_, syntax_, first};
    before.depth_ = depth_;
    while (before.position_ < element.offset) {
        const Element earlier = before.next();
        if (earlier.tag == element.tag) {
            fail(ErrorCode::invalid_multiplicity,
                 "The attribute is there twice, and may be only once. Correct the file or leave it "
                 "out",
                 element.place());
        }
        before.skip(earlier);
    }
}

void ElementReader::skip_items(const Element& sequence, std::size_t depth) {
    if (depth > limits::kMaxSequenceDepth) {
        fail_depth(sequence);
    }
    const ElementSyntax outer = syntax_;
    syntax_ = syntax_inside(sequence, outer);
    for (Element item = next(); item.tag != tags::SequenceDelimitationItem; item = next()) {
        if (item.tag != tags::Item) {
            fail_sequence(sequence, item);
        }
        if (item.has_undefined_length) {
            skip_item_elements(sequence, depth);
        } else {
            position_ += item.length;
        }
    }
    syntax_ = outer;
}

void ElementReader::skip_item_elements(const Element& sequence, std::size_t depth) {
    for (Element element = next(); element.tag != tags::ItemDelimitationItem; element = next()) {
        if (is_delimiter(element.tag)) {
            fail_sequence(sequence, element);
        }
        if (element.has_undefined_length) {
            skip_items(element, depth + 1);
        } else {
            position_ += element.length;
        }
    }
}

} // namespace torchdicom
