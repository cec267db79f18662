// The inner loops of windows and normalisation. Included as rescale/kernels.ipp is, and for the
// same reason.

#include "rescale/finish_kernel.hpp"

#ifdef __AVX512F__
#include <immintrin.h>
#endif

namespace torchdicom::kernels::TORCHDICOM_INSTRUCTION_SET {

namespace {

void divide(double subtrahend, double divisor, const double* values, std::size_t count,
            double* results) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        results[i] = (values[i] - subtrahend) / divisor;
    }
}

#ifdef __AVX512F__
/// Of eight values, which have a quotient and remainders that are neither too small nor too large:
/// no zeros, whose sign an FMA does not keep, no infinities, nothing that is no number.
__mmask8 moderate(__m512d values) noexcept {
    const __m512d size = _mm512_abs_pd(values);
    return static_cast<__mmask8>(_mm512_cmp_pd_mask(size, _mm512_set1_pd(0x1p-400), _CMP_GE_OQ) &
                                 _mm512_cmp_pd_mask(size, _mm512_set1_pd(0x1p400), _CMP_LE_OQ));
}

/// A division takes as long as eight multiplications here. So the quotient is estimated by the
/// rounded reciprocal, and corrected twice by what it leaves, which an FMA has exactly: the first
/// time to its last place, the second time to the very number that a division rounds to (P. W.
/// Markstein, "Computation of elementary functions on the IBM RISC System/6000 processor", 1990).
void subtract_and_divide(double subtrahend, double divisor, const double* values, std::size_t count,
                         double* results) noexcept {
    constexpr std::size_t kBlock = 8;
    const __m512d less = _mm512_set1_pd(subtrahend);
    const __m512d by = _mm512_set1_pd(divisor);
    const __m512d reciprocal = _mm512_set1_pd(1 / divisor);
    const bool can_correct = moderate(by) != 0;
    std::size_t done = 0;
    for (; done + kBlock <= count; done += kBlock) {
        const __m512d value = _mm512_sub_pd(_mm512_loadu_pd(values + done), less);
        __m512d quotient; // NOLINT(*-init-variables): set in either branch
        if (can_correct && moderate(value) == 0xFF) {
            quotient = _mm512_mul_pd(value, reciprocal);
            for (int correction = 0; correction < 2; ++correction) {
                const __m512d left = _mm512_fnmadd_pd(quotient, by, value);
                quotient = _mm512_fmadd_pd(left, reciprocal, quotient);
            }
        } else {
            quotient = _mm512_div_pd(value, by);
        }
        _mm512_storeu_pd(results + done, quotient);
    }
    divide(subtrahend, divisor, values + done, count - done, results + done);
}
#else
constexpr auto subtract_and_divide = divide;
#endif

/// Not std::clamp, of which compilers make branches.
void clip(double low, double high, double* values, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        const double raised = values[i] < low ? low : values[i];
        values[i] = raised > high ? high : raised;
    }
}

} // namespace

const FinishKernels& finish() noexcept {
    static constexpr FinishKernels kKernels{.subtract_and_divide = subtract_and_divide,
                                            .clip = &clip};
    return kKernels;
}

} // namespace torchdicom::kernels::TORCHDICOM_INSTRUCTION_SET
