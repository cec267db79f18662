// From what the caller named to the files that will be looked at.
#pragma once

#include "base/bytes.hpp"
#include "base/stats.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace torchdicom {

/// One thing to read a data set from: a file, or bytes that the caller keeps alive.
struct Source {
    std::string path;              ///< as named, folder walks append to it; "<bytes 0>" for memory
    std::optional<ByteSpan> bytes; ///< set: read these instead of a file
    bool is_named = true;          ///< false: met in a folder, so that it need not be DICOM
};

/// Expands folders (recursively; links to files followed, links to folders followed unless they
/// lead back) and returns every file once, sorted by path in byte order, with bytes after the
/// files. Throws os_error (missing path, unreadable folder), SeriesError empty_folder.
[[nodiscard]] std::vector<Source> discover(const std::vector<Source>& named);

/// A path that could not be looked at.
struct Unreachable {
    std::string path;
    std::string message;
};

struct FoundFiles {
    std::vector<std::string> paths;       ///< sorted in byte order, each once
    std::vector<Unreachable> unreachable; ///< likewise
};

/// The same for a scan, which goes on: folders that cannot be read are listed, and named paths that
/// lead nowhere or to no file. FIFOs, sockets, devices and links that lead nowhere are passed over
/// where they are met in a folder. `checkpoint`, if any, is called now and then; it throws to stop.
/// Throws os_error where a named path does not exist.
[[nodiscard]] FoundFiles find_files(const std::vector<std::string>& named,
                                    const std::function<void()>& checkpoint);

/// Whether a file that was met in a folder and is not DICOM is one that was lost: its name says so
/// (.dcm, .dicom, .ima), or it has no suffix, as scanners write them, and is empty or starts with
/// NUL, as interrupted copies leave them.
[[nodiscard]] bool is_lost_dicom(const Source& source, LoadStats& stats);

} // namespace torchdicom
