// The one list of what of a FileHeader is a column: writing, reading and naming walk it.
#pragma once

#include "header/file_header.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace torchdicom::detail {

/// What of a header is no plain value, as plain values.
struct HeaderParts {
    bool is_big_endian = false;
    bool is_explicit = true;
    std::optional<std::int64_t> functional_groups{}; ///< a tag
    std::optional<std::int64_t> pixel_tag{};         ///< nothing: no pixels, what follows is 0
    std::string pixel_vr{};                          ///< empty where implicit
    bool has_undefined_length = false;
    std::uint64_t pixel_offset = 0;
    std::uint64_t pixel_value_offset = 0;
    std::uint64_t pixel_length = 0;
    std::uint64_t data_set_end = 0;
    std::vector<std::int64_t> range_offset{}; ///< of all frames, one after the other
    std::vector<std::int64_t> range_length{};
    std::vector<std::int64_t> ranges_per_frame{};
};

/// Calls visit(name, field) for each column in their fixed order; what Header and Parts are, const
/// or not, the fields are too.
template <typename Header, typename Parts, typename Visit>
void for_each_field(Header& header, Parts& parts, Visit& visit) {
    visit("path", header.path);
    visit("size", header.identity.size);
    visit("mtime_ns", header.identity.mtime_ns);
    visit("transfer_syntax_uid", header.transfer_syntax_uid);
    visit("is_big_endian", parts.is_big_endian);
    visit("is_explicit", parts.is_explicit);

    visit("specific_character_set", header.specific_character_set);
    visit("image_type", header.image_type);
    visit("sop_class_uid", header.sop_class_uid);
    visit("sop_instance_uid", header.sop_instance_uid);
    visit("series_instance_uid", header.series_instance_uid);
    visit("modality", header.modality);
    visit("echo_numbers", header.echo_numbers);
    visit("receive_coil_name", header.receive_coil_name);
    visit("photometric_interpretation", header.photometric_interpretation);
    visit("rescale_type", header.rescale_type);
    visit("units", header.units);
    visit("stack", header.stack);

    visit("is_frame", header.part.is_frame);
    visit("first_frame", header.part.first);
    visit("tile", header.part.tile);
    visit("frame_rows", header.part.frame_rows);
    visit("frame_columns", header.part.frame_columns);

    visit("instance_number", header.instance_number);
    visit("number_of_frames", header.number_of_frames_given);
    visit("rows", header.rows);
    visit("columns", header.columns);
    visit("samples_per_pixel", header.samples_per_pixel);
    visit("planar_configuration", header.planar_configuration);
    visit("bits_allocated", header.bits_allocated);
    visit("bits_stored", header.bits_stored);
    visit("high_bit", header.high_bit);
    visit("pixel_representation", header.pixel_representation);
    visit("pixel_padding_value", header.pixel_padding_value);
    visit("pixel_padding_range_limit", header.pixel_padding_range_limit);

    visit("image_position_patient", header.image_position_patient);
    visit("image_orientation_patient", header.image_orientation_patient);
    visit("pixel_spacing", header.pixel_spacing);
    visit("imager_pixel_spacing", header.imager_pixel_spacing);
    visit("slice_thickness", header.slice_thickness);
    visit("rescale_slope", header.rescale_slope);
    visit("rescale_intercept", header.rescale_intercept);
    visit("echo_time", header.echo_time);
    visit("repetition_time", header.repetition_time);
    visit("flip_angle", header.flip_angle);
    visit("frame_time", header.frame_time);
    visit("frame_time_vector", header.frame_time_vector);

    visit("temporal_position", header.times.temporal_position);
    visit("trigger_time", header.times.trigger_time);
    visit("cardiac_phase", header.times.cardiac_phase);
    visit("diffusion_b_value", header.times.diffusion_b_value);
    visit("diffusion_gradient", header.times.diffusion_gradient);
    visit("frame_reference_time", header.times.frame_reference_time);
    visit("acquisition_number", header.times.acquisition_number);
    visit("acquisition_day", header.times.acquisition_day);
    visit("acquisition_time", header.times.acquisition_time);
    visit("slice_time", header.times.slice_time);
    visit("concatenation_uid", header.concatenation.uid);
    visit("concatenation_total", header.concatenation.total);

    visit("functional_groups", parts.functional_groups);
    visit("has_modality_lut", header.has_modality_lut);
    visit("has_real_world_maps", header.has_real_world_maps);

    visit("pixel_tag", parts.pixel_tag);
    visit("pixel_vr", parts.pixel_vr);
    visit("has_undefined_length", parts.has_undefined_length);
    visit("pixel_offset", parts.pixel_offset);
    visit("pixel_value_offset", parts.pixel_value_offset);
    visit("pixel_length", parts.pixel_length);
    visit("data_set_end", parts.data_set_end);
    visit("range_offset", parts.range_offset);
    visit("range_length", parts.range_length);
    visit("ranges_per_frame", parts.ranges_per_frame);
}

} // namespace torchdicom::detail
