// Windows and VOI lookup tables, applied to values (PS3.3 C.11.2.1).
#pragma once

#include "plan/finish.hpp"

#include <span>

namespace torchdicom {

/// Each value in place; what is no number stays none.
void apply_window(const ValueWindow& window, std::span<double> values) noexcept;

/// What is outside becomes the nearer end.
void apply_clip(const ClipRange& range, std::span<double> values) noexcept;

} // namespace torchdicom
