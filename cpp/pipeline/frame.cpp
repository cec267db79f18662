#include "pipeline/frame.hpp"

#include "decode/decoder.hpp"
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
    fail(ErrorCode::file_changed,
         "The file changed while it was being loaded. Wait until nobody writes to it, and load "
         "again",
         Place{.path = header.path});
}

/// Native pixels: no codec, the cells are the bytes of the file.
void run_native(const PixelSource& source, const Plan& plan, const FrameTask& task,
                MutableByteSpan slot, bool stream) {
    thread_local std::vector<std::byte> memory;
    const FileHeader& header = source.header();
    const std::size_t cell_bytes = plan.format.bytes_per_sample();
    const std::size_t output_bytes = size_of(plan.dtype);
    const std::size_t swapped = swap_bytes(header, plan.format);
    const std::uint64_t start = header.frames.ranges(task.frame).front().offset;
    const std::size_t total = plan.format.bytes_per_frame();
    const Converter converter{plan.format, task.rescale, plan.dtype};
    for (std::size_t done = 0; done < total; done += kNativePart) {
        const MutableByteSpan cells = scratch(memory, std::min(kNativePart, total - done));
        source.read(start + done, cells);
        swap_cells(cells, swapped);
        converter.convert(cells,
                          slot.subspan(done / cell_bytes * output_bytes,
                                       cells.size() / cell_bytes * output_bytes),
                          stream);
    }
    source.require_unchanged();
}

void run_encapsulated(const PixelSource& source, const Plan& plan, const FrameTask& task,
                      MutableByteSpan slot, bool stream) {
    thread_local std::vector<std::byte> codestream_memory;
    thread_local std::vector<std::byte> sample_memory;
    const FileHeader& header = source.header();
    const MutableByteSpan codestream = scratch(codestream_memory, header.frames.bytes(task.frame));
    std::size_t done = 0;
    for (const ByteRange& range : header.frames.ranges(task.frame)) {
        source.read(range.offset, codestream.subspan(done, range.length));
        done += range.length;
    }
    source.require_unchanged(); // before a decoder is blamed for half a file
    const MutableByteSpan samples = scratch(sample_memory, plan.format.bytes_per_frame());
    decode_frame(codestream, header.transfer_syntax, plan.format, samples);
    Converter{plan.format, task.rescale, plan.dtype}.convert(samples, slot, stream);
}

} // namespace

PixelSource::PixelSource(const FileHeader& header, LoadStats& stats) : header_{&header} {
    if (header.memory || header.transfer_syntax.is_deflated) {
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
                                    : header_->fetched.part(offset, into.size());
    std::ranges::copy(kept, into.begin());
    const MutableByteSpan rest = into.subspan(kept.size());
    if (!rest.empty() && (!file_ || file_->read_at(offset + kept.size(), rest) != rest.size())) {
        fail_changed(*header_);
    }
}

void run_frame(const PixelSource& source, const Plan& plan, const FrameTask& task,
               MutableByteSpan slot, bool stream) {
    try {
        if (source.header().transfer_syntax.is_encapsulated()) {
            run_encapsulated(source, plan, task, slot, stream);
        } else {
            run_native(source, plan, task, slot, stream);
        }
    } catch (const Error& error) {
        const FileHeader& header = source.header();
        throw error.located({.path = header.path,
                             .element = element_name(tags::PixelData),
                             .offset = header.frames.ranges(task.frame).front().offset});
    }
}

} // namespace torchdicom
