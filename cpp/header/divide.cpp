#include "header/divide.hpp"

#include "header/sop_classes.hpp"
#include "header/values.hpp"

#include <cmath>
#include <numeric>
#include <utility>

namespace torchdicom {

namespace {

template <typename T> void put(const std::optional<T>& value, std::optional<T>& into) {
    if (value) {
        into = value;
    }
}

void put(const std::string& value, std::string& into) {
    if (!value.empty()) {
        into = value;
    }
}

void put_times(const SliceTimes& times, SliceTimes& into) {
    put(times.temporal_position, into.temporal_position);
    put(times.trigger_time, into.trigger_time);
    put(times.cardiac_phase, into.cardiac_phase);
    put(times.diffusion_b_value, into.diffusion_b_value);
    put(times.diffusion_gradient, into.diffusion_gradient);
    put(times.frame_reference_time, into.frame_reference_time);
    put(times.acquisition_number, into.acquisition_number);
    put(times.acquisition_day, into.acquisition_day);
    put(times.acquisition_time, into.acquisition_time);
}

/// Before what stands there: a frame's own component counts more than what ImageType says of it.
std::string with_third_value(std::string_view values, std::string_view third) {
    const std::size_t count = count_values(values);
    std::string text;
    for (std::size_t i = 0; i < 2; ++i) {
        text.append(i < count ? nth_value(values, i) : std::string_view{}).append("\\");
    }
    text.append(third);
    for (std::size_t i = 2; i < count; ++i) {
        text.append("\\").append(nth_value(values, i));
    }
    return text;
}

void put_image_type(const std::string& of_file, const FrameValues& shared, const FrameValues& own,
                    FileHeader& frame) {
    put(shared.frame_type, frame.image_type);
    put(own.frame_type, frame.image_type);
    std::string component = of_file;
    put(shared.component, component);
    put(own.component, component);
    if (!component.empty()) {
        frame.image_type = with_third_value(frame.image_type, component);
    }
}

/// Of the metadata too, which is text.
void put_text(Tag tag, const std::string& text, FileHeader& frame) {
    if (text.empty()) {
        return;
    }
    for (auto& [known, value] : frame.texts) {
        if (known == tag) {
            value = text;
            return;
        }
    }
    frame.texts.emplace_back(tag, text);
}

void put_values(const FrameValues& values, FileHeader& frame) {
    for (const auto& [tag, text] : values.texts) {
        put_text(tag, text, frame);
    }
    put(values.position, frame.image_position_patient);
    put(values.orientation, frame.image_orientation_patient);
    if (frame.sop_class_uid == kUltrasoundVolume) {
        put(values.position_in_volume, frame.image_position_patient);
        put(values.orientation_in_volume, frame.image_orientation_patient);
    }
    put(values.pixel_spacing, frame.pixel_spacing);
    put(values.imager_pixel_spacing, frame.imager_pixel_spacing);
    put(values.slice_thickness, frame.slice_thickness);
    put(values.rescale_slope, frame.rescale_slope);
    put(values.rescale_intercept, frame.rescale_intercept);
    put(values.rescale_type, frame.rescale_type);
    put(values.padding_value, frame.pixel_padding_value);
    put(values.padding_range_limit, frame.pixel_padding_range_limit);
    put(values.echo_time, frame.echo_time);
    put(values.repetition_time, frame.repetition_time);
    put(values.flip_angle, frame.flip_angle);
    put(values.receive_coil_name, frame.receive_coil_name);
    put(values.stack_id, frame.stack);
    put_times(values.times, frame.times);
    if (frame.voi) {
        put(values.voi.center, frame.voi->center);
        put(values.voi.width, frame.voi->width);
        put(values.voi.function, frame.voi->function);
    }
}

/// The maps of the frame, or of all frames, in place of the data set's.
void put_maps(const FrameValues& values, FileHeader& frame) {
    if (!values.has_maps) {
        return;
    }
    frame.has_real_world_maps = true;
    const bool is_float = frame.pixels && frame.pixels->element.tag != tags::PixelData;
    frame.real_world_maps.clear();
    try {
        if (values.map_fault) {
            throw values.map_fault->located({});
        }
        for (const RawMap& map : values.maps) {
            frame.real_world_maps.push_back(settle_map(map, is_float));
        }
    } catch (const Error& error) {
        const Tag tag = tags::RealWorldValueMappingSequence;
        frame.table_faults.push_back({.tag = tag, .error = error.located(frame.place_of(tag))});
    }
}

/// The header without what all its frames need not have.
FileHeader common_header(FileHeader header) {
    header.part.is_frame = true;
    header.frames = {};
    header.extended_offsets.clear();
    header.extended_lengths.clear();
    return header;
}

FrameTable one_frame(const FrameTable& all, std::size_t frame) {
    FrameTable table;
    for (const ByteRange& range : all.ranges(frame)) {
        table.add_fragment(range);
    }
    table.end_frame();
    return table;
}

/// Milliseconds since the first frame (PS3.3 C.7.6.5.1), where the file says so.
std::vector<double> times_of_frames(const FileHeader& header) {
    const std::size_t count = header.frames.size();
    std::vector<double> times;
    if (header.frame_time_vector.size() == count) {
        times = header.frame_time_vector;
        times[0] = 0;
        std::partial_sum(times.begin(), times.end(), times.begin());
    } else if (header.frame_time) {
        for (std::size_t i = 0; i < count; ++i) {
            times.push_back(static_cast<double>(i) * *header.frame_time);
        }
    }
    return times;
}

std::vector<FileHeader> divide_frames(FileHeader header) {
    const FrameTable table = header.frames;
    const std::vector<double> times = times_of_frames(header);
    header.frame_time_vector.clear();
    const FileHeader common = common_header(std::move(header));
    std::vector<FileHeader> frames;
    frames.reserve(table.size());
    for (std::size_t i = 0; i < table.size(); ++i) {
        FileHeader& frame = frames.emplace_back(common);
        frame.part.first = static_cast<std::int64_t>(i);
        frame.frames = one_frame(table, i);
        if (!times.empty()) {
            frame.frame_time_vector = {times[i]};
        }
    }
    return frames;
}

void put_groups(const MultiFrame& slices, std::vector<FileHeader>& frames) {
    if (!slices.frames.empty() && slices.frames.size() != frames.size()) {
        fail(ErrorCode::frame_count_mismatch,
             "There are functional groups of " + std::to_string(slices.frames.size()) +
                 " frames, and NumberOfFrames is " + std::to_string(frames.size()) +
                 ". Fetch the file again or leave it out",
             frames.front().place_of(tags::PerFrameFunctionalGroupsSequence));
    }
    const FrameValues none;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const FrameValues& own = slices.frames.empty() ? none : slices.frames[i];
        put_image_type(slices.component, slices.shared, own, frames[i]);
        put_values(slices.shared, frames[i]);
        put_values(own, frames[i]);
        put_maps(own.has_maps ? own : slices.shared, frames[i]);
    }
}

bool is_mosaic(const FileHeader& header) {
    return header.modality == "MR" && header.frames.size() == 1 && has_image_type(header, "MOSAIC");
}

bool is_nuclear(const FileHeader& header, const MultiFrame* slices) {
    const bool has_detectors = slices != nullptr && !slices->detectors.empty();
    return header.modality == "NM" && (header.frames.size() > 1 || has_detectors);
}

bool has_groups(const FileHeader& header) noexcept {
    return header.functional_groups == tags::SharedFunctionalGroupsSequence ||
           header.functional_groups == tags::PerFrameFunctionalGroupsSequence;
}

} // namespace

bool has_image_type(const FileHeader& header, std::string_view wanted) {
    return any_value(header.image_type,
                     [wanted](std::string_view value) { return trimmed(value) == wanted; });
}

std::array<double, 3> normal_of_image(const std::array<double, 6>& orientation) noexcept {
    const auto& [r0, r1, r2, c0, c1, c2] = orientation;
    const std::array<double, 3> n{r1 * c2 - r2 * c1, r2 * c0 - r0 * c2, r0 * c1 - r1 * c0};
    const double length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
    if (!(length > 0)) {
        return {0, 0, 0};
    }
    return {n[0] / length, n[1] / length, n[2] / length};
}

std::vector<FileHeader> divide(FileHeader header) {
    const std::shared_ptr<const MultiFrame> slices = std::exchange(header.slices_of_file, nullptr);
    const bool has_frames = header.pixels && header.frames.size() > 0;
    std::vector<FileHeader> frames;
    if (has_frames && has_groups(header) && slices) {
        frames = divide_frames(std::move(header));
        put_groups(*slices, frames);
    } else if (has_frames && header.modality == "RTDOSE") {
        frames = divide_frames(std::move(header));
        place_dose(slices ? *slices : MultiFrame{}, frames);
    } else if (has_frames && is_nuclear(header, slices.get())) {
        frames = divide_frames(std::move(header));
        place_nuclear(slices ? *slices : MultiFrame{}, frames);
    } else if (has_frames && slices && is_mosaic(header)) {
        frames = divide_mosaic(header, slices->mosaic);
    } else {
        frames.push_back(std::move(header));
    }
    return frames;
}

FileHeader& find_slice(std::vector<FileHeader>& of_file, const FramePart& part) {
    const auto index = static_cast<std::size_t>(part.frame_rows > 0 ? part.tile : part.first);
    if (index >= of_file.size() || of_file[index].part != part) {
        fail(ErrorCode::file_changed,
             "The file does not have the slice that was scanned: it has changed since. Refresh "
             "the index, and load again",
             Place{.path = of_file.front().path});
    }
    return of_file[index];
}

} // namespace torchdicom
