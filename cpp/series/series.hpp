// From the headers of all files to series, each sorted and judged: what was found is data, and the
// policy says what to make of it.
#pragma once

#include "header/file_header.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torchdicom {

using Vector3 = std::array<double, 3>;

/// What a file is, judged by itself.
enum class Kind : std::uint8_t {
    volume,    ///< a slice of one, or an object that holds one (those are refused, not misread)
    image,     ///< one frame without place in the patient: radiographs, captures
    cine,      ///< several frames without place: ultrasound, angiography
    dose,      ///< planes of a dose grid
    localizer, ///< scouts, by ImageType
    other,     ///< segmentations, slides, video: nothing that a volume is made of
};

[[nodiscard]] std::string_view name_of(Kind kind) noexcept;

/// Something that was found about a series. A refusal is one that no policy settles.
struct Defect {
    ErrorCode code{};
    std::string message{};
    std::vector<std::size_t>
        slices{};                     ///< positions in the sorted series; empty: all, or none there
    std::vector<std::string> files{}; ///< the paths responsible
    std::vector<std::pair<std::string_view, double>> measured{};
    Place place{}; ///< what the error names, where the policy makes it one
    bool is_refusal = false;
};

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// The files that are loaded together.
struct Series {
    std::string key; ///< the SeriesInstanceUID, with "#" and a hash where it has other parts too
    std::string series_instance_uid;
    Kind kind = Kind::volume;
    std::vector<std::string> splitting; ///< the 18 texts that its files share (splitting.hpp)
    /// In path order. Once judged: those that are kept, in slice order; where there are several
    /// times, all slices of the first, then those of the next.
    std::vector<FileHeader> slices;
    std::size_t times = 1;
    /// Columns: step along z, y, x in millimetres, then the origin; LPS. Nothing where the slices
    /// have no place.
    std::optional<std::array<Vector3, 4>> affine;
    Vector3 spacing_mm{kUnknown, kUnknown, kUnknown}; ///< along z, y, x; NaN where unknown
    std::string spacing_source; ///< of images and cine: the attribute that gave it, or empty
    std::vector<Defect> defects;
    std::string units; ///< of the modality values; empty where the files name none
};

/// The two distances that decide what is even (DESIGN part 5).
struct Tolerances {
    double spacing = 0.05;     ///< of the step: PET bed positions jitter by 1-3 %
    double position_mm = 0.05; ///< many scanners write positions to 0.1 mm
};

/// Throws no_pixel_data where a header describes an image whose pixels were cut off; a structure
/// set or a report has none and is none.
void require_pixels_of_image(const FileHeader& header);

/// Groups files into parts that can be loaded, ordered by the first path of each, and notes in each
/// what other parts its SeriesInstanceUID has. `headers` are in path order; those without pixels
/// are left out.
[[nodiscard]] std::vector<Series> split_series(std::vector<FileHeader> headers);

/// The index of the part that `wanted` names, a key or a SeriesInstanceUID; nothing: the only one
/// that is no localizer. Throws SeriesError several_series, no_such_series, no_images.
[[nodiscard]] std::size_t choose_series(const std::vector<Series>& parts,
                                        const std::optional<std::string>& wanted);

/// Sorts the slices, measures, and adds what it finds to `defects`; throws for none of it. Reads
/// files whose SOPInstanceUID is there twice, and throws os_error where that fails.
void judge_series(Series& series, const Tolerances& tolerances, LoadStats& stats);

/// Whether a load raises nothing under the default policy (series/policy.cpp).
[[nodiscard]] bool is_ok(const Series& series);

/// The unit of a file's modality values, empty where it names none (PS3.3 C.11.1.1.2, C.8.9.1).
[[nodiscard]] std::string units_of(const FileHeader& header);

/// The defect of a file, or of a slice, that is left out because of this error.
[[nodiscard]] Defect left_out(const Error& error);

/// Throws the defect as the error of its code.
[[noreturn]] void throw_defect(const Defect& defect);

/// The slices of the first time; all of them before the series is judged.
[[nodiscard]] inline std::span<const FileHeader> first_stack(const Series& series) noexcept {
    return std::span{series.slices}.first(series.slices.size() / series.times);
}

[[nodiscard]] inline double dot(const Vector3& a, const Vector3& b) noexcept {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

} // namespace torchdicom
