// SUV of enhanced PET (PS3.3 A.56): frames say their unit, and the file what was corrected, and to
// when (C.8.22).

#include "header/tables.hpp"
#include "plan/suv.hpp"
#include "plan/suv_attributes.hpp"
#include "plan/suv_time.hpp"

#include <algorithm>
#include <cmath>

namespace torchdicom {

namespace {

using suv::Attribute;
using suv::refuse;
using suv::Slices;

// PS3.3 C.8.22.4: here RadionuclideTotalDose is in MBq, where classic PET has Bq.
constexpr double kMega = 1e6;
constexpr double kLeastMegaBq = 1;
constexpr double kMostMegaBq = 1e4;

constexpr Attribute kRescaleType{"(0028,1054) RescaleType"};
constexpr Attribute kDecayCorrected{"(0018,9758) DecayCorrected", tags::SuvDecayCorrected};
constexpr Attribute kAttenuationCorrected{"(0018,9759) AttenuationCorrected",
                                          tags::SuvAttenuationCorrected};
constexpr Attribute kDecayDateTime{"(0018,9701) DecayCorrectionDateTime",
                                   tags::SuvDecayCorrectionDateTime};
constexpr Attribute kRadiopharmaceuticals{"(0054,0016) RadiopharmaceuticalInformationSequence"};

enum class Unit : std::uint8_t { none, activity, suv, suv_by_weight };

/// Codes of UCUM (PS3.16 CID 84 and 85); SUV by weight has an older one.
Unit unit_of_map(const RealWorldMap& map) {
    if (!map.values.empty()) {
        return Unit::none;
    }
    if (map.units == "Bq/ml") {
        return Unit::activity;
    }
    if (map.units == "g/ml") {
        return Unit::suv;
    }
    const bool is_by_weight = map.units == "{SUVbw}g/ml" || map.units == "g/ml{SUVbw}";
    return is_by_weight ? Unit::suv_by_weight : Unit::none;
}

Unit unit_of_rescale(const FileHeader& header) noexcept {
    if (header.rescale_type == "BQML") {
        return Unit::activity;
    }
    return header.rescale_type == "GML" ? Unit::suv : Unit::none;
}

Unit unit_of(const FileHeader& header) {
    const std::optional<std::size_t> map = suv_map_of(header);
    const Unit unit = map ? unit_of_map(real_world_maps_of(header)[*map]) : unit_of_rescale(header);
    if (unit == Unit::none) {
        refuse(header, kRescaleType,
               "they are not in BQML or GML, and there is not one linear real-world map in Bq/ml "
               "or g/ml");
    }
    return unit;
}

Unit common_unit(Slices slices) {
    const Unit first = unit_of(slices.front());
    for (const FileHeader& header : slices) {
        if (unit_of(header) != first) {
            refuse(header, kRescaleType, "the unit is not the same in all slices");
        }
    }
    return first;
}

/// The dose when it was given, in Bq.
double total_dose(Slices slices) {
    for (const FileHeader& header : slices) {
        if (header.quantity->doses > 1) {
            refuse(header, kRadiopharmaceuticals, "there is more than one radiopharmaceutical");
        }
    }
    return suv::common_number(slices, suv::kDose, kLeastMegaBq, kMostMegaBq) * kMega;
}

double common_moment(Slices slices, const Attribute& attribute) {
    const std::string_view text = suv::common_text(slices, attribute);
    const std::string_view offset = suv::common_text(slices, suv::kOffset);
    const std::optional<double> moment = suv::moment_of(text, offset);
    if (!moment) {
        refuse(slices.front(), attribute,
               text.empty() ? "this attribute is missing"
                            : "this is no date and time in the time zone of the file");
    }
    return *moment;
}

} // namespace

std::optional<std::size_t> suv_map_of(const FileHeader& header) {
    if (!suv::is_enhanced(header) || unit_of_rescale(header) != Unit::none ||
        !header.has_real_world_maps) {
        return std::nullopt;
    }
    const std::span<const RealWorldMap> maps = real_world_maps_of(header);
    const auto serves = [](const RealWorldMap& map) { return unit_of_map(map) != Unit::none; };
    if (std::ranges::count_if(maps, serves) != 1) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(std::ranges::find_if(maps, serves) - maps.begin());
}

double suv::factor_of_enhanced(Slices slices) {
    const Unit unit = common_unit(slices);
    for (const Attribute& attribute : {kAttenuationCorrected, kDecayCorrected}) {
        if (common_text(slices, attribute) != "YES") {
            refuse(slices.front(), attribute, "they are not said to be corrected (YES)");
        }
    }
    if (unit == Unit::suv) {
        require_body_weight(slices);
    }
    if (unit != Unit::activity) {
        return 1.0;
    }
    const double weight_kg = common_number(slices, kWeight, kAboveZero, kLargest);
    const double dose = total_dose(slices);
    const double half_life = common_number(slices, kHalfLife, kAboveZero, kLargest);
    const double corrected_to = common_moment(slices, kDecayDateTime);
    const double passed = corrected_to - common_moment(slices, kStart);
    if (!(passed >= 0 && passed <= kDay)) {
        refuse(slices.front(), kStart,
               "the dose was not given within a day before the time that they are corrected to, "
               "DecayCorrectionDateTime");
    }
    // The same expression as in the reference: `pow` of the same C library.
    return factor_of_dose(slices, weight_kg, dose * std::pow(2.0, -passed / half_life));
}

} // namespace torchdicom
