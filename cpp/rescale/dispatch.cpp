// Which of the compiled loops this processor can run.

#include "rescale/kernel.hpp"

namespace torchdicom {

InstructionSet best_instruction_set() noexcept {
#ifdef TORCHDICOM_X86_KERNELS
    static const InstructionSet best = [] {
        __builtin_cpu_init();
        const bool has_avx512 =
            __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
            __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
        if (has_avx512) {
            return InstructionSet::avx512;
        }
        return __builtin_cpu_supports("avx2") != 0 ? InstructionSet::avx2
                                                   : InstructionSet::baseline;
    }();
    return best;
#else
    return InstructionSet::baseline;
#endif
}

Kernel find_kernel(const KernelChoice& choice, InstructionSet set) noexcept {
    switch (set) {
    case InstructionSet::baseline:
        return kernels::baseline::find(choice);
    case InstructionSet::avx2:
        return kernels::avx2::find(choice);
    case InstructionSet::avx512:
        return kernels::avx512::find(choice);
    }
    return nullptr;
}

} // namespace torchdicom
