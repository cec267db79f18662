// The pixel bytes of one source: a file opened again, or memory.
#pragma once

#include "base/file.hpp"
#include "header/file_header.hpp"

#include <optional>

namespace torchdicom {

class PixelSource {
  public:
    /// Throws os_error, and file_changed where the file is not the one whose header was read. A
    /// deflated data set that did not come with its header, as none does that an index kept, is
    /// inflated once more.
    PixelSource(const FileHeader& header, LoadStats& stats);

    /// Fills `into` from the range's start on, each byte from memory where the header's read
    /// brought it, else from the file. Throws file_changed where the file ends too early.
    void read(std::uint64_t offset, MutableByteSpan into) const;

    /// Throws file_changed where the file is not what it was when its header was read.
    void require_unchanged() const;

    /// Throws file_changed: the file does not have what its header says.
    [[noreturn]] void fail_changed() const;

    [[nodiscard]] const FileHeader& header() const noexcept { return *header_; }

  private:
    const FileHeader* header_;
    std::optional<File> file_; ///< nothing where all bytes are in memory
    std::shared_ptr<const FetchedBytes> inflated_;
};

} // namespace torchdicom
