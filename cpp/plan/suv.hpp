// Standardised uptake values of PET by body weight: what modality values are multiplied by.
#pragma once

#include "header/file_header.hpp"

#include <optional>
#include <span>

namespace torchdicom {

/// Works out suv_factor of all slices of a series, whose headers were read with their quantity:
/// 1 for values that are SUV already, the scanner's own factor for counts of Philips, and
/// weight * 1000 / dose for Bq/ml, the dose decayed to the time that the values are for (PS3.3
/// C.8.9.1.1.5 DecayCorrection). The series is the whole one, whichever slices are wanted: its
/// earliest acquisition tells whether its date and time are those of the scan. Enhanced PET (A.56)
/// says that, and what was corrected, in attributes of its own (C.8.22). Throws
/// suv_not_possible with the attribute that is missing, unusable, or not the same in all slices.
void settle_suv(std::span<FileHeader> slices);

/// Which real-world map of a frame of enhanced PET has the values that the factor is for, where its
/// rescale does not say that they are in BQML or GML: the only linear one in Bq/ml or g/ml. Throws
/// the error of maps that are malformed.
[[nodiscard]] std::optional<std::size_t> suv_map_of(const FileHeader& header);

} // namespace torchdicom
