#include "discover/discover.hpp"

#include "base/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <dirent.h>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <set>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace torchdicom {

namespace {

namespace fs = std::filesystem;

using FolderId = std::pair<std::uint64_t, std::uint64_t>; // device and inode

/// Walks folders, each once whichever links lead there: the first in byte order of their paths
/// counts, so that what is found does not depend on how the file system orders its entries.
class Walk {
    struct CloseFolder {
        void operator()(DIR* folder) const noexcept { ::closedir(folder); }
    };

  public:
    /// What to do about a folder that cannot be read: errno and path.
    using OnFailure = std::function<void(int, const std::string&)>;

    Walk(std::vector<std::string>& found, OnFailure on_failure, std::function<void()> checkpoint)
        : found_{found}, on_failure_{std::move(on_failure)}, checkpoint_{std::move(checkpoint)} {}

    void add_folder(const std::string& path, FolderId id) {
        if (!visited_.insert(id).second) {
            return; // a link that leads back, or a folder that was reached before
        }
        std::vector<std::pair<std::string, FolderId>> folders;
        const auto before = static_cast<std::ptrdiff_t>(found_.size());
        const std::string prefix = path.ends_with('/') ? path : path + '/';
        const std::unique_ptr<DIR, CloseFolder> entries{::opendir(path.c_str())};
        errno = entries ? 0 : errno;
        // NOLINTNEXTLINE(concurrency-mt-unsafe): only where threads share a stream
        while (const dirent* const entry = entries ? ::readdir(entries.get()) : nullptr) {
            add_entry(prefix, *entry, folders);
            errno = 0; // readdir says by it alone whether it failed or is done
        }
        if (errno != 0) {
            on_failure_(errno, path);
        }
        // All of them start with the prefix: only what follows has to be compared.
        std::sort(found_.begin() + before, found_.end(),
                  [skip = prefix.size()](const std::string& a, const std::string& b) {
                      return std::string_view{a}.substr(skip) < std::string_view{b}.substr(skip);
                  });
        std::ranges::sort(folders);
        for (const auto& [folder, folder_id] : folders) {
            add_folder(folder, folder_id);
        }
    }

  private:
    /// Not std::filesystem, which takes every path apart: as long again as the rest.
    void add_entry(const std::string& prefix, const dirent& entry,
                   std::vector<std::pair<std::string, FolderId>>& folders) {
        constexpr std::size_t kBetweenCheckpoints = 256;
        if (checkpoint_ && ++entries_ % kBetweenCheckpoints == 0) {
            checkpoint_();
        }
        const char* const name = &entry.d_name[0];
        if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) {
            return;
        }
        std::string path = prefix + name;
        if (entry.d_type == DT_REG) {
            found_.push_back(std::move(path));
            return;
        }
        // Of a link, what it leads to; a dangling one, or one removed meanwhile, is passed over.
        const bool may_be_either = entry.d_type == DT_LNK || entry.d_type == DT_UNKNOWN;
        struct stat status{};
        if ((entry.d_type != DT_DIR && !may_be_either) || ::stat(path.c_str(), &status) != 0) {
            return;
        }
        if (S_ISREG(status.st_mode)) {
            found_.push_back(std::move(path));
        } else if (S_ISDIR(status.st_mode)) {
            folders.emplace_back(std::move(path), FolderId{status.st_dev, status.st_ino});
        }
    }

    std::vector<std::string>& found_;
    OnFailure on_failure_;
    std::function<void()> checkpoint_;
    std::set<FolderId> visited_;
    std::size_t entries_ = 0;
};

[[noreturn]] void refuse_folder(int reason, const std::string& path) {
    fail_errno(reason, "The folder cannot be read", path);
}

/// Whether there is no file at all below.
bool is_empty(const std::string& path, FolderId id) {
    std::vector<std::string> below;
    Walk{below, refuse_folder, {}}.add_folder(path, id);
    return below.empty();
}

void add_named(const Source& source, Walk& walk, std::vector<std::string>& met,
               std::vector<Source>& files) {
    struct stat status{};
    if (::stat(source.path.c_str(), &status) != 0) {
        fail_errno(errno, "The path cannot be read", source.path);
    }
    if (!S_ISDIR(status.st_mode)) {
        files.push_back(source);
        return;
    }
    const FolderId id{status.st_dev, status.st_ino};
    const std::size_t before = met.size();
    walk.add_folder(source.path, id);
    // All that is in it may have been reached before, by another of the names.
    if (met.size() == before && is_empty(source.path, id)) {
        fail(ErrorCode::empty_folder,
             "The folder holds no file. Name the folder that has the DICOM files in it",
             Place{.path = source.path});
    }
}

std::string reason_of(int system_errno) {
    return std::error_code{system_errno, std::generic_category()}.message();
}

/// A path that a scan was given: what is there and cannot be read is listed, what is not there is
/// most likely a slip of the pen.
void scan_named(const std::string& path, Walk& walk, FoundFiles& files) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
        const int reason = errno;
        struct stat link{};
        if ((reason == ENOENT || reason == ENOTDIR) && ::lstat(path.c_str(), &link) != 0) {
            fail_errno(reason, "The path cannot be read", path);
        }
        files.unreachable.push_back(
            {.path = path, .message = "The path cannot be read: " + reason_of(reason)});
    } else if (S_ISDIR(status.st_mode)) {
        walk.add_folder(path, {status.st_dev, status.st_ino});
    } else if (S_ISREG(status.st_mode)) {
        files.paths.push_back(path);
    } else {
        files.unreachable.push_back({.path = path, .message = "Not a regular file"});
    }
}

std::string lower_case(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

} // namespace

bool is_lost_dicom(const Source& source, LoadStats& stats) {
    const std::string name = fs::path{source.path}.filename().native();
    const std::size_t dot = name.rfind('.');
    const std::string suffix =
        dot == std::string::npos ? std::string{} : lower_case(name.substr(dot + 1));
    // A UID as a name ends in digits, which are no suffix.
    if (suffix.find_first_not_of("0123456789") != std::string::npos) {
        return suffix == "dcm" || suffix == "dicom" || suffix == "ima";
    }
    std::array<std::byte, 1> first{std::byte{0}}; // what an empty file leaves as it is
    static_cast<void>(File{source.path, stats}.read_at(0, first));
    return first[0] == std::byte{0};
}

std::vector<Source> discover(const std::vector<Source>& named) {
    std::vector<Source> files;
    std::vector<Source> in_memory;
    std::vector<std::string> met;
    Walk walk{met, refuse_folder, {}};
    for (const Source& source : named) {
        if (source.bytes) {
            in_memory.push_back(source);
        } else {
            add_named(source, walk, met, files);
        }
    }
    files.reserve(files.size() + met.size() + in_memory.size());
    for (std::string& path : met) {
        files.push_back({.path = std::move(path), .bytes = {}, .is_named = false});
    }
    // Named before found, where a file is both: a named one has to be DICOM.
    std::ranges::sort(files, [](const Source& a, const Source& b) {
        return std::pair{std::string_view{a.path}, !a.is_named} <
               std::pair{std::string_view{b.path}, !b.is_named};
    });
    // Not std::ranges::unique: its subrange does not compile with clang 14 and libstdc++ 12.
    const auto is_same_path = [](const Source& a, const Source& b) { return a.path == b.path; };
    files.erase(std::unique(files.begin(), files.end(), is_same_path), files.end());
    std::ranges::move(in_memory, std::back_inserter(files));
    return files;
}

FoundFiles find_files(const std::vector<std::string>& named,
                      const std::function<void()>& checkpoint) {
    FoundFiles files;
    const auto list_folder = [&files](int reason, const std::string& path) {
        files.unreachable.push_back(
            {.path = path, .message = "The folder cannot be read: " + reason_of(reason)});
    };
    Walk walk{files.paths, list_folder, checkpoint};
    for (const std::string& path : named) {
        scan_named(path, walk, files);
    }
    const auto is_ascending = [](const std::string& a, const std::string& b) { return a < b; };
    // "a.dcm" comes before "a/b.dcm"; and a file may be named twice.
    if (std::adjacent_find(files.paths.begin(), files.paths.end(), std::not_fn(is_ascending)) !=
        files.paths.end()) {
        std::ranges::sort(files.paths);
        files.paths.erase(std::unique(files.paths.begin(), files.paths.end()), files.paths.end());
    }
    std::ranges::sort(files.unreachable, {}, &Unreachable::path);
    const auto is_same = [](const Unreachable& a, const Unreachable& b) {
        return a.path == b.path;
    };
    files.unreachable.erase(
        std::unique(files.unreachable.begin(), files.unreachable.end(), is_same),
        files.unreachable.end());
    return files;
}

} // namespace torchdicom
