// What vendors say in elements of their own: diffusion weighting, and the slices of a mosaic.
#pragma once

#include "header/element_reader.hpp"
#include "header/multi_frame.hpp"
#include "header/times.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace torchdicom {

/// Follows the private elements of a data set. A block of them belongs to the creator that the
/// element (gggg,00bb) names (PS3.5 7.8.1).
class PrivateReader {
  public:
    /// Whether the element may be one to `read`.
    [[nodiscard]] static bool is_of_interest(Tag tag) noexcept {
        const Tag group = tag >> 16U;
        return group == 0x0019 || group == 0x0029 || group == 0x0043 || group == 0x2001 ||
               group == 0x2005;
    }

    /// Takes the element just read, if it is one that counts; what is malformed counts as absent.
    /// `mosaic`: nothing unless the image may be one.
    void read(const Element& element, ElementReader& reader, Mosaic* mosaic);

    /// Fills in what the standard's attributes left open.
    void finish(SliceTimes& times) const;

  private:
    enum class Creator : std::uint8_t {
        siemens_csa,
        siemens_mr,
        philips_imaging,
        philips_mr,
        ge_parameters,
    };
    struct KnownCreator {
        Tag group;
        std::string_view name;
        Creator creator;
    };
    struct Block {
        Tag first = 0; ///< (gggg,bb00)
        Creator creator{};
    };
    static const std::array<KnownCreator, 5> kCreators;

    void note_creator(const Element& element, ElementReader& reader);
    void read_siemens(const Element& element, ElementReader& reader, Mosaic* mosaic);
    void read_part(const Element& element, Tag number, ElementReader& reader, Creator creator);

    std::vector<Block> blocks_;
    std::optional<double> b_value_;
    std::array<std::optional<double>, 3> gradient_;
    SliceTimes of_csa_;
};

} // namespace torchdicom
