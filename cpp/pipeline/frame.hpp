// One task: read a frame, decode it, rescale it into its slot.
#pragma once

#include "base/file.hpp"
#include "header/file_header.hpp"
#include "plan/plan.hpp"

namespace torchdicom {

/// The pixel bytes of one source: a file opened again, or memory.
class PixelSource {
  public:
    /// Throws os_error, and file_changed where the file is not the one whose header was read.
    PixelSource(const FileHeader& header, LoadStats& stats);

    /// Fills `into` from the range's start on, each byte from memory where the header's read
    /// brought it, else from the file. Throws file_changed where the file ends too early.
    void read(std::uint64_t offset, MutableByteSpan into) const;

    /// Throws file_changed where the file is not what it was when its header was read.
    void require_unchanged() const;

    [[nodiscard]] const FileHeader& header() const noexcept { return *header_; }

  private:
    const FileHeader* header_;
    std::optional<File> file_; ///< nothing where all bytes are in memory
};

/// Reads, decodes, rescales and places one frame. `slot` has exactly the frame's values.
/// Throws DecodeError and LimitError with the path.
void run_frame(const PixelSource& source, const Plan& plan, const FrameTask& task,
               MutableByteSpan slot, bool stream);

} // namespace torchdicom
