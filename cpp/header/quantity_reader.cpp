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

constexpr std::array kTexts{tags::SuvSeriesDate,
                            tags::SuvAcquisitionDate,
                            tags::SuvSeriesTime,
                            tags::SuvAcquisitionTime,
                            tags::SuvTimezoneOffset,
                            tags::SuvPatientWeight,
                            tags::SuvCorrectedImage,
                            tags::Units,
                            tags::SuvType,
                            tags::SuvDecayCorrection,
                            tags::SuvDecayCorrected,
                            tags::SuvAttenuationCorrected,
                            tags::SuvDecayCorrectionDateTime};

constexpr std::array kOfDose{tags::SuvStartTime, tags::SuvTotalDose, tags::SuvHalfLife,
                             tags::SuvStartDateTime};

constexpr Tag kGe = 0x0009;
constexpr Tag kPhilipsPet = 0x7053;
constexpr Tag kPhilipsMr = 0x2005;
constexpr std::string_view kPhilipsCreator = "Philips MR Imaging DD 001";

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

void PrivateValues::add(const Element& element, ElementReader& reader) {
    const ByteSpan bytes = reader.value(element);
    values_.insert_or_assign(element.tag, RawValue{.element = element,
                                                   .order = reader.order(),
                                                   .bytes = {bytes.begin(), bytes.end()}});
}

const RawValue* PrivateValues::find(Tag group, Tag number, std::string_view creator) const {
    for (const auto& [tag, value] : values_) {
        const Tag block = (tag & 0xFFFFU) >> 8U;
        if (tag >> 16U != group || block < 0x10 || (tag & 0xFFU) != number) {
            continue;
        }
        if (is_of(tag, creator)) {
            return &value;
        }
    }
    return nullptr;
}

bool PrivateValues::is_of(Tag tag, std::string_view creator) const {
    const auto owner = values_.find((tag & 0xFFFF'0000U) | (tag & 0xFFFFU) >> 8U);
    return owner != values_.end() && text_of(&owner->second) == creator;
}

namespace {

/// The scale slope in the first item of a sequence of Philips; nothing where that is malformed.
std::optional<double> scale_slope_in(const Element& sequence, ElementReader reader) {
    PrivateValues values;
    try {
        static_cast<void>(reader.walk(sequence, [&](std::size_t item, const Element& element) {
            if (item == 0 && element.tag >> 16U == kPhilipsMr && is_short(element)) {
                values.add(element, reader);
            }
        }));
    } catch (const Error& error) {
        const ErrorKind kind = kind_of(error.code());
        if (kind != ErrorKind::parse && kind != ErrorKind::limit) {
            throw;
        }
        return std::nullopt;
    }
    const RawValue* const slope = values.find(kPhilipsMr, 0x0E, kPhilipsCreator);
    return slope == nullptr ? std::nullopt : std::optional{number_of(*slope)};
}

/// What stands in group 2005 of one item of the functional groups.
struct PhilipsItem {
    PrivateValues creators;
    std::map<Tag, std::optional<double>> scale_slopes; ///< of what may be the sequence with it

    /// That of the first block of its creator that has one.
    [[nodiscard]] std::optional<double> scale_slope() const {
        const auto found = std::ranges::find_if(scale_slopes, [this](const auto& one) {
            return creators.is_of(one.first, "Philips MR Imaging DD 005");
        });
        return found == scale_slopes.end() ? std::nullopt : found->second;
    }
};

/// Of each item of the functional groups.
std::vector<std::optional<double>> read_frame_scale_slopes(const Element& groups,
                                                           ElementReader& reader) {
    std::vector<PhilipsItem> items;
    const std::size_t count = reader.walk(groups, [&](std::size_t item, const Element& element) {
        if (element.tag >> 16U != kPhilipsMr || item >= limits::kMaxFrames) {
            return;
        }
        items.resize(std::max(items.size(), item + 1));
        const Tag number = element.tag & 0xFFFFU;
        if (number >= 0x1000 && (number & 0xFFU) == 0x0F) {
            items[item].scale_slopes.insert_or_assign(element.tag, scale_slope_in(element, reader));
        } else if (number >= 0x10 && number <= 0xFF && is_short(element)) {
            items[item].creators.add(element, reader);
        }
    });
    std::vector<std::optional<double>> slopes(std::min<std::size_t>(count, limits::kMaxFrames));
    for (std::size_t i = 0; i < items.size(); ++i) {
        slopes[i] = items[i].scale_slope();
    }
    return slopes;
}

} // namespace

void QuantityReader::read(const Element& element, ElementReader reader, Quantity& quantity) {
    const Tag group = element.tag >> 16U;
    if (std::ranges::find(kTexts, element.tag) != kTexts.end()) {
        note(element, reader, quantity.texts);
    } else if (element.tag == tags::SuvRadiopharmaceuticals) {
        read_dose(element, reader, quantity);
    } else if (element.tag == tags::SharedFunctionalGroupsSequence) {
        auto slopes = read_frame_scale_slopes(element, reader);
        quantity.philips_shared_scale_slope = slopes.empty() ? std::nullopt : slopes.front();
    } else if (element.tag == tags::PerFrameFunctionalGroupsSequence) {
        quantity.philips_frame_scale_slopes = read_frame_scale_slopes(element, reader);
    } else if ((group == kGe || group == kPhilipsPet || group == kPhilipsMr) && is_short(element)) {
        private_.add(element, reader);
    }
}

void QuantityReader::read_dose(const Element& sequence, ElementReader& reader, Quantity& quantity) {
    if (has_dose_ && sequence.has_undefined_length) {
        return; // the first counts, as long as none has a length
    }
    has_dose_ = true;
    quantity.dose.clear();
    quantity.doses = 0;
    quantity.dose_fault.reset();
    try {
        quantity.doses = reader.walk(sequence, [&](std::size_t item, const Element& element) {
            if (item == 0 && std::ranges::find(kOfDose, element.tag) != kOfDose.end()) {
                note(element, reader, quantity.dose);
            }
        });
    } catch (const Error& error) {
        const ErrorKind kind = kind_of(error.code());
        if (kind != ErrorKind::parse && kind != ErrorKind::limit) {
            throw;
        }
        quantity.dose_fault = error;
    }
}

void QuantityReader::finish(Quantity& quantity) const {
    quantity.ge_scan_time = text_of(private_.find(kGe, 0x0D, "GEMS_PETD_01"));
    quantity.philips_suv_factor =
        text_of(private_.find(kPhilipsPet, 0x00, "Philips PET Private Group"));
    if (const RawValue* const slope = private_.find(kPhilipsMr, 0x0E, kPhilipsCreator)) {
        quantity.philips_scale_slope = number_of(*slope);
    }
}

} // namespace torchdicom::detail
