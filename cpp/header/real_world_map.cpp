// Items of RealWorldValueMappingSequence (PS3.3 C.7.6.16.2.11).

#include "header/real_world_map.hpp"

#include "header/tags.hpp"
#include "header/values.hpp"

#include <cmath>

namespace torchdicom {

namespace {

// A file has one or a few, and an item takes less room in it than here.
constexpr std::size_t kMaxMaps = 1'000;

// A table has an entry for each stored value of 16 bits.
constexpr std::uint64_t kMaxTable = 65'536 * sizeof(double);

double decimal_at(ByteSpan value, std::size_t index, const Element& element, std::endian order) {
    const auto bits = load_number<std::uint64_t>(value, index * sizeof(double), order);
    const auto number = std::bit_cast<double>(bits);
    if (!std::isfinite(number)) {
        fail(ErrorCode::invalid_value,
             "The number is none, or infinite. Correct the file, or take the values with "
             "output='stored'",
             element.place());
    }
    return number;
}

std::vector<double> decimals(const Element& element, ElementReader& reader) {
    const ByteSpan value = reader.value(element, kMaxTable);
    if (value.size() % sizeof(double) != 0) {
        fail_multiplicity(element, value.size() / sizeof(double) + 1,
                          value.size() / sizeof(double));
    }
    std::vector<double> numbers(value.size() / sizeof(double));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        numbers[i] = decimal_at(value, i, element, reader.order());
    }
    return numbers;
}

std::optional<double> one_decimal(const Element& element, ElementReader& reader) {
    const std::vector<double> numbers = decimals(element, reader);
    if (numbers.size() > 1) {
        fail_multiplicity(element, 1, numbers.size());
    }
    return numbers.empty() ? std::nullopt : std::optional{numbers.front()};
}

/// US or SS, as PixelRepresentation says.
std::optional<double> one_integer(const Element& element, ElementReader& reader, bool is_signed) {
    const ByteSpan value = reader.value(element);
    if (value.empty()) {
        return std::nullopt;
    }
    if (value.size() != sizeof(std::uint16_t)) {
        fail_multiplicity(element, 1, value.size() / sizeof(std::uint16_t));
    }
    const auto number = load_number<std::uint16_t>(value, 0, reader.order());
    return is_signed ? static_cast<std::int16_t>(number) : static_cast<std::int32_t>(number);
}

double required(std::optional<double> number, Tag tag) {
    if (!number) {
        fail(ErrorCode::missing_element,
             "A real-world value mapping lacks this attribute. Correct the file, or take the "
             "values with output='stored'",
             Place{.element = element_name(tag)});
    }
    return *number;
}

void read_map_element(const Element& element, ElementReader& reader, bool is_signed, RawMap& raw) {
    switch (element.tag) {
    case tags::LUTLabel:
        raw.map.label = trimmed(as_text(reader.value(element)));
        break;
    case tags::MeasurementUnitsCodeSequence:
        static_cast<void>(reader.walk(element, [&](std::size_t item, const Element& inner) {
            if (item == 0 && inner.tag == tags::CodeValue) {
                raw.map.units = trimmed(as_text(reader.value(inner)));
            }
        }));
        break;
    case tags::RealWorldValueFirstValueMapped:
        raw.first = one_integer(element, reader, is_signed);
        break;
    case tags::RealWorldValueLastValueMapped:
        raw.last = one_integer(element, reader, is_signed);
        break;
    case tags::DoubleFloatRealWorldValueFirstValueMapped:
        raw.double_first = one_decimal(element, reader);
        break;
    case tags::DoubleFloatRealWorldValueLastValueMapped:
        raw.double_last = one_decimal(element, reader);
        break;
    case tags::RealWorldValueSlope:
        raw.slope = one_decimal(element, reader);
        break;
    case tags::RealWorldValueIntercept:
        raw.intercept = one_decimal(element, reader);
        break;
    case tags::RealWorldValueLUTData:
        raw.map.values = decimals(element, reader);
        break;
    default:
        break;
    }
}

} // namespace

void add_map_element(std::size_t item, const Element& element, ElementReader& reader,
                     bool is_signed, std::vector<RawMap>& maps) {
    if (item >= kMaxMaps) {
        fail(ErrorCode::invalid_sequence,
             "There are more than " + std::to_string(kMaxMaps) +
                 " real-world value mappings. The file is corrupt",
             element.place());
    }
    if (maps.size() <= item) {
        maps.resize(item + 1);
    }
    read_map_element(element, reader, is_signed, maps[item]);
}

RealWorldMap settle_map(RawMap raw, bool is_float) {
    // The range in doubles is that of float pixels; a file that has only one of the two means it.
    const bool has_doubles = raw.double_first || raw.double_last;
    const bool has_integers = raw.first || raw.last;
    if (has_doubles && (is_float || !has_integers)) {
        raw.map.first = required(raw.double_first, tags::DoubleFloatRealWorldValueFirstValueMapped);
        raw.map.last = required(raw.double_last, tags::DoubleFloatRealWorldValueLastValueMapped);
    } else {
        raw.map.first = required(raw.first, tags::RealWorldValueFirstValueMapped);
        raw.map.last = required(raw.last, tags::RealWorldValueLastValueMapped);
    }
    if (raw.map.values.empty()) {
        raw.map.slope = required(raw.slope, tags::RealWorldValueSlope);
        raw.map.intercept = required(raw.intercept, tags::RealWorldValueIntercept);
    }
    return std::move(raw.map);
}

} // namespace torchdicom
