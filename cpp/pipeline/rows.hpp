// Where the rows of a decoded frame go: cut to what is wanted, made values, put in their slot.
#pragma once

#include "decode/codec.hpp"
#include "pipeline/channels.hpp"
#include "pipeline/finish.hpp"
#include "pipeline/padding.hpp"
#include "plan/plan.hpp"
#include "rescale/area_mean.hpp"
#include "rescale/rescale.hpp"

#include <array>
#include <optional>

namespace torchdicom {

/// The memory of one frame's result.
struct FrameSlot {
    std::array<MutableByteSpan, 3> planes{}; ///< the first alone, but for colour
    MutableByteSpan mask{};                  ///< a byte for each value of a plane, or empty
    bool stream = false;                     ///< whether stores that bypass the caches pay
};

/// Takes the rows of one frame, from a codec or from native pixels.
class FrameRows final : public RowSink {
  public:
    /// `shared`: of a plan with a finish. All of them must outlive this.
    FrameRows(const FileHeader& header, const Plan& plan, const FrameTask& task,
              const FrameSlot& slot, const SharedFinish* shared = nullptr);

    /// Throws unsupported_pixel_format where a mask is wanted of pixels that a codec has mixed.
    void start(const DecodedArea& area) override;
    [[nodiscard]] bool put(ByteSpan rows) override;

    /// Cells that follow each other in a plane that is wanted whole and as it is, from value
    /// `first` of it on: native gray, which needs no rows.
    void put_cells(ByteSpan cells, std::size_t first);

    /// How often the codec halved rows and columns. Throws internal_error where rows are missing.
    [[nodiscard]] std::uint32_t finish() const;

  private:
    void put_wanted(ByteSpan rows, std::size_t first_row);
    void put_whole(ByteSpan rows, std::size_t row);
    void put_values(ByteSpan pixels, std::size_t first);
    void put_reduced(ByteSpan pixels);
    void take_means();
    void put_plane(std::size_t colour, ByteSpan cells, std::size_t first, std::size_t count,
                   bool stream);
    void put_mask(ByteSpan pixels, std::size_t first, std::size_t count);
    void put_valid(ByteSpan valid, std::size_t first);
    void require_known_mask() const;
    [[nodiscard]] std::size_t colours() const noexcept { return plan_->colours; }

    const FileHeader* header_;
    const Plan* plan_;
    const FrameTask* task_;
    const SharedFinish* shared_;
    FrameSlot slot_;
    DecodedArea area_{};
    Window wanted_{};            ///< in the pixels that come
    std::size_t next_row_ = 0;   ///< of the area's image
    std::size_t means_done_ = 0; ///< rows of means that were put
    std::optional<Channels> channels_;
    std::optional<Converter> converter_; ///< from a plane's cells, or from means, to values
    std::optional<Converter> to_double_;
    std::optional<PaddingMask> padding_;
    std::vector<AreaMean> means_; ///< one a colour
    std::optional<AreaAll> mask_means_;
    std::vector<FinishedPlane> finished_; ///< likewise, instead of the converter
    std::optional<MaskResizer> mask_resizer_;
};

} // namespace torchdicom
