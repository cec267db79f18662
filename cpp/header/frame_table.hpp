// Where the frames of a file lie: byte ranges, one a fragment.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace torchdicom {

struct ByteRange {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;

    friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// The byte ranges of each frame, in a form that costs two numbers a frame.
class FrameTable {
  public:
    [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
    [[nodiscard]] std::span<const ByteRange> ranges(std::size_t frame) const noexcept {
        const std::size_t first = frame == 0 ? 0 : ends_[frame - 1];
        return std::span{ranges_}.subspan(first, ends_[frame] - first);
    }
    [[nodiscard]] std::uint64_t bytes(std::size_t frame) const noexcept {
        std::uint64_t total = 0;
        for (const ByteRange& range : ranges(frame)) {
            total += range.length;
        }
        return total;
    }

    void add_fragment(ByteRange range) { ranges_.push_back(range); }
    void end_frame() { ends_.push_back(ranges_.size()); }

  private:
    std::vector<ByteRange> ranges_;
    std::vector<std::size_t> ends_; ///< per frame, the index behind its last range
};

} // namespace torchdicom
