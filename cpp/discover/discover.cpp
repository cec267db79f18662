#include "discover/discover.hpp"

#include "base/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <set>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace torchdicom {

namespace {

namespace fs = std::filesystem;

using FolderId = std::pair<std::uint64_t, std::uint64_t>; // device and inode

class Walk {
  public:
    explicit Walk(std::vector<Source>& found) : found_{found} {}

    void add_named(const Source& source) {
        struct stat status{};
        if (::stat(source.path.c_str(), &status) != 0) {
            fail_errno(errno, "The path cannot be read", source.path);
        }
        if (!S_ISDIR(status.st_mode)) {
            found_.push_back(source);
            return;
        }
        const FolderId id{status.st_dev, status.st_ino};
        const std::size_t before = found_.size();
        add_folder(source.path, id);
        if (found_.size() == before && is_empty(source.path, id)) {
            fail(ErrorCode::empty_folder,
                 "The folder holds no file. Name the folder that has the DICOM files in it",
                 Place{.path = source.path});
        }
    }

  private:
    /// Whether there is no file at all below, those that were found before counted too.
    static bool is_empty(const std::string& path, FolderId id) {
        std::vector<Source> below;
        Walk{below}.add_folder(path, id);
        return below.empty();
    }

    void add_folder(const std::string& path, FolderId id) {
        if (!visited_.insert(id).second) {
            return; // a link that leads back, or a folder that was reached before
        }
        std::error_code error;
        fs::directory_iterator entries{path, error};
        while (!error && entries != fs::directory_iterator{}) {
            add_entry(*entries);
            entries.increment(error);
        }
        if (error) {
            fail_errno(error.value(), "The folder cannot be read", path);
        }
    }

    void add_entry(const fs::directory_entry& entry) {
        std::error_code error; // a dangling link, or one removed meanwhile: not a file, passed over
        if (entry.is_regular_file(error)) {
            found_.push_back(Source{.path = entry.path().native(), .bytes = {}, .is_named = false});
            return;
        }
        struct stat status{};
        if (entry.is_directory(error) && ::stat(entry.path().c_str(), &status) == 0) {
            add_folder(entry.path().native(), {status.st_dev, status.st_ino});
        }
    }

    std::vector<Source>& found_;
    std::set<FolderId> visited_;
};

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
    Walk walk{files};
    for (const Source& source : named) {
        if (source.bytes) {
            in_memory.push_back(source);
        } else {
            walk.add_named(source);
        }
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

} // namespace torchdicom
