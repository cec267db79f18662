// Start reading here: each stage of a load is one call, and each stage is one folder.

#include "pipeline/load.hpp"

#include "decode/codec.hpp"
#include "header/divide.hpp"
#include "pipeline/repair.hpp"
#include "pipeline/tasks.hpp"
#include "plan/suv.hpp"
#include "series/kind.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>
#include <string_view>

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

std::vector<FrameId> all_frames(const FileHeader& header) {
    std::vector<FrameId> frames;
    frames.reserve(header.frames.size());
    for (std::size_t i = 0; i < header.frames.size(); ++i) {
        frames.emplace_back(0, i);
    }
    return frames;
}

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

/// What of a series is wanted: places on both axes, in the order wanted.
struct Picks {
    std::vector<std::size_t> times;
    std::vector<std::size_t> slices;
    std::vector<FrameId> frames; ///< the slices of each time together
};

std::vector<FrameId> chosen_frames(const FileHeader& header,
                                   const std::optional<std::vector<std::int64_t>>& wanted) {
    if (!wanted) {
        return all_frames(header);
    }
    const auto count = static_cast<std::int64_t>(header.frames.size());
    std::vector<FrameId> frames;
    frames.reserve(wanted->size());
    for (const std::int64_t frame : *wanted) {
        if (frame < -count || frame >= count) {
            throw std::out_of_range{"frame " + std::to_string(frame) +
                                    " is not there: " + header.path + " has " +
                                    std::to_string(count) + (count == 1 ? " frame" : " frames")};
        }
        frames.emplace_back(0, static_cast<std::size_t>(frame < 0 ? frame + count : frame));
    }
    return frames;
}

/// A cine has one slice, at all times.
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

/// Throws unsupported_transfer_syntax where the codec that was asked for does not read a file.
void require_codec(const Plan& plan, std::span<const FileHeader> headers) {
    if (plan.codec.empty()) {
        return;
    }
    for (const FrameTask& task : plan.tasks) {
        const FileHeader& header = headers[task.header];
        const bool is_read = std::ranges::any_of(all_codecs(), [&](const Codec& codec) {
            return codec.name == plan.codec && codec.reads(header.transfer_syntax);
        });
        if (!is_read) {
            fail(ErrorCode::unsupported_transfer_syntax,
                 "The codec " + plan.codec + " does not read the transfer syntax " +
                     header.transfer_syntax_uid + " (" + std::string{header.transfer_syntax.name} +
                     "). Leave codec= out",
                 header.place_of(tags::TransferSyntaxUID));
        }
    }
}

/// What is wanted of each frame, and how it is decoded.
void settle_request(const LoadRequest& request, std::span<const FileHeader> headers, Plan& plan) {
    plan.window = window_of(request.region, slice_format(plan), request.reduce);
    plan.reduce = request.reduce;
    if (plan.has_tiles() && (plan.slice.rows % (std::size_t{1} << plan.reduce) != 0 ||
                             plan.slice.columns % (std::size_t{1} << plan.reduce) != 0)) {
        fail(ErrorCode::unsupported_mosaic,
             "The slices of this mosaic do not divide into blocks of 2^" +
                 std::to_string(plan.reduce) + " pixels. Load them with a smaller reduce",
             headers.front().place_of(tags::Rows));
    }
    plan.codec = request.codec;
    if (plan.reduce > 0 && plan.has_indices()) {
        fail(ErrorCode::unsupported_pixel_format,
             "Indices of a palette have no mean. Take the colours with output='modality', or the "
             "indices with reduce=0",
             headers.front().place_of(tags::PhotometricInterpretation));
    }
    require_codec(plan, headers);
}

/// Slices by the file that they are of: what they lack is read once.
std::vector<std::vector<FileHeader*>> by_file(Series& series, const std::set<std::size_t>& slices) {
    std::map<std::string_view, std::vector<FileHeader*>> of_path;
    for (const std::size_t slice : slices) {
        of_path[series.slices[slice].path].push_back(&series.slices[slice]);
    }
    std::vector<std::vector<FileHeader*>> files;
    files.reserve(of_path.size());
    for (auto& [path, of_file] : of_path) {
        files.push_back(std::move(of_file));
    }
    return files;
}

/// Reads what an index does not keep of the files that are wanted.
void complete_files(Series& series, const Picks& picks, const LoadRequest& request,
                    LoadStats& stats) {
    std::set<std::size_t> wanted; // a slice may be picked twice
    for (const auto& [slice, frame] : picks.frames) {
        const FileHeader& header = series.slices[slice];
        const bool is_deflated = header.transfer_syntax.is_deflated && header.part.is_frame;
        if (needs_tables(header, request.output.output) || (is_deflated && !header.fetched)) {
            wanted.insert(slice);
        }
    }
    const auto files = by_file(series, wanted);
    parallel_for(files.size(), request.parallel,
                 [&](std::size_t i) { complete_headers(files[i], stats); });
}

/// What SUV and the like are made of. SUV take all slices: the time of the earliest counts.
void complete_quantities(Series& series, const Picks& picks, const LoadRequest& request,
                         LoadStats& stats) {
    if (!needs_quantity(request.output.output)) {
        return;
    }
    const bool is_suv = request.output.output == Output::suv;
    std::set<std::size_t> wanted;
    for (const auto& [slice, frame] : picks.frames) {
        wanted.insert(slice);
    }
    for (std::size_t i = 0; is_suv && i < series.slices.size(); ++i) {
        wanted.insert(i);
    }
    const auto files = by_file(series, wanted);
    parallel_for(files.size(), request.parallel, [&](std::size_t i) {
        read_quantity(*files[i].front(), stats);
        for (FileHeader* const slice : files[i]) {
            slice->quantity = files[i].front()->quantity;
        }
    });
    if (is_suv) {
        settle_suv(series.slices);
    }
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
    std::vector<Coordinate> over_time = picked(all_over_time(series), picks.times);
    std::vector<Coordinate> over_slices = picked(coordinates_over_slices(series), picks.slices);
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

/// What differs between files that are decoded with the same request.
struct OfSource {
    const std::optional<std::vector<std::int64_t>>& frames; ///< nothing: all
    const std::optional<CallerBuffer>& out;
    ParallelOptions parallel{};          ///< one thread where files are decoded side by side
    std::optional<FileIdentity> known{}; ///< what the file has to be still
};

/// What makes the values of each frame: its own functional groups, where there are any. A mosaic
/// stays one image.
std::vector<FileHeader> headers_of_values(FileHeader header) {
    const bool is_whole = !header.slices_of_file || has_image_type(header, "MOSAIC");
    return is_whole ? std::vector{std::move(header)} : divide(std::move(header));
}

/// Frames of one file.
DecodedFrames decode_source(const Source& source, const LoadRequest& request, const OfSource& own,
                            LoadStats& stats) {
    const HeaderOptions options{.texts = {},
                                .keep_fetched = true,
                                .reads_voi = request.output.takes_file_window(),
                                .reads_quantity = needs_quantity(request.output.output),
                                .reads_slices = request.output.output != Output::stored};
    FileHeader header = read_header(source, options, stats);
    if (own.known) {
        require_known(header, *own.known);
    }
    check_decodable(header);
    std::vector<FrameId> frames = chosen_frames(header, own.frames);
    std::vector<FileHeader> headers = headers_of_values(std::move(header));
    if (headers.size() > 1) {
        std::ranges::for_each(frames, [](FrameId& id) { id = {id.second, 0}; });
    }
    if (request.output.output == Output::suv) {
        settle_suv(headers);
    }
    Plan plan = make_plan(headers, frames, request.output);
    settle_request(request, headers, plan);
    settle_finish(headers[headers.size() / 2], request.output, plan);
    OutputMemory output{plan, own.out, stats};
    static_cast<void>(run_tasks(plan, headers, output, own.parallel, stats));
    return {.plan = std::move(plan), .buffer = output.take_buffer()};
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

DecodedFrames decode_frames(const LoadRequest& request,
                            const std::optional<std::vector<std::int64_t>>& frames,
                            LoadStats& stats) {
    stats.threads = request.parallel.threads;
    const Source& source = request.sources.front();
    return decode_source(source, request,
                         {.frames = frames, .out = request.out, .parallel = request.parallel},
                         stats);
}

std::vector<bool> decode_each(const LoadRequest& request, std::span<const FrameOfFile> wanted,
                              LoadStats& stats) {
    stats.threads = request.parallel.threads;
    std::vector<char> is_there(wanted.size()); // vector<bool> is no memory for several threads
    parallel_for(wanted.size(), request.parallel, [&](std::size_t i) {
        const FrameOfFile& one = wanted[i];
        try {
            static_cast<void>(decode_source(
                {.path = one.path, .bytes = {}}, request,
                {.frames = std::vector{one.frame}, .out = one.out, .known = one.known}, stats));
            is_there[i] = 1;
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): the caller asks for it
        }
    });
    return {is_there.begin(), is_there.end()};
}

} // namespace torchdicom
