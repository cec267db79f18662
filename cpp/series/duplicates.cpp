// Files of one SOPInstanceUID: copies, or two that claim to be the same.

#include "series/judge.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace torchdicom {

namespace {

std::uint64_t size_of(const FileHeader& header) noexcept {
    return header.memory ? header.memory->size() : header.identity.size;
}

/// A whole file, its header and what is behind the pixels too.
class Content {
  public:
    Content(const FileHeader& header, LoadStats& stats) : memory_{header.memory} {
        if (!memory_) {
            file_.emplace(header.path, stats);
        }
    }

    /// The bytes from `offset` on, in memory or read into `room`; fewer where there are no more.
    [[nodiscard]] ByteSpan read(std::uint64_t offset, std::vector<std::byte>& room) const {
        if (file_) {
            return ByteSpan{room}.first(file_->read_at(offset, room));
        }
        return memory_->subspan(offset, std::min(room.size(), memory_->size() - offset));
    }

  private:
    std::optional<ByteSpan> memory_;
    std::optional<File> file_;
};

bool is_copy(const FileHeader& a, const FileHeader& b, LoadStats& stats) {
    constexpr std::size_t kPart = std::size_t{64} << 10U;
    if (size_of(a) != size_of(b)) {
        return false;
    }
    const Content one{a, stats};
    const Content another{b, stats};
    std::vector<std::byte> room(kPart);
    std::vector<std::byte> other_room(kPart);
    for (std::uint64_t offset = 0; offset < size_of(a); offset += kPart) {
        if (!std::ranges::equal(one.read(offset, room), another.read(offset, other_room))) {
            return false;
        }
    }
    return true;
}

/// The copies, and the first pair that is none; indices of slices.
struct Found {
    std::vector<bool> is_aside;
    std::vector<std::string> copies;
    std::optional<std::pair<std::size_t, std::size_t>> conflict;
};

/// Remembers what it was asked: all frames of two files are copies, or none is.
class Copies {
  public:
    explicit Copies(LoadStats& stats) : stats_{&stats} {}

    [[nodiscard]] bool are(const FileHeader& a, const FileHeader& b) {
        const auto [entry, is_new] = known_.try_emplace({a.path, b.path}, false);
        if (is_new) {
            entry->second = is_copy(a, b, *stats_);
        }
        return entry->second;
    }

  private:
    LoadStats* stats_;
    std::map<std::pair<std::string_view, std::string_view>, bool> known_;
};

Found find_copies(const std::vector<FileHeader>& slices, LoadStats& stats) {
    std::map<std::tuple<std::string_view, std::int64_t, std::int64_t>, std::size_t> seen;
    Copies copies{stats};
    Found found{.is_aside = std::vector<bool>(slices.size()), .copies = {}, .conflict = {}};
    for (std::size_t i = 0; i < slices.size(); ++i) {
        const std::string& uid = slices[i].sop_instance_uid;
        if (uid.empty()) {
            continue; // not an identity
        }
        const FramePart& part = slices[i].part;
        const auto [entry, is_new] = seen.try_emplace({uid, part.first, part.tile}, i);
        if (is_new) {
            continue;
        }
        if (copies.are(slices[entry->second], slices[i])) {
            found.is_aside[i] = true;
            if (found.copies.empty() || found.copies.back() != slices[i].path) {
                found.copies.push_back(slices[i].path);
            }
        } else if (!found.conflict) {
            found.conflict = std::pair{entry->second, i};
        }
    }
    return found;
}

Defect defect_of_copies(const std::vector<std::string>& copies) {
    const std::size_t count = copies.size();
    return {.code = ErrorCode::duplicate_files,
            .message = std::to_string(count) +
                       (count == 1 ? " file is a copy of another, byte for byte"
                                   : " files are copies of others, byte for byte") +
                       ", and left aside",
            .files = copies,
            .measured = {{"copies", static_cast<double>(count)}},
            .place = {.path = copies.front(), .element = element_name(tags::SOPInstanceUID)}};
}

Defect defect_of_conflict(const FileHeader& first, const FileHeader& other) {
    return {.code = ErrorCode::duplicate_files,
            .message = first.path + " and " + other.path +
                       " are the same instance by their SOPInstanceUID, and differ. Find out which "
                       "one is right and leave the other out",
            .files = {first.path, other.path},
            .place = other.place_of(tags::SOPInstanceUID),
            .is_refusal = true};
}

} // namespace

bool set_copies_aside(Series& series, LoadStats& stats) {
    const Found found = find_copies(series.slices, stats);
    if (!found.copies.empty()) {
        series.defects.push_back(defect_of_copies(found.copies));
    }
    if (found.conflict) {
        const auto& [first, other] = *found.conflict;
        series.defects.push_back(defect_of_conflict(series.slices[first], series.slices[other]));
    }
    if (!found.copies.empty()) {
        std::vector<FileHeader> kept;
        for (std::size_t i = 0; i < series.slices.size(); ++i) {
            if (!found.is_aside[i]) {
                kept.push_back(std::move(series.slices[i]));
            }
        }
        series.slices = std::move(kept);
    }
    return !found.conflict;
}

} // namespace torchdicom
