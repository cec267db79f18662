#include "pipeline/rows.hpp"

#include <algorithm>
#include <vector>

namespace torchdicom {

namespace {

/// Means are doubles.
PixelFormat mean_format(const PixelFormat& plane) noexcept { return entry_format(plane, true); }

} // namespace

FrameRows::FrameRows(const FileHeader& header, const Plan& plan, const FrameTask& task,
                     const FrameSlot& slot, const SharedFinish* shared)
    : header_{&header}, plan_{&plan}, task_{&task}, shared_{shared}, slot_{slot} {
    if (plan.finish && shared == nullptr) {
        fail(ErrorCode::internal_error, "What all frames share is missing");
    }
    if (!slot.mask.empty()) {
        padding_.emplace(header, plan.format, task.mapping);
    }
}

void FrameRows::start(const DecodedArea& area) {
    area_ = area;
    next_row_ = area.window.y0;
    wanted_ = reduced(plan_->window_in_frame(*task_), area.reduced);
    channels_.emplace(*header_, *plan_, *task_, area.is_rgb);
    const PixelFormat& plane = channels_->format();
    const std::uint32_t left = plan_->reduce - area.reduced;
    if (area.reduced > plan_->reduce || wanted_.x0 < area.window.x0 ||
        wanted_.x1 > area.window.x1 || wanted_.y0 < area.window.y0 || wanted_.y1 > area.window.y1) {
        fail(ErrorCode::internal_error, "A decoder gave another part of the image than was asked");
    }
    if (area.reduced > 0) {
        require_known_mask();
    }
    const PixelFormat& cells = left == 0 ? plane : mean_format(plane);
    if (plan_->finish) {
        const bool is_plain = left == 0 && channels_->is_plain();
        for (std::size_t colour = 0; colour < colours(); ++colour) {
            finished_.emplace_back(*plan_, *shared_, colour, cells, task_->mapping.rescale,
                                   is_plain);
        }
        if (padding_ && plan_->resizes()) {
            mask_resizer_.emplace(shared_->rows(), shared_->columns());
        }
    } else {
        converter_.emplace(cells, task_->mapping.rescale, plan_->dtype);
    }
    if (left > 0) {
        to_double_.emplace(plane, Rescale{}, DType::float64);
        means_.assign(colours(), AreaMean{wanted_.columns(), left, plan_->rounds_means});
        if (padding_) {
            mask_means_.emplace(wanted_.columns(), left);
        }
    }
}

/// Which of the pixels behind a decoder's mean were padding nobody knows.
void FrameRows::require_known_mask() const {
    if (padding_ && padding_->may_mask()) {
        fail(ErrorCode::unsupported_pixel_format,
             "A decoder that reduces the image does not tell which pixels are padding. Take the "
             "mask with reduce=0, or the values without it");
    }
}

bool FrameRows::put(ByteSpan rows) {
    const PixelFormat& format = plan_->format;
    const std::size_t row_bytes =
        area_.window.columns() * format.samples_per_pixel * format.bytes_per_sample();
    const RowRange given{.first = next_row_, .end = next_row_ + rows.size() / row_bytes};
    const RowRange kept = rows_in(wanted_, given);
    if (kept.size() > 0) {
        put_wanted(rows.subspan((kept.first - given.first) * row_bytes, kept.size() * row_bytes),
                   kept.first);
    }
    next_row_ = given.end;
    return next_row_ < wanted_.y1;
}

std::uint32_t FrameRows::finish() const {
    if (next_row_ < wanted_.y1) {
        fail(ErrorCode::internal_error, "A decoder stopped before the last row");
    }
    return area_.reduced;
}

/// Whole rows of the area, all of them wanted: their columns are cut to the window.
void FrameRows::put_wanted(ByteSpan rows, std::size_t first_row) {
    const std::size_t pixel_bytes =
        plan_->format.samples_per_pixel * plan_->format.bytes_per_sample();
    const std::size_t row_bytes = area_.window.columns() * pixel_bytes;
    const std::size_t wanted_bytes = wanted_.columns() * pixel_bytes;
    const std::size_t count = rows.size() / row_bytes;
    const std::size_t above = first_row - wanted_.y0;
    if (wanted_bytes == row_bytes) {
        const std::size_t at_once = rows_of_band(row_bytes);
        for (std::size_t row = 0; row < count; row += at_once) {
            const std::size_t now = std::min(at_once, count - row);
            put_whole(rows.subspan(row * row_bytes, now * row_bytes), above + row);
        }
        return;
    }
    const bool is_plain = means_.empty() && channels_->is_plain();
    const std::size_t skipped = (wanted_.x0 - area_.window.x0) * pixel_bytes;
    for (std::size_t row = 0; row < count; ++row) {
        const ByteSpan pixels = rows.subspan(row * row_bytes + skipped, wanted_bytes);
        if (is_plain) {
            put_cells(pixels, (above + row) * wanted_.columns());
        } else {
            put_whole(pixels, above + row);
        }
    }
}

/// Whole rows of the window, the first of which is row `row` of it.
void FrameRows::put_whole(ByteSpan rows, std::size_t row) {
    if (means_.empty()) {
        put_values(rows, row * wanted_.columns());
        return;
    }
    const std::size_t row_bytes =
        wanted_.columns() * plan_->format.samples_per_pixel * plan_->format.bytes_per_sample();
    for (std::size_t done = 0; done < rows.size(); done += row_bytes) {
        put_reduced(rows.subspan(done, row_bytes));
        ++row;
        if (means_.front().is_full() || row == wanted_.rows()) {
            take_means();
        }
    }
}

void FrameRows::put_cells(ByteSpan cells, std::size_t first) {
    const std::size_t count = cells.size() / plan_->format.bytes_per_sample();
    put_plane(0, cells, first, count, slot_.stream);
    put_mask(cells, first, count);
}

/// Cells of one colour that follow each other, the first of them value `first` before any resize.
void FrameRows::put_plane(std::size_t colour, ByteSpan cells, std::size_t first, std::size_t count,
                          bool stream) {
    if (!finished_.empty()) {
        finished_[colour].put(cells, first, slot_.planes, stream);
        return;
    }
    const std::size_t value_bytes = size_of(plan_->dtype);
    converter_->convert(
        cells, slot_.planes.at(colour).subspan(first * value_bytes, count * value_bytes), stream);
}

/// What of these pixels is valid; the first of them is value `first` before any resize.
void FrameRows::put_mask(ByteSpan pixels, std::size_t first, std::size_t count) {
    if (!padding_) {
        return;
    }
    if (!mask_resizer_) {
        padding_->fill(pixels, slot_.mask.subspan(first, count));
        return;
    }
    thread_local std::vector<std::byte> valid;
    valid.resize(count);
    padding_->fill(pixels, valid);
    put_valid(valid, first);
}

/// A mask before any resize, its first value likewise.
void FrameRows::put_valid(ByteSpan valid, std::size_t first) {
    if (!mask_resizer_) {
        std::ranges::copy(valid, slot_.mask.subspan(first, valid.size()).begin());
        return;
    }
    mask_resizer_->put(valid, [this](std::size_t row, ByteSpan values) {
        std::ranges::copy(values, slot_.mask.subspan(row * values.size(), values.size()).begin());
    });
}

/// Pixels that follow each other in the result, from value `first` of each plane on.
void FrameRows::put_values(ByteSpan pixels, std::size_t first) {
    if (channels_->is_plain()) {
        put_cells(pixels, first);
        return;
    }
    const std::array<ByteSpan, 3> planes = channels_->split(pixels);
    const std::size_t count = planes[0].size() / channels_->format().bytes_per_sample();
    for (std::size_t colour = 0; colour < colours(); ++colour) {
        put_plane(colour, planes.at(colour), first, count, slot_.stream);
    }
    put_mask(pixels, first, count);
}

/// One row of pixels, into the sums.
void FrameRows::put_reduced(ByteSpan pixels) {
    thread_local std::vector<double> row;
    thread_local std::vector<std::byte> valid;
    row.resize(wanted_.columns());
    const std::array<ByteSpan, 3> planes = channels_->split(pixels);
    for (std::size_t colour = 0; colour < colours(); ++colour) {
        to_double_->convert(planes.at(colour), std::as_writable_bytes(std::span{row}), false);
        means_[colour].add(row);
    }
    if (padding_) {
        valid.resize(wanted_.columns());
        padding_->fill(pixels, valid);
        mask_means_->add(valid);
    }
}

/// The next row of the result.
void FrameRows::take_means() {
    const std::size_t columns = plan_->decoded().columns;
    const std::size_t first = means_done_ * columns;
    for (std::size_t colour = 0; colour < colours(); ++colour) {
        put_plane(colour, std::as_bytes(means_[colour].take()), first, columns, false);
    }
    if (padding_) {
        put_valid(mask_means_->take(), first);
    }
    ++means_done_;
}

} // namespace torchdicom
