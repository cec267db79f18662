// Reads the functional groups of enhanced images (PS3.3 C.7.6.16).
#pragma once

#include "header/element_reader.hpp"
#include "header/multi_frame.hpp"

#include <vector>

namespace torchdicom {

struct GroupOptions {
    bool is_signed = false;   ///< PixelRepresentation: how real-world maps give their range
    bool skip_tables = false; ///< note that real-world maps are there, and read none
};

/// Reads the first item of SharedFunctionalGroupsSequence, whose element was just read. Of a macro
/// the first item counts. Throws what the values and sequences have as errors.
void read_shared_groups(const Element& sequence, ElementReader& reader, const GroupOptions& options,
                        FrameValues& shared);

/// The same of PerFrameFunctionalGroupsSequence, an item for each frame.
void read_frame_groups(const Element& sequence, ElementReader& reader, const GroupOptions& options,
                       std::vector<FrameValues>& frames);

} // namespace torchdicom
