// What SUV are made of, by attribute: the same in all slices of a series, or refused by name.
#pragma once

#include "header/file_header.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace torchdicom::suv {

struct Attribute {
    /// Where it stands.
    enum class At : std::uint8_t { data_set, dose, ge, philips };

    std::string_view name; ///< how errors name it
    Tag tag = 0;
    At at = At::data_set;
};

inline constexpr Attribute kType{"(0054,1006) SUVType", tags::SuvType};
inline constexpr Attribute kWeight{"(0010,1030) PatientWeight", tags::SuvPatientWeight};
inline constexpr Attribute kDose{"(0018,1074) RadionuclideTotalDose", tags::SuvTotalDose,
                                 Attribute::At::dose};
inline constexpr Attribute kHalfLife{"(0018,1075) RadionuclideHalfLife", tags::SuvHalfLife,
                                     Attribute::At::dose};
inline constexpr Attribute kStart{"(0018,1078) RadiopharmaceuticalStartDateTime",
                                  tags::SuvStartDateTime, Attribute::At::dose};
inline constexpr Attribute kOffset{"(0008,0201) TimezoneOffsetFromUTC", tags::SuvTimezoneOffset};

inline constexpr double kAboveZero = std::numeric_limits<double>::denorm_min();
inline constexpr double kLargest = std::numeric_limits<double>::max();

using Slices = std::span<const FileHeader>;

/// Throws suv_not_possible about one attribute.
[[noreturn]] void refuse(const FileHeader& header, const Attribute& attribute,
                         const std::string& why);

/// Empty where the file does not have it. Throws what is wrong with the sequence that it is in.
[[nodiscard]] std::string_view text_of(const FileHeader& header, const Attribute& attribute);

/// What the attribute is in all slices; empty where none has it.
[[nodiscard]] std::string_view common_text(Slices slices, const Attribute& attribute);

/// The same of a number within these bounds, ends included.
[[nodiscard]] double common_number(Slices slices, const Attribute& attribute, double least,
                                   double most);

/// Grams of the patient for each Bq of the dose that is left.
[[nodiscard]] double factor_of_dose(Slices slices, double weight_kg, double dose);

/// Refuses SUV that are not by body weight.
void require_body_weight(Slices slices);

/// Whether the frames of an enhanced file are the slices.
[[nodiscard]] bool is_enhanced(const FileHeader& header) noexcept;

/// The factor of enhanced PET (PS3.3 A.56), whose unit each frame says itself (suv_enhanced.cpp).
[[nodiscard]] double factor_of_enhanced(Slices slices);

} // namespace torchdicom::suv
