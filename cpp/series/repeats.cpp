// Slices at one position: times, or repeats of which one stays.

#include "series/judge.hpp"

#include <algorithm>
#include <iterator>
#include <span>
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

std::vector<Gathering> gather(const Positions& positions, double least) {
    std::vector<Gathering> gatherings;
    const std::size_t count = positions.distances.size();
    for (std::size_t first = 0; first < count;) {
        std::size_t end = first + 1;
        while (end < count && is_repeat(positions, end, least)) {
            ++end;
        }
        gatherings.push_back({.first = first, .end = end});
        first = end;
    }
    return gatherings;
}

/// Which slices stay, and what is to be said of the others.
struct Repeats {
    std::vector<std::size_t> kept; ///< indices of slices
    Defect defect;
    std::string pair; ///< two that are at one position, for the message
};

Repeats find_repeats(const Series& series, const Positions& positions,
                     std::span<const Gathering> gatherings) {
    Repeats repeats;
    for (const Gathering& one : gatherings) {
        const std::size_t kept = kept_of(series, positions, one.first, one.end);
        if (one.size() > 1) {
            repeats.defect.slices.push_back(repeats.kept.size());
        }
        for (std::size_t i = one.first; i < one.end; ++i) {
            if (i == kept) {
                continue;
            }
            const std::string& path = series.slices[i].path;
            std::vector<std::string>& files = repeats.defect.files;
            if (std::ranges::find(files, path) == files.end()) {
                files.push_back(path);
            }
            if (repeats.pair.empty()) {
                const std::string& other = series.slices[kept].path;
                repeats.pair = other == path ? "Slices of " : other + " and ";
                repeats.pair += path;
            }
        }
        repeats.kept.push_back(kept);
    }
    return repeats;
}

Defect defect_of_repeats(const Series& series, const Positions& positions,
                         std::span<const Gathering> gatherings) {
    Repeats repeats = find_repeats(series, positions, gatherings);
    const std::size_t aside = series.slices.size() - gatherings.size();
    Defect defect = std::move(repeats.defect);
    defect.code = ErrorCode::duplicate_positions;
    defect.measured = {{"repeats", static_cast<double>(aside)}};
    defect.place = {.path = defect.files.front(),
                    .element = element_name(tags::ImagePositionPatient)};
    defect.message = repeats.pair + " lie at the same position: ";
    const auto [least, most] =
        std::ranges::minmax(gatherings, {}, [](const Gathering& one) { return one.size(); });
    if (least.size() == most.size()) {
        defect.message += "several times or echoes that no attribute tells apart, or slices that "
                          "were exported twice. Load the files of one repeat";
        return defect;
    }
    defect.measured.emplace_back("least", static_cast<double>(least.size()));
    defect.measured.emplace_back("most", static_cast<double>(most.size()));
    defect.message += "the repeats are incomplete, since there are " +
                      std::to_string(least.size()) + " to " + std::to_string(most.size()) +
                      " slices at a position. Fetch the files that are not there, or load the "
                      "files of one repeat";
    return defect;
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

void settle_repeats(Series& series, Positions& positions, const Tolerances& tolerances) {
    if (series.slices.size() == 1) {
        return;
    }
    const std::vector<Gathering> gatherings =
        gather(positions, least_gap(series, typical_step(positions, tolerances)));
    if (gatherings.size() == series.slices.size()) {
        return;
    }
    if (const auto times = find_times(series, positions, gatherings)) {
        keep(*times, series, positions);
        positions.distances.resize(gatherings.size());
        positions.path_order.resize(gatherings.size());
        series.times = series.slices.size() / gatherings.size();
        return;
    }
    series.defects.push_back(defect_of_repeats(series, positions, gatherings));
    keep(find_repeats(series, positions, gatherings).kept, series, positions);
}

} // namespace torchdicom
