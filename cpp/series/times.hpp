// What a series has along t.
#pragma once

#include "series/series.hpp"

#include <string_view>
#include <vector>

namespace torchdicom {

/// An attribute along an axis: `width` values for each place on it.
struct Coordinate {
    std::string_view name; ///< the DICOM keyword
    std::size_t width = 1;
    std::vector<double> values;
};

/// The attributes that vary over the times of a judged series and do not over the slices of a time
/// (of times that do, the earliest); in their fixed order.
[[nodiscard]] std::vector<Coordinate> coordinates_over_time(const Series& series);

/// When the slices of the first time were taken within it, where every one says so: of mosaics.
[[nodiscard]] std::vector<Coordinate> coordinates_over_slices(const Series& series);

} // namespace torchdicom
