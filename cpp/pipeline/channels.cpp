#include "pipeline/channels.hpp"

#include "base/scratch.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace torchdicom {

namespace {

/// Three planes in memory of this thread.
Planes scratch_planes(std::size_t plane_bytes) {
    thread_local std::vector<std::byte> memory;
    const MutableByteSpan all = scratch_of(memory, 3 * plane_bytes);
    return {all.first(plane_bytes), all.subspan(plane_bytes, plane_bytes),
            all.subspan(2 * plane_bytes)};
}

} // namespace

std::int64_t first_entry_of(const RealWorldMap& map) noexcept {
    constexpr double kBound = 1e12; // no stored value is beyond it
    const double first = std::isnan(map.first) ? 0 : std::clamp(map.first, -kBound, kBound);
    return static_cast<std::int64_t>(std::floor(first + 0.5));
}

Channels::Way Channels::way_of(const PixelFormat& format, Table table, bool is_rgb) noexcept {
    switch (table) {
    case Table::palette:
        return Way::palette;
    case Table::modality_lut:
        return Way::modality_lut;
    case Table::real_world_lut:
        return Way::real_world_lut;
    case Table::none:
        break;
    }
    if (format.samples_per_pixel != 3) {
        return Way::plain;
    }
    const bool is_ybr = format.photometric == Photometric::ybr_full ||
                        format.photometric == Photometric::ybr_full_422;
    return is_ybr && !is_rgb ? Way::ybr : Way::rgb;
}

PixelFormat Channels::plane_of(const PixelFormat& format, Way way) noexcept {
    switch (way) {
    case Way::plain:
        return format;
    case Way::rgb:
    case Way::ybr:
        return plane_format(format, way == Way::ybr);
    case Way::palette:
    case Way::modality_lut:
        return entry_format(format, false);
    case Way::real_world_lut:
        return entry_format(format, true);
    }
    return format;
}

Channels::Channels(const FileHeader& header, const Plan& plan, const FrameTask& task, bool is_rgb)
    : header_{&header}, pixels_{plan.format}, way_{way_of(plan.format, task.mapping.table, is_rgb)},
      plane_{plane_of(plan.format, way_)}, map_{task.mapping.real_world} {
    if (task.mapping.table != Table::none) {
        lookup_.emplace(plan.format);
    }
}

std::array<ByteSpan, 3> Channels::split(ByteSpan pixels) const {
    if (way_ == Way::plain) {
        return {pixels};
    }
    const std::size_t count =
        pixels.size() / (pixels_.samples_per_pixel * pixels_.bytes_per_sample());
    const Planes planes = scratch_planes(count * plane_.bytes_per_sample());
    const auto look_up = [&](const LookupTable& table, const MutableByteSpan& plane) {
        lookup_->look_up(pixels, table.first, std::span{table.values}, plane);
    };
    switch (way_) {
    case Way::plain:
        break;
    case Way::rgb:
        split_samples(pixels, pixels_, planes);
        break;
    case Way::ybr:
        split_ybr(pixels, pixels_, planes);
        break;
    case Way::palette:
        look_up(palette_of(*header_).red, planes[0]);
        look_up(palette_of(*header_).green, planes[1]);
        look_up(palette_of(*header_).blue, planes[2]);
        break;
    case Way::modality_lut:
        look_up(modality_lut_of(*header_), planes[0]);
        break;
    case Way::real_world_lut: {
        const RealWorldMap& map = real_world_maps_of(*header_)[map_.value_or(0)];
        lookup_->look_up(pixels, first_entry_of(map), std::span{map.values}, planes[0]);
        break;
    }
    }
    return {planes[0], planes[1], planes[2]};
}

} // namespace torchdicom
