// What all frames of a request have in common: the part of each, and how it is decoded.
#pragma once

#include "pipeline/load.hpp"

#include <span>

namespace torchdicom {

/// Settles window, halvings and codec of a plan. Throws unsupported_transfer_syntax where the codec
/// that was asked for does not read a file, unsupported_pixel_format for the mean of indices,
/// unsupported_mosaic where tiles do not divide, and std::invalid_argument for the region.
void settle_request(const LoadRequest& request, std::span<const FileHeader> headers, Plan& plan);

} // namespace torchdicom
