// From the pixels of a frame to the planes that its output has: tables looked up, colours taken
// apart and made red, green and blue.
#pragma once

#include "header/file_header.hpp"
#include "plan/plan.hpp"
#include "rescale/colour.hpp"
#include "rescale/table.hpp"

#include <array>
#include <optional>

namespace torchdicom {

/// The first stored value of a map's table: none is beyond 1e12.
[[nodiscard]] std::int64_t first_entry_of(const RealWorldMap& map) noexcept;

class Channels {
  public:
    /// `is_rgb`: the codec has turned YBR into RGB. The header must outlive this.
    Channels(const FileHeader& header, const Plan& plan, const FrameTask& task, bool is_rgb);

    /// Whether the pixels are the one plane already.
    [[nodiscard]] bool is_plain() const noexcept { return way_ == Way::plain; }
    /// What the planes' cells are.
    [[nodiscard]] const PixelFormat& format() const noexcept { return plane_; }

    /// The planes of so many whole pixels, one or three; memory of this thread, until the next call
    /// of any.
    [[nodiscard]] std::array<ByteSpan, 3> split(ByteSpan pixels) const;

  private:
    enum class Way : std::uint8_t { plain, rgb, ybr, palette, modality_lut, real_world_lut };

    static Way way_of(const PixelFormat& format, Table table, bool is_rgb) noexcept;
    static PixelFormat plane_of(const PixelFormat& format, Way way) noexcept;

    const FileHeader* header_;
    PixelFormat pixels_;
    Way way_;
    PixelFormat plane_;
    std::optional<StoredLookup> lookup_;
    std::optional<std::size_t> map_;
};

} // namespace torchdicom
