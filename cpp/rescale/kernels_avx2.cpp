// The inner loops for x86-64 processors with AVX2; the build adds the flag.

#define TORCHDICOM_INSTRUCTION_SET avx2
#include "rescale/finish_kernels.ipp"
#include "rescale/kernels.ipp"
#include "rescale/resize_kernels.ipp"
