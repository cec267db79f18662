// Default and given preset parameters of JPEG-LS (ISO 14495-1 C.2.4.1.1).
#include "decode/codestream.hpp"
#include "decode/jpeg_ls_header.hpp"

#include <algorithm>
#include <string>

namespace torchdicom {

namespace {

std::int32_t checked(std::int32_t given, std::int32_t fallback, std::int32_t least,
                     std::int32_t most, const char* name) {
    if (given == 0) {
        return fallback;
    }
    if (given < least || given > most) {
        fail_invalid("The JPEG-LS parameter " + std::string{name} + " is " + std::to_string(given) +
                     ", and must be " + std::to_string(least) + " to " + std::to_string(most));
    }
    return given;
}

/// CLAMP of C.2.4.1.1.1: beyond either end it is the lower one.
std::int32_t threshold(std::int32_t value, std::int32_t least, std::int32_t most) {
    return value > most || value < least ? least : value;
}

struct Thresholds {
    std::int32_t t1, t2, t3;
};

/// Before they are clamped; the constants are those of 8 bits.
Thresholds basic_thresholds(std::int32_t maxval, std::int32_t near) {
    if (maxval >= 128) {
        const std::int32_t factor = (std::min(maxval, 4095) + 128) / 256;
        return {.t1 = factor * (3 - 2) + 2 + 3 * near,
                .t2 = factor * (7 - 3) + 3 + 5 * near,
                .t3 = factor * (21 - 4) + 4 + 7 * near};
    }
    const std::int32_t factor = 256 / (maxval + 1);
    return {.t1 = std::max(2, 3 / factor + 3 * near),
            .t2 = std::max(3, 7 / factor + 5 * near),
            .t3 = std::max(4, 21 / factor + 7 * near)};
}

} // namespace

JpegLsPreset complete_preset(JpegLsPreset given, std::int32_t near, std::uint32_t precision) {
    JpegLsPreset preset;
    const auto full = static_cast<std::int32_t>((1U << precision) - 1);
    preset.maxval = checked(given.maxval, full, 1, full, "MAXVAL");
    const std::int32_t most_near = std::min(255, preset.maxval / 2);
    if (near > most_near) {
        fail_invalid("The JPEG-LS scan has NEAR " + std::to_string(near) + ", which must be 0 to " +
                     std::to_string(most_near));
    }
    const Thresholds basic = basic_thresholds(preset.maxval, near);
    const std::int32_t most = preset.maxval;
    preset.t1 = checked(given.t1, threshold(basic.t1, near + 1, most), near + 1, most, "T1");
    preset.t2 = checked(given.t2, threshold(basic.t2, preset.t1, most), preset.t1, most, "T2");
    preset.t3 = checked(given.t3, threshold(basic.t3, preset.t2, most), preset.t2, most, "T3");
    preset.reset = checked(given.reset, 64, 3, std::max(255, most), "RESET");
    return preset;
}

} // namespace torchdicom
