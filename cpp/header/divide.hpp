// From the header of a file with several slices to one header for each slice, so that the later
// stages know nothing but slices.
#pragma once

#include "header/file_header.hpp"

#include <vector>

namespace torchdicom {

/// One header for each frame, or each tile of a mosaic, in the order of the file: the file's own
/// attributes with those of the slice over them. The header itself where the file is no such file:
/// an enhanced image, a dose grid, an image of nuclear medicine, a Siemens mosaic. It was read with
/// `reads_slices`. Throws frame_count_mismatch, invalid_multiplicity, missing_element.
[[nodiscard]] std::vector<FileHeader> divide(FileHeader header);

/// Of what `divide` gave the header of a slice. Throws file_changed where there is none.
[[nodiscard]] FileHeader& find_slice(std::vector<FileHeader>& of_file, const FramePart& part);

// The steps of divide, each in its own file.

/// What nuclear medicine says of each frame (PS3.3 C.8.4.8, C.8.4.15).
void place_nuclear(const MultiFrame& slices, std::vector<FileHeader>& frames);

/// The planes of a dose grid (PS3.3 C.8.8.3).
void place_dose(const MultiFrame& slices, std::vector<FileHeader>& frames);

/// The slices that stand side by side in an image of Siemens; the image where they cannot be told.
[[nodiscard]] std::vector<FileHeader> divide_mosaic(const FileHeader& header, const Mosaic& mosaic);

/// Whether one of the values of ImageType is `wanted`.
[[nodiscard]] bool has_image_type(const FileHeader& header, std::string_view wanted);

/// The normal of the rows and columns, of unit length; zeros where they are no plane.
[[nodiscard]] std::array<double, 3>
normal_of_image(const std::array<double, 6>& orientation) noexcept;

} // namespace torchdicom
