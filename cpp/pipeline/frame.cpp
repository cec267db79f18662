#include "pipeline/frame.hpp"

#include "decode/decoder.hpp"
#include "pipeline/padding.hpp"
#include "rescale/rescale.hpp"

#include <algorithm>
#include <vector>

namespace torchdicom {

namespace {

// Read and convert a frame in parts that stay in the second-level cache between the two.
constexpr std::size_t kNativePart = std::size_t{128} << 10U;

/// Memory of this thread that is used again for every frame it works on.
MutableByteSpan scratch(std::vector<std::byte>& memory, std::size_t size) {
    if (memory.size() < size) {
        memory.resize(size);
    }
    return MutableByteSpan{memory}.first(size);
}

[[noreturn]] void fail_changed(const FileHeader& header) {
    const bool is_of_index = header.identity.inode == 0; // an index keeps none
    fail(ErrorCode::file_changed,
         is_of_index ? "The file is not the one that was scanned: it has changed since. Refresh "
                       "the index, and load again"
                     : "The file changed while it was being loaded. Wait until nobody writes to "
                       "it, and load again",
         Place{.path = header.path});
}

/// Where the cells of a frame go: rescaled into its slot, and compared into its mask.
class FrameWriter {
  public:
    FrameWriter(const FileHeader& header, const Plan& plan, const FrameTask& task,
                MutableByteSpan slot, bool stream, MutableByteSpan mask)
        : plan_{&plan}, converter_{plan.format, task.rescale, plan.dtype}, slot_{slot}, mask_{mask},
          stream_{stream} {
        if (!mask.empty()) {
            padding_.emplace(header, plan.format);
        }
    }

    /// Writes cells that follow each other to the slot, from value `first` of it on.
    void write(ByteSpan cells, std::size_t first) const {
        const std::size_t count = cells.size() / plan_->format.bytes_per_sample();
        const std::size_t value_bytes = size_of(plan_->dtype);
        converter_.convert(cells, slot_.subspan(first * value_bytes, count * value_bytes), stream_);
        if (padding_) {
            padding_->fill(cells, mask_.subspan(first, count));
        }
    }

    /// Writes what is wanted of whole rows, the first of which is row `first_row` of the image and
    /// lies in the window, like the others.
    void write_rows(ByteSpan rows, std::size_t first_row) const {
        const Window& window = plan_->window;
        const std::size_t pixel_bytes =
            plan_->format.samples_per_pixel * plan_->format.bytes_per_sample();
        const std::size_t row_bytes = plan_->format.columns * pixel_bytes;
        const std::size_t row_values = window.columns() * plan_->format.samples_per_pixel;
        const std::size_t skipped = first_row - window.y0;
        if (window.columns() == plan_->format.columns) {
            write(rows, skipped * row_values);
            return;
        }
        for (std::size_t row = 0; row < rows.size() / row_bytes; ++row) {
            write(rows.subspan(row * row_bytes + window.x0 * pixel_bytes,
                               window.columns() * pixel_bytes),
                  (skipped + row) * row_values);
        }
    }

  private:
    const Plan* plan_;
    Converter converter_;
    std::optional<PaddingMask> padding_;
    MutableByteSpan slot_;
    MutableByteSpan mask_;
    bool stream_;
};

/// The rows of a codec that are wanted.
class DecodedRows final : public RowSink {
  public:
    DecodedRows(const Plan& plan, const FrameWriter& writer) : plan_{&plan}, writer_{&writer} {}

    void start(const DecodedArea& area) override { next_row_ = area.window.y0; }
    [[nodiscard]] bool put(ByteSpan rows) override {
        const std::size_t row_bytes = plan_->format.bytes_per_row();
        const std::size_t end_row = next_row_ + rows.size() / row_bytes;
        const std::size_t from = std::clamp(plan_->window.y0, next_row_, end_row);
        const std::size_t to = std::clamp(plan_->window.y1, from, end_row);
        if (from < to) {
            writer_->write_rows(
                rows.subspan((from - next_row_) * row_bytes, (to - from) * row_bytes), from);
        }
        next_row_ = end_row;
        return next_row_ < plan_->window.y1;
    }

  private:
    const Plan* plan_;
    const FrameWriter* writer_;
    std::size_t next_row_ = 0;
};

/// Native pixels: no codec, the cells are the bytes of the file.
void run_native(const PixelSource& source, const Plan& plan, const FrameTask& task,
                const FrameWriter& writer) {
    thread_local std::vector<std::byte> memory;
    const FileHeader& header = source.header();
    const std::size_t cell_bytes = plan.format.bytes_per_sample();
    const std::size_t swapped = swap_bytes(header, plan.format);
    const std::uint64_t start = header.frames.ranges(task.frame).front().offset;
    const std::size_t total = plan.format.bytes_per_frame();
    for (std::size_t done = 0; done < total; done += kNativePart) {
        const MutableByteSpan cells = scratch(memory, std::min(kNativePart, total - done));
        source.read(start + done, cells);
        swap_cells(cells, swapped);
        writer.write(cells, done / cell_bytes);
    }
    source.require_unchanged();
}

/// The same for a part of the image: only its rows are read.
void run_native_rows(const PixelSource& source, const Plan& plan, const FrameTask& task,
                     const FrameWriter& writer) {
    thread_local std::vector<std::byte> memory;
    const FileHeader& header = source.header();
    const std::size_t row_bytes = plan.format.bytes_per_frame() / plan.format.rows;
    const std::size_t swapped = swap_bytes(header, plan.format);
    const std::uint64_t start = header.frames.ranges(task.frame).front().offset;
    const std::size_t rows_at_once = std::max<std::size_t>(1, kNativePart / row_bytes);
    for (std::size_t row = plan.window.y0; row < plan.window.y1; row += rows_at_once) {
        const std::size_t end_row = std::min(plan.window.y1, row + rows_at_once);
        // Bytes that are swapped with each other are counted from the frame's start: 8-bit cells
        // of odd rows share a word with the row before.
        const std::size_t first = row * row_bytes / swapped * swapped;
        const std::size_t end = (end_row * row_bytes + swapped - 1) / swapped * swapped;
        const MutableByteSpan cells = scratch(memory, end - first);
        source.read(start + first, cells);
        swap_cells(cells, swapped);
        writer.write_rows(cells.subspan(row * row_bytes - first, (end_row - row) * row_bytes), row);
    }
    source.require_unchanged();
}

void run_encapsulated(const PixelSource& source, const Plan& plan, const FrameTask& task,
                      const FrameWriter& writer) {
    thread_local std::vector<std::byte> codestream_memory;
    const FileHeader& header = source.header();
    const MutableByteSpan codestream = scratch(codestream_memory, header.frames.bytes(task.frame));
    std::size_t done = 0;
    for (const ByteRange& range : header.frames.ranges(task.frame)) {
        source.read(range.offset, codestream.subspan(done, range.length));
        done += range.length;
    }
    source.require_unchanged(); // before a decoder is blamed for half a file
    DecodedRows rows{plan, writer};
    decode_frame(codestream,
                 {.syntax = header.transfer_syntax, .format = plan.format, .window = plan.window},
                 rows);
}

} // namespace

PixelSource::PixelSource(const FileHeader& header, LoadStats& stats) : header_{&header} {
    const bool is_deflated = header.transfer_syntax.is_deflated;
    if (is_deflated && header.fetched.bytes.empty()) {
        FileHeader again = read_header({.path = header.path, .bytes = header.memory},
                                       {.texts = {}, .keep_fetched = true}, stats);
        if (!header.memory && again.identity != header.identity) {
            fail_changed(header);
        }
        inflated_ = std::move(again.fetched);
        return;
    }
    if (header.memory || is_deflated) {
        return;
    }
    file_.emplace(header.path, stats);
    if (file_->identity() != header.identity) {
        fail_changed(header);
    }
}

void PixelSource::require_unchanged() const {
    if (file_ && file_->current_identity() != header_->identity) {
        fail_changed(*header_);
    }
}

void PixelSource::read(std::uint64_t offset, MutableByteSpan into) const {
    const bool in_memory = header_->memory && !header_->transfer_syntax.is_deflated;
    const ByteSpan kept = in_memory ? header_->memory->subspan(offset, into.size())
                                    : fetched().part(offset, into.size());
    std::ranges::copy(kept, into.begin());
    const MutableByteSpan rest = into.subspan(kept.size());
    if (!rest.empty() && (!file_ || file_->read_at(offset + kept.size(), rest) != rest.size())) {
        fail_changed(*header_);
    }
}

void run_frame(const PixelSource& source, const Plan& plan, const FrameTask& task,
               MutableByteSpan slot, bool stream, MutableByteSpan mask) {
    try {
        const bool is_whole = plan.takes_whole_frames();
        const bool has_gaps = plan.window.columns() != plan.format.columns;
        const FrameWriter writer{source.header(), plan, task, slot, stream && !has_gaps, mask};
        if (source.header().transfer_syntax.is_encapsulated()) {
            run_encapsulated(source, plan, task, writer);
        } else if (is_whole) {
            run_native(source, plan, task, writer);
        } else {
            run_native_rows(source, plan, task, writer);
        }
    } catch (const Error& error) {
        const FileHeader& header = source.header();
        throw error.located({.path = header.path,
                             .element = element_name(tags::PixelData),
                             .offset = header.frames.ranges(task.frame).front().offset});
    }
}

} // namespace torchdicom
