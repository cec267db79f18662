#include "series/splitting.hpp"

#include "header/values.hpp"
#include "series/kind.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace torchdicom {

namespace {

/// printf's %.*g and %.*f, whatever the locale. The largest double has 309 digits before the point.
std::string number_text(double number, std::chars_format format, int precision) {
    std::array<char, 352> text{};
    auto* const end =
        std::to_chars(text.data(), text.data() + text.size(), number, format, precision).ptr;
    return {text.data(), end};
}

std::string parameter_text(const std::optional<double>& number) {
    return number ? number_text(*number, std::chars_format::general, 10) : std::string{};
}

/// The component of a complex MR image, which vendors write at different places of ImageType.
std::string_view component_of(std::string_view image_type) {
    std::string_view component;
    std::size_t index = 0;
    const auto is_component = [&](std::string_view untrimmed) {
        const std::string_view value = trimmed(untrimmed);
        if (index++ < 2) {
            return false;
        }
        if (value == "M" || value == "MAGNITUDE") {
            component = "M";
        } else if (value == "P" || value == "PHASE" || value == "PHASE MAP") {
            component = "P";
        } else if (value == "R" || value == "REAL") {
            component = "R";
        } else if (value == "I" || value == "IMAGINARY") {
            component = "I";
        }
        return !component.empty();
    };
    static_cast<void>(any_value(image_type, is_component));
    return component;
}

std::string size_text(const FileHeader& header) {
    return std::to_string(header.rows.value_or(0)) + "x" +
           std::to_string(header.columns.value_or(0));
}

std::string pixel_format_text(const FileHeader& header) {
    const std::uint32_t allocated = header.bits_allocated.value_or(0);
    const std::uint32_t stored = header.bits_stored.value_or(allocated);
    const std::uint32_t high = header.high_bit.value_or(stored == 0 ? 0 : stored - 1);
    std::string text =
        std::to_string(allocated) + "/" + std::to_string(stored) + "/" + std::to_string(high);
    text += header.pixel_representation == 1U ? "/s/" : "/u/";
    text += std::to_string(header.samples_per_pixel.value_or(1));
    return text + "/" + header.photometric_interpretation;
}

/// A slice without slope among others that have one would be on another scale.
std::string units_text(const FileHeader& header) {
    return units_of(header) + "/" + (header.rescale_slope ? "slope" : "") + "/" +
           (header.rescale_intercept ? "intercept" : "");
}

} // namespace

Splitting splitting_of(const FileHeader& header, Kind kind) {
    return {header.sop_class_uid,
            header.modality,
            std::string{trimmed(nth_value(header.image_type, 0))},
            std::string{component_of(header.image_type)},
            has_image_type(header, "LOCALIZER") ? "localizer" : "",
            parameter_text(header.echo_time),
            parameter_text(header.repetition_time),
            parameter_text(header.flip_angle),
            header.echo_numbers,
            header.receive_coil_name,
            std::string{name_of(kind)},
            size_text(header),
            {},
            pixel_format_text(header),
            units_text(header),
            {},
            is_alone(kind) ? header.sop_instance_uid : std::string{},
            header.stack};
}

std::string pixel_spacing_text(const PixelSpacing& spacing) {
    std::string text;
    for (const double distance : spacing) {
        text += text.empty() ? "" : "\\";
        text += number_text(distance + 0.0, std::chars_format::general, 4); // -0 + 0 is 0
    }
    return text;
}

std::string orientation_text(const Orientation& orientation) {
    std::string text;
    for (const double cosine : orientation) {
        const std::string rounded = number_text(cosine, std::chars_format::fixed, 3);
        text += text.empty() ? "" : "\\";
        text += rounded == "-0.000" ? "0.000" : rounded;
    }
    return text;
}

std::string hash_of(std::span<const std::string> splitting) {
    constexpr std::uint64_t kOffset = 14'695'981'039'346'656'037U;
    constexpr std::uint64_t kPrime = 1'099'511'628'211U;
    std::uint64_t hash = kOffset;
    const auto add = [&hash](char c) {
        hash = (hash ^ std::uint64_t{static_cast<unsigned char>(c)}) * kPrime;
    };
    const bool has_stack = splitting.size() < kSplittingNames.size() || !splitting.back().empty();
    for (const std::string& text : splitting.first(splitting.size() - (has_stack ? 0 : 1))) {
        if (&text != splitting.data()) {
            add('|');
        }
        std::ranges::for_each(text, add);
    }
    const auto folded = static_cast<std::uint32_t>((hash >> 32U) ^ (hash & 0xFFFF'FFFFU));
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string digits(8, '0');
    for (std::size_t i = 0; i < digits.size(); ++i) {
        digits[i] = kDigits[(folded >> (28 - 4 * i)) & 0xFU];
    }
    return digits;
}

std::string units_of(const FileHeader& header) {
    constexpr std::array<std::string_view, 8> kRescaleTypes{"HU", "OD",  "MGML",   "Z_EFF",
                                                            "ED", "EDW", "HU_MOD", "PCT"};
    if (!header.rescale_slope && !header.rescale_intercept) {
        return {};
    }
    if (header.modality == "PT") {
        const bool has_own = header.units.empty() && header.part.is_frame;
        return has_own && header.rescale_type != "US" ? header.rescale_type : header.units;
    }
    if (header.modality == "RTDOSE") {
        return header.rescale_type == "GY" ? "GY" : "";
    }
    // PS3.3 C.11.1.1.2: a CT image without Rescale Type is in Hounsfield units.
    if (header.modality == "CT" && header.rescale_type.empty()) {
        return "HU";
    }
    const bool is_unit =
        std::ranges::find(kRescaleTypes, header.rescale_type) != kRescaleTypes.end();
    return is_unit ? header.rescale_type : std::string{};
}

} // namespace torchdicom
