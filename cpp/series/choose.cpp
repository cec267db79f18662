// Which part is loaded: the one that was asked for, or the only one.

#include "series/splitting.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace torchdicom {

namespace {

/// Places in the list of parts, ascending.
using Places = std::vector<std::size_t>;

constexpr std::size_t kMaxListed = 20;

/// Free text without what a terminal or a log might trip over.
std::string plain(std::string text) {
    std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

std::string count_of(std::size_t count, const std::string& one, const std::string& several) {
    return std::to_string(count) + " " + (count == 1 ? one : several);
}

Places places_where(const std::vector<Series>& parts, const auto& is_wanted) {
    Places places;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (is_wanted(parts[i])) {
            places.push_back(i);
        }
    }
    return places;
}

/// Localizers are candidates only where there is nothing else.
Places without_localizers(const std::vector<Series>& parts, const Places& among) {
    Places others;
    std::ranges::copy_if(among, std::back_inserter(others),
                         [&](std::size_t i) { return parts[i].kind != Kind::localizer; });
    return others.empty() ? among : others;
}

/// For each UID the splitting values that are not the same in all of its candidates.
class Differences {
  public:
    Differences(const std::vector<Series>& parts, const Places& candidates) {
        for (const std::size_t i : candidates) {
            const Series& part = parts[i];
            auto& [first, differs] = of_uid_[part.series_instance_uid];
            if (first == nullptr) {
                first = &part;
            }
            for (std::size_t k = 0; k < differs.size(); ++k) {
                differs[k] = differs[k] || part.splitting[k] != first->splitting[k];
            }
        }
    }

    /// What tells a part from others of the same UID: ", EchoTime 4.6".
    [[nodiscard]] std::string of(const Series& part) const {
        const auto& differs = of_uid_.at(part.series_instance_uid).second;
        std::string text;
        for (std::size_t k = 0; k < differs.size(); ++k) {
            if (differs[k]) {
                text.append(", ").append(kSplittingNames[k]).append(" ");
                text += part.splitting[k].empty() ? "none" : plain(part.splitting[k]);
            }
        }
        return text;
    }

  private:
    using Flags = std::array<bool, kSplittingNames.size()>;
    std::map<std::string_view, std::pair<const Series*, Flags>> of_uid_;
};

/// A file may hold several slices.
std::size_t files_of(const Series& part) {
    std::set<std::string_view> paths;
    for (const FileHeader& slice : part.slices) {
        paths.insert(slice.path);
    }
    return paths.size();
}

std::string describe(const Series& part, const std::string& differences) {
    const FileHeader& first = part.slices.front();
    std::string line = "\n  series=\"";
    line.append(plain(part.key)).append("\": ").append(plain(first.modality));
    if (part.kind != Kind::volume) {
        line.append(" ").append(name_of(part.kind));
    }
    line.append(", ").append(count_of(files_of(part), "file", "files"));
    line.append(" of ").append(part.splitting[kSizeText]);
    line.append(", \"").append(plain(first.series_description)).append("\"");
    return line.append(differences).append(" (").append(first.path).append(")");
}

[[noreturn]] void fail_several(const std::vector<Series>& parts, const Places& candidates,
                               std::size_t localizers) {
    std::string message = "There are " + std::to_string(candidates.size()) +
                          " series, and one is loaded at a time. Name one of them, or load its "
                          "files:";
    const Differences differences{parts, candidates};
    for (const std::size_t i : candidates) {
        message += describe(parts[i], differences.of(parts[i]));
    }
    if (localizers > 0) {
        message += "\nBesides, " +
                   count_of(localizers, "localizer file is", "localizer files are") +
                   " left aside.";
    }
    fail(ErrorCode::several_series, std::move(message));
}

[[noreturn]] void fail_unknown(const std::vector<Series>& parts, const std::string& wanted) {
    std::string message = "There is no series \"" + plain(wanted) + "\". These are there:";
    for (std::size_t i = 0; i < std::min(parts.size(), kMaxListed); ++i) {
        message += "\n  " + plain(parts[i].key);
    }
    if (parts.size() > kMaxListed) {
        message += "\n  and " + std::to_string(parts.size() - kMaxListed) + " more";
    }
    fail(ErrorCode::no_such_series, std::move(message));
}

std::size_t count_files(const std::vector<Series>& parts, const Places& places) {
    return std::accumulate(
        places.begin(), places.end(), std::size_t{0},
        [&](std::size_t sum, std::size_t i) { return sum + files_of(parts[i]); });
}

std::size_t only_one(const std::vector<Series>& parts, const Places& among) {
    const Places candidates = without_localizers(parts, among);
    if (candidates.size() > 1) {
        fail_several(parts, candidates, count_files(parts, among) - count_files(parts, candidates));
    }
    return candidates.front();
}

} // namespace

std::size_t choose_series(const std::vector<Series>& parts,
                          const std::optional<std::string>& wanted) {
    if (parts.empty()) {
        fail(ErrorCode::no_images,
             "None of the DICOM files is an image (structure sets, reports and plans are none). "
             "Name the folder or the files of the images");
    }
    if (!wanted) {
        return only_one(parts, places_where(parts, [](const Series&) { return true; }));
    }
    Places named = places_where(parts, [&](const Series& part) { return part.key == *wanted; });
    if (named.empty()) {
        named = places_where(
            parts, [&](const Series& part) { return part.series_instance_uid == *wanted; });
    }
    if (named.empty()) {
        fail_unknown(parts, *wanted);
    }
    return only_one(parts, named);
}

} // namespace torchdicom
