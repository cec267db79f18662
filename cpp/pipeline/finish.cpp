#include "pipeline/finish.hpp"

#include <algorithm>
#include <array>

namespace torchdicom {

namespace {

constexpr std::size_t kBlockValues = 1'024; // they stay in the first-level cache

// Below so many pixels an entry a table costs more than it saves.
constexpr std::size_t kPixelsPerEntry = 2;

/// Whether the pixels are looked up in one table of results: gray cells that all mean the same.
bool pays_tables(const Plan& plan) {
    const std::size_t entries = FinishTable::entries_of(plan.format);
    if (entries == 0 || plan.colours > 1 || plan.reduce > 0 || plan.finish->size ||
        plan.tasks.size() * plan.values_per_plane() < kPixelsPerEntry * entries) {
        return false;
    }
    const Mapping& first = plan.tasks.front().mapping;
    return std::ranges::all_of(plan.tasks, [&first](const FrameTask& task) {
        const auto& [table, rescale, map] = task.mapping;
        return table == Table::none && rescale == first.rescale;
    });
}

/// One that the calling thread made before, most often: images of a batch are alike.
std::shared_ptr<const ResizeAxis> axis_of(std::size_t from, std::size_t to) {
    thread_local std::array<std::shared_ptr<const ResizeAxis>, 2> known; // of rows and of columns
    thread_local std::size_t oldest = 0;
    for (const std::shared_ptr<const ResizeAxis>& axis : known) {
        if (axis && axis->from() == from && axis->to() == to) {
            return axis;
        }
    }
    oldest = (oldest + 1) % known.size();
    return known.at(oldest) = std::make_shared<const ResizeAxis>(from, to);
}

} // namespace

SharedFinish::SharedFinish(const Plan& plan) {
    if (!plan.finish) {
        return;
    }
    if (const auto& size = plan.finish->size) {
        const Extent from = plan.decoded();
        rows_ = axis_of(from.rows, size->rows);
        columns_ = axis_of(from.columns, size->columns);
    }
    if (pays_tables(plan)) {
        for (std::size_t channel = 0; channel < plan.channels; ++channel) {
            tables_.emplace_back(plan.format, plan.tasks.front().mapping.rescale, *plan.finish,
                                 channel, plan.dtype);
        }
    }
}

FinishedPlane::FinishedPlane(const Plan& plan, const SharedFinish& shared, std::size_t channel,
                             const PixelFormat& format, const Rescale& rescale, bool is_plain)
    : options_{&*plan.finish}, cell_bytes_{format.bytes_per_sample()},
      value_bytes_{size_of(plan.dtype)}, to_double_{format, rescale, DType::float64} {
    const bool repeats = plan.channels > plan.colours;
    const std::size_t end = repeats ? plan.channels : channel + 1;
    for (std::size_t index = repeats ? 0 : channel; index < end; ++index) {
        channels_.push_back({.index = index,
                             .finish = ValueFinish{*plan.finish, index, plan.dtype},
                             .table = is_plain ? shared.table(index) : nullptr});
    }
    if (plan.finish->size) {
        resizer_.emplace(shared.rows(), shared.columns(), cell_bytes_);
    }
}

void FinishedPlane::put(ByteSpan cells, std::size_t first, std::span<const MutableByteSpan> slots,
                        bool stream) {
    if (resizer_) {
        resizer_->put(cells, to_double_, [&](std::size_t row, std::span<double> values) {
            put_results(values, row * values.size(), slots, false);
        });
        return;
    }
    const std::size_t total = cells.size() / cell_bytes_;
    if (channels_.front().table != nullptr) {
        for (const Channel& channel : channels_) {
            channel.table->look_up(
                cells, slots[channel.index].subspan(first * value_bytes_, total * value_bytes_),
                stream);
        }
        return;
    }
    std::array<double, kBlockValues> block{};
    for (std::size_t done = 0; done < total; done += kBlockValues) {
        const std::size_t count = std::min(kBlockValues, total - done);
        const std::span<double> values = std::span{block}.first(count);
        to_double_.convert(cells.subspan(done * cell_bytes_, count * cell_bytes_),
                           std::as_writable_bytes(values), false);
        put_results(values, first + done, slots, stream);
    }
}

/// Makes results of values, which are changed; the first is value `first` of the result's planes.
void FinishedPlane::put_results(std::span<double> values, std::size_t first,
                                std::span<const MutableByteSpan> slots, bool stream) const {
    finish_values(*options_, values);
    for (const Channel& channel : channels_) {
        channel.finish.put(
            values,
            slots[channel.index].subspan(first * value_bytes_, values.size() * value_bytes_),
            stream);
    }
}

} // namespace torchdicom
