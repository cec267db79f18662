#include "header/private_elements.hpp"

#include "header/binary_values.hpp"
#include "header/csa.hpp"
#include "header/values.hpp"

#include <algorithm>
#include <cmath>

namespace torchdicom {

namespace {

constexpr std::uint64_t kMaxCsaBytes = std::uint64_t{1} << 20U; // real ones have 10 to 15 KiB

// GE adds a multiple of this to the b-value where directions count. Its directions are those of the
// image and not of the patient, and left alone.
constexpr double kGeDirections = 100'000;

/// Runs `read`; what is malformed counts as absent.
template <typename Read> auto read_or_nothing(const Read& read) -> decltype(read()) {
    try {
        return read();
    } catch (const Error& error) {
        if (kind_of(error.code()) != ErrorKind::parse) {
            throw;
        }
        return {};
    }
}

std::optional<double> read_first_integer(const Element& element, ElementReader& reader) {
    return read_or_nothing([&]() -> std::optional<double> {
        const std::string_view text = nth_value(as_text(reader.value(element)), 0);
        const std::optional<std::int32_t> number = parse_one_integer(text, element);
        return number ? std::optional{static_cast<double>(*number)} : std::nullopt;
    });
}

} // namespace

const std::array<PrivateReader::KnownCreator, 5> PrivateReader::kCreators{{
    {.group = 0x0019, .name = "SIEMENS MR HEADER", .creator = Creator::siemens_mr},
    {.group = 0x0029, .name = "SIEMENS CSA HEADER", .creator = Creator::siemens_csa},
    {.group = 0x2001, .name = "Philips Imaging DD 001", .creator = Creator::philips_imaging},
    {.group = 0x2005, .name = "Philips MR Imaging DD 001", .creator = Creator::philips_mr},
    {.group = 0x0043, .name = "GEMS_PARM_01", .creator = Creator::ge_parameters},
}};

void PrivateReader::read(const Element& element, ElementReader& reader, Mosaic* mosaic) {
    const Tag number = element.tag & 0xFFFFU;
    if (element.has_undefined_length) {
        return;
    }
    if (number >= 0x0010 && number <= 0x00FF) {
        note_creator(element, reader);
        return;
    }
    const auto block = std::ranges::find(blocks_, element.tag & 0xFFFF'FF00U, &Block::first);
    if (block == blocks_.end()) {
        return;
    }
    switch (block->creator) {
    case Creator::siemens_csa:
        if (mosaic != nullptr && (number & 0xFFU) == 0x10) {
            read_csa(reader.value(element, kMaxCsaBytes), *mosaic, of_csa_);
        }
        break;
    case Creator::siemens_mr:
        read_siemens(element, reader, mosaic);
        break;
    default:
        read_part(element, number & 0xFFU, reader, block->creator);
        break;
    }
}

void PrivateReader::note_creator(const Element& element, ElementReader& reader) {
    const std::string_view name = trimmed(as_text(reader.value(element)));
    const auto* const known = std::ranges::find_if(kCreators, [&](const KnownCreator& one) {
        return one.group == element.tag >> 16U && one.name == name;
    });
    if (known != kCreators.end()) {
        blocks_.push_back({.first = (element.tag & 0xFFFF'0000U) | (element.tag & 0xFFU) << 8U,
                           .creator = known->creator});
    }
}

void PrivateReader::read_siemens(const Element& element, ElementReader& reader, Mosaic* mosaic) {
    switch (element.tag & 0xFFU) {
    case 0x0A: // images in the mosaic
        if (mosaic != nullptr && !mosaic->images) {
            const auto count =
                read_or_nothing([&] { return read_binary<std::uint16_t>(element, reader); });
            mosaic->images =
                count ? std::optional{static_cast<std::int64_t>(*count)} : std::nullopt;
        }
        break;
    case 0x0C: // b-value
        b_value_ = read_first_integer(element, reader);
        break;
    case 0x0E: // direction of the gradient
        if (const auto gradient =
                read_or_nothing([&] { return read_doubles<3>(element, reader); })) {
            std::ranges::copy(*gradient, gradient_.begin());
        }
        break;
    case 0x29: // times of the slices
        if (mosaic != nullptr && mosaic->private_times.empty()) {
            mosaic->private_times = read_double_list(element, reader);
        }
        break;
    default:
        break;
    }
}

void PrivateReader::read_part(const Element& element, Tag number, ElementReader& reader,
                              Creator creator) {
    const auto part = [&](std::size_t axis) -> std::optional<double>& {
        return gradient_.at(axis);
    };
    if (creator == Creator::philips_imaging && number == 0x03) {
        b_value_ = read_or_nothing([&] { return read_binary<float>(element, reader); });
    } else if (creator == Creator::philips_mr && number >= 0xB0 && number <= 0xB2) {
        part(number - 0xB0) = read_or_nothing([&] { return read_binary<float>(element, reader); });
    } else if (creator == Creator::ge_parameters && number == 0x39) {
        b_value_ = read_first_integer(element, reader);
        if (b_value_) {
            b_value_ = std::fmod(*b_value_, kGeDirections);
        }
    }
}

void PrivateReader::finish(SliceTimes& times) const {
    if (times.diffusion_b_value) {
        return;
    }
    times.diffusion_b_value = b_value_ ? b_value_ : of_csa_.diffusion_b_value;
    if (times.diffusion_gradient || !times.diffusion_b_value) {
        return;
    }
    if (gradient_[0] && gradient_[1] && gradient_[2]) {
        times.diffusion_gradient = {*gradient_[0], *gradient_[1], *gradient_[2]};
    } else {
        times.diffusion_gradient = of_csa_.diffusion_gradient;
    }
}

} // namespace torchdicom
