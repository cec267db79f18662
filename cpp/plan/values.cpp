#include "plan/values.hpp"

#include "plan/suv.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace torchdicom {

namespace {

constexpr const char* kMaps = "(0040,9096) RealWorldValueMappingSequence";

bool has_rescale(const FileHeader& header) noexcept {
    return header.rescale_slope || header.rescale_intercept || header.has_modality_lut;
}

std::string labels_of(std::span<const RealWorldMap> maps) {
    std::string text;
    for (const RealWorldMap& map : maps) {
        text += (text.empty() ? "'" : ", '") + map.label + "'";
    }
    return text;
}

/// The index of the map that is wanted among those of the file.
std::size_t choose_map(const FileHeader& header, const std::optional<std::string>& label) {
    const std::span<const RealWorldMap> maps = real_world_maps_of(header);
    const Place place{.path = header.path, .element = kMaps};
    if (maps.empty()) {
        fail(ErrorCode::no_real_world_map,
             "The file has no real-world value map. Take the values with output='modality'", place);
    }
    if (!label && maps.size() > 1) {
        fail(ErrorCode::several_real_world_maps,
             "The file has " + std::to_string(maps.size()) +
                 " real-world value maps. Choose one by its label with rwvm=, of " +
                 labels_of(maps),
             place);
    }
    const auto wanted =
        label ? std::ranges::find(maps, *label, &RealWorldMap::label) : maps.begin();
    if (wanted == maps.end()) {
        fail(ErrorCode::several_real_world_maps,
             "No real-world value map is labelled '" + *label + "'. There is " + labels_of(maps),
             place);
    }
    return static_cast<std::size_t>(wanted - maps.begin());
}

Mapping real_world_mapping(const FileHeader& header, std::size_t index) {
    const RealWorldMap& map = real_world_maps_of(header)[index];
    if (!map.values.empty()) {
        return {.table = Table::real_world_lut, .real_world = index};
    }
    return {.rescale = {.slope = map.slope, .intercept = map.intercept}, .real_world = index};
}

Mapping modality_mapping(const FileHeader& header) {
    if (header.modality == "RTDOSE" && !header.rescale_slope) {
        fail(ErrorCode::missing_element,
             "The doses are multiples of this attribute. Correct the file, or take the values with "
             "output='stored'",
             header.place_of(tags::DoseGridScaling));
    }
    if (header.has_modality_lut) {
        return {.table = Table::modality_lut};
    }
    if (!has_rescale(header) && real_world_maps_of(header).size() == 1) {
        return real_world_mapping(header, 0); // parametric maps have nothing else
    }
    if (header.rescale_slope == 0.0) {
        fail(ErrorCode::invalid_value,
             "A slope of 0 makes all pixels the same. Correct the file, or take the values with "
             "output='stored'",
             header.place_of(header.modality == "RTDOSE" ? tags::DoseGridScaling
                                                         : tags::RescaleSlope));
    }
    // A missing one of the two is what it takes to change nothing.
    return {.rescale = {.slope = header.rescale_slope.value_or(1.0),
                        .intercept = header.rescale_intercept.value_or(0.0)}};
}

/// Philips' scale slope: of the frame, else of all frames, else of the data set.
std::optional<double> scale_slope_of(const FileHeader& header) {
    const Quantity& quantity = *header.quantity;
    const auto frame = static_cast<std::size_t>(header.part.first);
    const auto& of_frames = quantity.philips_frame_scale_slopes;
    if (header.part.is_frame && frame < of_frames.size() && of_frames[frame]) {
        return of_frames[frame];
    }
    const std::optional<double>& shared = quantity.philips_shared_scale_slope;
    return header.part.is_frame && shared ? shared : quantity.philips_scale_slope;
}

/// Values that another quantity follows from: modality values of slope and intercept, in gray.
Mapping scaled_mapping(const FileHeader& header, const PixelFormat& format, Output output) {
    const bool is_suv = output == Output::suv;
    const auto refuse = [&](const std::string& element) {
        fail(is_suv ? ErrorCode::suv_not_possible : ErrorCode::philips_fp_not_possible,
             std::string{is_suv ? "SUV follow" : "Values in floating point follow"} +
                 " from RescaleSlope and RescaleIntercept of gray images, and from this attribute "
                 "of Philips. Take the values with output='modality'",
             Place{.path = header.path, .element = element});
    };
    if (format.samples_per_pixel == 3 || format.photometric == Photometric::palette) {
        refuse(element_name(tags::PhotometricInterpretation));
    }
    if (header.has_modality_lut) {
        refuse(element_name(tags::ModalityLUTSequence));
    }
    const std::optional<std::size_t> map = is_suv ? suv_map_of(header) : std::nullopt;
    if (!header.rescale_slope && !map) {
        refuse(element_name(tags::RescaleSlope));
    }
    Mapping mapping = map ? real_world_mapping(header, *map) : modality_mapping(header);
    if (is_suv) {
        mapping.rescale.factor = header.suv_factor.value();
        return mapping;
    }
    constexpr const char* kScaleSlope = "(2005,100E)";
    const double scale_slope = scale_slope_of(header).value_or(0);
    mapping.rescale.divisor = mapping.rescale.slope * scale_slope;
    if (!(scale_slope > 0) || !std::isfinite(mapping.rescale.divisor) ||
        mapping.rescale.divisor == 0) {
        refuse(kScaleSlope);
    }
    return mapping;
}

/// Colours are what they are, in every other output.
Mapping colour_mapping(const FileHeader& header, const PixelFormat& format,
                       const OutputOptions& options) {
    if (options.rwvm) {
        fail(ErrorCode::no_real_world_map,
             "A real-world value map says nothing about colours. Leave rwvm= out",
             Place{.path = header.path, .element = kMaps});
    }
    return {.table = format.samples_per_pixel == 1 ? Table::palette : Table::none};
}

} // namespace

bool needs_tables(const FileHeader& header, Output output) noexcept {
    switch (output) {
    case Output::stored:
        return false;
    case Output::modality:
        return header.photometric_interpretation == "PALETTE COLOR" || header.has_modality_lut ||
               (!has_rescale(header) && header.has_real_world_maps);
    case Output::real_world:
        return header.photometric_interpretation == "PALETTE COLOR" || header.has_real_world_maps;
    case Output::suv: // maps of enhanced PET
        return header.part.is_frame && header.has_real_world_maps;
    case Output::philips_fp:
        return false;
    }
    return false;
}

Mapping mapping_of(const FileHeader& header, const PixelFormat& format,
                   const OutputOptions& options) {
    if (needs_quantity(options.output)) {
        return scaled_mapping(header, format, options.output);
    }
    const bool is_palette = format.photometric == Photometric::palette;
    if (format.samples_per_pixel == 3 || (is_palette && options.output != Output::stored)) {
        Mapping mapping = colour_mapping(header, format, options);
        if (mapping.table == Table::palette) {
            static_cast<void>(palette_of(header));
        }
        return mapping;
    }
    if (options.output == Output::stored) {
        return {};
    }
    const Mapping mapping = options.output == Output::modality
                                ? modality_mapping(header)
                                : real_world_mapping(header, choose_map(header, options.rwvm));
    if (mapping.table == Table::modality_lut) {
        static_cast<void>(modality_lut_of(header));
    }
    if (mapping.table != Table::none && format.sample_type != SampleType::integer) {
        fail(ErrorCode::unsupported_pixel_format,
             "Pixels in floating point have no place in a lookup table. Take the values with "
             "output='stored'",
             header.place_of(header.pixels ? header.pixels->element.tag : tags::PixelData));
    }
    return mapping;
}

std::uint32_t palette_bits(const FileHeader& header) {
    const Palette& palette = palette_of(header);
    return std::max({palette.red.bits, palette.green.bits, palette.blue.bits});
}

std::string units_of(const FileHeader& header, const Mapping& mapping,
                     const std::string& otherwise) {
    if (mapping.table == Table::palette) {
        return {};
    }
    if (mapping.real_world) {
        return real_world_maps_of(header)[*mapping.real_world].units;
    }
    if (mapping.table == Table::modality_lut) {
        const std::string& type = modality_lut_of(header).type;
        return type == "US" ? std::string{} : type; // US: unspecified
    }
    return otherwise;
}

} // namespace torchdicom
