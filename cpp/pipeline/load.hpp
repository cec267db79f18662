// The pipeline: what the callers name becomes one block of values.
#pragma once

#include "base/parallel.hpp"
#include "discover/discover.hpp"
#include "place/output.hpp"
#include "series/series.hpp"

#include <optional>
#include <vector>

namespace torchdicom {

struct LoadRequest {
    std::vector<Source> sources;
    OutputOptions output;
    std::vector<Tag> texts;          ///< ascending: attributes whose raw text is wanted
    std::optional<CallerBuffer> out; ///< nothing: memory of the pool
    ParallelOptions parallel;
};

struct LoadedSeries {
    Series series;
    Plan plan;
    Buffer buffer; ///< empty where the caller's memory was filled
};

/// One series, slices ascending along the normal. Throws every kind of Error.
[[nodiscard]] LoadedSeries load_series(const LoadRequest& request, LoadStats& stats);

struct DecodedFrames {
    Plan plan;
    Buffer buffer;
};

/// Frames of one file in the order asked for, no geometry. `frames` negative: from the end;
/// nothing: all. Throws std::out_of_range for a frame that is not there, and every kind of Error.
[[nodiscard]] DecodedFrames decode_frames(const LoadRequest& request,
                                          const std::optional<std::vector<std::int64_t>>& frames,
                                          LoadStats& stats);

/// The headers of all sources that are DICOM, in their order, each read by one task.
/// Throws what read_header throws, no_dicom_files where none is.
[[nodiscard]] std::vector<FileHeader> read_headers(const std::vector<Source>& sources,
                                                   const HeaderOptions& options,
                                                   const ParallelOptions& parallel,
                                                   LoadStats& stats);

} // namespace torchdicom
