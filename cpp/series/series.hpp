// From the headers of all files to one sorted series with its geometry, or the reason why not.
#pragma once

#include "header/file_header.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torchdicom {

using Vector3 = std::array<double, 3>;

/// Something that was found and does not stop the load.
struct Defect {
    std::string_view code;
    std::string message;
    std::vector<std::pair<std::string_view, double>> measured;
};

/// The slices in order, ascending along the normal, and where their voxels lie in the patient.
struct Series {
    std::vector<FileHeader> slices;
    std::array<Vector3, 4>
        affine{}; ///< columns: step along z, y, x in millimetres, then the origin; LPS
    std::vector<Defect> defects;
    std::string units; ///< of the modality values; empty where the files name none
};

/// Checks, sorts and judges. `headers` are in the order of their paths.
/// Throws SeriesError with a code of the table in DESIGN part 5, or several_series, no_images,
/// invalid_geometry; UnsupportedError for what this version refuses to load.
[[nodiscard]] Series make_series(std::vector<FileHeader> headers);

// The steps of make_series, each in its own file.

/// Leaves out files without pixels; throws unless the rest is one series (series/group.cpp).
[[nodiscard]] std::vector<FileHeader> one_series(std::vector<FileHeader> headers);

/// Throws UnsupportedError where one of the files is nothing to be loaded as a slice, SeriesError
/// where they differ in pixel format, size or units or repeat an instance (series/consistency.cpp).
void check_consistency(const std::vector<FileHeader>& slices);

/// The unit of a file's modality values, empty where it names none (PS3.3 C.11.1.1.2, C.8.9.1).
[[nodiscard]] std::string units_of(const FileHeader& header);

/// Sorts series.slices, fills affine and defects (series/geometry.cpp).
void settle_geometry(Series& series);

/// Throws unless sorted positions are distinct and evenly spaced within the tolerances of DESIGN
/// part 5; adds the defect of a tilted gantry. `normal` has unit length (series/spacing.cpp).
void judge_spacing(Series& series, const Vector3& normal, const std::vector<double>& distances);

[[nodiscard]] inline double dot(const Vector3& a, const Vector3& b) noexcept {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

} // namespace torchdicom
