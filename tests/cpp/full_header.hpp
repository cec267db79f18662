// A header with all that columns keep, and what of a header has to come back from them.
#pragma once

#include "header/columns.hpp"

#include <array>
#include <optional>
#include <tuple>
#include <vector>

namespace torchdicom::test {

using Ranges = std::vector<std::vector<ByteRange>>;

inline Ranges ranges_of(const FrameTable& frames) {
    Ranges ranges;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const auto found = frames.ranges(i);
        ranges.emplace_back(found.begin(), found.end());
    }
    return ranges;
}

inline auto values_of(const PixelElement& pixels) {
    const auto& [element, data_set_end] = pixels;
    const auto& [tag, vr, has_undefined_length, offset, value_offset, length] = element;
    return std::tuple{tag, vr, has_undefined_length, offset, value_offset, length, data_set_end};
}

inline auto values_of(const SliceTimes& times) {
    const auto& [temporal_position, trigger_time, cardiac_phase, b_value, gradient, reference_time,
                 number, day, time, slice_time] = times;
    return std::tuple{temporal_position, trigger_time, cardiac_phase, b_value, gradient,
                      reference_time,    number,       day,           time,    slice_time};
}

/// All that columns keep. A member that is new in FileHeader does not compile here before it is
/// either compared or listed as one that columns leave out.
inline auto kept_of(const FileHeader& header) {
    const auto& [path, memory, identity, element_syntax, transfer_syntax, transfer_syntax_uid,
                 specific_character_set, image_type, sop_class_uid, sop_instance_uid,
                 series_instance_uid, modality, series_description, echo_numbers, receive_coil_name,
                 photometric_interpretation, rescale_type, units, stack, part, times, concatenation,
                 instance_number, number_of_frames_given, rows, columns, samples_per_pixel,
                 planar_configuration, bits_allocated, bits_stored, high_bit, pixel_representation,
                 pixel_padding_value, pixel_padding_range_limit, image_position_patient,
                 image_orientation_patient, pixel_spacing, imager_pixel_spacing, slice_thickness,
                 spacing_between_slices, rescale_slope, rescale_intercept, echo_time,
                 repetition_time, flip_angle, frame_time, frame_time_vector, functional_groups,
                 slices_of_file, has_modality_lut, has_real_world_maps, has_tables, modality_lut,
                 palette, real_world_maps, table_faults, voi, quantity, suv_factor, notes, pixels,
                 frames, extended_offsets, extended_lengths, fetched, texts] = header;
    static_cast<void>(memory);
    static_cast<void>(spacing_between_slices);
    static_cast<void>(slices_of_file);
    static_cast<void>(series_description);
    static_cast<void>(has_tables);
    static_cast<void>(modality_lut);
    static_cast<void>(palette);
    static_cast<void>(real_world_maps);
    static_cast<void>(table_faults);
    static_cast<void>(voi);
    static_cast<void>(quantity);
    static_cast<void>(suv_factor);
    static_cast<void>(notes);
    static_cast<void>(extended_offsets);
    static_cast<void>(extended_lengths);
    static_cast<void>(fetched);
    static_cast<void>(texts);
    return std::tuple{path,
                      identity.size,
                      identity.mtime_ns,
                      element_syntax.order,
                      element_syntax.is_explicit,
                      transfer_syntax.uid,
                      transfer_syntax.encoding,
                      transfer_syntax.is_deflated,
                      transfer_syntax_uid,
                      specific_character_set,
                      image_type,
                      sop_class_uid,
                      sop_instance_uid,
                      series_instance_uid,
                      modality,
                      echo_numbers,
                      receive_coil_name,
                      photometric_interpretation,
                      rescale_type,
                      units,
                      stack,
                      part,
                      values_of(times),
                      concatenation.uid,
                      concatenation.total,
                      instance_number,
                      number_of_frames_given,
                      rows,
                      columns,
                      samples_per_pixel,
                      planar_configuration,
                      bits_allocated,
                      bits_stored,
                      high_bit,
                      pixel_representation,
                      pixel_padding_value,
                      pixel_padding_range_limit,
                      image_position_patient,
                      image_orientation_patient,
                      pixel_spacing,
                      imager_pixel_spacing,
                      slice_thickness,
                      rescale_slope,
                      rescale_intercept,
                      echo_time,
                      repetition_time,
                      flip_angle,
                      frame_time,
                      frame_time_vector,
                      functional_groups,
                      has_modality_lut,
                      has_real_world_maps,
                      pixels ? std::optional{values_of(*pixels)} : std::nullopt,
                      ranges_of(frames)};
}

/// A header without an attribute that is absent, and no two values alike.
inline FileHeader full_header() {
    FileHeader header;
    header.path = "studies/\xff\n1.dcm";
    header.identity = {.size = 5000, .mtime_ns = -7, .inode = 99};
    header.element_syntax = {.order = std::endian::big, .is_explicit = false};
    header.transfer_syntax_uid = "1.2.840.10008.1.2.5";
    header.transfer_syntax = *find_transfer_syntax(header.transfer_syntax_uid);
    header.specific_character_set = "ISO_IR 192";
    header.image_type = "ORIGINAL\\PRIMARY";
    header.sop_class_uid = "1.2.3";
    header.sop_instance_uid = "1.2.3.4";
    header.series_instance_uid = "1.2.3.5";
    header.modality = "CT";
    header.echo_numbers = "1\\2";
    header.receive_coil_name = "HEAD";
    header.photometric_interpretation = "MONOCHROME2";
    header.rescale_type = "HU";
    header.units = "BQML";
    header.instance_number = -3;
    header.number_of_frames_given = 2;
    header.rows = 4;
    header.columns = 5;
    header.samples_per_pixel = 1;
    header.planar_configuration = 0;
    header.bits_allocated = 16;
    header.bits_stored = 12;
    header.high_bit = 11;
    header.pixel_representation = 1;
    header.pixel_padding_value = 63'536;
    header.pixel_padding_range_limit = 65'535;
    header.image_position_patient = std::array{0.1, -0.0, 1e-300};
    header.image_orientation_patient = std::array<double, 6>{1, 2, 3, 4, 5, 6};
    header.pixel_spacing = std::array{0.7, 0.8};
    header.imager_pixel_spacing = std::array{0.17, 0.18};
    header.slice_thickness = 3.3;
    header.rescale_slope = 37.37;
    header.rescale_intercept = -1024;
    header.echo_time = 4.6;
    header.repetition_time = 500;
    header.flip_angle = 90;
    header.times = {.temporal_position = 31,
                    .trigger_time = 32.5,
                    .cardiac_phase = 34,
                    .diffusion_b_value = 1000,
                    .diffusion_gradient = std::array{0.6, 0.64, -0.48},
                    .frame_reference_time = 35,
                    .acquisition_number = 36,
                    .acquisition_day = 20'000,
                    .acquisition_time = 86'399.5,
                    .slice_time = 37};
    header.stack = "EnergyWindow 2";
    header.concatenation = {.uid = "1.2.3.6", .total = 38};
    header.frame_time = 33.3;
    header.frame_time_vector = {0, 33.3};
    header.functional_groups = tags::PerFrameFunctionalGroupsSequence;
    header.has_modality_lut = true;
    header.has_real_world_maps = true;
    header.pixels = PixelElement{.element = {.tag = tags::PixelData,
                                             .vr = {'O', 'B'},
                                             .has_undefined_length = true,
                                             .offset = 100,
                                             .value_offset = 112,
                                             .length = 0},
                                 .data_set_end = 4990};
    header.frames.add_fragment({150, 20});
    header.frames.add_fragment({180, 0});
    header.frames.end_frame();
    header.frames.add_fragment({200, 4790});
    header.frames.end_frame();
    return header;
}

inline FileHeader bare_header() {
    FileHeader header;
    header.path = "bare";
    header.transfer_syntax_uid = "1.9.9";
    return header;
}

} // namespace torchdicom::test
