// Collects what a file with several slices says of each, while its elements are read.
#pragma once

#include "header/file_header.hpp"

namespace torchdicom::detail {

class MultiFrameReader {
  public:
    /// Takes the element just read, if it is about slices. False where it is not.
    static bool read(const Element& element, ElementReader& reader, const HeaderOptions& options,
                     FileHeader& header);

    /// Where the vendor's elements about a mosaic go; nothing where the image is none.
    [[nodiscard]] static Mosaic* mosaic_of(FileHeader& header);
};

} // namespace torchdicom::detail
