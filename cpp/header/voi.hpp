// What a file says about displaying its values: the VOI LUT module (PS3.3 C.11.2), its first view.
#pragma once

#include "header/element_reader.hpp"
#include "header/lookup_table.hpp"

#include <optional>
#include <string>

namespace torchdicom {

/// An attribute as it stands, read as a number when it is asked for.
struct VoiText {
    Element element;
    std::string text;
};

struct Voi {
    /// First item of VOILUTSequence. Whether its first value has a sign depends on the values that
    /// go in: where its VR is not SS, it is read without one.
    std::optional<LookupTable> table{};
    std::optional<VoiText> center{}; ///< all values, with backslashes; so has width
    std::optional<VoiText> width{};
    std::optional<VoiText> function{};
};

} // namespace torchdicom
