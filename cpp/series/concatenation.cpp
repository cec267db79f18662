// Objects that were cut into several files (PS3.3 C.7.6.16.2.2.4).

#include "series/siblings.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace torchdicom {

namespace {

/// A concatenation, as far as it is there.
struct Parts {
    std::set<std::string_view> present{}; ///< SOPInstanceUIDs
    double total = 0;
};

using Concatenations = std::map<std::string_view, Parts>;

Concatenations find_concatenations(const std::vector<Series>& all) {
    Concatenations found;
    for (const Series& series : all) {
        for (const FileHeader& slice : series.slices) {
            if (!slice.concatenation.uid.empty()) {
                Parts& parts = found[slice.concatenation.uid];
                parts.present.insert(slice.sop_instance_uid);
                parts.total = std::max(parts.total, slice.concatenation.total.value_or(0));
            }
        }
    }
    return found;
}

/// What the concatenations that slices are of lack.
std::optional<Defect> missing_parts(const std::vector<FileHeader>& slices,
                                    const Concatenations& concatenations) {
    std::map<std::string_view, const FileHeader*> firsts;
    for (const FileHeader& slice : slices) {
        if (!slice.concatenation.uid.empty()) {
            firsts.try_emplace(slice.concatenation.uid, &slice);
        }
    }
    double missing = 0;
    const FileHeader* first = nullptr;
    for (const auto& [uid, slice] : firsts) {
        const Parts& parts = concatenations.at(uid);
        const auto present = static_cast<double>(parts.present.size());
        if (parts.total > present) {
            missing += parts.total - present;
            first = first == nullptr ? slice : first;
        }
    }
    if (first == nullptr) {
        return std::nullopt;
    }
    return Defect{.code = ErrorCode::missing_slices,
                  .message = std::to_string(static_cast<std::int64_t>(missing)) +
                             " of the files that an object was cut into are not there. Fetch them",
                  .files = {first->path},
                  .measured = {{"missing", missing}},
                  .place = first->place_of(tags::InConcatenationTotalNumber)};
}

} // namespace

void note_missing_files(std::vector<Series>& parts) {
    const Concatenations concatenations = find_concatenations(parts);
    for (Series& part : parts) {
        if (auto missing = missing_parts(part.slices, concatenations)) {
            part.defects.push_back(std::move(*missing));
        }
    }
}

} // namespace torchdicom
