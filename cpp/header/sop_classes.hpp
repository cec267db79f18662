// Objects with pixels that are no image of a volume (PS3.4 B.5).
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace torchdicom {

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
