// Rows of samples from the bits of a JPEG-LS scan (ISO 14495-1 Annex A).
#pragma once

#include "decode/jpeg_ls_bits.hpp"
#include "decode/jpeg_ls_coding.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace torchdicom {

/// All that lasts from row to row, but for the rows themselves.
struct JpegLsState {
    JpegLsCoding coding{};
    const JpegLsGradients* gradients = nullptr;
    JpegLsCursor cursor{};
    JpegLsContexts contexts{};
    std::array<JpegLsRunContext, 2> run_contexts{}; ///< by RItype
    std::array<std::uint32_t, 4> run_index{};       ///< of each component, RUNindex
};

/// One component's row and the row above, each with a sample more at both ends: those that stand
/// there for neighbours beyond the image (A.2.1). All spans have one size.
struct JpegLsRow {
    std::span<std::uint16_t> above;
    std::span<std::uint16_t> current;
    // Scratch: what the row above says of the contexts (A.3).
    std::span<std::int16_t> regions; ///< of the first gradient
    std::span<std::uint16_t> starts; ///< the index of the context, but for the third gradient
    std::span<std::int32_t> turns;   ///< where to look that one up, but for the sample to the left
};

/// Decodes a row of component number `component` of the scan. Throws invalid_codestream.
void decode_jpeg_ls_row(JpegLsState& state, JpegLsRow row, std::size_t component);

/// Decodes a row of all components of a scan that interleaves them by sample.
void decode_jpeg_ls_samples(JpegLsState& state, std::span<const JpegLsRow> rows);

} // namespace torchdicom
