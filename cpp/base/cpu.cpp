#include "base/cpu.hpp"

namespace torchdicom {

const CpuFeatures& cpu_features() noexcept {
#ifdef __x86_64__
    static const CpuFeatures features = [] {
        __builtin_cpu_init();
        const bool has_avx512 =
            __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
            __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
        const bool has_bit_counts =
            __builtin_cpu_supports("bmi") != 0 && __builtin_cpu_supports("lzcnt") != 0;
        return CpuFeatures{.has_avx2 = __builtin_cpu_supports("avx2") != 0,
                           .has_avx512 = has_avx512,
                           .has_bmi2 = __builtin_cpu_supports("bmi2") != 0,
                           .has_bit_counts = has_bit_counts};
    }();
#else
    static const CpuFeatures features;
#endif
    return features;
}

} // namespace torchdicom
