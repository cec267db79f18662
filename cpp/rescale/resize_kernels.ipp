// The inner loops of resizing. Included as rescale/kernels.ipp is, and for the same reason.

#include "rescale/resize_kernel.hpp"

#include <array>
#include <cstring>
#include <utility>

namespace torchdicom::kernels::TORCHDICOM_INSTRUCTION_SET {

namespace {

#ifdef __AVX512F__
constexpr std::size_t kWidth = 8; // doubles of a register
#elif defined(__AVX__)
constexpr std::size_t kWidth = 4;
#else
constexpr std::size_t kWidth = 2;
#endif

using Lanes [[gnu::vector_size(kWidth * sizeof(double))]] = double;
using Square = std::array<Lanes, kWidth>;

/// Swaps the upper right block of each square of two by two blocks with the lower left one.
template <std::size_t side, std::size_t... lane>
[[gnu::always_inline]] inline void swap_blocks(Lanes& a, Lanes& b,
                                               std::index_sequence<lane...> /*lanes*/) noexcept {
    const Lanes upper =
        __builtin_shufflevector(a, b, ((lane & side) == 0 ? lane : kWidth + lane - side)...);
    b = __builtin_shufflevector(a, b, ((lane & side) == 0 ? lane + side : kWidth + lane)...);
    a = upper;
}

template <std::size_t side> [[gnu::always_inline]] inline void transpose(Square& rows) noexcept {
    for (std::size_t i = 0; i < kWidth; ++i) {
        if ((i & side) == 0) {
            swap_blocks<side>(rows[i], rows[i + side], std::make_index_sequence<kWidth>{});
        }
    }
    if constexpr (side > 1) {
        transpose<side / 2>(rows);
    }
}

/// Products are rounded, and added in order.
void along_rows(const double* values, std::size_t first_column, const RowTaps& taps,
                std::size_t count, double* results, std::size_t stride) noexcept {
    const auto sum_of = [&](std::size_t i, std::size_t lane) {
        const double* column = values + (taps.firsts[i] - first_column) * kLanes + lane;
        Lanes sum{};
        for (std::size_t j = taps.offsets[i]; j < taps.offsets[i + 1]; ++j, column += kLanes) {
            Lanes pixels{};
            std::memcpy(&pixels, column, sizeof pixels);
            sum += taps.weights[j] * pixels;
        }
        return sum;
    };
    for (std::size_t lane = 0; lane < kLanes; lane += kWidth) {
        double* const rows = results + lane * stride;
        std::size_t i = 0;
        for (; i + kWidth <= count; i += kWidth) {
            Square square; // NOLINT(*-member-init): filled below
            for (std::size_t k = 0; k < kWidth; ++k) {
                square[k] = sum_of(i + k, lane);
            }
            transpose<kWidth / 2>(square);
            for (std::size_t k = 0; k < kWidth; ++k) {
                std::memcpy(rows + k * stride + i, &square[k], sizeof(Lanes));
            }
        }
        for (; i < count; ++i) {
            const Lanes sum = sum_of(i, lane);
            for (std::size_t k = 0; k < kWidth; ++k) {
                rows[k * stride + i] = sum[k];
            }
        }
    }
}

void add_row(double weight, const double* values, std::size_t count, double* sums) noexcept {
    for (std::size_t x = 0; x < count; ++x) {
        sums[x] += weight * values[x];
    }
}

} // namespace

const ResizeKernels& resize() noexcept {
    static constexpr ResizeKernels kKernels{.along_rows = &along_rows, .add_row = &add_row};
    return kKernels;
}

} // namespace torchdicom::kernels::TORCHDICOM_INSTRUCTION_SET
