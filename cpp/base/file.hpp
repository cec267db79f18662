// A file opened for reading: closed by its destructor, read only with pread, never mapped.
#pragma once

#include "base/bytes.hpp"
#include "base/stats.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace torchdicom {

/// What tells that a file is still the one whose header was read.
struct FileIdentity {
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0;
    std::uint64_t inode = 0;

    /// An inode of 0 is one that is not known, as in an index: a copied tree keeps size and time.
    friend bool operator==(const FileIdentity& a, const FileIdentity& b) noexcept {
        const bool may_be_one = a.inode == b.inode || a.inode == 0 || b.inode == 0;
        return may_be_one && a.size == b.size && a.mtime_ns == b.mtime_ns;
    }
};

/// The folder that files are looked for in, one file after the other: the system need not walk the
/// whole path again for each of its files, which takes as long as all else about a small file.
class NearbyFolder {
  public:
    NearbyFolder() noexcept = default;
    ~NearbyFolder();
    NearbyFolder(const NearbyFolder&) = delete;
    NearbyFolder& operator=(const NearbyFolder&) = delete;
    NearbyFolder(NearbyFolder&&) = delete;
    NearbyFolder& operator=(NearbyFolder&&) = delete;

    /// What the system's functions with "at" in their names take for `path`, valid until the next
    /// call and as long as `path`.
    struct Place {
        int folder;
        const char* name;
    };
    [[nodiscard]] Place locate(const std::string& path);

  private:
    void open(const std::string& path, std::size_t length);

    std::string folder_; ///< with the slash; empty where none is open
    int descriptor_ = -1;
};

/// pread and not mmap: a file that is truncated under a mapping is a SIGBUS, here it is an error.
class File {
  public:
    /// Throws os_error; a FIFO or a device is refused, since reading it might block for ever.
    File(const std::string& path, LoadStats& stats);
    /// The same, by way of its folder.
    File(const std::string& path, NearbyFolder& near, LoadStats& stats);
    ~File();
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] const FileIdentity& identity() const noexcept { return identity_; }

    /// What the system says of the file at this moment. Throws os_error.
    [[nodiscard]] FileIdentity current_identity() const;

    /// Reads until `into` is full or the file ends; returns the bytes read. Throws os_error.
    [[nodiscard]] std::size_t read_at(std::uint64_t offset, MutableByteSpan into) const;

  private:
    File(const std::string& path, NearbyFolder::Place place, LoadStats& stats);

    std::string path_;
    FileIdentity identity_;
    LoadStats* stats_;
    int descriptor_;
};

} // namespace torchdicom
