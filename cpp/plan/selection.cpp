#include "plan/selection.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

namespace torchdicom {

namespace {

std::string count_text(std::int64_t count, std::string_view what) {
    return std::to_string(count).append(" ").append(what).append(count == 1 ? "" : "s");
}

/// What Python's slice.indices gives.
std::vector<std::size_t> places_of(const SliceRange& range, std::int64_t count,
                                   std::string_view what) {
    if (range.step == 0) {
        throw std::invalid_argument{"the step along the " + std::string{what} +
                                    "s is 0: it must be another number"};
    }
    const bool is_down = range.step < 0;
    const std::int64_t lowest = is_down ? -1 : 0;
    const std::int64_t highest = is_down ? count - 1 : count;
    const auto bound = [&](const std::optional<std::int64_t>& index, std::int64_t otherwise) {
        return index ? std::clamp(*index < 0 ? *index + count : *index, lowest, highest)
                     : otherwise;
    };
    const std::int64_t start = bound(range.start, is_down ? highest : lowest);
    const std::int64_t stop = bound(range.stop, is_down ? lowest : highest);
    // A longer step picks no other slice, and one as long as the numbers go would overflow.
    const std::int64_t step = std::clamp(range.step, -count - 1, count + 1);
    std::vector<std::size_t> positions;
    for (std::int64_t at = start; is_down ? at > stop : at < stop; at += step) {
        positions.push_back(static_cast<std::size_t>(at));
    }
    return positions;
}

std::vector<std::size_t> places_of(const std::vector<std::int64_t>& wanted, std::int64_t count,
                                   std::string_view what) {
    std::vector<std::size_t> positions;
    positions.reserve(wanted.size());
    for (const std::int64_t place : wanted) {
        if (place < -count || place >= count) {
            throw std::out_of_range{std::string{what} + " " + std::to_string(place) +
                                    " is not there: the series has " + count_text(count, what)};
        }
        positions.push_back(static_cast<std::size_t>(place < 0 ? place + count : place));
    }
    return positions;
}

/// The distance from pick to pick, nothing where there is not one; 1 for a single pick.
std::optional<double> even_step(std::span<const std::size_t> picks) {
    if (picks.size() == 1) {
        return 1.0;
    }
    const auto distance = [&picks](std::size_t i) {
        return static_cast<double>(picks[i]) - static_cast<double>(picks[i - 1]);
    };
    for (std::size_t i = 2; i < picks.size(); ++i) {
        if (distance(i) != distance(1)) {
            return std::nullopt;
        }
    }
    return distance(1) == 0 ? std::nullopt : std::optional{distance(1)};
}

void move_along(const Vector3& step, double count, Vector3& origin) noexcept {
    if (count == 0) {
        return; // an origin of -0.0 stays one
    }
    for (std::size_t axis = 0; axis < origin.size(); ++axis) {
        origin[axis] += step[axis] * count;
    }
}

} // namespace

std::vector<std::size_t> pick_places(const std::optional<SliceSelection>& selection,
                                     std::size_t count, std::string_view what) {
    if (!selection) {
        std::vector<std::size_t> all(count);
        std::iota(all.begin(), all.end(), std::size_t{0});
        return all;
    }
    const auto signed_count = static_cast<std::int64_t>(count);
    std::vector<std::size_t> picks = std::visit(
        [&](const auto& wanted) { return places_of(wanted, signed_count, what); }, *selection);
    if (picks.empty()) {
        throw std::invalid_argument{(what == "time" ? "t" : std::string{what} + "s") +
                                    " selects none of the " + count_text(signed_count, what)};
    }
    return picks;
}

Grid select_slices(Grid grid, std::span<const std::size_t> picks) {
    const std::optional<double> step = even_step(picks);
    if (!step || !grid.affine) {
        grid.affine.reset();
        grid.spacing_mm[0] = std::numeric_limits<double>::quiet_NaN();
        return grid;
    }
    auto& [z, y, x, origin] = *grid.affine;
    move_along(z, static_cast<double>(picks.front()), origin);
    for (double& part : z) {
        part *= *step;
    }
    grid.spacing_mm[0] = std::sqrt(dot(z, z));
    return grid;
}

Grid select_window(Grid grid, const Window& window) {
    if (grid.affine) {
        auto& [z, y, x, origin] = *grid.affine;
        move_along(y, static_cast<double>(window.y0), origin);
        move_along(x, static_cast<double>(window.x0), origin);
    }
    return grid;
}

Grid reduce_grid(Grid grid, std::uint32_t halvings, std::uint32_t levels) {
    const auto factor = static_cast<double>(1U << halvings);
    const double shift = (factor - static_cast<double>(1U << levels)) / 2;
    if (grid.affine) {
        auto& [z, y, x, origin] = *grid.affine;
        move_along(y, shift, origin);
        move_along(x, shift, origin);
        for (std::size_t axis = 0; axis < y.size(); ++axis) {
            y[axis] *= factor;
            x[axis] *= factor;
        }
    }
    grid.spacing_mm[1] *= factor;
    grid.spacing_mm[2] *= factor;
    return grid;
}

Grid resize_grid(Grid grid, const Extent& from, const Extent& to) {
    const double rows = static_cast<double>(from.rows) / static_cast<double>(to.rows);
    const double columns = static_cast<double>(from.columns) / static_cast<double>(to.columns);
    if (!grid.affine) {
        grid.spacing_mm[1] *= rows;
        grid.spacing_mm[2] *= columns;
        return grid;
    }
    auto& [z, y, x, origin] = *grid.affine;
    move_along(y, (rows - 1) / 2, origin);
    move_along(x, (columns - 1) / 2, origin);
    for (std::size_t axis = 0; axis < y.size(); ++axis) {
        y[axis] *= rows;
        x[axis] *= columns;
    }
    grid.spacing_mm[1] = std::sqrt(dot(y, y));
    grid.spacing_mm[2] = std::sqrt(dot(x, x));
    return grid;
}

std::optional<std::vector<double>> frame_times_ms(std::span<const FileHeader> of_cine) {
    const FileHeader& first = of_cine.front();
    const std::vector<double>& increments = first.frame_time_vector;
    const std::size_t count = std::max(of_cine.size(), first.number_of_frames());
    std::vector<double> times(count);
    if (increments.size() == count) {
        for (std::size_t i = 1; i < count; ++i) {
            times[i] = times[i - 1] + increments[i];
        }
        return times;
    }
    if (first.frame_time) {
        for (std::size_t i = 0; i < count; ++i) {
            times[i] = static_cast<double>(i) * *first.frame_time;
        }
        return times;
    }
    return std::nullopt;
}

} // namespace torchdicom
