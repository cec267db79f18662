#include "pipeline/repair.hpp"

#include "pipeline/fill.hpp"
#include "pipeline/straighten.hpp"
#include "rescale/table.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace torchdicom {

namespace {

/// Throws where values that lie between others are wanted of what has none between.
void require_between(const FileHeader& header, const LoadRequest& request, bool is_even) {
    const PixelFormat format = pixel_format_of(header);
    const std::string action = is_even ? "uneven_spacing='resample'" : "gantry_tilt='resample'";
    if (format.samples_per_pixel > 1 || format.photometric == Photometric::palette) {
        fail(ErrorCode::unsupported_pixel_format,
             "Colours and indices of a palette are not interpolated, and the policy has " + action +
                 ". Load them with 'allow'",
             header.place_of(tags::PhotometricInterpretation));
    }
    const OutputOptions& options = request.output;
    const DType dtype = options.dtype ? *options.dtype : gray_dtype(format, options);
    if (is_integer(dtype)) {
        throw std::invalid_argument{"interpolated values are not whole, and the policy has " +
                                    action +
                                    " while the result is of an integer dtype: ask for a floating "
                                    "point one, such as dtype=torch.float32"};
    }
}

void check(const Series& series, const Repair& repair, const LoadRequest& request) {
    if (request.output.finish && request.output.finish->size) {
        throw std::invalid_argument{"a series that the policy repairs is not resized as well"};
    }
    if (repair.interpolates()) {
        require_between(series.slices.front(), request, repair.is_even);
    }
}

/// The slices of the files that the picks are made of, ascending.
std::vector<std::size_t> sources_of(const Repair& repair, std::span<const std::size_t> picks) {
    std::vector<std::size_t> sources;
    for (const std::size_t pick : picks) {
        const RepairedSlice& slice = repair.slices[pick];
        sources.push_back(slice.before);
        if (slice.weight) {
            sources.push_back(slice.before + 1);
        }
    }
    std::ranges::sort(sources);
    sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
    return sources;
}

LoadRequest request_for(const LoadRequest& request, const Repair& repair,
                        std::span<const std::size_t> sources) {
    LoadRequest own = request;
    own.slices = std::vector<std::int64_t>(sources.begin(), sources.end());
    own.out.reset();
    own.mask = true;
    if (repair.is_straight) {
        own.region.reset(); // it is one of the canvas
    }
    if (repair.interpolates()) {
        own.output.dtype = DType::float64;
    }
    return own;
}

/// One part of a repaired stack on its way from the slices of the files, which are loaded.
class Assembly {
  public:
    Assembly(const Repair& repair, const LoadRequest& request, const LoadedSeries& loaded,
             std::span<const std::size_t> sources, std::span<const std::size_t> picks)
        : repair_{&repair}, request_{&request}, loaded_{&loaded}, sources_{sources}, picks_{picks},
          size_{loaded.plan.extent()}, canvas_{canvas_of(repair, size_, request.reduce)},
          plan_{plan_of_result()} {}

    [[nodiscard]] const Plan& plan() const noexcept { return plan_; }
    [[nodiscard]] const Canvas& canvas() const noexcept { return canvas_; }

    /// The slice that a task of the result is.
    [[nodiscard]] const RepairedSlice& slice_of(std::size_t task) const {
        return repair_->slices[picks_[task % picks_.size()]];
    }

    /// One slice of the result at one time, all channels, and its mask.
    void make(std::size_t task, const OutputMemory& output) const {
        const RepairedSlice& slice = slice_of(task);
        const std::size_t time = task / picks_.size();
        for (std::size_t channel = 0; channel < plan_.channels; ++channel) {
            const MutableByteSpan plane = output.plane(plan_.plane_index(task, channel));
            if (slice.is_filled) {
                fill_plane(fill_of(time, slice, channel), plan_.dtype, plane);
                std::ranges::fill(output.mask_slot(task), std::byte{0});
            } else if (repair_->interpolates()) {
                interpolate(time, slice, channel, plane, output.mask_slot(task));
            } else {
                std::ranges::copy(plane_of(time, slice.before, channel), plane.begin());
                std::ranges::copy(mask_of(time, slice.before), output.mask_slot(task).begin());
            }
        }
    }

  private:
    /// The slices' own plan, with the tasks of the picks and the window of the canvas.
    [[nodiscard]] Plan plan_of_result() const {
        Plan plan = loaded_->plan;
        const OutputOptions& options = request_->output;
        if (repair_->interpolates()) {
            plan.dtype = options.dtype ? *options.dtype : gray_dtype(plan.format, options);
        }
        plan.tasks.clear();
        const std::size_t times = loaded_->plan.tasks.size() / sources_.size();
        for (std::size_t time = 0; time < times; ++time) {
            for (const std::size_t pick : picks_) {
                plan.tasks.push_back(task_of(time, repair_->slices[pick].before));
            }
        }
        plan.slices = picks_.size();
        if (repair_->is_straight) {
            PixelFormat format = slice_format(plan);
            const std::size_t rows = (canvas_.top + canvas_.bottom) << request_->reduce;
            const std::size_t columns = (canvas_.left + canvas_.right) << request_->reduce;
            format.rows += static_cast<std::uint32_t>(rows);
            format.columns += static_cast<std::uint32_t>(columns);
            plan.window = window_of(request_->region, format, request_->reduce);
        }
        return plan;
    }

    /// Where a slice of the files stands among those that were loaded.
    [[nodiscard]] std::size_t place_of(std::size_t time, std::size_t source) const {
        const auto found = std::ranges::lower_bound(sources_, source);
        return time * sources_.size() + static_cast<std::size_t>(found - sources_.begin());
    }
    [[nodiscard]] const FrameTask& task_of(std::size_t time, std::size_t source) const {
        return loaded_->plan.tasks[place_of(time, source)];
    }
    [[nodiscard]] ByteSpan plane_of(std::size_t time, std::size_t source,
                                    std::size_t channel) const {
        const Plan& plan = loaded_->plan;
        const std::size_t index = plan.plane_index(place_of(time, source), channel);
        return loaded_->buffer.bytes().subspan(index * plan.plane_bytes(), plan.plane_bytes());
    }
    [[nodiscard]] ByteSpan mask_of(std::size_t time, std::size_t source) const {
        const std::size_t count = loaded_->plan.values_per_plane();
        return loaded_->mask.bytes().subspan(place_of(time, source) * count, count);
    }

    [[nodiscard]] double fill_of(std::size_t time, const RepairedSlice& slice,
                                 std::size_t channel) const {
        const FrameTask& task = task_of(time, slice.before);
        return fill_value_of(loaded_->series.slices[task.header], loaded_->plan, task, channel,
                             request_->output, loaded_->series.units, request_->policy.fill_value);
    }

    /// The double values of a slice, which may lie between two of the files.
    void mix(std::size_t time, const RepairedSlice& slice, std::size_t channel,
             std::span<double> values, MutableByteSpan mask) const {
        const MutableByteSpan bytes = std::as_writable_bytes(values);
        std::ranges::copy(plane_of(time, slice.before, channel), bytes.begin());
        std::ranges::copy(mask_of(time, slice.before), mask.begin());
        if (!slice.weight) {
            return;
        }
        const ByteSpan next = plane_of(time, slice.before + 1, channel);
        const ByteSpan next_mask = mask_of(time, slice.before + 1);
        for (std::size_t i = 0; i < values.size(); ++i) {
            double behind = 0;
            std::memcpy(&behind, next.subspan(i * sizeof(double)).data(), sizeof(double));
            values[i] = values[i] * (1 - *slice.weight) + behind * *slice.weight;
            mask[i] &= next_mask[i];
        }
    }

    void interpolate(std::size_t time, const RepairedSlice& slice, std::size_t channel,
                     MutableByteSpan plane, MutableByteSpan mask) const {
        thread_local std::vector<double> values;
        thread_local std::vector<std::byte> valid;
        values.resize(size_.rows * size_.columns);
        valid.resize(values.size());
        mix(time, slice, channel, values, valid);
        const Converter narrow{entry_format(PixelFormat{}, true), Rescale{}, plan_.dtype};
        if (!repair_->is_straight) {
            narrow.convert(std::as_bytes(std::span{values}), plane, false);
            std::ranges::copy(valid, mask.begin());
            return;
        }
        thread_local std::vector<double> straight;
        straight.resize(plan_.values_per_plane());
        const InPlane offset = offset_of(slice, request_->reduce);
        straighten({.values = values, .mask = valid, .size = size_},
                   {.y = static_cast<double>(canvas_.top) + offset.y,
                    .x = static_cast<double>(canvas_.left) + offset.x},
                   reduced(plan_.window, request_->reduce), fill_of(time, slice, channel), straight,
                   mask);
        narrow.convert(std::as_bytes(std::span{straight}), plane, false);
    }

    const Repair* repair_;
    const LoadRequest* request_;
    const LoadedSeries* loaded_;
    std::span<const std::size_t> sources_;
    std::span<const std::size_t> picks_;
    Extent size_; ///< of a slice, reduced
    Canvas canvas_;
    Plan plan_;
};

Grid grid_for(const Repair& repair, const Assembly& assembly, std::span<const std::size_t> picks,
              const LoadRequest& request, std::uint32_t levels) {
    Grid grid{.affine = affine_of(repair, assembly.canvas(), request.reduce)};
    for (std::size_t axis = 0; axis < grid.spacing_mm.size(); ++axis) {
        const Vector3& column = (*grid.affine)[axis];
        grid.spacing_mm[axis] = std::sqrt(dot(column, column));
    }
    if (request.slices) {
        grid = select_slices(grid, picks);
    }
    if (request.region) {
        grid = select_window(grid, assembly.plan().window);
    }
    return request.reduce > 0 ? reduce_grid(grid, request.reduce, levels) : grid;
}

} // namespace

LoadedSeries load_repaired(Series series, const Repair& repair, const LoadRequest& request,
                           const LoadSlices& load_slices, LoadStats& stats) {
    check(series, repair, request);
    const std::vector<std::size_t> picks =
        pick_places(request.slices, repair.slices.size(), "slice");
    const std::vector<std::size_t> sources = sources_of(repair, picks);
    LoadedSeries loaded = load_slices(std::move(series), request_for(request, repair, sources));
    const Assembly assembly{repair, request, loaded, sources, picks};
    OutputMemory output{assembly.plan(), request.out, stats};
    const std::size_t tasks = assembly.plan().tasks.size();
    parallel_for(tasks, request.parallel, [&](std::size_t i) { assembly.make(i, output); });
    std::vector<std::optional<Vector3>> made;
    for (std::size_t i = 0; i < tasks; ++i) {
        const RepairedSlice& slice = assembly.slice_of(i);
        made.push_back(slice.is_made() ? std::optional{slice.position_mm} : std::nullopt);
    }
    loaded.grid = grid_for(repair, assembly, picks, request, loaded.levels);
    loaded.made = std::move(made);
    loaded.over_slices.clear(); // a slice that no file has has no time of its own
    loaded.plan = assembly.plan();
    loaded.buffer = output.take_buffer();
    loaded.mask = output.take_mask();
    return loaded;
}

} // namespace torchdicom
