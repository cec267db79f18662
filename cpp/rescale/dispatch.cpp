// Which of the compiled loops this processor can run.

#include "base/cpu.hpp"
#include "rescale/finish_kernel.hpp"
#include "rescale/kernel.hpp"
#include "rescale/resize_kernel.hpp"

namespace torchdicom {

InstructionSet best_instruction_set() noexcept {
#ifdef TORCHDICOM_X86_KERNELS
    const CpuFeatures& features = cpu_features();
    if (features.has_avx512) {
        return InstructionSet::avx512;
    }
    return features.has_avx2 ? InstructionSet::avx2 : InstructionSet::baseline;
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

const ResizeKernels& resize_kernels(InstructionSet set) noexcept {
    switch (set) {
    case InstructionSet::avx2:
        return kernels::avx2::resize();
    case InstructionSet::avx512:
        return kernels::avx512::resize();
    default:
        return kernels::baseline::resize();
    }
}

const FinishKernels& finish_kernels(InstructionSet set) noexcept {
    switch (set) {
    case InstructionSet::avx2:
        return kernels::avx2::finish();
    case InstructionSet::avx512:
        return kernels::avx512::finish();
    default:
        return kernels::baseline::finish();
    }
}

} // namespace torchdicom
