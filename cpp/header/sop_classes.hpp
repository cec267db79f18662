// SOP classes that are told apart (PS3.4 B.5), such as objects that are no image of a volume.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace torchdicom {

/// Enhanced ultrasound, whose places are those of a volume and not of the patient (PS3.3 C.8.24.3).
inline constexpr std::string_view kUltrasoundVolume = "1.2.840.10008.5.1.4.1.1.6.2";

struct ForeignClass {
    std::string_view uid;
    std::string_view what; ///< for a message
};

inline constexpr std::array kForeignClasses{
    ForeignClass{"1.2.840.10008.5.1.4.1.1.66.4", "a segmentation"},
    ForeignClass{"1.2.840.10008.5.1.4.1.1.66.7", "a label map segmentation"},
    ForeignClass{"1.2.840.10008.5.1.4.1.1.77.1.6", "tiles of a microscope slide"},
};

[[nodiscard]] inline bool is_foreign_class(std::string_view uid) noexcept {
    return std::ranges::find(kForeignClasses, uid, &ForeignClass::uid) != kForeignClasses.end();
}

} // namespace torchdicom
