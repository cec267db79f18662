#include "pipeline/fill.hpp"

#include "header/tables.hpp"
#include "pipeline/channels.hpp"
#include "pipeline/padding.hpp"
#include "rescale/rescale.hpp"
#include "rescale/table.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace torchdicom {

namespace {

// Air, where the unit is Hounsfield's.
constexpr double kAirHu = -1024;

template <typename Value>
double entry_of(std::int64_t stored, std::int64_t first, const std::vector<Value>& values) {
    const auto last = static_cast<std::int64_t>(values.size()) - 1;
    const auto entry = std::clamp<std::int64_t>(stored - first, 0, last);
    return static_cast<double>(values[static_cast<std::size_t>(entry)]);
}

/// The value that the padding of a file becomes, like any of its voxels.
double rescaled(const FileHeader& header, const Mapping& mapping, std::int64_t stored) {
    if (mapping.table == Table::modality_lut) {
        const LookupTable& table = modality_lut_of(header);
        return entry_of(stored, table.first, table.values);
    }
    if (mapping.table == Table::real_world_lut) {
        const RealWorldMap& map = real_world_maps_of(header)[mapping.real_world.value_or(0)];
        return entry_of(stored, first_entry_of(map), map.values);
    }
    return static_cast<double>(stored) * mapping.rescale.slope + mapping.rescale.intercept;
}

/// Where the policy leaves it to the file.
double value_of_file(const FileHeader& header, const Plan& plan, const Mapping& mapping,
                     const OutputOptions& options, const std::string& units) {
    const bool is_window = plan.finish && plan.finish->window;
    if (is_window || plan.colours > 1 || plan.format.photometric == Photometric::palette) {
        return 0;
    }
    if (plan.format.sample_type == SampleType::integer) {
        if (const auto stored = padding_value_of(header)) {
            return rescaled(header, mapping, *stored);
        }
    }
    const std::string of_rescale = options.output == Output::modality ? units : "";
    const bool is_stored = options.output == Output::stored;
    return !is_stored && units_of(header, mapping, of_rescale) == "HU" ? kAirHu : 0;
}

double of_channel(const std::vector<double>& numbers, std::size_t channel) {
    return numbers.size() == 1 ? numbers.front() : numbers.at(channel);
}

} // namespace

double fill_value_of(const FileHeader& header, const Plan& plan, const FrameTask& task,
                     std::size_t channel, const OutputOptions& options, const std::string& units,
                     const std::optional<double>& of_policy) {
    double value =
        of_policy ? *of_policy : value_of_file(header, plan, task.mapping, options, units);
    if (!plan.finish) {
        return value;
    }
    if (const auto& clip = plan.finish->clip) {
        value = std::clamp(value, clip->first, clip->second);
    }
    if (!plan.finish->mean.empty()) {
        value = (value - of_channel(plan.finish->mean, channel)) /
                of_channel(plan.finish->std, channel);
    }
    return value;
}

void fill_plane(double value, DType dtype, MutableByteSpan plane) {
    const std::size_t size = size_of(dtype);
    std::array<std::byte, sizeof(double)> one{};
    const std::array<double, 1> values{value};
    const Converter narrow{entry_format(PixelFormat{}, true), Rescale{}, dtype};
    try {
        narrow.convert(std::as_bytes(std::span{values}), MutableByteSpan{one}.first(size), false);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::value_overflow) {
            throw;
        }
        throw std::invalid_argument{
            "fill_value: " + error.message() +
            " of the result. Give a fill_value that does in the policy, or ask for another dtype"};
    }
    if (plane.empty()) {
        return;
    }
    std::ranges::copy(std::span{one}.first(size), plane.begin());
    for (std::size_t done = size; done < plane.size(); done *= 2) { // what is there is copied
        const std::size_t more = std::min(done, plane.size() - done);
        std::ranges::copy(plane.first(more), plane.subspan(done).begin());
    }
}

} // namespace torchdicom
