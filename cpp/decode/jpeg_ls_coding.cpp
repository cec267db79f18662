#include "decode/jpeg_ls_coding.hpp"

#include <algorithm>
#include <cstdlib>

namespace torchdicom {

namespace {

std::int8_t region_of(std::int32_t size, const JpegLsPreset& preset, std::int32_t near) {
    return static_cast<std::int8_t>(
        static_cast<int>(size > near) + static_cast<int>(size >= preset.t1) +
        static_cast<int>(size >= preset.t2) + static_cast<int>(size >= preset.t3));
}

std::uint32_t bit_width(std::uint32_t value) {
    return 32U - static_cast<std::uint32_t>(std::countl_zero(value));
}

} // namespace

JpegLsCoding make_coding(const JpegLsPreset& preset, std::int32_t near) noexcept {
    JpegLsCoding coding;
    coding.maxval = preset.maxval;
    coding.near = near;
    coding.step = 2 * near + 1;
    coding.range = (preset.maxval + 2 * near) / coding.step + 1;
    const auto range = static_cast<std::uint32_t>(coding.range);
    const auto maxval = static_cast<std::uint32_t>(preset.maxval);
    const std::uint32_t bits = std::max(2U, bit_width(maxval));
    coding.code_bits = bit_width(range - 1);
    coding.limit = 2 * (bits + std::max(8U, bits));
    coding.reset = preset.reset;
    coding.thresholds = {preset.t1, preset.t2, preset.t3};
    coding.start = std::max(2U, (range + 32) / 64);
    return coding;
}

void JpegLsGradients::prepare(const JpegLsPreset& preset, std::int32_t near) {
    if (preset == preset_ && near == near_) {
        return;
    }
    preset_ = preset;
    near_ = near;
    regions_.resize(3 * static_cast<std::size_t>(size()));
    auto at = regions_.begin();
    for (const int sign : {-1, 0, 1}) {
        for (std::int32_t gradient = -preset.maxval; gradient <= preset.maxval; ++gradient) {
            const std::int8_t region = region_of(std::abs(gradient), preset, near);
            const bool is_negated = sign != 0 && (gradient < 0) == (sign > 0);
            *at++ = static_cast<std::int8_t>(is_negated ? -region : region);
        }
    }
}

void reset_contexts(JpegLsContexts& contexts, const JpegLsCoding& coding) noexcept {
    // k; 2 * B is above -N, which is -1.
    contexts.code.fill(static_cast<std::int32_t>(golomb_parameter(coding.start, 1)));
    contexts.c.fill(0);
    contexts.a.fill(coding.start);
    contexts.b.fill(0);
    contexts.n.fill(1);
}

} // namespace torchdicom
