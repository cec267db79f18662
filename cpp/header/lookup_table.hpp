// The tables and mappings that turn stored values into others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace torchdicom {

/// A lookup table with its descriptor: ModalityLUTSequence (PS3.3 C.11.1.1.1), one channel of a
/// palette (C.7.6.3.1.5 and .6), a VOI LUT (C.11.2.1.1).
struct LookupTable {
    std::int64_t first = 0;  ///< the stored value that maps to values[0]; those below do too
    std::uint32_t bits = 16; ///< of an entry, as the descriptor says
    std::vector<std::uint16_t> values; ///< never empty; values above the last map to it
    std::string type;                  ///< ModalityLUTType (0028,3004), the unit; empty elsewhere
};

/// The palette of an image of PhotometricInterpretation PALETTE COLOR, segments expanded.
struct Palette {
    LookupTable red;
    LookupTable green;
    LookupTable blue;
};

/// One item of RealWorldValueMappingSequence (0040,9096), PS3.3 C.7.6.16.2.11.
struct RealWorldMap {
    std::string label; ///< LUTLabel (0040,9210)
    std::string units; ///< CodeValue of MeasurementUnitsCodeSequence (0040,08EA)
    double first = 0;  ///< stored values from here on ...
    double last = 0;   ///< ... to here have a real-world value
    double slope = 1;
    double intercept = 0;
    std::vector<double> values{}; ///< RealWorldValueLUTData (0040,9212); empty where it is linear
};

} // namespace torchdicom
