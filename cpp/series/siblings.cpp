#include "series/siblings.hpp"

#include "series/splitting.hpp"

#include <algorithm>
#include <map>

namespace torchdicom {

namespace {

/// Places in the list of parts, ascending.
using Places = std::vector<std::size_t>;

/// A defect, and the splitting values that it is about: one, or two neighbours.
struct Mixed {
    ErrorCode code;
    std::size_t first;
    std::size_t count;
    std::string_view what;
};

constexpr std::array kMixed{
    Mixed{ErrorCode::mixed_size, kSizeText, 2, "sizes or pixel distances"},
    Mixed{ErrorCode::mixed_pixel_format, kPixelFormatText, 2, "pixel formats or units"},
    Mixed{ErrorCode::mixed_orientation, kOrientationText, 1, "orientations"},
};

std::string_view before_last(std::string_view text, char separator) noexcept {
    return text.substr(0, text.rfind(separator));
}

/// The attribute in which two parts differ, where their pixel formats or units do.
Tag tag_of_pixel_format(const Series& part, const Series& other) {
    const std::string& a = part.splitting[kPixelFormatText];
    const std::string& b = other.splitting[kPixelFormatText];
    if (a != b) {
        return before_last(a, '/') != before_last(b, '/') ? tags::BitsAllocated
                                                          : tags::PhotometricInterpretation;
    }
    const FileHeader& one = part.slices.front();
    const FileHeader& another = other.slices.front();
    if (units_of(one) != units_of(another)) {
        return tags::RescaleType;
    }
    const bool differ_in_slope = one.rescale_slope.has_value() != another.rescale_slope.has_value();
    return differ_in_slope ? tags::RescaleSlope : tags::RescaleIntercept;
}

Tag tag_of(ErrorCode code, const Series& part, const Series& other) {
    if (code == ErrorCode::mixed_pixel_format) {
        return tag_of_pixel_format(part, other);
    }
    if (code == ErrorCode::mixed_orientation) {
        return tags::ImageOrientationPatient;
    }
    const bool differ_in_size = part.splitting[kSizeText] != other.splitting[kSizeText];
    return differ_in_size ? tags::Rows : tags::PixelSpacing;
}

class Siblings {
  public:
    Siblings(std::vector<Series>& parts, const std::vector<Places>& files)
        : parts_{parts}, files_{files} {}

    void note_localizers(const Places& siblings) {
        std::map<std::size_t, const FileHeader*> in_path_order;
        for (const std::size_t i : siblings) {
            if (parts_[i].kind == Kind::localizer) {
                for (std::size_t k = 0; k < files_[i].size(); ++k) {
                    in_path_order.emplace(files_[i][k], &parts_[i].slices[k]);
                }
            }
        }
        if (in_path_order.empty()) {
            return;
        }
        const std::size_t count = in_path_order.size();
        Defect defect{.code = ErrorCode::localizer,
                      .message = std::to_string(count) +
                                 (count == 1 ? " file of the series is a localizer"
                                             : " files of the series are localizers") +
                                 " (ImageType says so) and left out of its slices",
                      .measured = {{"files", static_cast<double>(count)}},
                      .place = in_path_order.begin()->second->place_of(tags::ImageType)};
        for (const auto& [place, header] : in_path_order) {
            defect.files.push_back(header->path);
        }
        for (const std::size_t i : siblings) {
            if (parts_[i].kind != Kind::localizer) {
                parts_[i].defects.push_back(defect);
            }
        }
    }

    void note_mixed(const Mixed& mixed, const Places& volumes) {
        std::map<std::vector<std::string>, std::size_t> known;
        std::vector<std::size_t> number; // of the values that each volume has
        for (const std::size_t i : volumes) {
            const auto first =
                parts_[i].splitting.begin() + static_cast<std::ptrdiff_t>(mixed.first);
            const std::vector<std::string> values{first,
                                                  first + static_cast<std::ptrdiff_t>(mixed.count)};
            number.push_back(known.try_emplace(values, known.size()).first->second);
        }
        if (known.size() < 2) {
            return;
        }
        for (std::size_t i = 0; i < volumes.size(); ++i) {
            Series& part = parts_[volumes[i]];
            Defect defect{.code = mixed.code,
                          .message = "The series has slices of " + std::to_string(known.size()) +
                                     " different " + std::string{mixed.what} +
                                     ", and this part has one of them",
                          .measured = {{"parts", static_cast<double>(known.size())}}};
            for (std::size_t k = 0; k < volumes.size(); ++k) {
                if (number[k] == number[i]) {
                    continue;
                }
                const Series& other = parts_[volumes[k]];
                const FileHeader& header = other.slices.front();
                if (defect.files.empty()) {
                    defect.place = header.place_of(tag_of(mixed.code, part, other));
                }
                defect.files.push_back(header.path);
            }
            part.defects.push_back(std::move(defect));
        }
    }

  private:
    std::vector<Series>& parts_;
    const std::vector<Places>& files_;
};

} // namespace

void note_siblings(std::vector<Series>& parts, const std::vector<Places>& files) {
    std::map<std::string_view, Places> of_uid;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (!parts[i].series_instance_uid.empty()) {
            of_uid[parts[i].series_instance_uid].push_back(i);
        }
    }
    Siblings noted{parts, files};
    for (const auto& [uid, siblings] : of_uid) {
        if (siblings.size() == 1) {
            continue;
        }
        noted.note_localizers(siblings);
        Places volumes;
        std::ranges::copy_if(siblings, std::back_inserter(volumes),
                             [&](std::size_t i) { return parts[i].kind == Kind::volume; });
        for (const Mixed& mixed : kMixed) {
            noted.note_mixed(mixed, volumes);
        }
    }
}

} // namespace torchdicom
