// What becomes of values behind the rescale: resized, windowed or clipped, normalised. Everything
// in double, value by value, and rounded once, to the dtype.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace torchdicom {

/// Rows and columns of an image.
struct Extent {
    std::size_t rows = 0;
    std::size_t columns = 0;

    friend bool operator==(const Extent&, const Extent&) = default;
};

/// A window turns values into 0 to 1, all of them but `table` and `sigmoid` cut off there.
struct ValueWindow {
    enum class Way : std::uint8_t {
        span,    ///< (x - low) / width
        centred, ///< (x - low) / width + 0.5
        step,    ///< 0 up to low, 1 above
        sigmoid, ///< 1 / (1 + exp(-4 (x - low) / width))
        table,   ///< entries[floor(x) - first], the first and the last for what is beyond
    };

    Way way = Way::span;
    double low = 0; ///< the center, but for span
    double width = 1;
    std::int64_t first = 0;
    std::vector<double> entries{};
};

/// Both ends included.
using ClipRange = std::pair<double, double>;

/// What is asked for, as Python's Finish has it.
struct FinishOptions {
    std::optional<Extent> size{};        ///< after region and reduce
    bool takes_file_window = false;      ///< the VOI LUT or window of the file (PS3.3 C.11.2)
    std::optional<ValueWindow> window{}; ///< else this one
    std::optional<ClipRange> clip{};     ///< where there is no window
    std::vector<double> mean{};          ///< none, one, or one a channel of the result
    std::vector<double> std{};
    bool repeats_gray = false; ///< gray images get three channels
};

/// What is done, in this order.
struct Finish {
    std::optional<Extent> size{}; ///< nothing where the images have it already
    std::optional<ValueWindow> window{};
    std::optional<ClipRange> clip{};
    bool inverts = false; ///< behind a window of images whose lowest value is white
    std::vector<double> mean{};
    std::vector<double> std{};

    /// Whether the values are still in their unit.
    [[nodiscard]] bool keeps_units() const noexcept { return !window && mean.empty(); }
};

} // namespace torchdicom
