// Objects that were cut into several files (PS3.3 C.7.6.16.2.2.4).

#include "series/judge.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace torchdicom {

namespace {

struct Parts {
    std::set<std::string_view> present{}; ///< SOPInstanceUIDs
    double total = 0;
    const FileHeader* first = nullptr;
};

} // namespace

std::optional<Defect> missing_parts(const std::vector<FileHeader>& slices) {
    std::map<std::string_view, Parts> concatenations;
    for (const FileHeader& slice : slices) {
        if (!slice.concatenation.uid.empty()) {
            Parts& parts = concatenations[slice.concatenation.uid];
            parts.present.insert(slice.sop_instance_uid);
            parts.total = std::max(parts.total, slice.concatenation.total.value_or(0));
            parts.first = parts.first == nullptr ? &slice : parts.first;
        }
    }
    double missing = 0;
    const FileHeader* first = nullptr;
    for (const auto& [uid, parts] : concatenations) {
        const auto present = static_cast<double>(parts.present.size());
        if (parts.total > present) {
            missing += parts.total - present;
            first = first == nullptr ? parts.first : first;
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

} // namespace torchdicom
