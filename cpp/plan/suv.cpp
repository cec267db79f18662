#include "plan/suv.hpp"

#include "header/values.hpp"
#include "plan/suv_time.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace torchdicom {

namespace {

// RadionuclideTotalDose is in Bq. What is outside is in MBq or mCi, or mistyped.
constexpr double kLeastDose = 1e6;
constexpr double kMostDose = 1e10;

/// Where an attribute stands.
enum class At : std::uint8_t { data_set, dose, ge, philips };

struct Attribute {
    std::string_view name; ///< how errors name it
    Tag tag = 0;
    At at = At::data_set;
};

constexpr Attribute kUnits{"(0054,1001) Units", tags::Units};
constexpr Attribute kCorrected{"(0028,0051) CorrectedImage", tags::SuvCorrectedImage};
constexpr Attribute kType{"(0054,1006) SUVType", tags::SuvType};
constexpr Attribute kPhilipsFactor{"(7053,1000)", 0, At::philips};
constexpr Attribute kDecay{"(0054,1102) DecayCorrection", tags::SuvDecayCorrection};
constexpr Attribute kWeight{"(0010,1030) PatientWeight", tags::SuvPatientWeight};
constexpr Attribute kDose{"(0018,1074) RadionuclideTotalDose", tags::SuvTotalDose, At::dose};
constexpr Attribute kHalfLife{"(0018,1075) RadionuclideHalfLife", tags::SuvHalfLife, At::dose};
constexpr Attribute kStartTime{"(0018,1072) RadiopharmaceuticalStartTime", tags::SuvStartTime,
                               At::dose};
constexpr Attribute kStart{"(0018,1078) RadiopharmaceuticalStartDateTime", tags::SuvStartDateTime,
                           At::dose};
constexpr Attribute kSeriesDate{"(0008,0021) SeriesDate", tags::SuvSeriesDate};
constexpr Attribute kSeriesTime{"(0008,0031) SeriesTime", tags::SuvSeriesTime};
constexpr Attribute kAcquisitionDate{"(0008,0022) AcquisitionDate", tags::SuvAcquisitionDate};
constexpr Attribute kAcquisitionTime{"(0008,0032) AcquisitionTime", tags::SuvAcquisitionTime};
constexpr Attribute kOffset{"(0008,0201) TimezoneOffsetFromUTC", tags::SuvTimezoneOffset};
constexpr Attribute kGeScan{"(0009,100D)", 0, At::ge};

using Slices = std::span<const FileHeader>;

[[noreturn]] void refuse(const FileHeader& header, const Attribute& attribute,
                         const std::string& why) {
    fail(ErrorCode::suv_not_possible,
         "There is no SUV of these values: " + why +
             ". Take them as they are with output='modality', or correct the file",
         Place{.path = header.path, .element = std::string{attribute.name}});
}

std::string_view text_in(const Quantity::Texts& texts, Tag tag) {
    const auto found = std::ranges::find(texts, tag, &Quantity::Texts::value_type::first);
    return found == texts.end() ? std::string_view{} : std::string_view{found->second};
}

/// Empty where the file does not have it.
std::string_view text_of(const FileHeader& header, const Attribute& attribute) {
    if (!header.quantity) {
        fail(ErrorCode::internal_error, "The header was read without what SUV are made of");
    }
    const Quantity& quantity = *header.quantity;
    switch (attribute.at) {
    case At::data_set:
        return text_in(quantity.texts, attribute.tag);
    case At::dose:
        if (quantity.dose_fault) {
            throw quantity.dose_fault->located({.path = header.path});
        }
        return text_in(quantity.dose, attribute.tag);
    case At::ge:
        return quantity.ge_scan_time;
    case At::philips:
        return quantity.philips_suv_factor;
    }
    return {};
}

/// What the attribute is in all slices; empty where none has it.
std::string_view common_text(Slices slices, const Attribute& attribute) {
    const std::string_view first = text_of(slices.front(), attribute);
    for (const FileHeader& header : slices) {
        if (text_of(header, attribute) != first) {
            refuse(header, attribute, "this attribute is not the same in all slices");
        }
    }
    return first;
}

/// A number within these bounds, ends included.
double common_number(Slices slices, const Attribute& attribute, double least, double most) {
    const std::string_view text = common_text(slices, attribute);
    if (text.empty()) {
        refuse(slices.front(), attribute, "this attribute is missing");
    }
    std::optional<double> number;
    try {
        number = parse_decimal(text, Element{});
    } catch (const Error&) {
        refuse(slices.front(), attribute, "this attribute is no number");
    }
    if (!(*number >= least && *number <= most)) {
        refuse(slices.front(), attribute, "this number cannot be, in the unit of the standard");
    }
    return *number;
}

constexpr double kAboveZero = std::numeric_limits<double>::denorm_min();
constexpr double kLargest = std::numeric_limits<double>::max();

void require_corrections(Slices slices) {
    for (const FileHeader& header : slices) {
        const std::string_view corrections = text_of(header, kCorrected);
        for (const std::string_view wanted : {"ATTN", "DECY"}) {
            if (!any_value(corrections,
                           [&](std::string_view value) { return trimmed(value) == wanted; })) {
                refuse(header, kCorrected,
                       "they are not said to be corrected for attenuation (ATTN) and decay (DECY)");
            }
        }
    }
}

/// Nothing where one of the two attributes is missing or malformed; `fault` is then that one.
std::optional<double> moment_of(const FileHeader& header, const Attribute& date,
                                const Attribute& time, const Attribute*& fault) {
    const std::optional<double> days = suv::days_of(text_of(header, date));
    const std::optional<double> seconds = suv::seconds_of(text_of(header, time));
    if (!days || !seconds) {
        fault = days ? &time : &date;
        return std::nullopt;
    }
    return *days * suv::kDay + *seconds;
}

/// When the values are for: the start of the scan. SeriesDate and SeriesTime say so, unless the
/// series was made of another later; then GE says it elsewhere.
double scan_start(Slices slices) {
    const FileHeader* at_fault = &slices.front();
    const Attribute* fault = &kSeriesTime;
    for (const Attribute& attribute : {kSeriesDate, kSeriesTime, kGeScan, kOffset}) {
        static_cast<void>(common_text(slices, attribute));
    }
    const std::optional<double> series = moment_of(slices.front(), kSeriesDate, kSeriesTime, fault);
    bool is_start = series.has_value();
    for (auto slice = slices.begin(); is_start && slice != slices.end(); ++slice) {
        const std::optional<double> acquired =
            moment_of(*slice, kAcquisitionDate, kAcquisitionTime, fault);
        is_start = acquired && *series <= *acquired;
        at_fault = acquired ? &slices.front() : &*slice;
    }
    if (is_start) {
        return *series;
    }
    const std::string_view offset = text_of(slices.front(), kOffset);
    if (const auto ge = suv::moment_of(text_of(slices.front(), kGeScan), offset)) {
        return *ge;
    }
    refuse(*at_fault, *fault,
           "when the scan began is not known: SeriesDate and SeriesTime must be there, and not "
           "after the acquisition of any slice");
}

/// When the dose was measured: not more than a day before the scan. A DateTime that is farther off,
/// as when one wrote the wrong day, is passed over for the time alone.
double injection(Slices slices, double scan) {
    const std::string_view start = common_text(slices, kStart);
    const std::string_view time = common_text(slices, kStartTime);
    if (const auto moment = suv::moment_of(start, text_of(slices.front(), kOffset))) {
        if (*moment <= scan && scan - *moment <= suv::kDay) {
            return *moment;
        }
    }
    const std::optional<double> seconds = suv::seconds_of(time);
    if (!seconds) {
        refuse(slices.front(), time.empty() && !start.empty() ? kStart : kStartTime,
               "when the dose was given is not known, or not within a day before the scan");
    }
    const double day = std::floor(scan / suv::kDay);
    const double same_day = day * suv::kDay + *seconds;
    return same_day <= scan ? same_day : (day - 1.0) * suv::kDay + *seconds;
}

/// Of values in Bq/ml.
double factor_of_activity(Slices slices) {
    const std::string_view correction = common_text(slices, kDecay);
    if (correction != "START" && correction != "ADMIN") {
        refuse(slices.front(), kDecay,
               "they are not corrected for decay to the start of the scan (START) or to the "
               "injection (ADMIN)");
    }
    const double weight_kg = common_number(slices, kWeight, kAboveZero, kLargest);
    double dose = common_number(slices, kDose, kLeastDose, kMostDose);
    if (correction == "START") {
        const double half_life = common_number(slices, kHalfLife, kAboveZero, kLargest);
        const double scan = scan_start(slices);
        const double passed = scan - injection(slices, scan);
        // The same expression as in the reference: `pow` of the same C library.
        dose *= std::pow(2.0, -passed / half_life);
    }
    if (!(dose > 0)) {
        refuse(slices.front(), kHalfLife, "nothing of the dose is left by then");
    }
    const double factor = weight_kg * 1000.0 / dose;
    if (!std::isfinite(factor) || factor <= 0) {
        refuse(slices.front(), kWeight, "what follows from it is no number");
    }
    return factor;
}

double factor_of(Slices slices) {
    const std::string_view units = common_text(slices, kUnits);
    if (units != "BQML" && units != "GML" && units != "CNTS") {
        refuse(slices.front(), kUnits, "they are not in BQML, GML or CNTS");
    }
    require_corrections(slices);
    if (units == "BQML") {
        return factor_of_activity(slices);
    }
    if (units == "CNTS") {
        return common_number(slices, kPhilipsFactor, kAboveZero, kLargest);
    }
    const std::string_view type = common_text(slices, kType);
    if (!type.empty() && type != "BW") {
        refuse(slices.front(), kType, "they are SUV, and not by body weight (BW)");
    }
    return 1.0;
}

} // namespace

void settle_suv(std::span<FileHeader> slices) {
    if (slices.empty()) {
        return;
    }
    const double factor = factor_of(slices);
    for (FileHeader& header : slices) {
        header.suv_factor = factor;
    }
}

} // namespace torchdicom
