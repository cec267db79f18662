// The values that tell the parts of a SeriesInstanceUID apart, as texts. Keys are hashes of them,
// so that not a byte may change.
#pragma once

#include "series/series.hpp"

#include <array>
#include <span>

namespace torchdicom {

/// Their names in messages.
inline constexpr std::array<std::string_view, 18> kSplittingNames{
    "SOPClassUID",    "Modality",        "ImageType",      "image component",
    "localizer",      "EchoTime",        "RepetitionTime", "FlipAngle",
    "EchoNumbers",    "ReceiveCoilName", "kind",           "Rows x Columns",
    "PixelSpacing",   "pixel format",    "units",          "ImageOrientationPatient",
    "SOPInstanceUID", "StackID"};

using Splitting = std::array<std::string, kSplittingNames.size()>;

// The places of those that defects are about.
inline constexpr std::size_t kSizeText = 11;
inline constexpr std::size_t kPixelSpacingText = 12;
inline constexpr std::size_t kPixelFormatText = 13;
inline constexpr std::size_t kUnitsText = 14;
inline constexpr std::size_t kOrientationText = 15;

using PixelSpacing = std::array<double, 2>;
using Orientation = std::array<double, 6>;

/// All but the PixelSpacing and the orientation, which need the other files: those stay empty.
[[nodiscard]] Splitting splitting_of(const FileHeader& header, Kind kind);

[[nodiscard]] std::string pixel_spacing_text(const PixelSpacing& spacing);
[[nodiscard]] std::string orientation_text(const Orientation& orientation);

/// Eight hexadecimal digits: FNV-1a of 64 bits over the texts joined by "|", its halves xored. The
/// StackID is not among them where it is empty.
[[nodiscard]] std::string hash_of(std::span<const std::string> splitting);

} // namespace torchdicom
