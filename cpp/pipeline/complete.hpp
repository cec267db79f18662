// What the headers of an index lack, and a load needs after all.
#pragma once

#include "pipeline/picks.hpp"

namespace torchdicom {

/// Reads the tables and maps of the files that are wanted, where the output needs them.
void complete_files(Series& series, const Picks& picks, const LoadRequest& request,
                    LoadStats& stats);

/// Reads what SUV and the like are made of, where they are wanted. SUV take all slices: the time of
/// the earliest counts.
void complete_quantities(Series& series, const Picks& picks, const LoadRequest& request,
                         LoadStats& stats);

} // namespace torchdicom
