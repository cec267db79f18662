// Start reading here: each stage of a load is one call, and each stage is one folder.

#include "pipeline/load.hpp"

#include "pipeline/frame.hpp"

#include <stdexcept>

namespace torchdicom {

namespace {

/// Reads, decodes, rescales and places all frames, one task each.
void run_tasks(const Plan& plan, std::span<const FileHeader> headers, const OutputMemory& output,
               const ParallelOptions& parallel, LoadStats& stats) {
    std::optional<PixelSource> only; // the frames of one file share its descriptor
    if (headers.size() == 1) {
        only.emplace(headers.front(), stats);
    }
    parallel_for(plan.tasks.size(), parallel, [&](std::size_t i) {
        const FrameTask& task = plan.tasks[i];
        std::optional<PixelSource> own;
        const PixelSource& source = only ? *only : own.emplace(headers[task.header], stats);
        try {
            run_frame(source, plan, task, output.slot(i), output.may_stream());
        } catch (const Error& error) {
            if (error.code() != ErrorCode::value_overflow) {
                throw;
            }
            fail(error.code(),
                 error.message() + ", in slice " + std::to_string(i) + ". Ask for a larger dtype",
                 error.place());
        }
    });
}

std::vector<FrameId> first_frames(std::size_t count) {
    std::vector<FrameId> frames;
    frames.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        frames.emplace_back(i, 0);
    }
    return frames;
}

std::vector<FrameId> chosen_frames(const FileHeader& header,
                                   const std::optional<std::vector<std::int64_t>>& wanted) {
    const auto count = static_cast<std::int64_t>(header.frames.size());
    std::vector<FrameId> frames;
    frames.reserve(wanted ? wanted->size() : header.frames.size());
    if (!wanted) {
        for (std::size_t i = 0; i < header.frames.size(); ++i) {
            frames.emplace_back(0, i);
        }
        return frames;
    }
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

} // namespace

std::vector<FileHeader> read_headers(const std::vector<Source>& sources,
                                     const HeaderOptions& options, const ParallelOptions& parallel,
                                     LoadStats& stats) {
    std::vector<std::optional<FileHeader>> read(sources.size());
    parallel_for(sources.size(), parallel, [&](std::size_t i) {
        try {
            read[i] = read_header(sources[i], options, stats);
        } catch (const Error& error) {
            // A folder may hold other files too; one that was named has to be DICOM.
            const bool may_pass = !sources[i].is_named && error.code() == ErrorCode::not_dicom;
            if (!may_pass || is_lost_dicom(sources[i], stats)) {
                throw;
            }
        }
    });
    std::vector<FileHeader> headers;
    headers.reserve(read.size());
    for (std::optional<FileHeader>& header : read) {
        if (header) {
            headers.push_back(std::move(*header));
        }
    }
    if (headers.empty()) {
        fail(ErrorCode::no_dicom_files,
             "None of the " + std::to_string(sources.size()) +
                 " files is DICOM. Name the folder that has the DICOM files in it",
             Place{.path = sources.empty() ? std::string{} : sources.front().path});
    }
    return headers;
}

LoadedSeries load_series(const LoadRequest& request, LoadStats& stats) {
    stats.threads = request.parallel.threads;
    const HeaderOptions options{.texts = request.texts, .keep_fetched = true};

    const std::vector<Source> sources = discover(request.sources);
    std::vector<FileHeader> headers = read_headers(sources, options, request.parallel, stats);
    Series series = make_series(std::move(headers));
    Plan plan = make_plan(series.slices, first_frames(series.slices.size()), request.output);
    OutputMemory output{plan, request.out, stats};
    run_tasks(plan, series.slices, output, request.parallel, stats);
    return {.series = std::move(series), .plan = std::move(plan), .buffer = output.take_buffer()};
}

DecodedFrames decode_frames(const LoadRequest& request,
                            const std::optional<std::vector<std::int64_t>>& frames,
                            LoadStats& stats) {
    stats.threads = request.parallel.threads;
    const HeaderOptions options{.texts = {}, .keep_fetched = true};

    const FileHeader header = read_header(request.sources.front(), options, stats);
    check_decodable(header);
    Plan plan = make_plan(std::span{&header, 1}, chosen_frames(header, frames), request.output);
    OutputMemory output{plan, request.out, stats};
    run_tasks(plan, std::span{&header, 1}, output, request.parallel, stats);
    return {.plan = std::move(plan), .buffer = output.take_buffer()};
}

} // namespace torchdicom
