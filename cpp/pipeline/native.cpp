#include "pipeline/native.hpp"

#include "base/scratch.hpp"
#include "decode/unpack.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace torchdicom {

namespace {

// Read and convert a frame in parts that stay in the second-level cache between the two.
constexpr std::size_t kNativePart = std::size_t{128} << 10U;

bool has_planes(const FileHeader& header, const PixelFormat& format) noexcept {
    return format.samples_per_pixel == 3 && !format.shares_chroma() &&
           header.planar_configuration.value_or(0) == 1;
}

/// Samples that stand side by side, for each pixel.
std::size_t samples_of_row(const FileHeader& header, const PixelFormat& format) noexcept {
    if (format.shares_chroma()) {
        return 2;
    }
    return has_planes(header, format) ? 1 : format.samples_per_pixel;
}

/// How the samples of a native frame stand in the file, all counted in bits.
class NativeRows {
  public:
    NativeRows(const PixelSource& source, const PixelFormat& format, std::size_t frame)
        : source_{&source}, format_{format}, is_422_{format.shares_chroma()},
          is_planar_{has_planes(source.header(), format)},
          row_bits_{std::size_t{format.columns} * format.bits_allocated *
                    samples_of_row(source.header(), format)},
          plane_bits_{row_bits_ * format.rows},
          first_bit_{frame * plane_bits_ * (is_planar_ ? 3 : 1)},
          swapped_{swap_bytes(source.header(), format)},
          start_{source.header().pixels->element.value_offset},
          length_{std::min(source.header().pixels->element.length,
                           source.header().pixels->data_set_end - start_)} {}

    /// Bytes of one row of cells.
    [[nodiscard]] std::size_t row_bytes() const noexcept { return format_.bytes_per_row(); }

    /// The cells of these rows, samples side by side; memory of this thread until the next call.
    [[nodiscard]] ByteSpan read(std::size_t row, std::size_t end_row) const {
        thread_local std::vector<std::byte> cell_memory;
        const std::size_t count = end_row - row;
        const std::size_t bits = count * row_bits_;
        const std::size_t first = first_bit_ + row * row_bits_;
        if (is_planar_) {
            return read_planes(first, bits, scratch_of(cell_memory, count * row_bytes()));
        }
        const Packed packed = read_bits(0, first, bits);
        if (!is_422_ && format_.bits_allocated == format_.bits_per_cell()) {
            return packed.bytes.subspan(0, count * row_bytes());
        }
        const MutableByteSpan cells = scratch_of(cell_memory, count * row_bytes());
        unpack(packed.bytes, packed.first_bit, format_, cells);
        return cells;
    }

  private:
    struct Packed {
        ByteSpan bytes;
        std::size_t first_bit = 0; ///< of the first byte
    };

    /// The bytes around these bits of the pixel data, in the order of little endian.
    [[nodiscard]] Packed read_bits(std::size_t slot, std::size_t first, std::size_t count) const {
        thread_local std::array<std::vector<std::byte>, 3> memory;
        // Bytes that are swapped with each other are counted from the start of the pixel data:
        // 8-bit cells of odd rows share a word with the row before.
        const std::size_t from = first / 8 / swapped_ * swapped_;
        const std::size_t end = ((first + count + 7) / 8 + swapped_ - 1) / swapped_ * swapped_;
        if ((first + count + 7) / 8 > length_) {
            source_->fail_changed();
        }
        const std::size_t to = std::min<std::uint64_t>(end, length_);
        const MutableByteSpan bytes = scratch_of(memory.at(slot), to - from);
        source_->read(start_ + from, bytes);
        swap_cells(bytes, swapped_);
        return {.bytes = ByteSpan{bytes}.subspan(first / 8 - from), .first_bit = first % 8};
    }

    [[nodiscard]] ByteSpan read_planes(std::size_t first, std::size_t bits,
                                       MutableByteSpan cells) const {
        std::array<ByteSpan, 3> planes{};
        for (std::size_t plane = 0; plane < planes.size(); ++plane) {
            planes.at(plane) = read_bits(plane, first + plane * plane_bits_, bits).bytes;
        }
        interleave(planes, format_.bytes_per_sample(), cells);
        return cells;
    }

    const PixelSource* source_;
    PixelFormat format_;
    bool is_422_;
    bool is_planar_;
    std::size_t row_bits_; ///< of one plane, where there are planes
    std::size_t plane_bits_;
    std::size_t first_bit_; ///< of the frame
    std::size_t swapped_;
    std::uint64_t start_; ///< of the pixel data
    std::uint64_t length_;
};

/// Gray cells that the file has as they are, all of them wanted: no matter where rows end.
bool takes_cells(const PixelFormat& format, const Plan& plan, const FrameTask& task) noexcept {
    return plan.takes_whole_frames() && plan.reduce == 0 && !plan.resizes() &&
           format.samples_per_pixel == 1 && task.mapping.table == Table::none &&
           format.bits_allocated == format.bits_per_cell();
}

void run_cells(const PixelSource& source, const Plan& plan, const FrameTask& task,
               FrameRows& rows) {
    thread_local std::vector<std::byte> memory;
    const FileHeader& header = source.header();
    const std::size_t cell_bytes = plan.format.bytes_per_sample();
    const std::size_t swapped = swap_bytes(header, plan.format);
    const std::uint64_t start = header.frames.ranges(task.frame).front().offset;
    const std::size_t total = plan.format.bytes_per_frame();
    for (std::size_t done = 0; done < total; done += kNativePart) {
        const MutableByteSpan cells = scratch_of(memory, std::min(kNativePart, total - done));
        source.read(start + done, cells);
        swap_cells(cells, swapped);
        rows.put_cells(cells, done / cell_bytes);
    }
}

} // namespace

void run_native(const PixelSource& source, const Plan& plan, const FrameTask& task,
                FrameRows& rows) {
    const Window window = plan.window_in_frame(task);
    rows.start({.window = whole_rows(window, plan.format)});
    // Words of two cells are swapped from the start of the pixel data on, not of the frame.
    const bool is_aligned =
        swap_bytes(source.header(), plan.format) <= plan.format.bytes_per_sample();
    if (is_aligned && takes_cells(plan.format, plan, task)) {
        run_cells(source, plan, task, rows);
        source.require_unchanged();
        return;
    }
    const auto first = static_cast<std::size_t>(source.header().part.first);
    const NativeRows native{source, plan.format, first + task.frame};
    const std::size_t at_once = rows_of_band(native.row_bytes(), kNativePart);
    for (std::size_t row = window.y0; row < window.y1; row += at_once) {
        const std::size_t end_row = std::min(window.y1, row + at_once);
        static_cast<void>(rows.put(native.read(row, end_row)));
    }
    source.require_unchanged();
}

} // namespace torchdicom
