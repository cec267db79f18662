// The inner loops for any processor of the architecture.

#define TORCHDICOM_INSTRUCTION_SET baseline
#include "rescale/finish_kernels.ipp"
#include "rescale/kernels.ipp"
#include "rescale/resize_kernels.ipp"
