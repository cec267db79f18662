// From the cells of a plane to results that are resized, windowed and normalised, row by row.
#pragma once

#include "header/pixel_format.hpp"
#include "plan/plan.hpp"
#include "rescale/finish.hpp"
#include "rescale/resample.hpp"
#include "rescale/rescale.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace torchdicom {

/// What the frames of one load share, worked out once.
class SharedFinish {
  public:
    /// Nothing to share where the plan has no finish. The plan must outlive this.
    explicit SharedFinish(const Plan& plan);

    [[nodiscard]] const ResizeAxis& rows() const { return *rows_; }
    [[nodiscard]] const ResizeAxis& columns() const { return *columns_; }
    /// The results of all cells for one channel; null where there is no such table.
    [[nodiscard]] const FinishTable* table(std::size_t channel) const noexcept {
        return channel < tables_.size() ? &tables_[channel] : nullptr;
    }

  private:
    std::shared_ptr<const ResizeAxis> rows_; ///< both of a plan that resizes
    std::shared_ptr<const ResizeAxis> columns_;
    std::vector<FinishTable> tables_; ///< of plain gray cells
};

/// One plane of a frame on its way to one channel of the result, or to all where gray is repeated.
class FinishedPlane {
  public:
    /// `channel`: the plane's among those of the frame. `format` and `rescale`: of its cells, which
    /// are those of a gray image as decoded where `is_plain`. All of them must outlive this.
    FinishedPlane(const Plan& plan, const SharedFinish& shared, std::size_t channel,
                  const PixelFormat& format, const Rescale& rescale, bool is_plain);

    /// Takes cells that follow each other, whole rows where there is a resize; the first is value
    /// `first` of the plane. `slots`: the planes of all channels of the result.
    void put(ByteSpan cells, std::size_t first, std::span<const MutableByteSpan> slots,
             bool stream);

  private:
    void put_results(std::span<double> values, std::size_t first,
                     std::span<const MutableByteSpan> slots, bool stream) const;

    /// One channel of the result that this plane goes to.
    struct Channel {
        std::size_t index = 0;
        ValueFinish finish;
        const FinishTable* table = nullptr; ///< instead of all calculation, where there is one
    };

    const Finish* options_;
    std::size_t cell_bytes_;
    std::size_t value_bytes_;
    Converter to_double_;
    std::vector<Channel> channels_;
    std::optional<ValueResizer> resizer_;
};

} // namespace torchdicom
