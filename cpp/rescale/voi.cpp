#include "rescale/voi.hpp"

#include "rescale/finish_kernel.hpp"

#include <cmath>

namespace torchdicom {

namespace {

/// Not std::clamp, of which compilers make branches.
double clipped(double value, double low, double high) noexcept {
    const double raised = value < low ? low : value;
    return raised > high ? high : raised;
}

double looked_up(const ValueWindow& window, double value) noexcept {
    if (std::isnan(value)) {
        return value;
    }
    // In double, since a value may be beyond every integer.
    const auto last = static_cast<double>(window.entries.size() - 1);
    const double entry = std::floor(value) - static_cast<double>(window.first);
    return window.entries[static_cast<std::size_t>(clipped(entry, 0, last))];
}

double stepped(double value, double low) noexcept {
    if (std::isnan(value)) {
        return value;
    }
    return value <= low ? 0.0 : 1.0;
}

} // namespace

void apply_window(const ValueWindow& window, std::span<double> values) noexcept {
    const double low = window.low;
    const double width = window.width;
    switch (window.way) {
    case ValueWindow::Way::span:
        finish_kernels().subtract_and_divide(low, width, values.data(), values.size(),
                                             values.data());
        apply_clip({0, 1}, values);
        break;
    case ValueWindow::Way::centred:
        for (double& value : values) {
            value = clipped((value - low) / width + 0.5, 0, 1);
        }
        break;
    case ValueWindow::Way::step:
        for (double& value : values) {
            value = stepped(value, low);
        }
        break;
    case ValueWindow::Way::sigmoid:
        for (double& value : values) {
            value = 1 / (1 + std::exp((-4 * (value - low)) / width));
        }
        break;
    case ValueWindow::Way::table:
        for (double& value : values) {
            value = looked_up(window, value);
        }
        break;
    }
}

void apply_clip(const ClipRange& range, std::span<double> values) noexcept {
    const auto [low, high] = range;
    finish_kernels().clip(low, high, values.data(), values.size());
}

} // namespace torchdicom
