// The inner loops for x86-64 processors with AVX-512 (F, BW, DQ, VL); the build adds the flags.

#define TORCHDICOM_INSTRUCTION_SET avx512
#include "rescale/finish_kernels.ipp"
#include "rescale/kernels.ipp"
#include "rescale/resize_kernels.ipp"
