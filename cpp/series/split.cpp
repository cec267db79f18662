// Which files belong together. A SeriesInstanceUID alone does not say: scanners put magnitude and
// phase images, echoes, localizers and reformats under one.

#include "series/clusters.hpp"
#include "series/kind.hpp"
#include "series/siblings.hpp"
#include "series/splitting.hpp"

#include <cmath>
#include <tuple>
#include <unordered_map>

namespace torchdicom {

namespace {

// PixelSpacing is text: the same grid may be written with more or fewer digits.
constexpr double kSpacingTolerance = 1e-3; // relative

// Direction cosines are text of 16 characters at most; real files round them to 4 to 6 digits.
constexpr double kOrientationTolerance = 1e-3;

constexpr std::string_view kNoOrientation = "none";

/// Files that agree so far, as indices in path order.
struct Group {
    std::string uid;
    Splitting splitting;
    std::vector<std::size_t> files;
};

bool is_same_spacing(const PixelSpacing& a, const PixelSpacing& b) noexcept {
    const auto is_near = [](double x, double y) {
        return std::abs(x - y) <= kSpacingTolerance * std::max(std::abs(x), std::abs(y));
    };
    return is_near(a[0], b[0]) && is_near(a[1], b[1]);
}

bool is_parallel(const Orientation& a, const Orientation& b) noexcept {
    return std::ranges::equal(
        a, b, [](double x, double y) { return std::abs(x - y) <= kOrientationTolerance; });
}

/// Whether two files surely have the same texts, SOPInstanceUID aside, so that the second needs
/// none made: in a series of slices nearly all do. Everything that `splitting_of` reads is here.
bool agree(const FileHeader& a, const FileHeader& b) noexcept {
    const auto texts = [](const FileHeader& h) {
        return std::tie(h.series_instance_uid, h.sop_class_uid, h.modality, h.image_type,
                        h.echo_numbers, h.receive_coil_name, h.photometric_interpretation,
                        h.rescale_type, h.units, h.transfer_syntax_uid, h.stack);
    };
    const auto numbers = [](const FileHeader& h) {
        return std::tie(h.echo_time, h.repetition_time, h.flip_angle, h.rows, h.columns,
                        h.bits_allocated, h.bits_stored, h.high_bit, h.pixel_representation,
                        h.samples_per_pixel, h.number_of_frames_given, h.functional_groups,
                        h.part.is_frame);
    };
    const auto presence = [](const FileHeader& h) {
        return std::tuple{h.rescale_slope.has_value(), h.rescale_intercept.has_value(),
                          h.image_position_patient.has_value(),
                          h.image_orientation_patient.has_value()};
    };
    return presence(a) == presence(b) && numbers(a) == numbers(b) && texts(a) == texts(b);
}

std::vector<Group> group_by_texts(const std::vector<FileHeader>& headers) {
    std::map<std::pair<std::string, Splitting>, std::size_t> known;
    std::vector<Group> groups;
    std::optional<std::size_t> last; // the group of the file before, if others may join it unseen
    for (std::size_t i = 0; i < headers.size(); ++i) {
        const FileHeader& header = headers[i];
        if (last && agree(headers[i - 1], header)) {
            groups[*last].files.push_back(i);
            continue;
        }
        const Kind kind = kind_of(header);
        const auto [entry, is_new] = known.try_emplace(
            {header.series_instance_uid, splitting_of(header, kind)}, groups.size());
        if (is_new) {
            groups.push_back({entry->first.first, entry->first.second, {}});
        }
        groups[entry->second].files.push_back(i);
        last = is_alone(kind) ? std::nullopt : std::optional{entry->second};
    }
    return groups;
}

/// Splits a group by the text of each file, which becomes one of its splitting values.
std::vector<Group> split_by(Group group, std::size_t place,
                            const std::vector<std::string_view>& texts) {
    if (std::ranges::all_of(texts, [&](std::string_view text) { return text == texts[0]; })) {
        group.splitting[place] = texts[0];
        return {std::move(group)};
    }
    std::map<std::string_view, std::size_t> known;
    std::vector<Group> parts;
    for (std::size_t i = 0; i < group.files.size(); ++i) {
        const auto [entry, is_new] = known.try_emplace(texts[i], parts.size());
        if (is_new) {
            parts.push_back({group.uid, group.splitting, {}});
            parts.back().splitting[place] = texts[i];
        }
        parts[entry->second].files.push_back(group.files[i]);
    }
    return parts;
}

std::vector<Group> split_by_spacing(Group group, const std::vector<FileHeader>& headers) {
    std::vector<PixelSpacing> values;
    for (const std::size_t i : group.files) {
        if (const auto& spacing = headers[i].pixel_spacing) {
            values.push_back(*spacing);
        }
    }
    const auto known = cluster_texts(values, is_same_spacing, pixel_spacing_text);
    std::vector<std::string_view> texts;
    for (const std::size_t i : group.files) {
        const auto& spacing = headers[i].pixel_spacing;
        texts.push_back(spacing ? std::string_view{known.at(*spacing)} : std::string_view{});
    }
    return split_by(std::move(group), kPixelSpacingText, texts);
}

std::vector<Group> split_by_orientation(Group group, const std::vector<FileHeader>& headers) {
    std::vector<Orientation> values;
    for (const std::size_t i : group.files) {
        if (has_place(headers[i])) {
            values.push_back(*headers[i].image_orientation_patient);
        }
    }
    const auto known = cluster_texts(values, is_parallel, orientation_text);
    std::vector<std::string_view> texts;
    for (const std::size_t i : group.files) {
        const auto& orientation = headers[i].image_orientation_patient;
        texts.push_back(has_place(headers[i]) ? std::string_view{known.at(*orientation)}
                                              : kNoOrientation);
    }
    return split_by(std::move(group), kOrientationText, texts);
}

std::vector<Group> split_to_parts(const std::vector<FileHeader>& headers) {
    std::vector<Group> parts;
    for (Group& group : group_by_texts(headers)) {
        for (Group& grid : split_by_spacing(std::move(group), headers)) {
            std::ranges::move(split_by_orientation(std::move(grid), headers),
                              std::back_inserter(parts));
        }
    }
    std::ranges::sort(parts, {}, [](const Group& part) { return part.files.front(); });
    return parts;
}

/// An empty UID is no identity, so that its parts need a hash even where there is one.
std::string key_of(const Group& part, std::size_t parts_of_uid) {
    if (parts_of_uid == 1 && !part.uid.empty()) {
        return part.uid;
    }
    return part.uid + "#" + hash_of(part.splitting);
}

} // namespace

void require_pixels_of_image(const FileHeader& header) {
    if (!header.pixels && header.rows && header.columns) {
        fail(ErrorCode::no_pixel_data,
             "The file describes an image and has no pixels: it is cut off. Fetch it again or "
             "leave it out",
             header.place_of(tags::PixelData));
    }
}

std::vector<Series> split_series(std::vector<FileHeader> headers) {
    std::erase_if(headers, [](const FileHeader& header) { return !header.pixels; });
    const std::vector<Group> parts = split_to_parts(headers);
    std::unordered_map<std::string_view, std::size_t> parts_of_uid;
    for (const Group& part : parts) {
        ++parts_of_uid[part.uid];
    }
    std::vector<Series> all;
    std::vector<std::vector<std::size_t>> files;
    all.reserve(parts.size());
    files.reserve(parts.size());
    for (const Group& part : parts) {
        Series series;
        series.key = key_of(part, parts_of_uid.at(part.uid));
        series.series_instance_uid = part.uid;
        series.kind = kind_of(headers[part.files.front()]);
        series.splitting.assign(part.splitting.begin(), part.splitting.end());
        series.slices.reserve(part.files.size());
        for (const std::size_t i : part.files) {
            series.slices.push_back(std::move(headers[i]));
        }
        all.push_back(std::move(series));
        files.push_back(part.files);
    }
    note_siblings(all, files);
    note_missing_files(all);
    return all;
}

} // namespace torchdicom
