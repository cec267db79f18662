// Which files belong together. A SeriesInstanceUID alone does not say: scanners put magnitude and
// phase images, echoes and localizers under one.

#include "header/values.hpp"
#include "series/series.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace torchdicom {

namespace {

bool has_value(std::string_view text, std::string_view wanted) noexcept {
    for (std::size_t i = 0; i < count_values(text); ++i) {
        if (trimmed(nth_value(text, i)) == wanted) {
            return true;
        }
    }
    return false;
}

/// The component of a complex MR image, which vendors write at different places of ImageType.
std::string_view component_of(std::string_view image_type) noexcept {
    for (std::size_t i = 2; i < count_values(image_type); ++i) {
        const std::string_view value = trimmed(nth_value(image_type, i));
        if (value == "M" || value == "MAGNITUDE") {
            return "M";
        }
        if (value == "P" || value == "PHASE" || value == "PHASE MAP") {
            return "P";
        }
        if (value == "R" || value == "REAL") {
            return "R";
        }
        if (value == "I" || value == "IMAGINARY") {
            return "I";
        }
    }
    return {};
}

/// What the files of one series share, but for the localizer flag.
using SharedKey = std::tuple<std::string, std::string, std::string, std::string, std::string,
                             std::optional<double>, std::optional<double>, std::optional<double>,
                             std::string, std::string>;
using Key = std::pair<SharedKey, bool>;

Key key_of(const FileHeader& header) {
    return {SharedKey{header.series_instance_uid, header.sop_class_uid, header.modality,
                      std::string{trimmed(nth_value(header.image_type, 0))},
                      std::string{component_of(header.image_type)}, header.echo_time,
                      header.repetition_time, header.flip_angle, header.echo_numbers,
                      header.receive_coil_name},
            has_value(header.image_type, "LOCALIZER")};
}

using Groups = std::map<Key, std::vector<const FileHeader*>>;

/// Free text without what a terminal or a log might trip over.
std::string plain(std::string text) {
    std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

std::string describe(const std::vector<const FileHeader*>& group) {
    const FileHeader& first = *group.front();
    std::string line = "\n  " + first.series_instance_uid + ": " + first.modality + ", " +
                       std::to_string(group.size()) + (group.size() == 1 ? " file" : " files");
    line += " of " + std::to_string(first.rows.value_or(0)) + "x" +
            std::to_string(first.columns.value_or(0));
    line += ", \"" + plain(first.series_description) + "\" (" + first.path + ")";
    return line;
}

[[noreturn]] void fail_localizer(const Groups& groups) {
    for (const auto& [key, group] : groups) {
        if (key.second) {
            fail(ErrorCode::localizer,
                 std::to_string(group.size()) +
                     " files are localizers (ImageType says so) among the slices of the series. "
                     "Leave them out of what is loaded",
                 group.front()->place_of(tags::ImageType));
        }
    }
    fail(ErrorCode::internal_error, "No localizer group");
}

[[noreturn]] void fail_several(const Groups& groups) {
    std::vector<const std::vector<const FileHeader*>*> in_path_order;
    for (const auto& entry : groups) {
        in_path_order.push_back(&entry.second);
    }
    std::ranges::sort(in_path_order, {}, [](const auto* group) { return group->front(); });
    std::string message = "There are " + std::to_string(groups.size()) +
                          " series, and one makes a volume. Load the files of one of them:";
    for (const auto* group : in_path_order) {
        message += describe(*group);
    }
    fail(ErrorCode::several_series, std::move(message));
}

bool differ_in_localizer_alone(const Groups& groups) noexcept {
    return groups.size() == 2 && groups.begin()->first.first == groups.rbegin()->first.first;
}

} // namespace

std::vector<FileHeader> one_series(std::vector<FileHeader> headers) {
    std::erase_if(headers, [](const FileHeader& header) { return !header.pixels; });
    if (headers.empty()) {
        fail(ErrorCode::no_images,
             "None of the DICOM files has pixels (structure sets, reports and plans have none)");
    }
    Groups groups;
    for (const FileHeader& header : headers) {
        groups[key_of(header)].push_back(&header);
    }
    if (differ_in_localizer_alone(groups)) {
        fail_localizer(groups);
    }
    if (groups.size() > 1) {
        fail_several(groups);
    }
    return headers;
}

} // namespace torchdicom
