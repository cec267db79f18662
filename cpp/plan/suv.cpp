#include "plan/suv.hpp"

#include "header/values.hpp"
#include "plan/suv_attributes.hpp"
#include "plan/suv_time.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

namespace torchdicom {

namespace {

using suv::Attribute;
using suv::common_number;
using suv::common_text;
using suv::kAboveZero;
using suv::kDose;
using suv::kHalfLife;
using suv::kLargest;
using suv::kOffset;
using suv::kStart;
using suv::kWeight;
using suv::refuse;
using suv::Slices;
using suv::text_of;
using At = Attribute::At;

// RadionuclideTotalDose is in Bq. What is outside is in MBq or mCi, or mistyped.
constexpr double kLeastDose = 1e6;
constexpr double kMostDose = 1e10;

constexpr Attribute kUnits{"(0054,1001) Units", tags::Units};
constexpr Attribute kCorrected{"(0028,0051) CorrectedImage", tags::SuvCorrectedImage};
constexpr Attribute kPhilipsFactor{"(7053,1000)", 0, At::philips};
constexpr Attribute kDecay{"(0054,1102) DecayCorrection", tags::SuvDecayCorrection};
constexpr Attribute kStartTime{"(0018,1072) RadiopharmaceuticalStartTime", tags::SuvStartTime,
                               At::dose};
constexpr Attribute kSeriesDate{"(0008,0021) SeriesDate", tags::SuvSeriesDate};
constexpr Attribute kSeriesTime{"(0008,0031) SeriesTime", tags::SuvSeriesTime};
constexpr Attribute kAcquisitionDate{"(0008,0022) AcquisitionDate", tags::SuvAcquisitionDate};
constexpr Attribute kAcquisitionTime{"(0008,0032) AcquisitionTime", tags::SuvAcquisitionTime};
constexpr Attribute kGeScan{"(0009,100D)", 0, At::ge};

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
    return suv::factor_of_dose(slices, weight_kg, dose);
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
    suv::require_body_weight(slices);
    return 1.0;
}

} // namespace

void settle_suv(std::span<FileHeader> slices) {
    if (slices.empty()) {
        return;
    }
    const bool is_enhanced = suv::is_enhanced(slices.front());
    const double factor = is_enhanced ? suv::factor_of_enhanced(slices) : factor_of(slices);
    for (FileHeader& header : slices) {
        header.suv_factor = factor;
    }
}

} // namespace torchdicom
