// What other parts the SeriesInstanceUID of a part has.
#pragma once

#include "series/series.hpp"

namespace torchdicom {

/// Adds the defects localizer, mixed_size, mixed_pixel_format and mixed_orientation to the parts
/// that were split off from others; files[i] are the places of the files of parts[i] in the order
/// of all paths. Parts without a SeriesInstanceUID have no siblings.
void note_siblings(std::vector<Series>& parts, const std::vector<std::vector<std::size_t>>& files);

/// Adds missing_slices to the parts with files of a concatenation that is not all there, whichever
/// of the parts its files are in (concatenation.cpp).
void note_missing_files(std::vector<Series>& parts);

} // namespace torchdicom
