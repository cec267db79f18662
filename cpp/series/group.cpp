// Which files belong together. A SeriesInstanceUID alone does not say: scanners put magnitude and
// phase images, echoes and localizers under one.

#include "header/values.hpp"
#include "series/series.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

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

/// What the files of one series share, as texts; the first is the UID, the last the localizer flag.
constexpr std::array kKeyNames{"SeriesInstanceUID", "SOPClassUID",     "Modality",
                               "ImageType",         "image component", "EchoTime",
                               "RepetitionTime",    "FlipAngle",       "EchoNumbers",
                               "ReceiveCoilName",   "localizer"};
using Key = std::array<std::string, kKeyNames.size()>;

/// The shortest text that stands for the number and no other.
std::string number_text(const std::optional<double>& number) {
    std::array<char, 32> text{};
    if (number) {
        std::to_chars(text.data(), text.data() + text.size() - 1, *number);
    }
    return text.data();
}

Key key_of(const FileHeader& header) {
    return {header.series_instance_uid,
            header.sop_class_uid,
            header.modality,
            std::string{trimmed(nth_value(header.image_type, 0))},
            std::string{component_of(header.image_type)},
            number_text(header.echo_time),
            number_text(header.repetition_time),
            number_text(header.flip_angle),
            header.echo_numbers,
            header.receive_coil_name,
            has_value(header.image_type, "LOCALIZER") ? "yes" : "no"};
}

using Groups = std::map<Key, std::vector<const FileHeader*>>;

/// Free text without what a terminal or a log might trip over.
std::string plain(std::string text) {
    std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

/// What tells a group from others of the same UID: ", EchoTime 4.6".
std::string what_differs(const Key& key, const Groups& groups) {
    std::string text;
    for (std::size_t i = 1; i < key.size(); ++i) {
        const bool differs = std::ranges::any_of(groups, [&](const auto& entry) {
            return entry.first[0] == key[0] && entry.first[i] != key[i];
        });
        if (differs) {
            text.append(", ").append(kKeyNames[i]).append(" ");
            text += key[i].empty() ? "none" : plain(key[i]);
        }
    }
    return text;
}

std::string describe(const Key& key, const Groups& groups) {
    const std::vector<const FileHeader*>& group = groups.at(key);
    const FileHeader& first = *group.front();
    std::string line = "\n  " + first.series_instance_uid + ": " + first.modality + ", " +
                       std::to_string(group.size()) + (group.size() == 1 ? " file" : " files");
    line += " of " + std::to_string(first.rows.value_or(0)) + "x" +
            std::to_string(first.columns.value_or(0));
    line += ", \"" + plain(first.series_description) + "\"" + what_differs(key, groups);
    return line + " (" + first.path + ")";
}

[[noreturn]] void fail_localizer(const Groups& groups) {
    for (const auto& [key, group] : groups) {
        if (key.back() == "yes") {
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
    std::vector<std::pair<const FileHeader*, const Key*>> in_path_order;
    for (const auto& [key, group] : groups) {
        in_path_order.emplace_back(group.front(), &key);
    }
    std::ranges::sort(in_path_order);
    std::string message = "There are " + std::to_string(groups.size()) +
                          " series, and one makes a volume. Load the files of one of them:";
    for (const auto& [first, key] : in_path_order) {
        message += describe(*key, groups);
    }
    fail(ErrorCode::several_series, std::move(message));
}

/// A structure set has no pixels and is passed over; an image that has none was cut off.
void require_pixels_of_image(const FileHeader& header) {
    if (!header.pixels && header.rows && header.columns) {
        fail(
            ErrorCode::no_pixel_data,
            "The file describes an image and has no pixels: it is cut off. Fetch it again or leave "
            "it out",
            header.place_of(tags::PixelData));
    }
}

bool differ_in_localizer_alone(const Groups& groups) noexcept {
    const Key& a = groups.begin()->first;
    const Key& b = groups.rbegin()->first;
    return groups.size() == 2 && std::equal(a.begin(), a.end() - 1, b.begin());
}

} // namespace

std::vector<FileHeader> one_series(std::vector<FileHeader> headers) {
    for (const FileHeader& header : headers) {
        require_pixels_of_image(header);
    }
    const std::string first_path = headers.empty() ? std::string{} : headers.front().path;
    std::erase_if(headers, [](const FileHeader& header) { return !header.pixels; });
    if (headers.empty()) {
        fail(ErrorCode::no_images,
             "None of the DICOM files is an image (structure sets, reports and plans are none). "
             "Name the folder or the files of the images",
             Place{.path = first_path});
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
