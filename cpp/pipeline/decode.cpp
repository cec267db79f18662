// Frames of one file, or one frame of each of many: no series, no geometry.

#include "header/divide.hpp"
#include "pipeline/load.hpp"
#include "pipeline/settle.hpp"
#include "pipeline/tasks.hpp"
#include "plan/suv.hpp"
#include "series/kind.hpp"

#include <algorithm>
#include <stdexcept>

namespace torchdicom {

namespace {

std::vector<FrameId> all_frames(const FileHeader& header) {
    std::vector<FrameId> frames;
    frames.reserve(header.frames.size());
    for (std::size_t i = 0; i < header.frames.size(); ++i) {
        frames.emplace_back(0, i);
    }
    return frames;
}

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
                                .reads_slices = request.output.output != Output::stored,
                                .reads_foreign = true};
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
