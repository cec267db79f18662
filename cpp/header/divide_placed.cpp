// Slices whose places follow from one position and a rule: nuclear medicine, dose, mosaics.

#include "header/divide.hpp"

#include "header/values.hpp"

#include <algorithm>
#include <cmath>

namespace torchdicom {

namespace {

using Vector = std::array<double, 3>;

Vector moved(const Vector& from, const Vector& direction, double distance) noexcept {
    return {from[0] + direction[0] * distance, from[1] + direction[1] * distance,
            from[2] + direction[2] * distance};
}

bool has_both(const FileHeader& header) noexcept {
    return header.image_position_patient && header.image_orientation_patient;
}

/// The vector where it has a value for each frame, else nothing.
std::vector<std::uint32_t> of_frames(const std::vector<std::uint32_t>& vector, std::size_t frames) {
    return vector.size() == frames ? vector : std::vector<std::uint32_t>{};
}

bool varies(const std::vector<std::uint32_t>& vector) noexcept {
    return std::ranges::adjacent_find(vector, std::not_equal_to{}) != vector.end();
}

/// Whether the third value of ImageType has this word in it (PS3.3 C.8.4.9.1).
bool has_nuclear_type(const FileHeader& header, std::string_view word) {
    return nth_value(header.image_type, 2).find(word) != std::string_view::npos;
}

void add_to_stack(std::string_view name, const std::vector<std::uint32_t>& vector,
                  std::size_t frame, std::string& stack) {
    if (varies(vector)) {
        stack.append(stack.empty() ? "" : ", ").append(name).append(" ");
        stack += std::to_string(vector[frame]);
    }
}

/// Where the detector of a frame says its first slice is.
void put_detector(const MultiFrame& slices, const std::vector<std::uint32_t>& of_frame,
                  std::size_t i, FileHeader& frame) {
    if (slices.detectors.empty()) {
        return;
    }
    const std::size_t wanted = of_frame.empty() ? 1 : of_frame[i];
    const bool is_there = wanted >= 1 && wanted <= slices.detectors.size();
    const Detector& detector = slices.detectors[is_there ? wanted - 1 : 0];
    if (detector.position) {
        frame.image_position_patient = detector.position;
    }
    if (detector.orientation) {
        frame.image_orientation_patient = detector.orientation;
    }
}

/// PS3.3 C.8.4.15: the sign of SpacingBetweenSlices is the direction of the slices.
void put_nuclear_place(std::uint32_t slice, FileHeader& frame) {
    if (!frame.spacing_between_slices || !has_both(frame)) {
        frame.image_position_patient.reset();
        return;
    }
    if (slice != 1) {
        const double distance = (static_cast<double>(slice) - 1) * *frame.spacing_between_slices;
        frame.image_position_patient =
            moved(*frame.image_position_patient, normal_of_image(*frame.image_orientation_patient),
                  distance);
    }
}

std::vector<double> offsets_of(const MultiFrame& slices, const std::vector<FileHeader>& frames) {
    const Place place = frames.front().place_of(tags::GridFrameOffsetVector);
    if (!slices.grid_frame_offsets || slices.grid_frame_offsets->empty()) {
        fail(ErrorCode::missing_element,
             "A dose grid of several planes says where they are with this attribute. Correct the "
             "file, or take the planes with torchdicom.decode",
             place);
    }
    if (slices.grid_frame_offsets->size() != frames.size()) {
        fail(ErrorCode::invalid_multiplicity,
             "There are offsets of " + std::to_string(slices.grid_frame_offsets->size()) +
                 " planes, and NumberOfFrames is " + std::to_string(frames.size()) +
                 ". Correct the file, or take the planes with torchdicom.decode",
             place);
    }
    return *slices.grid_frame_offsets;
}

/// Whether rows and columns run along the patient's x and y.
bool is_axial(const std::array<double, 6>& orientation) noexcept {
    constexpr double kTolerance = 1e-3;
    const auto is_near = [](double a, double b) { return std::abs(a - b) <= kTolerance; };
    return is_near(std::abs(orientation[0]), 1) && is_near(orientation[1], 0) &&
           is_near(orientation[2], 0) && is_near(orientation[3], 0) &&
           is_near(std::abs(orientation[4]), 1) && is_near(orientation[5], 0);
}

/// How the tiles stand in the image.
struct Tiles {
    std::size_t count = 0;
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
};

/// Nothing where the file does not say how many there are, or where the image does not divide.
std::optional<Tiles> tiles_of(const FileHeader& header, const Mosaic& mosaic) {
    if (!mosaic.images || *mosaic.images < 1) {
        return std::nullopt;
    }
    const auto count = static_cast<std::size_t>(*mosaic.images);
    auto per_row = static_cast<std::uint32_t>(std::ceil(std::sqrt(static_cast<double>(count))));
    const std::uint32_t rows = header.rows.value_or(0);
    const std::uint32_t columns = header.columns.value_or(0);
    if (rows == 0 || columns == 0 || rows % per_row != 0 || columns % per_row != 0) {
        return std::nullopt;
    }
    return Tiles{.count = count, .rows = rows / per_row, .columns = columns / per_row};
}

/// The centre of the first voxel of a tile: the position is of an image as large as the mosaic,
/// around the same centre.
std::optional<Vector> corner_of(const FileHeader& header, const Tiles& tiles) {
    if (!header.image_position_patient || !header.image_orientation_patient ||
        !header.pixel_spacing) {
        return std::nullopt;
    }
    const auto& o = *header.image_orientation_patient;
    const auto& [between_rows, between_columns] = *header.pixel_spacing;
    const Vector right{o[0] * between_columns, o[1] * between_columns, o[2] * between_columns};
    const Vector down{o[3] * between_rows, o[4] * between_rows, o[5] * between_rows};
    const double columns = static_cast<double>(*header.columns - tiles.columns) / 2;
    const double rows = static_cast<double>(*header.rows - tiles.rows) / 2;
    return moved(moved(*header.image_position_patient, right, columns), down, rows);
}

/// The way from one slice to the next: of the CSA header, which may point against the normal.
Vector step_of(const FileHeader& header, const Mosaic& mosaic) {
    constexpr double kTolerance = 1e-3;
    if (mosaic.normal) {
        const Vector& m = *mosaic.normal;
        const double length = std::sqrt(m[0] * m[0] + m[1] * m[1] + m[2] * m[2]);
        if (std::abs(length - 1) <= kTolerance) {
            return m;
        }
    }
    return normal_of_image(*header.image_orientation_patient);
}

/// The distance between slices: positive, or nothing.
std::optional<double> distance_of(const FileHeader& header) {
    for (const std::optional<double>& one :
         {header.spacing_between_slices, header.slice_thickness}) {
        if (one.value_or(0) > 0) {
            return one;
        }
    }
    return std::nullopt;
}

/// PS3.3 C.8.8.3.2: offsets that do not begin at 0 begin at the position's z, in axial planes.
void require_positions(const FileHeader& frame, double first) {
    constexpr double kToleranceMm = 0.1; // of positions that are text
    const bool is_there = std::abs(first - (*frame.image_position_patient)[2]) <= kToleranceMm;
    if (!is_there || !is_axial(*frame.image_orientation_patient)) {
        fail(ErrorCode::invalid_geometry,
             "Offsets that do not begin at 0 are positions along z: they begin with that of the "
             "first plane, and the planes are axial. Correct the file, or take the planes with "
             "torchdicom.decode",
             frame.place_of(tags::GridFrameOffsetVector));
    }
}

} // namespace

void place_nuclear(const MultiFrame& slices, std::vector<FileHeader>& frames) {
    const std::size_t count = frames.size();
    const FrameVectors& v = slices.vectors;
    const auto window = of_frames(v.energy_window, count);
    const auto detector = of_frames(v.detector, count);
    const auto interval = of_frames(v.rr_interval, count);
    const auto slot = of_frames(v.time_slot, count);
    const auto slice = of_frames(v.slice, count);
    const auto time = of_frames(v.time_slice, count);
    const bool is_reconstructed = has_nuclear_type(frames.front(), "RECON");
    const bool is_gated = has_nuclear_type(frames.front(), "GATED");
    for (std::size_t i = 0; i < count; ++i) {
        FileHeader& frame = frames[i];
        put_detector(slices, detector, i, frame);
        if (is_reconstructed && count > 1) {
            put_nuclear_place(slice.empty() ? static_cast<std::uint32_t>(i + 1) : slice[i], frame);
        } else if (!is_reconstructed) {
            frame.image_position_patient.reset(); // of the detector, for a projection
        }
        add_to_stack("EnergyWindow", window, i, frame.stack);
        add_to_stack("Detector", detector, i, frame.stack);
        add_to_stack("RRInterval", interval, i, frame.stack);
        if (is_reconstructed && is_gated && !slot.empty()) {
            frame.times.temporal_position = slot[i];
        } else if (varies(time)) {
            frame.times.temporal_position = time[i];
        }
    }
}

void place_dose(const MultiFrame& slices, std::vector<FileHeader>& frames) {
    std::vector<double> offsets(frames.size());
    if (frames.size() > 1) {
        offsets = offsets_of(slices, frames);
    }
    for (std::size_t i = 0; i < frames.size(); ++i) {
        FileHeader& frame = frames[i];
        frame.rescale_slope = slices.dose_grid_scaling;
        frame.rescale_intercept.reset();
        frame.rescale_type = slices.dose_units;
        if (!has_both(frame)) {
            if (frames.size() > 1) {
                frame.image_position_patient.reset(); // of the first plane
            }
            continue;
        }
        if (offsets.front() != 0) {
            require_positions(frame, offsets.front());
            (*frame.image_position_patient)[2] = offsets[i];
        } else if (i > 0) {
            frame.image_position_patient =
                moved(*frame.image_position_patient,
                      normal_of_image(*frame.image_orientation_patient), offsets[i]);
        }
    }
}

std::vector<FileHeader> divide_mosaic(const FileHeader& header, const Mosaic& mosaic) {
    const std::optional<Tiles> tiles = tiles_of(header, mosaic);
    if (!tiles) {
        return {header}; // and refused, where it is judged
    }
    const std::optional<Vector> corner = corner_of(header, *tiles);
    const std::optional<double> distance = distance_of(header);
    const std::vector<double>& times =
        mosaic.slice_times.size() >= tiles->count ? mosaic.slice_times : mosaic.private_times;
    FileHeader common = header;
    common.part = {.is_frame = true, .frame_rows = *header.rows, .frame_columns = *header.columns};
    common.rows = tiles->rows;
    common.columns = tiles->columns;
    std::vector<FileHeader> slices(tiles->count, common);
    for (std::size_t k = 0; k < slices.size(); ++k) {
        slices[k].part.tile = static_cast<std::int64_t>(k);
        slices[k].image_position_patient.reset();
        if (corner && distance) {
            slices[k].image_position_patient =
                moved(*corner, step_of(header, mosaic), static_cast<double>(k) * *distance);
        }
        if (times.size() >= tiles->count) {
            slices[k].times.slice_time = times[k];
        }
    }
    return slices;
}

} // namespace torchdicom
