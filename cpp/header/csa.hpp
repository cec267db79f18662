// The CSA header, in which Siemens keeps what a mosaic's slices are.
#pragma once

#include "base/bytes.hpp"
#include "header/multi_frame.hpp"
#include "header/times.hpp"

namespace torchdicom {

/// Takes the attributes of slices from the value of CSA Image Header Info; what is not there, or
/// not as it should be, changes nothing. The layout is that of "SV10": after a count, each with a
/// name of 64 bytes, a header and items of 16 bytes and padded text.
void read_csa(ByteSpan value, Mosaic& mosaic, SliceTimes& times);

} // namespace torchdicom
