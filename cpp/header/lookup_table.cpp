// Lookup tables from their descriptor and data, and from segments.

#include "header/table_reader.hpp"
#include "header/values.hpp"

#include <algorithm>
#include <cstdlib>

namespace torchdicom::detail {

namespace {

constexpr std::uint32_t kByteBits = 8;
constexpr std::uint32_t kWordBits = 16;

// Kinds of segments.
constexpr std::uint16_t kDiscrete = 0;
constexpr std::uint16_t kLinear = 1;
constexpr std::uint16_t kIndirect = 2;

struct Descriptor {
    std::size_t entries = 0;
    std::int64_t first = 0;
    std::uint32_t bits = 0;
};

std::uint16_t word_at(const RawValue& value, std::size_t index) noexcept {
    return load_number<std::uint16_t>(value.bytes, index * sizeof(std::uint16_t), value.order);
}

/// One of two entries in a word of 16 bits: the first is in its low byte (PS3.3 C.7.6.3.1.6).
std::uint16_t byte_at(const RawValue& value, std::size_t index) noexcept {
    const bool is_swapped =
        value.order == std::endian::big && value.element.vr != std::array{'O', 'B'};
    const std::size_t at = is_swapped ? index ^ 1U : index;
    return at < value.bytes.size() ? std::to_integer<std::uint16_t>(value.bytes[at])
                                   : std::uint16_t{0};
}

void require_value(const RawValue& value) {
    if (value.bytes.empty()) {
        fail(ErrorCode::missing_element,
             "This part of a lookup table is empty. Correct the file, or take the values with "
             "output='stored'",
             value.element.place());
    }
}

Descriptor read_descriptor(const RawValue& value, bool is_signed, bool any_bits) {
    constexpr std::size_t kValues = 3;
    require_value(value);
    if (value.bytes.size() != kValues * sizeof(std::uint16_t)) {
        fail_multiplicity(value.element, kValues, value.bytes.size() / sizeof(std::uint16_t));
    }
    constexpr std::size_t kMostEntries = 65'536; // which do not fit, and are written as 0
    const std::uint16_t entries = word_at(value, 0);
    const std::uint16_t first = word_at(value, 1);
    const Descriptor descriptor{.entries = entries == 0 ? kMostEntries : entries,
                                .first = is_signed ? std::int64_t{static_cast<std::int16_t>(first)}
                                                   : std::int64_t{first},
                                .bits = word_at(value, 2)};
    const bool is_between = descriptor.bits > kByteBits && descriptor.bits < kWordBits;
    if (descriptor.bits != kByteBits && descriptor.bits != kWordBits && !(any_bits && is_between)) {
        fail(ErrorCode::invalid_value,
             "The table has entries of " + std::to_string(descriptor.bits) + " bits, and 8 " +
                 (any_bits ? "to" : "and") +
                 " 16 are possible. Correct the file, or take the values with output='stored'",
             value.element.place());
    }
    return descriptor;
}

/// As many entries as the descriptor says; how wide they are follows from the data's length, since
/// entries of 8 bits stand in bytes or in words, and some writers name the wrong one of the two.
std::vector<std::uint16_t> read_entries(const RawValue& data, Descriptor& descriptor) {
    require_value(data);
    const std::size_t entries = descriptor.entries;
    const std::size_t packed = entries + entries % 2;
    const bool has_words = data.bytes.size() >= entries * sizeof(std::uint16_t);
    const bool has_bytes =
        descriptor.bits == kByteBits ? data.bytes.size() >= entries : data.bytes.size() == packed;
    if (!has_words && !has_bytes) {
        fail(ErrorCode::invalid_value,
             "The table has " + std::to_string(data.bytes.size()) + " bytes for " +
                 std::to_string(entries) + " entries of " + std::to_string(descriptor.bits) +
                 " bits. Correct the file, or take the values with output='stored'",
             data.element.place());
    }
    std::vector<std::uint16_t> values(entries);
    for (std::size_t i = 0; i < entries; ++i) {
        values[i] = has_words ? word_at(data, i) : byte_at(data, i);
    }
    if (!has_words) {
        descriptor.bits = kByteBits;
    } else if (std::ranges::any_of(values,
                                   [&](std::uint32_t v) { return v >> descriptor.bits != 0; })) {
        descriptor.bits = kWordBits;
    }
    return values;
}

/// PS3.3 C.7.9.2: segments of values, of straight lines, and of references to earlier segments.
class SegmentReader {
  public:
    SegmentReader(const RawValue& segments, const Descriptor& descriptor)
        : element_{&segments.element}, entries_{descriptor.entries},
          has_bytes_{descriptor.bits == kByteBits}, values_(descriptor.entries) {
        const std::size_t size = has_bytes_ ? 1 : sizeof(std::uint16_t);
        data_.resize(segments.bytes.size() / size);
        for (std::size_t i = 0; i < data_.size(); ++i) {
            data_[i] = has_bytes_ ? byte_at(segments, i) : word_at(segments, i);
        }
    }

    std::vector<std::uint16_t> read() {
        while (count_ < entries_) {
            read_segment(true);
        }
        return std::move(values_);
    }

  private:
    [[noreturn]] void fail_segment(const std::string& what) const {
        fail(ErrorCode::invalid_value,
             "The segmented table " + what +
                 ". Correct the file, or take the values with output='stored'",
             element_->place());
    }

    std::uint16_t next() {
        if (position_ >= data_.size()) {
            fail_segment("ends after " + std::to_string(count_) + " of " +
                         std::to_string(entries_) + " entries");
        }
        return data_[position_++];
    }

    void read_segment(bool may_refer) {
        const std::uint16_t kind = next();
        const std::size_t length = next();
        if (length == 0) {
            fail_segment("has a segment of no length"); // or copies of it would take any time
        }
        if (kind == kIndirect && may_refer) {
            copy_segments(length);
            return;
        }
        if (kind != kDiscrete && kind != kLinear) {
            fail_segment("has a segment of kind " + std::to_string(kind) + " where 0, 1" +
                         (may_refer ? " and 2 are" : " are") + " possible");
        }
        if (length > entries_ - count_) {
            fail_segment("has more than " + std::to_string(entries_) + " entries");
        }
        if (kind == kLinear) {
            add_line(static_cast<std::int64_t>(length));
            return;
        }
        for (std::size_t i = 0; i < length; ++i) {
            values_[count_++] = next();
        }
    }

    /// From the value before to the one given, which is the last of `length`; halves go to even.
    void add_line(std::int64_t length) {
        if (count_ == 0) {
            fail_segment("starts with a line, and there is no value before it");
        }
        const std::int64_t from = values_[count_ - 1];
        const std::int64_t rise = next() - from;
        for (std::int64_t i = 1; i <= length; ++i) {
            const std::int64_t scaled = std::abs(rise) * i;
            std::int64_t steps = scaled / length;
            const std::int64_t doubled = 2 * (scaled % length);
            const std::int64_t below = rise < 0 ? from - steps : from + steps;
            if (doubled > length || (doubled == length && below % 2 != 0)) {
                ++steps;
            }
            values_[count_++] = static_cast<std::uint16_t>(rise < 0 ? from - steps : from + steps);
        }
    }

    void copy_segments(std::size_t count) {
        constexpr std::size_t kPlaces = 4; // the offset has 32 bits, low ones first
        std::size_t offset = 0;
        for (std::size_t i = 0; i < kPlaces; i += has_bytes_ ? 1 : 2) {
            offset |= std::size_t{next()} << (kByteBits * i);
        }
        const std::size_t behind = position_;
        position_ = has_bytes_ ? offset : offset / sizeof(std::uint16_t);
        for (std::size_t i = 0; i < count && count_ < entries_; ++i) {
            read_segment(false);
        }
        position_ = behind;
    }

    const Element* element_;
    std::vector<std::uint16_t> data_;
    std::size_t position_ = 0;
    std::size_t entries_;
    bool has_bytes_;
    std::vector<std::uint16_t> values_; ///< room for all entries
    std::size_t count_ = 0;
};

LookupTable table_of(const Descriptor& descriptor, std::vector<std::uint16_t> values) {
    return {.first = descriptor.first,
            .bits = descriptor.bits,
            .values = std::move(values),
            .type = {}};
}

} // namespace

LookupTable make_table(const RawValue& descriptor, const RawValue& data, bool is_signed,
                       bool any_bits) {
    Descriptor described = read_descriptor(descriptor, is_signed, any_bits);
    std::vector<std::uint16_t> values = read_entries(data, described);
    return table_of(described, std::move(values));
}

LookupTable make_segmented_table(const RawValue& descriptor, const RawValue& segments,
                                 bool is_signed) {
    const Descriptor described = read_descriptor(descriptor, is_signed, false);
    return table_of(described, SegmentReader{segments, described}.read());
}

} // namespace torchdicom::detail
