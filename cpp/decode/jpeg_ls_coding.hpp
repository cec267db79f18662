// The variables of JPEG-LS coding (ISO 14495-1 Annex A), laid out for a short way from one sample
// to the next.
#pragma once

#include "decode/jpeg_ls_header.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace torchdicom {

/// A.2.1; what a scan's preset and NEAR come to.
struct JpegLsCoding {
    std::int32_t maxval = 0;
    std::int32_t near = 0;
    std::int32_t step = 1;       ///< 2 * NEAR + 1
    std::int32_t range = 0;      ///< RANGE
    std::uint32_t code_bits = 0; ///< qbpp
    std::uint32_t limit = 0;     ///< LIMIT
    std::int32_t reset = 0;      ///< RESET
    std::array<std::int32_t, 3> thresholds{};
    std::uint32_t start = 0; ///< of A
    /// Errors wrap by a mask: lossless, and RANGE is a power of two.
    [[nodiscard]] bool is_masked() const noexcept {
        return near == 0 && std::has_single_bit(static_cast<std::uint32_t>(range));
    }
};

[[nodiscard]] JpegLsCoding make_coding(const JpegLsPreset& preset, std::int32_t near) noexcept;

/// The region of the third gradient of A.3.2, the one that needs the sample to the left, by its
/// value. Three tables stand side by side: negated, without sign, and as it is. Which one merges
/// the signs of A.3.4 depends on the other two gradients, which are known long before.
class JpegLsGradients {
  public:
    /// Makes the tables anew where they are for other parameters.
    void prepare(const JpegLsPreset& preset, std::int32_t near);

    /// The middle of the table without signs; a gradient, -MAXVAL to MAXVAL, is an index.
    [[nodiscard]] const std::int8_t* middle() const noexcept {
        return regions_.data() + size() + preset_.maxval;
    }
    /// From one table to the next.
    [[nodiscard]] std::int32_t size() const noexcept { return 2 * preset_.maxval + 1; }

  private:
    JpegLsPreset preset_{};
    std::int32_t near_ = -1;
    std::vector<std::int8_t> regions_;
};

/// A context of A.2.1 in columns. The first is worked out when a context is left, where nothing
/// waits for it.
struct JpegLsContexts {
    static constexpr std::size_t kCount = 365;
    template <typename T> using Column = std::array<T, kCount>;

    Column<std::int32_t> code; ///< k, and below 0 where errors are complemented (A.5.2)
    Column<std::int32_t> c;
    Column<std::uint32_t> a;
    Column<std::int32_t> b;
    Column<std::int32_t> n;
};

/// A context of run interruption (A.7.2).
struct JpegLsRunContext {
    std::uint32_t a = 0;
    std::int32_t n = 1;
    std::int32_t negative = 0; ///< Nn
};

/// The smallest k for which n << k is a or more (A.5.1).
[[gnu::always_inline]] inline std::uint32_t golomb_parameter(std::uint32_t a,
                                                             std::int32_t n) noexcept {
    const auto count = static_cast<std::uint32_t>(n);
    const int difference = std::countl_zero(count) - std::countl_zero(a | 1U);
    const auto k = static_cast<std::uint32_t>(difference < 0 ? 0 : difference);
    return k + static_cast<std::uint32_t>((std::uint64_t{count} << k) < a);
}

/// A.2.1: as at the start of a scan and of a restart interval.
void reset_contexts(JpegLsContexts& contexts, const JpegLsCoding& coding) noexcept;

} // namespace torchdicom
