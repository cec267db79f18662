#include "plan/suv_attributes.hpp"

#include "header/values.hpp"

#include <algorithm>
#include <cmath>

namespace torchdicom::suv {

namespace {

std::string_view text_in(const Quantity::Texts& texts, Tag tag) {
    const auto found = std::ranges::find(texts, tag, &Quantity::Texts::value_type::first);
    return found == texts.end() ? std::string_view{} : std::string_view{found->second};
}

} // namespace

void refuse(const FileHeader& header, const Attribute& attribute, const std::string& why) {
    fail(ErrorCode::suv_not_possible,
         "There is no SUV of these values: " + why +
             ". Take them as they are with output='modality', or correct the file",
         Place{.path = header.path, .element = std::string{attribute.name}});
}

std::string_view text_of(const FileHeader& header, const Attribute& attribute) {
    if (!header.quantity) {
        fail(ErrorCode::internal_error, "The header was read without what SUV are made of");
    }
    const Quantity& quantity = *header.quantity;
    switch (attribute.at) {
    case Attribute::At::data_set:
        return text_in(quantity.texts, attribute.tag);
    case Attribute::At::dose:
        if (quantity.dose_fault) {
            throw quantity.dose_fault->located({.path = header.path});
        }
        return text_in(quantity.dose, attribute.tag);
    case Attribute::At::ge:
        return quantity.ge_scan_time;
    case Attribute::At::philips:
        return quantity.philips_suv_factor;
    }
    return {};
}

std::string_view common_text(Slices slices, const Attribute& attribute) {
    const std::string_view first = text_of(slices.front(), attribute);
    for (const FileHeader& header : slices) {
        if (text_of(header, attribute) != first) {
            refuse(header, attribute, "this attribute is not the same in all slices");
        }
    }
    return first;
}

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

double factor_of_dose(Slices slices, double weight_kg, double dose) {
    if (!(dose > 0)) {
        refuse(slices.front(), kHalfLife, "nothing of the dose is left by then");
    }
    const double factor = weight_kg * 1000.0 / dose;
    if (!std::isfinite(factor) || factor <= 0) {
        refuse(slices.front(), kWeight, "what follows from it is no number");
    }
    return factor;
}

void require_body_weight(Slices slices) {
    const std::string_view type = common_text(slices, kType);
    if (!type.empty() && type != "BW") {
        refuse(slices.front(), kType, "they are SUV, and not by body weight (BW)");
    }
}

bool is_enhanced(const FileHeader& header) noexcept {
    return header.part.is_frame && header.functional_groups.has_value();
}

} // namespace torchdicom::suv
