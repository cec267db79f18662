#include "plan/plan.hpp"

#include "base/checked.hpp"

#include <algorithm>
#include <cmath>

namespace torchdicom {

namespace {

/// The smallest type that holds every stored value, among those that torch computes with.
DType stored_dtype(const PixelFormat& format) noexcept {
    if (format.sample_type != SampleType::integer) {
        return format.sample_type == SampleType::float32 ? DType::float32 : DType::float64;
    }
    if (format.bits_stored <= 8) {
        return format.is_signed ? DType::int8 : DType::uint8;
    }
    if (format.bits_stored <= (format.is_signed ? 16U : 15U)) {
        return DType::int16;
    }
    return format.bits_stored == 32 && !format.is_signed ? DType::int64 : DType::int32;
}

/// Bits of a colour's samples: those of the palette's entries where there is one.
std::uint32_t colour_bits(const FileHeader& header, const PixelFormat& format) {
    return format.photometric == Photometric::palette ? palette_bits(header) : format.bits_stored;
}

DType default_dtype(const FileHeader& header, const Plan& plan, const OutputOptions& options) {
    if (options.finish) {
        return DType::float32;
    }
    if (plan.colours > 1 && !needs_quantity(options.output)) {
        const std::uint32_t bits = colour_bits(header, plan.format);
        if (bits <= 8) {
            return DType::uint8;
        }
        return bits == 32 && !plan.format.is_signed ? DType::int64 : DType::int32;
    }
    return gray_dtype(plan.format, options);
}

std::size_t colours_of(const PixelFormat& format, Output output) noexcept {
    const bool is_palette = format.photometric == Photometric::palette;
    return format.samples_per_pixel == 3 || (is_palette && output != Output::stored) ? 3 : 1;
}

void require_whole(const FileHeader& header, double value, const std::string& element) {
    if (std::trunc(value) != value) {
        fail(ErrorCode::integer_dtype,
             "The values are not whole numbers, since this attribute is not. Ask for a floating "
             "point dtype",
             Place{.path = header.path, .element = element});
    }
}

void require_whole(const FileHeader& header, const Mapping& mapping) {
    if (mapping.rescale.is_scaled()) {
        fail(ErrorCode::integer_dtype,
             "The values are between whole numbers. Ask for a floating point dtype",
             Place{.path = header.path});
    }
    const bool is_real_world = mapping.real_world.has_value();
    const Tag slope = header.modality == "RTDOSE" ? tags::DoseGridScaling : tags::RescaleSlope;
    require_whole(header, mapping.rescale.slope,
                  is_real_world ? "(0040,9225) RealWorldValueSlope" : element_name(slope));
    require_whole(header, mapping.rescale.intercept,
                  is_real_world ? "(0040,9224) RealWorldValueIntercept"
                                : element_name(tags::RescaleIntercept));
}

/// First row and column of a slice in its frame.
std::pair<std::size_t, std::size_t> place_of_tile(const FileHeader& header) noexcept {
    const std::uint32_t columns = header.columns.value_or(0);
    if (header.part.frame_rows == 0 || columns == 0) {
        return {0, 0};
    }
    const std::int64_t per_row = header.part.frame_columns / columns;
    return {static_cast<std::size_t>(header.part.tile / per_row) * header.rows.value_or(0),
            static_cast<std::size_t>(header.part.tile % per_row) * columns};
}

} // namespace

PixelFormat slice_format(const Plan& plan) noexcept {
    PixelFormat format = plan.format;
    format.rows = static_cast<std::uint32_t>(plan.slice.rows);
    format.columns = static_cast<std::uint32_t>(plan.slice.columns);
    return format;
}

DType gray_dtype(const PixelFormat& format, const OutputOptions& options) noexcept {
    return !options.finish && options.output == Output::stored ? stored_dtype(format)
                                                               : DType::float32;
}

Plan make_plan(std::span<const FileHeader> headers, const std::vector<FrameId>& frames,
               const OutputOptions& options) {
    Plan plan;
    plan.format = pixel_format_of(headers.front());
    const FileHeader& any = headers.front();
    plan.slice = {.rows = any.rows.value_or(0), .columns = any.columns.value_or(0)};
    plan.window = window_of(std::nullopt, slice_format(plan));
    plan.colours = colours_of(plan.format, options.output);
    plan.channels = plan.colours;
    const FileHeader& first = headers[frames.empty() ? 0 : frames.front().first];
    plan.dtype = options.dtype ? *options.dtype : default_dtype(first, plan, options);
    const bool is_stored_gray = options.output == Output::stored && plan.colours == 1 &&
                                plan.format.sample_type == SampleType::integer;
    plan.rounds_means = is_stored_gray || is_integer(plan.dtype);
    plan.tasks.reserve(frames.size());
    for (const auto& [index, frame] : frames) {
        const FileHeader& header = headers[index];
        Mapping mapping = mapping_of(header, plan.format, options);
        if (is_integer(plan.dtype)) {
            require_whole(header, mapping);
        }
        const auto [top, left] = place_of_tile(header);
        plan.tasks.push_back(
            {.header = index, .frame = frame, .top = top, .left = left, .mapping = mapping});
    }
    return plan;
}

std::vector<std::size_t> Plan::mask_shape() const {
    if (stack == Stack::t_and_z) {
        return {tasks.size() / slices, slices, rows(), columns()};
    }
    return {tasks.size(), rows(), columns()};
}

std::vector<std::size_t> Plan::shape() const {
    std::vector<std::size_t> shape = mask_shape();
    if (channels > 1) {
        shape.insert(shape.begin() + (stack == Stack::z ? 0 : 1), channels);
    }
    return shape;
}

std::uint32_t Plan::codec_reduce(const FrameTask& task) const noexcept {
    const bool is_palette = format.samples_per_pixel == 1 && colours > 1;
    // Wavelets and blocks of 8 reach over the edges of tiles.
    return is_palette || has_tiles() || task.mapping.table != Table::none ? 0 : reduce;
}

std::size_t output_bytes(const Plan& plan) {
    return checked_product({plan.plane_bytes(), plan.channels, plan.tasks.size()},
                           "The size of the output");
}

} // namespace torchdicom
