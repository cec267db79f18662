// Repeats of all positions become times, where one attribute tells them (DESIGN part 5).

#include "series/times.hpp"

#include "series/judge.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <tuple>

namespace torchdicom {

namespace {

constexpr double kSecondsOfDay = 86'400;
constexpr double kHalfDay = 43'200;

/// What is compared: a number, or the four of a b-value with its gradient.
using Value = std::array<double, 4>;
/// Of every slice.
using Values = std::vector<Value>;

constexpr std::array<double, 3> kNoGradient{0, 0, 0};

using Attribute = std::optional<double> SliceTimes::*;

/// Nothing where a slice lacks the attribute.
std::optional<Values> values_of(std::span<const FileHeader> slices, Attribute attribute) {
    Values values;
    values.reserve(slices.size());
    for (const FileHeader& slice : slices) {
        const std::optional<double>& value = slice.times.*attribute;
        if (!value) {
            return std::nullopt;
        }
        values.push_back({*value, 0, 0, 0});
    }
    return values;
}

std::optional<Values> diffusion_of(std::span<const FileHeader> slices) {
    std::optional<Values> values = values_of(slices, &SliceTimes::diffusion_b_value);
    for (std::size_t i = 0; values && i < slices.size(); ++i) {
        const auto gradient = slices[i].times.diffusion_gradient.value_or(kNoGradient);
        std::ranges::copy(gradient, (*values)[i].begin() + 1);
    }
    return values;
}

/// Times of day across midnight, which none of the slices has a date to: the earlier half of them
/// is the later one.
void unwrap_midnight(Values& times) {
    std::vector<double> sorted;
    for (const Value& time : times) {
        sorted.push_back(time[0]);
    }
    std::ranges::sort(sorted);
    std::size_t behind = 0; // the largest gap
    for (std::size_t i = 1; i < sorted.size(); ++i) {
        if (behind == 0 || sorted[i] - sorted[i - 1] > sorted[behind] - sorted[behind - 1]) {
            behind = i;
        }
    }
    if (behind == 0 || sorted[behind] - sorted[behind - 1] <= kHalfDay) {
        return;
    }
    const double evening = sorted[behind];
    for (Value& time : times) {
        time[0] += time[0] < evening ? kSecondsOfDay : 0;
    }
}

/// Seconds since the midnight before the first of them.
std::optional<Values> acquisition_of(std::span<const FileHeader> slices) {
    std::optional<Values> times = values_of(slices, &SliceTimes::acquisition_time);
    if (!times) {
        return std::nullopt;
    }
    const std::optional<Values> days = values_of(slices, &SliceTimes::acquisition_day);
    if (!days) {
        unwrap_midnight(*times);
        return times;
    }
    const double first = (*std::ranges::min_element(*days))[0];
    for (std::size_t i = 0; i < times->size(); ++i) {
        (*times)[i][0] += ((*days)[i][0] - first) * kSecondsOfDay;
    }
    return times;
}

/// An attribute that may be the axis, and how it is told.
struct Candidate {
    std::string_view name;
    std::function<std::optional<Values>(std::span<const FileHeader>)> values;
    bool is_time = false; ///< the slices of one time may differ in it
};

std::function<std::optional<Values>(std::span<const FileHeader>)> number(Attribute attribute) {
    return [attribute](std::span<const FileHeader> slices) { return values_of(slices, attribute); };
}

/// In the order in which they are tried.
const std::vector<Candidate>& candidates() {
    static const std::vector<Candidate> all{
        {"TemporalPositionIdentifier", number(&SliceTimes::temporal_position)},
        {"TriggerTime", number(&SliceTimes::trigger_time), true},
        {"NominalPercentageOfCardiacPhase", number(&SliceTimes::cardiac_phase)},
        {"DiffusionBValue", diffusion_of},
        {"FrameReferenceTime", number(&SliceTimes::frame_reference_time), true},
        {"AcquisitionNumber", number(&SliceTimes::acquisition_number)},
        {"AcquisitionTime", acquisition_of, true},
    };
    return all;
}

/// The slices of a gathering by value; by InstanceNumber, then path, where values are equal.
std::vector<std::size_t> in_order(const Series& series, const Positions& positions,
                                  const Values& values, const Gathering& gathering) {
    std::vector<std::size_t> order;
    for (std::size_t i = gathering.first; i < gathering.end; ++i) {
        order.push_back(i);
    }
    std::ranges::sort(order, {}, [&](std::size_t i) {
        return std::tuple{values[i], series.slices[i].instance_number, positions.path_order[i]};
    });
    return order;
}

/// Whether slices of equal value have InstanceNumbers of their own, or are frames of one file: what
/// was exported twice is no time series.
bool are_told_apart(const Series& series, const Values& values,
                    const std::vector<std::size_t>& order) {
    for (std::size_t i = 1; i < order.size(); ++i) {
        const FileHeader& one = series.slices[order[i]];
        const FileHeader& before = series.slices[order[i - 1]];
        const bool has_number = one.instance_number && before.instance_number &&
                                one.instance_number != before.instance_number;
        if (values[order[i]] == values[order[i - 1]] && !has_number && one.path != before.path) {
            return false;
        }
    }
    return true;
}

/// The slices of each gathering in order, one gathering after the other. Nothing where the values
/// are not the same at all positions, or all the same.
std::optional<std::vector<std::size_t>> order_by(const Series& series, const Positions& positions,
                                                 std::span<const Gathering> gatherings,
                                                 const Values& values) {
    std::vector<std::size_t> all;
    const std::size_t times = gatherings.front().size();
    for (const Gathering& gathering : gatherings) {
        const std::vector<std::size_t> order = in_order(series, positions, values, gathering);
        for (std::size_t k = 0; k < times; ++k) {
            if (!all.empty() && values[order[k]] != values[all[k]]) {
                return std::nullopt; // `all` begins with the first gathering
            }
        }
        if (values[order.front()] == values[order.back()] ||
            !are_told_apart(series, values, order)) {
            return std::nullopt;
        }
        all.insert(all.end(), order.begin(), order.end());
    }
    return all;
}

bool is_constant(const Coordinate& coordinate) {
    const std::size_t width = coordinate.width;
    for (std::size_t i = width; i < coordinate.values.size(); ++i) {
        if (coordinate.values[i] != coordinate.values[i - width]) {
            return false;
        }
    }
    return true;
}

/// The value of each time. Nothing where its slices differ in it, unless it is a time.
std::optional<Values> over_time(const Values& values, std::size_t times, bool is_time) {
    const std::size_t slices = values.size() / times;
    Values result;
    for (std::size_t t = 0; t < times; ++t) {
        const std::span of_time = std::span{values}.subspan(t * slices, slices);
        const auto [least, most] = std::ranges::minmax(of_time);
        if (least != most && !is_time) {
            return std::nullopt;
        }
        result.push_back(least);
    }
    return result;
}

void add_if_varying(Coordinate coordinate, std::vector<Coordinate>& coordinates) {
    if (!is_constant(coordinate)) {
        coordinates.push_back(std::move(coordinate));
    }
}

/// The first of each value, or the three behind it.
Coordinate part_of(std::string_view name, const Values& values, std::size_t first,
                   std::size_t width) {
    Coordinate coordinate{.name = name, .width = width, .values = {}};
    for (const Value& value : values) {
        const std::span part = std::span{value}.subspan(first, width);
        coordinate.values.insert(coordinate.values.end(), part.begin(), part.end());
    }
    return coordinate;
}

} // namespace

std::optional<std::vector<std::size_t>> find_times(const Series& series, const Positions& positions,
                                                   std::span<const Gathering> gatherings) {
    const std::size_t times = gatherings.front().size();
    const std::size_t count = gatherings.size();
    if (times < 2 ||
        std::ranges::any_of(
            gatherings, [times](const Gathering& one) { return one.size() != times; })) {
        return std::nullopt;
    }
    for (const Candidate& candidate : candidates()) {
        const std::optional<Values> values = candidate.values(series.slices);
        const auto order = values ? order_by(series, positions, gatherings, *values) : std::nullopt;
        if (!order) {
            continue;
        }
        std::vector<std::size_t> by_time(order->size());
        for (std::size_t i = 0; i < order->size(); ++i) {
            by_time[i % times * count + i / times] = (*order)[i];
        }
        return by_time;
    }
    return std::nullopt;
}

std::vector<Coordinate> coordinates_over_time(const Series& series) {
    const std::size_t times =
        series.kind == Kind::cine && series.slices.size() > 1 ? series.slices.size() : series.times;
    std::vector<Coordinate> coordinates;
    if (times < 2) {
        return coordinates;
    }
    for (const Candidate& candidate : candidates()) {
        const std::optional<Values> values = candidate.values(series.slices);
        if (!values) {
            continue;
        }
        if (candidate.name != "DiffusionBValue") {
            if (const auto found = over_time(*values, times, candidate.is_time)) {
                add_if_varying(part_of(candidate.name, *found, 0, 1), coordinates);
            }
            continue;
        }
        if (const auto found = over_time(*values, times, false)) {
            add_if_varying(part_of(candidate.name, *found, 0, 1), coordinates);
            add_if_varying(part_of("DiffusionGradientOrientation", *found, 1, 3), coordinates);
        }
    }
    return coordinates;
}

std::vector<Coordinate> coordinates_over_slices(const Series& series) {
    const auto values = values_of(first_stack(series), &SliceTimes::slice_time);
    if (!values || values->empty()) {
        return {};
    }
    return {part_of("MosaicRefAcqTimes", *values, 0, 1)};
}

} // namespace torchdicom
