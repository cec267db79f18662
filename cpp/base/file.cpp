#include "base/file.hpp"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace torchdicom {

namespace {

#ifdef O_PATH
// O_PATH: to look into a folder takes no right to list it.
constexpr int kFolder = O_PATH | O_DIRECTORY | O_CLOEXEC;
#else
constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
#endif

FileIdentity identity_of(const struct stat& status) noexcept {
    return {.size = static_cast<std::uint64_t>(status.st_size),
            .mtime_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 +
                        std::int64_t{status.st_mtim.tv_nsec},
            .inode = status.st_ino};
}

} // namespace

NearbyFolder::~NearbyFolder() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

NearbyFolder::Place NearbyFolder::locate(const std::string& path) {
    const std::size_t length = path.rfind('/') + 1; // 0 where there is no slash
    if (folder_.empty() || path.compare(0, length, folder_) != 0) {
        open(path, length);
    }
    if (folder_.empty() || length == path.size()) {
        return {.folder = AT_FDCWD, .name = path.c_str()};
    }
    return {.folder = descriptor_, .name = path.c_str() + length};
}

void NearbyFolder::open(const std::string& path, std::size_t length) {
    if (descriptor_ >= 0) {
        ::close(std::exchange(descriptor_, -1));
    }
    folder_.assign(path, 0, length);
    descriptor_ = ::open(folder_.c_str(), kFolder);
    if (descriptor_ < 0) {
        folder_.clear(); // whoever is asked for the file by its path says what is wrong
    }
}

File::File(const std::string& path, LoadStats& stats)
    : File{path, {.folder = AT_FDCWD, .name = path.c_str()}, stats} {}

File::File(const std::string& path, NearbyFolder& near, LoadStats& stats)
    : File{path, near.locate(path), stats} {}

// O_NONBLOCK: opening a FIFO returns at once, and the check below then refuses it.
File::File(const std::string& path, NearbyFolder::Place place, LoadStats& stats)
    : path_{path}, stats_{&stats},
      descriptor_{::openat(place.folder, place.name, O_RDONLY | O_CLOEXEC | O_NONBLOCK)} {
    if (descriptor_ < 0) {
        fail_errno(errno, "The file cannot be opened", path);
    }
    stats.opens.fetch_add(1, std::memory_order_relaxed);
    struct stat status{};
    const bool is_known = ::fstat(descriptor_, &status) == 0;
    if (!is_known || !S_ISREG(status.st_mode)) {
        const int reason = is_known ? (S_ISDIR(status.st_mode) ? EISDIR : EINVAL) : errno;
        ::close(std::exchange(descriptor_, -1));
        fail_errno(reason, "Not a regular file", path);
    }
    identity_ = identity_of(status);
}

FileIdentity File::current_identity() const {
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0) {
        fail_errno(errno, "The file cannot be read", path_);
    }
    return identity_of(status);
}

File::~File() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

File::File(File&& other) noexcept
    : path_{std::move(other.path_)}, identity_{other.identity_}, stats_{other.stats_},
      descriptor_{std::exchange(other.descriptor_, -1)} {}

File& File::operator=(File&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(identity_, other.identity_);
    std::swap(stats_, other.stats_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

std::size_t File::read_at(std::uint64_t offset, MutableByteSpan into) const {
    const auto start = std::chrono::steady_clock::now();
    std::size_t done = 0;
    while (done < into.size()) {
        const MutableByteSpan rest = into.subspan(done);
        const ssize_t count =
            ::pread(descriptor_, rest.data(), rest.size(), static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            fail_errno(errno, "The file cannot be read", path_);
        }
        if (count == 0) {
            break;
        }
        done += static_cast<std::size_t>(count);
    }
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
    stats_->bytes_read.fetch_add(done, std::memory_order_relaxed);
    stats_->read_ns.fetch_add(static_cast<std::uint64_t>(took.count()), std::memory_order_relaxed);
    return done;
}

} // namespace torchdicom
