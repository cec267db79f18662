// The pipeline: what the callers name becomes one block of values.
#pragma once

#include "base/parallel.hpp"
#include "discover/discover.hpp"
#include "pipeline/read_files.hpp"
#include "place/output.hpp"
#include "plan/selection.hpp"
#include "series/policy.hpp"
#include "series/series.hpp"
#include "series/times.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace torchdicom {

struct LoadRequest {
    std::vector<Source> sources{};
    std::optional<std::string> series{}; ///< key or UID; nothing: there is exactly one
    Policy policy{};
    OutputOptions output{};
    std::vector<Tag> texts{};               ///< ascending: attributes whose raw text is wanted
    std::optional<SliceSelection> slices{}; ///< nothing: all
    std::optional<SliceSelection> times{};  ///< nothing: all
    std::optional<Region> region{};         ///< nothing: whole images
    std::uint32_t reduce = 0;               ///< how often rows and columns are halved, at most 8
    std::string codec{};                    ///< name of the codec to take; empty: the first choice
    bool mask = false;                      ///< whether a mask of what is valid is wanted
    std::optional<CallerBuffer> out{};      ///< nothing: memory of the pool
    ParallelOptions parallel{};
};

struct LoadedSeries {
    Series series; ///< judged, with all of its slices, those too that were not asked for
    Plan plan;     ///< a task for each slice that was loaded, or for each frame of a cine
    std::vector<Coordinate> over_time{};   ///< of the times that were loaded
    std::vector<Coordinate> over_slices{}; ///< of the slices that were loaded
    Grid grid;                             ///< of what was loaded
    std::string units{};                   ///< of the values; empty where the files name none
    std::vector<std::string> warnings{};   ///< what the policy wants said
    Buffer buffer{};                       ///< empty where the caller's memory was filled
    Buffer mask{}; ///< a byte for each pixel, 0 where it is not valid; empty where none was wanted
};

/// One series, slices ascending along the normal. Throws every kind of Error,
/// std::out_of_range for slices and times, std::invalid_argument for those, a region or memory that
/// do not fit the series.
[[nodiscard]] LoadedSeries load_series(const LoadRequest& request, LoadStats& stats);

/// What load_series does once the series is chosen. `part` is as split_series gives it, not judged
/// yet; the request's sources and series are not looked at.
[[nodiscard]] LoadedSeries load_part(Series part, const LoadRequest& request, LoadStats& stats);

struct DecodedFrames {
    Plan plan;
    Buffer buffer;
};

/// Frames of one file in the order asked for, no geometry: the request's slices and mask are not
/// looked at. `frames` negative: from the end; nothing: all. Throws std::out_of_range for a frame
/// that is not there, and every kind of Error.
[[nodiscard]] DecodedFrames decode_frames(const LoadRequest& request,
                                          const std::optional<std::vector<std::int64_t>>& frames,
                                          LoadStats& stats);

/// One frame of a file that an index knows.
struct FrameOfFile {
    std::string path;
    std::int64_t frame = 0; ///< 0-based
    FileIdentity known{};   ///< what the file was when it was scanned
    CallerBuffer out{};     ///< where its values go
};

/// Decodes each of them as decode_frames does, as many at a time as there are threads. The
/// request's sources and memory are not looked at. Returns which of them could be: of the others
/// decode_frames says why, unless they are other files now.
[[nodiscard]] std::vector<bool> decode_each(const LoadRequest& request,
                                            std::span<const FrameOfFile> wanted, LoadStats& stats);

} // namespace torchdicom
