// What one file is.
#pragma once

#include "header/divide.hpp"
#include "series/series.hpp"

namespace torchdicom {

/// What a file of kind `other` holds, for a message: "a segmentation"; empty for all other files.
/// The tag is of the attribute that says so.
[[nodiscard]] std::pair<std::string_view, Tag> foreign_object(const FileHeader& header) noexcept;

[[nodiscard]] Kind kind_of(const FileHeader& header);

/// Each file of these kinds is a series of its own.
[[nodiscard]] inline bool is_alone(Kind kind) noexcept {
    return kind == Kind::image || kind == Kind::cine;
}

/// Position and orientation are both there.
[[nodiscard]] inline bool has_place(const FileHeader& header) noexcept {
    return header.image_position_patient && header.image_orientation_patient;
}

} // namespace torchdicom
