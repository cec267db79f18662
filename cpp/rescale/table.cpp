#include "rescale/table.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace torchdicom {

namespace {

constexpr std::size_t kLookupCells = 1'024; // their stored values stay in the first-level cache

} // namespace

StoredLookup::StoredLookup(const PixelFormat& format)
    : to_stored_{format, Rescale{}, DType::int64}, cell_bytes_{format.bytes_per_sample()} {}

template <typename Value>
void StoredLookup::look_up_all(ByteSpan cells, std::int64_t first, std::span<const Value> values,
                               MutableByteSpan output) const {
    if (values.empty() || output.size() / sizeof(Value) != cells.size() / cell_bytes_) {
        fail(ErrorCode::internal_error, "A table without entries, or cells and output differ");
    }
    const auto last = static_cast<std::int64_t>(values.size()) - 1;
    const std::size_t total = cells.size() / cell_bytes_;
    std::array<std::int64_t, kLookupCells> block{};
    for (std::size_t done = 0; done < total; done += kLookupCells) {
        const std::size_t count = std::min(kLookupCells, total - done);
        const std::span<std::int64_t> stored = std::span{block}.first(count);
        to_stored_.convert(cells.subspan(done * cell_bytes_, count * cell_bytes_),
                           std::as_writable_bytes(stored), false);
        for (std::size_t i = 0; i < count; ++i) {
            const auto entry = std::clamp<std::int64_t>(stored[i] - first, 0, last);
            std::memcpy(output.data() + (done + i) * sizeof(Value),
                        &values[static_cast<std::size_t>(entry)], sizeof(Value));
        }
    }
}

void StoredLookup::look_up(ByteSpan cells, std::int64_t first,
                           std::span<const std::uint16_t> values, MutableByteSpan output) const {
    look_up_all(cells, first, values, output);
}

void StoredLookup::look_up(ByteSpan cells, std::int64_t first, std::span<const double> values,
                           MutableByteSpan output) const {
    look_up_all(cells, first, values, output);
}

PixelFormat entry_format(const PixelFormat& format, bool is_double) noexcept {
    const std::uint32_t bits = is_double ? 64 : 16;
    return {.rows = format.rows,
            .columns = format.columns,
            .bits_allocated = bits,
            .bits_stored = bits,
            .high_bit = bits - 1,
            .sample_type = is_double ? SampleType::float64 : SampleType::integer};
}

} // namespace torchdicom
