#include "base/cpu.hpp"

#ifdef __x86_64__
#include <cpuid.h>
#endif

namespace torchdicom {

namespace {

#ifdef __x86_64__
/// clang 14 has no name for it in `__builtin_cpu_supports`.
bool has_lzcnt() noexcept {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid(0x8000'0001U, &a, &b, &c, &d) != 0 && (c & bit_LZCNT) != 0;
}
#endif

} // namespace

const CpuFeatures& cpu_features() noexcept {
#ifdef __x86_64__
    static const CpuFeatures features = [] {
        __builtin_cpu_init();
        const bool has_avx512 =
            __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
            __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
        return CpuFeatures{.has_avx2 = __builtin_cpu_supports("avx2") != 0,
                           .has_avx512 = has_avx512,
                           .has_bmi2 = __builtin_cpu_supports("bmi2") != 0,
                           .has_bit_counts = __builtin_cpu_supports("bmi") != 0 && has_lzcnt()};
    }();
#else
    static const CpuFeatures features;
#endif
    return features;
}

} // namespace torchdicom
