#include "pipeline/picks.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace torchdicom {

namespace {

/// All frames of a cine, which may have a header for each.
std::vector<FrameId> frames_of_cine(const Series& series) {
    std::vector<FrameId> frames;
    for (std::size_t i = 0; i < series.slices.size(); ++i) {
        for (std::size_t k = 0; k < series.slices[i].frames.size(); ++k) {
            frames.emplace_back(i, k);
        }
    }
    return frames;
}

/// The values of these places, in their order.
std::vector<Coordinate> picked(std::vector<Coordinate> coordinates,
                               std::span<const std::size_t> places) {
    for (Coordinate& one : coordinates) {
        std::vector<double> values;
        values.reserve(places.size() * one.width);
        for (const std::size_t place : places) {
            for (std::size_t k = 0; k < one.width; ++k) {
                values.push_back(one.values[place * one.width + k]);
            }
        }
        one.values = std::move(values);
    }
    return coordinates;
}

/// A cine's frame times go before what its frames say of themselves.
std::vector<Coordinate> all_over_time(const Series& series) {
    std::vector<Coordinate> all;
    if (series.kind == Kind::cine) {
        if (auto times = frame_times_ms(series.slices)) {
            all.push_back({.name = "FrameTime", .width = 1, .values = *std::move(times)});
        }
    }
    std::ranges::move(coordinates_over_time(series), std::back_inserter(all));
    return all;
}

} // namespace

Picks picks_of(const Series& series, const LoadRequest& request) {
    const bool is_cine = series.kind == Kind::cine;
    if (request.times && !is_cine && series.times == 1) {
        throw std::invalid_argument{"t selects times, and the series has no axis t"};
    }
    const std::vector<FrameId> cine = is_cine ? frames_of_cine(series) : std::vector<FrameId>{};
    const std::size_t times = is_cine ? cine.size() : series.times;
    const std::size_t slices = is_cine ? 1 : series.slices.size() / series.times;
    Picks picks{.times = pick_places(request.times, times, "time"),
                .slices = pick_places(request.slices, slices, "slice"),
                .frames = {}};
    if (is_cine && picks.slices.size() > 1) {
        throw std::out_of_range{"a cine has one slice: slices selects 0 and nothing else"};
    }
    picks.frames.reserve(picks.times.size() * picks.slices.size());
    for (const std::size_t t : picks.times) {
        for (const std::size_t z : picks.slices) {
            picks.frames.push_back(is_cine ? cine[t] : FrameId{t * slices + z, 0});
        }
    }
    return picks;
}

Grid grid_of(const Series& series, std::span<const std::size_t> picks, const Plan& plan,
             std::uint32_t levels, const LoadRequest& request) {
    Grid grid{.affine = series.affine, .spacing_mm = series.spacing_mm};
    if (request.slices) {
        grid = select_slices(grid, picks);
    }
    if (request.region) {
        grid = select_window(grid, plan.window);
    }
    if (request.reduce > 0) {
        grid = reduce_grid(grid, request.reduce, levels);
    }
    return plan.resizes() ? resize_grid(grid, plan.decoded(), plan.extent()) : grid;
}

std::vector<Coordinate> picked_over_time(const Series& series, const Picks& picks) {
    return picked(all_over_time(series), picks.times);
}

std::vector<Coordinate> picked_over_slices(const Series& series, const Picks& picks) {
    return picked(coordinates_over_slices(series), picks.slices);
}

} // namespace torchdicom
