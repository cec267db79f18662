#include "plan/repair.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace torchdicom {

namespace {

// Of a step, of a pixel: what lies closer is there, and is copied.
constexpr double kSamePlace = 1e-6;

/// A stack as the files have it.
struct StackOfFiles {
    std::span<const FileHeader> slices; ///< two or more, ascending along the normal
    Vector3 normal{};
    double step = 0; ///< the median gap, as it was judged

    [[nodiscard]] const Vector3& position(std::size_t i) const {
        return *slices[i].image_position_patient;
    }
    [[nodiscard]] double distance(std::size_t i) const { return dot(position(i), normal); }
};

const Defect* find_defect(const Series& series, ErrorCode code) {
    const auto found = std::ranges::find(series.defects, code, &Defect::code);
    return found == series.defects.end() ? nullptr : &*found;
}

/// The defect where there is one, and the policy does this about it.
const Defect* defect_for(const Series& series, const Policy& policy, ErrorCode code,
                         Action action) {
    return policy.of(code) == action ? find_defect(series, code) : nullptr;
}

double step_of(const Defect& defect) {
    const auto* const step =
        &*std::ranges::find(defect.measured, std::string_view{"step_mm"},
                            [](const auto& measured) { return measured.first; });
    return step->second;
}

Vector3 moved(const Vector3& from, const Vector3& step, double count) noexcept {
    return {from[0] + step[0] * count, from[1] + step[1] * count, from[2] + step[2] * count};
}

void require_few(double count, const Defect& defect) {
    if (count > static_cast<double>(limits::kMaxFrames)) {
        fail(ErrorCode::limit_frames,
             "Repaired, the series would have more than " + std::to_string(limits::kMaxFrames) +
                 " slices. Load the parts that belong together apart",
             defect.place);
    }
}

/// How many slices a gap of so many steps has room for.
std::size_t slices_in(double steps) noexcept { return static_cast<std::size_t>(steps) - 1; }

/// The slices as they are, and those between that make all gaps one step.
void fill_gaps(const StackOfFiles& stack, const Defect& defect, Repair& repair) {
    std::vector<double> multiples;
    double steps = 0;
    for (std::size_t i = 1; i < stack.slices.size(); ++i) {
        multiples.push_back(std::round((stack.distance(i) - stack.distance(i - 1)) / stack.step));
        steps += multiples.back();
    }
    require_few(steps + 1, defect);
    const Vector3& first = stack.position(0);
    const Vector3& last = stack.position(stack.slices.size() - 1);
    for (std::size_t axis = 0; axis < first.size(); ++axis) {
        repair.affine[0][axis] = (last[axis] - first[axis]) / steps;
    }
    for (std::size_t i = 0; i < stack.slices.size(); ++i) {
        repair.slices.push_back({.before = i, .position_mm = stack.position(i)});
        const std::size_t made = i < multiples.size() ? slices_in(multiples[i]) : 0;
        for (std::size_t k = 0; k < made; ++k) {
            const auto place = static_cast<double>(repair.slices.size());
            repair.slices.push_back({.before = i,
                                     .is_filled = true,
                                     .position_mm = moved(first, repair.affine[0], place)});
        }
    }
}

/// A slice at z along the normal: one of the files, or between two of them.
RepairedSlice slice_at(const StackOfFiles& stack, std::span<const double> distances, double z,
                       std::size_t from) {
    std::size_t i = from;
    while (i + 1 < distances.size() && distances[i + 1] <= z) {
        ++i;
    }
    const double near = kSamePlace * stack.step;
    if (i + 1 == distances.size() || std::abs(z - distances[i]) <= near) {
        return {.before = i, .position_mm = stack.position(i)};
    }
    if (std::abs(z - distances[i + 1]) <= near) {
        return {.before = i + 1, .position_mm = stack.position(i + 1)};
    }
    return {.before = i, .weight = (z - distances[i]) / (distances[i + 1] - distances[i])};
}

void make_even(const StackOfFiles& stack, const Defect& defect, Repair& repair) {
    std::vector<double> distances(stack.slices.size());
    for (std::size_t i = 0; i < distances.size(); ++i) {
        distances[i] = stack.distance(i);
    }
    const double length = distances.back() - distances.front();
    const double steps = std::floor(length / stack.step + kSamePlace);
    require_few(steps + 1, defect);
    const Vector3& first = stack.position(0);
    const Vector3& last = stack.position(stack.slices.size() - 1);
    for (std::size_t axis = 0; axis < first.size(); ++axis) {
        repair.affine[0][axis] = (last[axis] - first[axis]) / length * stack.step;
    }
    for (std::size_t i = 0; i <= static_cast<std::size_t>(steps); ++i) {
        const auto k = static_cast<double>(i);
        const std::size_t from = repair.slices.empty() ? 0 : repair.slices.back().before;
        RepairedSlice slice = slice_at(stack, distances, distances.front() + k * stack.step, from);
        if (slice.is_made()) {
            slice.position_mm = moved(first, repair.affine[0], k);
        }
        repair.slices.push_back(slice);
    }
    repair.is_even = true;
}

/// How far each slice of the files, or what is made of two of them, has gone sideways.
void measure_offsets(const StackOfFiles& stack, Repair& repair) {
    const auto& [z, y, x, origin] = repair.affine;
    for (RepairedSlice& slice : repair.slices) {
        if (slice.is_filled) {
            continue; // there is nothing to be shifted
        }
        Vector3 across = stack.position(slice.before);
        for (std::size_t axis = 0; axis < across.size(); ++axis) {
            if (slice.weight) {
                across[axis] = across[axis] * (1 - *slice.weight) +
                               stack.position(slice.before + 1)[axis] * *slice.weight;
            }
            across[axis] -= stack.position(0)[axis];
        }
        slice.offset = {.y = dot(across, y) / dot(y, y), .x = dot(across, x) / dot(x, x)};
    }
    repair.is_straight = true;
}

double snapped(double offset) noexcept {
    const double whole = std::floor(offset + 0.5);
    return std::abs(offset - whole) <= kSamePlace ? whole : offset;
}

/// Pixels before and behind those of an image, for offsets from one to the other.
std::array<std::size_t, 2> room_for(double least, double most, std::size_t length,
                                    std::uint32_t limit, ErrorCode code, const Place& place) {
    const double before = std::ceil(std::max(0.0, -least));
    const double behind = std::ceil(std::max(0.0, most));
    if (before + behind + static_cast<double>(length) > limit) {
        fail(code,
             "The slices are shifted so far that straightened they are longer than " +
                 std::to_string(limit) + " pixels. Load them with gantry_tilt='allow'",
             place);
    }
    return {static_cast<std::size_t>(before), static_cast<std::size_t>(behind)};
}

} // namespace

std::optional<Repair> repair_of(const Series& series, const Policy& policy) {
    using enum ErrorCode;
    const Defect* const missing = defect_for(series, policy, missing_slices, Action::fill);
    const Defect* const uneven = defect_for(series, policy, uneven_spacing, Action::resample);
    const Defect* const tilt = defect_for(series, policy, gantry_tilt, Action::resample);
    if (!series.affine || (missing == nullptr && uneven == nullptr && tilt == nullptr)) {
        return std::nullopt;
    }
    Repair repair{.slices = {}, .affine = *series.affine, .normal = series.normal};
    const std::size_t count = series.slices.size() / series.times; // all times lie alike
    StackOfFiles stack{.slices = std::span{series.slices}.first(count), .normal = series.normal};
    if (missing != nullptr) {
        stack.step = step_of(*missing);
        fill_gaps(stack, *missing, repair);
    } else if (uneven != nullptr) {
        stack.step = step_of(*uneven);
        make_even(stack, *uneven, repair);
    } else {
        for (std::size_t i = 0; i < stack.slices.size(); ++i) {
            repair.slices.push_back({.before = i, .position_mm = stack.position(i)});
        }
    }
    if (tilt != nullptr) {
        measure_offsets(stack, repair);
        repair.place = tilt->place;
    }
    return repair;
}

InPlane offset_of(const RepairedSlice& slice, std::uint32_t halvings) noexcept {
    const auto factor = static_cast<double>(1U << halvings);
    return {.y = snapped(slice.offset.y / factor), .x = snapped(slice.offset.x / factor)};
}

Canvas canvas_of(const Repair& repair, const Extent& image, std::uint32_t halvings) {
    if (!repair.is_straight) {
        return {};
    }
    InPlane least;
    InPlane most;
    for (const RepairedSlice& slice : repair.slices) {
        const InPlane offset = offset_of(slice, halvings);
        least = {.y = std::min(least.y, offset.y), .x = std::min(least.x, offset.x)};
        most = {.y = std::max(most.y, offset.y), .x = std::max(most.x, offset.x)};
    }
    const auto [top, bottom] = room_for(least.y, most.y, image.rows, limits::kMaxRows,
                                        ErrorCode::limit_rows, repair.place);
    const auto [left, right] = room_for(least.x, most.x, image.columns, limits::kMaxColumns,
                                        ErrorCode::limit_columns, repair.place);
    return {.top = top, .bottom = bottom, .left = left, .right = right};
}

std::array<Vector3, 4> affine_of(const Repair& repair, const Canvas& canvas,
                                 std::uint32_t halvings) noexcept {
    std::array<Vector3, 4> affine = repair.affine;
    auto& [z, y, x, origin] = affine;
    if (repair.is_straight) {
        const double step = dot(z, repair.normal);
        z = {repair.normal[0] * step, repair.normal[1] * step, repair.normal[2] * step};
        if (canvas.top > 0) {
            origin = moved(origin, y, -static_cast<double>(canvas.top << halvings));
        }
        if (canvas.left > 0) {
            origin = moved(origin, x, -static_cast<double>(canvas.left << halvings));
        }
    }
    return affine;
}

} // namespace torchdicom
