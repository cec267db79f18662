// What a file says of each of its slices, where it holds several (PS3.3 C.7.6.16, C.8.4, C.8.8.3).
#pragma once

#include "base/error.hpp"
#include "header/real_world_map.hpp"
#include "header/times.hpp"
#include "header/voi.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace torchdicom {

/// What one item of the functional groups says; nothing where it says nothing.
struct FrameValues {
    std::optional<std::array<double, 3>> position;
    std::optional<std::array<double, 6>> orientation;
    std::optional<std::array<double, 3>> position_in_volume; ///< of enhanced ultrasound
    std::optional<std::array<double, 6>> orientation_in_volume;
    std::optional<std::array<double, 2>> pixel_spacing;
    std::optional<std::array<double, 2>> imager_pixel_spacing;
    std::optional<double> slice_thickness;
    std::optional<double> rescale_slope;
    std::optional<double> rescale_intercept;
    std::string rescale_type;
    std::optional<std::uint32_t> padding_value;
    std::optional<std::uint32_t> padding_range_limit;
    std::optional<double> echo_time;
    std::optional<double> repetition_time;
    std::optional<double> flip_angle;
    std::string receive_coil_name;
    std::string stack_id;
    std::string frame_type;
    std::string component; ///< ComplexImageComponent
    SliceTimes times;
    Voi voi;
    std::vector<RawMap> maps;
    std::optional<Error> map_fault; ///< why there are none: for who uses them
    bool has_maps = false;
    std::vector<std::pair<std::uint32_t, std::string>> texts; ///< by tag, for the metadata
};

/// An item of DetectorInformationSequence.
struct Detector {
    std::optional<std::array<double, 3>> position;
    std::optional<std::array<double, 6>> orientation;
};

/// The vectors of nuclear medicine, a number for each frame; empty where absent.
struct FrameVectors {
    std::vector<std::uint32_t> energy_window;
    std::vector<std::uint32_t> detector;
    std::vector<std::uint32_t> rr_interval;
    std::vector<std::uint32_t> time_slot;
    std::vector<std::uint32_t> slice;
    std::vector<std::uint32_t> time_slice;
};

/// A Siemens mosaic: its tiles are slices.
struct Mosaic {
    std::optional<std::int64_t> images;
    std::optional<std::array<double, 3>> normal; ///< the way from tile to tile
    std::vector<double> slice_times;             ///< milliseconds, of the CSA header
    std::vector<double> private_times;           ///< the same from an element of its own
};

struct MultiFrame {
    std::string component; ///< ComplexImageComponent of the data set
    FrameValues shared;
    std::vector<FrameValues> frames; ///< empty where there are no groups for each frame
    std::optional<double> dose_grid_scaling;
    std::string dose_units;
    std::optional<std::vector<double>> grid_frame_offsets;
    std::vector<Detector> detectors;
    FrameVectors vectors;
    Mosaic mosaic;
};

} // namespace torchdicom
