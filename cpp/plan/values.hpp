// How the stored values of a frame become its output values: which rescale, which table.
#pragma once

#include "header/file_header.hpp"
#include "header/pixel_format.hpp"
#include "header/tables.hpp"
#include "plan/conversion.hpp"
#include "plan/finish.hpp"

#include <optional>
#include <string>

namespace torchdicom {

enum class Output : std::uint8_t {
    stored,     ///< as stored, no rescale; indices of a palette
    modality,   ///< after the Modality LUT, or slope and intercept (PS3.3 C.11.1)
    real_world, ///< after the Real World Value Map (PS3.3 C.7.6.16.2.11)
    suv,        ///< standardised uptake values by body weight, of PET: plan/suv
    philips_fp, ///< Philips' values in floating point: modality values / (slope * scale slope)
};

struct OutputOptions {
    Output output = Output::modality;
    std::optional<DType> dtype{}; ///< nothing: float32, or for stored and colour what the bits need
    std::optional<std::string> rwvm{};     ///< LUTLabel of the map to take; nothing: the only one
    std::optional<FinishOptions> finish{}; ///< what is done behind the rescale; nothing: nothing

    [[nodiscard]] bool takes_file_window() const noexcept {
        return finish && finish->takes_file_window;
    }
};

/// The table that a stored value is looked up in, before anything is multiplied.
enum class Table : std::uint8_t { none, palette, modality_lut, real_world_lut };

struct Mapping {
    Table table = Table::none;
    Rescale rescale{};                       ///< 1 and 0 behind a table
    std::optional<std::size_t> real_world{}; ///< index of the map that is applied
};

/// Whether an output is made of what a header is read with on request alone (header/quantity).
[[nodiscard]] constexpr bool needs_quantity(Output output) noexcept {
    return output == Output::suv || output == Output::philips_fp;
}

/// Whether the tables of this file are needed for that output: an index keeps none.
[[nodiscard]] bool needs_tables(const FileHeader& header, Output output) noexcept;

/// How this file's values are made. Throws what its tables have as errors, UnsupportedError
/// (unsupported_pixel_format, no_real_world_map,
/// several_real_world_maps, suv_not_possible, philips_fp_not_possible), ParseError invalid_value.
/// For SUV the header's factor is settled (plan/suv).
[[nodiscard]] Mapping mapping_of(const FileHeader& header, const PixelFormat& format,
                                 const OutputOptions& options);

/// Bits of the colours of a palette: those of the channel that has the most.
[[nodiscard]] std::uint32_t palette_bits(const FileHeader& header);

/// The unit of the values that a mapping makes; empty where the file names none.
/// `otherwise` is that of the rescale.
[[nodiscard]] std::string units_of(const FileHeader& header, const Mapping& mapping,
                                   const std::string& otherwise);

} // namespace torchdicom
