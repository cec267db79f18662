// What this processor has beyond the instructions that everything is compiled for.
#pragma once

namespace torchdicom {

struct CpuFeatures {
    bool has_avx2 = false;
    bool has_avx512 = false; ///< F, BW, DQ and VL
    bool has_bmi2 = false;
    bool has_bit_counts = false; ///< BMI 1 and LZCNT
};

/// Asked once; none of them where the processor is no x86-64.
[[nodiscard]] const CpuFeatures& cpu_features() noexcept;

} // namespace torchdicom
