// Start reading here: each stage of a load is one call, and each stage is one folder.

#include "pipeline/load.hpp"

#include "pipeline/complete.hpp"
#include "pipeline/picks.hpp"
#include "pipeline/repair.hpp"
#include "pipeline/settle.hpp"
#include "pipeline/tasks.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace torchdicom {

namespace {

/// How many levels of a wavelet all frames left out. Images that lie differently after a reduction
/// make no volume.
std::uint32_t common_levels(const Plan& plan, std::span<const FileHeader> headers,
                            std::span<const std::uint32_t> levels) {
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const std::uint32_t one = levels[i];
        if (one != levels.front()) {
            fail(ErrorCode::unsupported_pixel_format,
                 "The images are not reduced in one way: in some " + std::to_string(one) +
                     " levels of a wavelet are left out, in some " +
                     std::to_string(levels.front()) +
                     ", and so they lie apart. Load them with reduce=0",
                 Place{.path = headers[plan.tasks[i].header].path});
        }
    }
    return levels.empty() ? 0 : levels.front();
}

/// The slice whose window all slices have: always the same, whichever are wanted.
FileHeader& middle_slice(Series& series) {
    const bool is_cine = series.kind == Kind::cine;
    return series.slices[is_cine ? 0 : series.slices.size() / series.times / 2];
}

/// What is done behind the rescale. Reads what the file of the window says about it.
void plan_finish(Series& series, const LoadRequest& request, Plan& plan, LoadStats& stats) {
    FileHeader& middle = middle_slice(series);
    if (request.output.takes_file_window()) {
        if (needs_tables(middle, request.output.output)) {
            complete_header(middle, stats);
        }
        if (plan.colours == 1) {
            read_voi(middle, stats);
        }
    }
    settle_finish(middle, request.output, plan);
}

/// What will be done for a series whose defects the policy has settled.
Plan plan_series(const Series& series, const Picks& picks, const LoadRequest& request) {
    Plan plan = make_plan(series.slices, picks.frames, request.output);
    settle_request(request, series.slices, plan);
    const bool has_times = series.kind == Kind::cine || series.times > 1;
    plan.stack = has_times ? Stack::t_and_z : Stack::z;
    plan.slices = picks.slices.size();
    plan.has_mask = request.mask;
    return plan;
}

/// The unit of what is loaded, the same for all of it; colours and stored values have none. Throws
/// unsupported_pixel_format where tables or maps give the slices other units than each other.
std::string units_of_values(const Series& series, const Plan& plan, const OutputOptions& options) {
    if (options.output == Output::stored || plan.colours > 1) {
        return {};
    }
    if (options.output == Output::suv) {
        return !plan.finish || plan.finish->keeps_units() ? "SUVbw" : "";
    }
    const std::string of_rescale = options.output == Output::modality ? series.units : "";
    std::optional<std::string> units;
    for (const FrameTask& task : plan.tasks) {
        const FileHeader& header = series.slices[task.header];
        const std::string one = units_of(header, task.mapping, of_rescale);
        if (one != units.value_or(one)) {
            fail(ErrorCode::unsupported_pixel_format,
                 "The values of this slice are in the unit '" + one + "', and those before in '" +
                     *units + "'. Load the stored values, or the slices of one unit (slices=)",
                 Place{.path = header.path});
        }
        units = one;
    }
    const bool keeps_units = !plan.finish || plan.finish->keeps_units();
    return keeps_units ? units.value_or("") : "";
}

/// From the slices of a judged part to their values, as they are.
LoadedSeries load_slices(Series series, const LoadRequest& request, LoadStats& stats) {
    const Picks picks = picks_of(series, request);
    complete_files(series, picks, request, stats);
    complete_quantities(series, picks, request, stats);
    Plan plan = plan_series(series, picks, request);
    plan_finish(series, request, plan, stats);
    std::string units = units_of_values(series, plan, request.output);
    OutputMemory output{plan, request.out, stats};
    const std::uint32_t levels = common_levels(
        plan, series.slices, run_tasks(plan, series.slices, output, request.parallel, stats));
    const Grid grid = grid_of(series, picks.slices, plan, levels, request);
    std::vector<Coordinate> over_time = picked_over_time(series, picks);
    std::vector<Coordinate> over_slices = picked_over_slices(series, picks);
    return {.series = std::move(series),
            .plan = std::move(plan),
            .over_time = std::move(over_time),
            .over_slices = std::move(over_slices),
            .grid = grid,
            .levels = levels,
            .units = std::move(units),
            .buffer = output.take_buffer(),
            .mask = output.take_mask()};
}

/// From the slices of a part to their values, repaired where the policy has it so.
LoadedSeries load_judged(Series series, const LoadRequest& request, LoadStats& stats) {
    judge_series(series, request.policy.tolerances, stats);
    std::vector<std::string> warnings = apply_policy(series, request.policy);
    const auto as_they_are = [&stats](Series slices, const LoadRequest& asked) {
        return load_slices(std::move(slices), asked, stats);
    };
    const std::optional<Repair> repair = repair_of(series, request.policy);
    LoadedSeries loaded =
        repair ? load_repaired(std::move(series), *repair, request, as_they_are, stats)
               : as_they_are(std::move(series), request);
    loaded.warnings = std::move(warnings);
    return loaded;
}

// What the verdict says of files that were left out; it stands before everything that split_series
// and judge_series find.
constexpr std::array kOfLeftOut{ErrorCode::unreadable_file, ErrorCode::truncated_pixels,
                                ErrorCode::frame_count_mismatch, ErrorCode::codestream_mismatch};

// Those of them that show when a frame is decoded, and no sooner.
constexpr std::array kOfFrames{ErrorCode::codestream_mismatch, ErrorCode::truncated_pixels};

bool may_drop_frames(const Policy& policy) {
    return std::ranges::any_of(kOfFrames,
                               [&](ErrorCode code) { return policy.of(code) == Action::drop; });
}

/// Takes the file that this error is about out of the part, and says so in its defects. False where
/// the policy does not have it dropped, or where it is the last file.
bool leave_out(const Error& error, const Policy& policy, Series& part) {
    if (std::ranges::find(kOfFrames, error.code()) == kOfFrames.end()) {
        return false;
    }
    std::optional<Defect> defect = defect_if_dropped(error, policy);
    const auto is_at_fault = [&error](const FileHeader& header) {
        return header.path == error.place().path;
    };
    if (!defect || std::ranges::all_of(part.slices, is_at_fault)) {
        return false;
    }
    const auto removed = std::erase_if(part.slices, is_at_fault);
    const auto behind = std::ranges::find_if(part.defects, [](const Defect& one) {
        return std::ranges::find(kOfLeftOut, one.code) == kOfLeftOut.end();
    });
    part.defects.insert(behind, *std::move(defect));
    return removed > 0;
}

} // namespace

LoadedSeries load_part(Series part, const LoadRequest& request, LoadStats& stats) {
    if (!may_drop_frames(request.policy)) {
        return load_judged(std::move(part), request, stats);
    }
    while (true) {
        try {
            return load_judged(part, request, stats); // a copy, since what is left is judged anew
        } catch (const Error& error) {
            if (!leave_out(error, request.policy, part)) {
                throw;
            }
        }
    }
}

LoadedSeries load_series(const LoadRequest& request, LoadStats& stats) {
    stats.threads = request.parallel.threads;
    const std::vector<Source> sources = discover(request.sources);
    const HeaderOptions options{.texts = request.texts,
                                .keep_fetched = true,
                                .reads_voi =
                                    request.output.takes_file_window() && sources.size() == 1,
                                .reads_quantity = needs_quantity(request.output.output),
                                .reads_slices = true};
    Images images = read_images(sources, options, request.policy, request.parallel, stats);
    std::vector<Series> parts = split_series(std::move(images.headers));
    Series part = std::move(parts[choose_series(parts, request.series)]);
    part.defects.insert(part.defects.begin(), std::move_iterator{images.dropped.begin()},
                        std::move_iterator{images.dropped.end()});
    return load_part(std::move(part), request, stats);
}

} // namespace torchdicom
