#include "header/quantity_reader.hpp"

#include "header/values.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace torchdicom::detail {

namespace {

// What is longer is none of these attributes, whatever its tag.
constexpr std::uint64_t kMaxBytes = 1'024;

constexpr std::array kTexts{tags::SuvSeriesDate,     tags::SuvAcquisitionDate,
                            tags::SuvSeriesTime,     tags::SuvAcquisitionTime,
                            tags::SuvTimezoneOffset, tags::SuvPatientWeight,
                            tags::SuvCorrectedImage, tags::Units,
                            tags::SuvType,           tags::SuvDecayCorrection};

constexpr std::array kOfDose{tags::SuvStartTime, tags::SuvTotalDose, tags::SuvHalfLife,
                             tags::SuvStartDateTime};

constexpr Tag kGe = 0x0009;
constexpr Tag kPhilipsPet = 0x7053;
constexpr Tag kPhilipsMr = 0x2005;

bool is_short(const Element& element) noexcept {
    return !element.has_undefined_length && element.length <= kMaxBytes;
}

void note(const Element& element, ElementReader& reader, Quantity::Texts& texts) {
    if (element.has_undefined_length) {
        return;
    }
    std::erase_if(texts, [&](const auto& one) { return one.first == element.tag; });
    if (is_short(element)) {
        texts.emplace_back(element.tag, trimmed(as_text(reader.value(element))));
    }
}

std::string text_of(const RawValue* value) {
    return value == nullptr ? std::string{} : std::string{trimmed(as_text(value->bytes))};
}

/// An FL, an FD, or a DS.
double number_of(const RawValue& value) {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    const ByteSpan bytes = value.bytes;
    if (value.element.vr == std::array{'D', 'S'}) {
        try {
            return parse_decimal(as_text(bytes), value.element);
        } catch (const Error&) {
            return kNone;
        }
    }
    if (bytes.size() == sizeof(float)) {
        return std::bit_cast<float>(load_number<std::uint32_t>(bytes, 0, value.order));
    }
    if (bytes.size() == sizeof(double)) {
        return std::bit_cast<double>(load_number<std::uint64_t>(bytes, 0, value.order));
    }
    return kNone;
}

} // namespace

void QuantityReader::read(const Element& element, ElementReader reader, Quantity& quantity) {
    const Tag group = element.tag >> 16U;
    if (std::ranges::find(kTexts, element.tag) != kTexts.end()) {
        note(element, reader, quantity.texts);
    } else if (element.tag == tags::SuvRadiopharmaceuticals) {
        read_dose(element, reader, quantity);
    } else if ((group == kGe || group == kPhilipsPet || group == kPhilipsMr) && is_short(element)) {
        const ByteSpan bytes = reader.value(element);
        private_.insert_or_assign(element.tag, RawValue{.element = element,
                                                        .order = reader.order(),
                                                        .bytes = {bytes.begin(), bytes.end()}});
    }
}

void QuantityReader::read_dose(const Element& sequence, ElementReader& reader, Quantity& quantity) {
    if (has_dose_ && sequence.has_undefined_length) {
        return; // the first counts, as long as none has a length
    }
    has_dose_ = true;
    quantity.dose.clear();
    quantity.dose_fault.reset();
    try {
        static_cast<void>(reader.walk(sequence, [&](std::size_t item, const Element& element) {
            if (item == 0 && std::ranges::find(kOfDose, element.tag) != kOfDose.end()) {
                note(element, reader, quantity.dose);
            }
        }));
    } catch (const Error& error) {
        const ErrorKind kind = kind_of(error.code());
        if (kind != ErrorKind::parse && kind != ErrorKind::limit) {
            throw;
        }
        quantity.dose_fault = error;
    }
}

const RawValue* QuantityReader::find(Tag group, Tag number, std::string_view creator) const {
    for (const auto& [tag, value] : private_) {
        const Tag block = (tag & 0xFFFFU) >> 8U;
        if (tag >> 16U != group || block < 0x10 || (tag & 0xFFU) != number) {
            continue;
        }
        const auto owner = private_.find((group << 16U) | block);
        if (owner != private_.end() && text_of(&owner->second) == creator) {
            return &value;
        }
    }
    return nullptr;
}

void QuantityReader::finish(Quantity& quantity) const {
    quantity.ge_scan_time = text_of(find(kGe, 0x0D, "GEMS_PETD_01"));
    quantity.philips_suv_factor = text_of(find(kPhilipsPet, 0x00, "Philips PET Private Group"));
    if (const RawValue* const slope = find(kPhilipsMr, 0x0E, "Philips MR Imaging DD 001")) {
        quantity.philips_scale_slope = number_of(*slope);
    }
}

} // namespace torchdicom::detail
