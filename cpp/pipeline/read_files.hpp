// From sources to headers: all in parallel, and what cannot be read is an error or is left out.
#pragma once

#include "base/parallel.hpp"
#include "discover/discover.hpp"
#include "header/file_header.hpp"
#include "series/policy.hpp"
#include "series/series.hpp"

#include <optional>
#include <span>
#include <vector>

namespace torchdicom {

/// The headers of all sources that are DICOM, in their order, each read by one task.
/// Throws what read_header throws, no_dicom_files where none is.
[[nodiscard]] std::vector<FileHeader> read_headers(const std::vector<Source>& sources,
                                                   const HeaderOptions& options,
                                                   const ParallelOptions& parallel,
                                                   LoadStats& stats);

struct Images {
    std::vector<FileHeader> headers; ///< of the slices of files with pixels, in their order
    std::vector<Defect> dropped;     ///< one for each file that the policy left out, likewise
};

/// The same for a load. A file that is malformed or cut off, or that describes an image and has no
/// pixels, is left out where the policy drops it (unreadable_file, or the error's own code where
/// that is truncated_pixels or frame_count_mismatch). Throws the first such error otherwise, and
/// no_images where no file has pixels.
[[nodiscard]] Images read_images(const std::vector<Source>& sources, const HeaderOptions& options,
                                 const Policy& policy, const ParallelOptions& parallel,
                                 LoadStats& stats);

/// Throws file_changed where the file that this header was read of is not the one that is known.
void require_known(const FileHeader& header, const FileIdentity& known);

/// The headers of the slices of a file, or its own where it holds no such.
[[nodiscard]] std::vector<FileHeader> slices_of(FileHeader header);

/// Reads the lookup tables and real-world maps of headers that came without them, as those of an
/// index do; a header that has them is left alone. All are of one file, which is read once. Throws
/// what read_header throws, file_changed where the file is another one now.
void complete_headers(std::span<FileHeader* const> slices, LoadStats& stats);
void complete_header(FileHeader& header, LoadStats& stats);

/// The same of how the values are to be displayed, which is kept by no index and read for no scan.
void read_voi(FileHeader& header, LoadStats& stats);

/// The same of what SUV and the like are made of.
void read_quantity(FileHeader& header, LoadStats& stats);

/// The defect of a file that is left out because of this error; nothing where the policy does not
/// have it dropped.
[[nodiscard]] std::optional<Defect> defect_if_dropped(const Error& error, const Policy& policy);

} // namespace torchdicom
