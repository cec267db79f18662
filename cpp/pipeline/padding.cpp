#include "pipeline/padding.hpp"

#include <algorithm>
#include <array>

namespace torchdicom {

namespace {

constexpr std::size_t kBlockCells = 1'024; // their stored values stay in the first-level cache

/// The attributes are 16 bits wide in images of any width.
std::int64_t stored_value(std::uint32_t raw, bool is_signed) noexcept {
    const auto bits = static_cast<std::uint16_t>(raw);
    return is_signed ? std::int64_t{static_cast<std::int16_t>(bits)} : std::int64_t{bits};
}

} // namespace

std::optional<PaddingRange> padding_of(const FileHeader& header) noexcept {
    if (!header.pixel_padding_value) {
        return std::nullopt;
    }
    const bool is_signed = header.pixel_representation.value_or(0) == 1;
    const std::int64_t value = stored_value(*header.pixel_padding_value, is_signed);
    const std::int64_t limit = stored_value(
        header.pixel_padding_range_limit.value_or(*header.pixel_padding_value), is_signed);
    return PaddingRange{.lowest = std::min(value, limit), .highest = std::max(value, limit)};
}

PaddingMask::PaddingMask(const FileHeader& header, const PixelFormat& format)
    : to_stored_{format, Rescale{}, DType::int64}, cell_bytes_{format.bytes_per_sample()},
      padding_{padding_of(header)} {}

void PaddingMask::fill(ByteSpan cells, MutableByteSpan mask) const {
    if (!padding_) {
        std::ranges::fill(mask, std::byte{1});
        return;
    }
    std::array<std::int64_t, kBlockCells> block{};
    for (std::size_t done = 0; done < mask.size(); done += kBlockCells) {
        const std::size_t count = std::min(kBlockCells, mask.size() - done);
        const std::span<std::int64_t> stored = std::span{block}.first(count);
        to_stored_.convert(cells.subspan(done * cell_bytes_, count * cell_bytes_),
                           std::as_writable_bytes(stored), false);
        for (std::size_t i = 0; i < count; ++i) {
            const bool is_padding = stored[i] >= padding_->lowest && stored[i] <= padding_->highest;
            mask[done + i] = is_padding ? std::byte{0} : std::byte{1};
        }
    }
}

} // namespace torchdicom
