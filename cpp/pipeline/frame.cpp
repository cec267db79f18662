#include "pipeline/frame.hpp"

#include "base/scratch.hpp"
#include "decode/decoder.hpp"
#include "pipeline/native.hpp"

#include <vector>

namespace torchdicom {

namespace {

/// Whether halvings by this codec keep the first sample where it is; others make means.
bool has_levels(Encoding encoding) noexcept {
    return encoding == Encoding::jpeg_2000 || encoding == Encoding::htj2k;
}

void run_encapsulated(const PixelSource& source, const Plan& plan, const FrameTask& task,
                      FrameRows& rows) {
    const FileHeader& header = source.header();
    thread_local std::vector<std::byte> memory;
    const MutableByteSpan codestream = scratch_of(memory, header.frames.bytes(task.frame));
    std::size_t done = 0;
    for (const ByteRange& range : header.frames.ranges(task.frame)) {
        source.read(range.offset, codestream.subspan(done, range.length));
        done += range.length;
    }
    source.require_unchanged(); // before a decoder is blamed for half a file
    PixelFormat format = plan.format;
    format.planar_configuration = header.planar_configuration.value_or(0); // a file's own affair
    decode_frame(codestream,
                 {.syntax = header.transfer_syntax,
                  .format = format,
                  .window = plan.window_in_frame(task),
                  .reduce = plan.codec_reduce(task),
                  .codec = plan.codec},
                 rows);
}

} // namespace

std::uint32_t run_frame(const PixelSource& source, const Plan& plan, const FrameTask& task,
                        FrameSlot slot, const SharedFinish* shared) {
    const FileHeader& header = source.header();
    try {
        slot.stream = slot.stream && plan.window.columns() == plan.format.columns;
        FrameRows rows{header, plan, task, slot, shared};
        if (!header.transfer_syntax.is_encapsulated()) {
            run_native(source, plan, task, rows);
            return 0;
        }
        run_encapsulated(source, plan, task, rows);
        const std::uint32_t halvings = rows.finish();
        return has_levels(header.transfer_syntax.encoding) ? halvings : 0;
    } catch (const Error& error) {
        const Tag tag = header.pixels ? header.pixels->element.tag : tags::PixelData;
        throw error.located({.path = header.path,
                             .element = element_name(tag),
                             .offset = header.frames.ranges(task.frame).front().offset});
    }
}

} // namespace torchdicom
