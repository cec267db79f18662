// What other parts the SeriesInstanceUID of a part has.
#pragma once

#include "series/series.hpp"

namespace torchdicom {

/// Adds the defects localizer, mixed_size, mixed_pixel_format and mixed_orientation to the parts
/// that were split off from others; files[i] are the places of the files of parts[i] in the order
/// of all paths. Parts without a SeriesInstanceUID have no siblings.
void note_siblings(std::vector<Series>& parts, const std::vector<std::vector<std::size_t>>& files);

} // namespace torchdicom
