// Slices at one position: one of them stays.

#include "series/judge.hpp"

#include <algorithm>
#include <tuple>

namespace torchdicom {

namespace {

constexpr double kSamePosition = 0.05; // of the step: a real CT has two 0.005 mm apart
constexpr double kSamePixel = 0.01;    // of a pixel

double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<double> gaps_of(const Positions& positions) {
    std::vector<double> gaps;
    for (std::size_t i = 1; i < positions.distances.size(); ++i) {
        gaps.push_back(positions.distances[i] - positions.distances[i - 1]);
    }
    return gaps;
}

/// Neighbours that are closer than this are at one position.
double least_gap(const Series& series, double step) {
    const auto& [between_rows, between_columns] = *series.slices.front().pixel_spacing;
    const double same_pixel = kSamePixel * std::min(between_rows, between_columns);
    // Rounding alone moves positions by less than that; a stack of slices has larger steps.
    return step < same_pixel ? same_pixel : kSamePosition * step;
}

/// Whether a slice is at the position of the one before it. Where pixels are next to nothing, so is
/// the least gap, and no gap at all is less than that.
bool is_repeat(const Positions& positions, std::size_t slice, double least) {
    const double gap = positions.distances[slice] - positions.distances[slice - 1];
    return gap < least || gap == 0;
}

/// The slice of [first, end) that stays: the lowest InstanceNumber, then the first path.
std::size_t kept_of(const Series& series, const Positions& positions, std::size_t first,
                    std::size_t end) {
    const auto rank = [&](std::size_t i) {
        const auto& number = series.slices[i].instance_number;
        return std::tuple{!number, number.value_or(0), positions.path_order[i]};
    };
    std::size_t kept = first;
    for (std::size_t i = first + 1; i < end; ++i) {
        kept = rank(i) < rank(kept) ? i : kept;
    }
    return kept;
}

/// Which slices stay, and what is to be said of the others.
struct Repeats {
    std::vector<std::size_t> kept; ///< indices of slices
    Defect defect;
    std::string pair; ///< two that are at one position, for the message
};

Repeats find_repeats(const Series& series, const Positions& positions, double least) {
    Repeats repeats;
    const std::size_t count = series.slices.size();
    for (std::size_t first = 0; first < count;) {
        std::size_t end = first + 1;
        while (end < count && is_repeat(positions, end, least)) {
            ++end;
        }
        const std::size_t kept = kept_of(series, positions, first, end);
        if (end - first > 1) {
            repeats.defect.slices.push_back(repeats.kept.size());
        }
        for (std::size_t i = first; i < end; ++i) {
            if (i != kept) {
                repeats.defect.files.push_back(series.slices[i].path);
                repeats.pair = repeats.pair.empty()
                                   ? series.slices[kept].path + " and " + series.slices[i].path
                                   : repeats.pair;
            }
        }
        repeats.kept.push_back(kept);
        first = end;
    }
    return repeats;
}

void keep(const std::vector<std::size_t>& kept, Series& series, Positions& positions) {
    std::vector<FileHeader> slices;
    Positions rest{.normal = positions.normal, .distances = {}, .path_order = {}};
    for (const std::size_t i : kept) {
        slices.push_back(std::move(series.slices[i]));
        rest.distances.push_back(positions.distances[i]);
        rest.path_order.push_back(positions.path_order[i]);
    }
    series.slices = std::move(slices);
    positions = std::move(rest);
}

} // namespace

double typical_step(const Positions& positions, const Tolerances& tolerances) {
    const std::vector<double> gaps = gaps_of(positions);
    const double largest = *std::ranges::max_element(gaps);
    std::vector<double> steps;
    std::ranges::copy_if(gaps, std::back_inserter(steps), [&](double gap) {
        return gap > tolerances.position_mm || gap >= kSamePosition * largest;
    });
    return median(std::move(steps));
}

void set_repeats_aside(Series& series, Positions& positions, const Tolerances& tolerances) {
    if (series.slices.size() == 1) {
        return;
    }
    const double least = least_gap(series, typical_step(positions, tolerances));
    Repeats repeats = find_repeats(series, positions, least);
    Defect& defect = repeats.defect;
    if (defect.files.empty()) {
        return;
    }
    defect.code = ErrorCode::duplicate_positions;
    defect.message = repeats.pair +
                     " lie at the same position: a time series, several echoes, or a slice that "
                     "was exported twice. Load the files of one repeat";
    defect.measured = {{"repeats", static_cast<double>(defect.files.size())}};
    defect.place = {.path = defect.files.front(),
                    .element = element_name(tags::ImagePositionPatient)};
    series.defects.push_back(std::move(defect));
    keep(repeats.kept, series, positions);
}

} // namespace torchdicom
