// The lookup tables and real-world maps of a header, for those who apply them.
#pragma once

#include "header/file_header.hpp"

#include <span>

namespace torchdicom {

/// The first item of ModalityLUTSequence. Throws its error where it is malformed.
[[nodiscard]] const LookupTable& modality_lut_of(const FileHeader& header);

/// The palette of an image of PALETTE COLOR. Throws its error where it is malformed,
/// missing_element where a channel has none.
[[nodiscard]] const Palette& palette_of(const FileHeader& header);

/// How the values are to be displayed; the header was read with it. Throws the error of a lookup
/// table that is malformed.
[[nodiscard]] const Voi& voi_of(const FileHeader& header);

/// The items of RealWorldValueMappingSequence, of the data set or else shared by all frames; may be
/// empty. Throws the error of one that is malformed.
[[nodiscard]] std::span<const RealWorldMap> real_world_maps_of(const FileHeader& header);

} // namespace torchdicom
