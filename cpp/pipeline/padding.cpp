#include "pipeline/padding.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace torchdicom {

namespace {

constexpr std::size_t kBlockCells = 1'024; // their stored values stay in the first-level cache

/// The attributes are 16 bits wide in images of any width.
std::int64_t stored_value(std::uint32_t raw, bool is_signed) noexcept {
    const auto bits = static_cast<std::uint16_t>(raw);
    return is_signed ? std::int64_t{static_cast<std::int16_t>(bits)} : std::int64_t{bits};
}

double lowest_stored(const PixelFormat& format) noexcept {
    return format.is_signed ? -std::ldexp(1.0, static_cast<int>(format.bits_stored) - 1) : 0.0;
}

double highest_stored(const PixelFormat& format) noexcept {
    return lowest_stored(format) + std::ldexp(1.0, static_cast<int>(format.bits_stored)) - 1;
}

} // namespace

std::optional<std::int64_t> padding_value_of(const FileHeader& header) noexcept {
    if (!header.pixel_padding_value) {
        return std::nullopt;
    }
    return stored_value(*header.pixel_padding_value, header.pixel_representation.value_or(0) == 1);
}

std::optional<PaddingRange> padding_of(const FileHeader& header) noexcept {
    const std::optional<std::int64_t> value = padding_value_of(header);
    if (!value) {
        return std::nullopt;
    }
    const bool is_signed = header.pixel_representation.value_or(0) == 1;
    const std::int64_t limit = stored_value(
        header.pixel_padding_range_limit.value_or(*header.pixel_padding_value), is_signed);
    return PaddingRange{.lowest = std::min(*value, limit), .highest = std::max(*value, limit)};
}

PaddingMask::PaddingMask(const FileHeader& header, const PixelFormat& format,
                         const Mapping& mapping)
    : to_stored_{format, Rescale{}, DType::float64},
      pixel_bytes_{format.bytes_per_sample() * format.samples_per_pixel} {
    const bool is_integer = format.sample_type == SampleType::integer;
    if (is_integer && format.samples_per_pixel == 1) {
        padding_ = padding_of(header);
    }
    if (mapping.real_world) {
        const RealWorldMap& map = real_world_maps_of(header)[*mapping.real_world];
        const bool is_whole =
            is_integer && map.first <= lowest_stored(format) && map.last >= highest_stored(format);
        if (!is_whole) {
            range_ = {.first = map.first, .last = map.last};
        }
    }
}

void PaddingMask::fill(ByteSpan cells, MutableByteSpan mask) const {
    if (!may_mask()) {
        std::ranges::fill(mask, std::byte{1});
        return;
    }
    std::array<double, kBlockCells> block{};
    for (std::size_t done = 0; done < mask.size(); done += kBlockCells) {
        const std::size_t count = std::min(kBlockCells, mask.size() - done);
        const std::span<double> stored = std::span{block}.first(count);
        to_stored_.convert(cells.subspan(done * pixel_bytes_, count * pixel_bytes_),
                           std::as_writable_bytes(stored), false);
        for (std::size_t i = 0; i < count; ++i) {
            const bool is_padding = padding_ &&
                                    stored[i] >= static_cast<double>(padding_->lowest) &&
                                    stored[i] <= static_cast<double>(padding_->highest);
            const bool is_inside =
                !range_ || (stored[i] >= range_->first && stored[i] <= range_->last);
            mask[done + i] = is_inside && !is_padding ? std::byte{1} : std::byte{0};
        }
    }
}

} // namespace torchdicom
