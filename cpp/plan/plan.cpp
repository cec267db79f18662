#include "plan/plan.hpp"

#include "base/checked.hpp"

#include <cmath>

namespace torchdicom {

namespace {

Rescale modality_rescale(const FileHeader& header) {
    if (header.has_modality_lut) {
        fail(ErrorCode::unsupported_modality_lut,
             "Modality lookup tables are not applied yet. Take the values with output='stored'",
             header.place_of(tags::ModalityLUTSequence));
    }
    if (header.functional_groups) {
        fail(ErrorCode::unsupported_functional_groups,
             "The rescale of enhanced images and dose grids is not applied yet. Take the values "
             "with output='stored'",
             header.place_of(*header.functional_groups));
    }
    if (header.rescale_slope == 0.0) {
        fail(ErrorCode::invalid_value,
             "A slope of 0 makes all pixels the same. Correct the file, or take the values with "
             "output='stored'",
             header.place_of(tags::RescaleSlope));
    }
    // A missing one of the two is what it takes to change nothing.
    return {.slope = header.rescale_slope.value_or(1.0),
            .intercept = header.rescale_intercept.value_or(0.0)};
}

/// The smallest type that holds every stored value, among those that torch computes with.
DType stored_dtype(const PixelFormat& format) noexcept {
    if (format.bits_stored <= 8) {
        return format.is_signed ? DType::int8 : DType::uint8;
    }
    if (format.bits_stored <= (format.is_signed ? 16U : 15U)) {
        return DType::int16;
    }
    return format.bits_stored == 32 && !format.is_signed ? DType::int64 : DType::int32;
}

void require_whole(const FileHeader& header, double value, Tag tag) {
    if (std::trunc(value) != value) {
        fail(ErrorCode::integer_dtype,
             "The values are not whole numbers, since this attribute is not. Ask for a floating "
             "point dtype",
             header.place_of(tag));
    }
}

} // namespace

Plan make_plan(std::span<const FileHeader> headers, const std::vector<FrameId>& frames,
               const OutputOptions& options) {
    Plan plan;
    plan.format = pixel_format_of(headers.front());
    plan.window = window_of(std::nullopt, plan.format);
    const bool is_stored = options.output == Output::stored;
    plan.dtype = options.dtype.value_or(is_stored ? stored_dtype(plan.format) : DType::float32);
    plan.tasks.reserve(frames.size());
    for (const auto& [index, frame] : frames) {
        const FileHeader& header = headers[index];
        const Rescale rescale = is_stored ? Rescale{} : modality_rescale(header);
        if (is_integer(plan.dtype)) {
            require_whole(header, rescale.slope, tags::RescaleSlope);
            require_whole(header, rescale.intercept, tags::RescaleIntercept);
        }
        plan.tasks.push_back({.header = index, .frame = frame, .rescale = rescale});
    }
    return plan;
}

std::vector<std::size_t> Plan::shape() const {
    std::vector<std::size_t> shape{tasks.size(), window.rows(), window.columns()};
    if (stack == Stack::t_and_z) {
        shape.insert(shape.begin() + 1, 1);
    }
    return shape;
}

std::size_t output_bytes(const Plan& plan) {
    return checked_mul(plan.slot_bytes(), plan.tasks.size(), "The size of the output");
}

} // namespace torchdicom
