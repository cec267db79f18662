// The functional groups of enhanced images (PS3.3 C.7.6.16): what each frame has of its own, and
// what all have together.

#include "header/functional_groups.hpp"

#include "header/binary_values.hpp"
#include "header/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace torchdicom {

namespace {

constexpr std::array<Tag, 20> kMacros{
    tags::MRReceiveCoilSequence,
    tags::MRTimingAndRelatedParametersSequence,
    tags::MREchoSequence,
    tags::MRDiffusionSequence,
    tags::CardiacSynchronizationSequence,
    tags::MRImageFrameTypeSequence,
    tags::CTImageFrameTypeSequence,
    tags::PETFrameTypeSequence,
    tags::USImageDescriptionSequence,
    tags::FrameContentSequence,
    tags::PlanePositionSequence,
    tags::PlaneOrientationSequence,
    tags::PlanePositionVolumeSequence,
    tags::PlaneOrientationVolumeSequence,
    tags::TemporalPositionSequence,
    tags::PixelMeasuresSequence,
    tags::FrameVOILUTSequence,
    tags::PixelValueTransformationSequence,
    tags::FramePixelDataPropertiesSequence,
    tags::ParametricMapFrameTypeSequence,
};

static_assert(std::ranges::is_sorted(kMacros));

std::string read_text(const Element& element, ElementReader& reader) {
    return std::string{trimmed(as_text(reader.value(element)))};
}

/// Milliseconds of a time in seconds.
std::optional<double> in_milliseconds(std::optional<double> seconds) {
    const double milliseconds = seconds.value_or(0) * 1000;
    return seconds && std::isfinite(milliseconds) ? std::optional{milliseconds} : std::nullopt;
}

std::string* text_value(Tag tag, FrameValues& values) {
    switch (tag) {
    case tags::RescaleType:
        return &values.rescale_type;
    case tags::ReceiveCoilName:
        return &values.receive_coil_name;
    case tags::StackID:
        return &values.stack_id;
    case tags::FrameType:
        return &values.frame_type;
    case tags::ComplexImageComponent:
        return &values.component;
    default:
        return nullptr;
    }
}

/// The DS with one value.
std::optional<double>* decimal_value(Tag tag, FrameValues& values) {
    switch (tag) {
    case tags::SliceThickness:
        return &values.slice_thickness;
    case tags::RescaleSlope:
        return &values.rescale_slope;
    case tags::RescaleIntercept:
        return &values.rescale_intercept;
    case tags::RepetitionTime:
        return &values.repetition_time;
    case tags::FlipAngle:
        return &values.flip_angle;
    default:
        return nullptr;
    }
}

/// The FD with one value.
std::optional<double>* double_value(Tag tag, FrameValues& values) {
    switch (tag) {
    case tags::EffectiveEchoTime:
        return &values.echo_time;
    case tags::DiffusionBValue:
        return &values.times.diffusion_b_value;
    case tags::NominalCardiacTriggerDelayTime:
        return &values.times.trigger_time;
    default:
        return nullptr;
    }
}

/// Times and numbers in a sequence of them. False where the element is none of these.
bool read_time(const Element& element, ElementReader& reader, SliceTimes& times) {
    switch (element.tag) {
    case tags::TemporalPositionIndex:
        times.temporal_position = read_binary<std::uint32_t>(element, reader);
        return true;
    case tags::FrameAcquisitionNumber:
        times.acquisition_number = read_binary<std::uint16_t>(element, reader);
        return true;
    case tags::NominalPercentageOfCardiacPhase:
        times.cardiac_phase = read_binary<float>(element, reader);
        return true;
    case tags::TemporalPositionTimeOffset:
        times.frame_reference_time = in_milliseconds(read_binary<double>(element, reader));
        return true;
    case tags::FrameAcquisitionDateTime: {
        const Moment moment = parse_moment(as_text(reader.value(element)));
        times.acquisition_day = moment.day;
        times.acquisition_time = moment.time;
        return true;
    }
    case tags::DiffusionGradientDirectionSequence:
        static_cast<void>(reader.walk(element, [&](std::size_t item, const Element& inner) {
            if (item == 0 && inner.tag == tags::DiffusionGradientOrientation) {
                times.diffusion_gradient = read_doubles<3>(inner, reader);
            }
        }));
        return true;
    default:
        return false;
    }
}

/// Where the pixels are. False where the element is none of these.
bool read_place(const Element& element, ElementReader& reader, FrameValues& values) {
    switch (element.tag) {
    case tags::ImagePositionPatient:
        values.position = parse_decimals<3>(as_text(reader.value(element)), element);
        return true;
    case tags::ImageOrientationPatient:
        values.orientation = parse_decimals<6>(as_text(reader.value(element)), element);
        return true;
    case tags::ImagePositionVolume:
        values.position_in_volume = read_doubles<3>(element, reader);
        return true;
    case tags::ImageOrientationVolume:
        values.orientation_in_volume = read_doubles<6>(element, reader);
        return true;
    case tags::PixelSpacing:
        values.pixel_spacing = parse_decimals<2>(as_text(reader.value(element)), element);
        return true;
    case tags::ImagerPixelSpacing:
        values.imager_pixel_spacing = parse_decimals<2>(as_text(reader.value(element)), element);
        return true;
    default:
        return false;
    }
}

/// What is padding, and how values are displayed.
void read_display(const Element& element, ElementReader& reader, FrameValues& values) {
    const auto padding = [&] {
        const std::optional<double> number = read_binary<std::uint16_t>(element, reader);
        return number ? std::optional{static_cast<std::uint32_t>(*number)} : std::nullopt;
    };
    const auto text = [&] { return VoiText{element, read_text(element, reader)}; };
    switch (element.tag) {
    case tags::PixelPaddingValue:
        values.padding_value = padding();
        break;
    case tags::PixelPaddingRangeLimit:
        values.padding_range_limit = padding();
        break;
    case tags::WindowCenter:
        values.voi.center = text();
        break;
    case tags::WindowWidth:
        values.voi.width = text();
        break;
    case tags::VOILUTFunction:
        values.voi.function = text();
        break;
    default:
        break;
    }
}

/// The number with as many digits as it takes to read it back.
std::string text_of(double number) {
    std::array<char, 32> text{};
    auto* const end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    return {text.data(), end};
}

/// Those that are metadata too.
void note_text(const Element& element, ElementReader& reader, FrameValues& values) {
    switch (element.tag) {
    case tags::SliceThickness:
    case tags::RepetitionTime:
    case tags::FlipAngle:
        values.texts.emplace_back(element.tag, read_text(element, reader));
        break;
    case tags::EffectiveEchoTime:
        if (values.echo_time) {
            values.texts.emplace_back(tags::EchoTime, text_of(*values.echo_time));
        }
        break;
    default:
        break;
    }
}

void read_value(const Element& element, ElementReader& reader, FrameValues& values) {
    if (std::string* text = text_value(element.tag, values)) {
        *text = read_text(element, reader);
    } else if (std::optional<double>* decimal = decimal_value(element.tag, values)) {
        *decimal = parse_one_decimal(as_text(reader.value(element)), element);
    } else if (std::optional<double>* number = double_value(element.tag, values)) {
        *number = read_binary<double>(element, reader);
    } else if (!read_time(element, reader, values.times) && !read_place(element, reader, values)) {
        read_display(element, reader, values);
    }
    note_text(element, reader, values);
}

/// Maps are none of a load's business that does not use them: what is malformed is kept as that.
void read_maps(const Element& sequence, ElementReader& reader, const GroupOptions& options,
               FrameValues& values) {
    ElementReader inside = reader;
    constexpr std::uint64_t kDelimiter = 8;
    reader.skip(sequence); // what is wrong inside is for who uses it
    values.has_maps = reader.position() - sequence.value_offset >
                      (sequence.has_undefined_length ? kDelimiter : 0);
    if (options.skip_tables) {
        return;
    }
    try {
        static_cast<void>(inside.walk(sequence, [&](std::size_t item, const Element& element) {
            add_map_element(item, element, inside, options.is_signed, values.maps);
        }));
    } catch (const Error& error) {
        const ErrorKind kind = kind_of(error.code());
        if (kind != ErrorKind::parse && kind != ErrorKind::limit) {
            throw;
        }
        values.map_fault = error;
    }
}

/// Whether an attribute is one of that macro (PS3.3 C.7.6.16.2): what stands in another means
/// nothing there. Padding is described beside whatever says more of the pixels.
bool is_of(Tag macro, Tag attribute) noexcept {
    switch (attribute) {
    case tags::ImagePositionPatient:
        return macro == tags::PlanePositionSequence;
    case tags::ImageOrientationPatient:
        return macro == tags::PlaneOrientationSequence;
    case tags::ImagePositionVolume:
        return macro == tags::PlanePositionVolumeSequence;
    case tags::ImageOrientationVolume:
        return macro == tags::PlaneOrientationVolumeSequence;
    case tags::PixelSpacing:
    case tags::SliceThickness:
        return macro == tags::PixelMeasuresSequence;
    case tags::RescaleIntercept:
    case tags::RescaleSlope:
    case tags::RescaleType:
        return macro == tags::PixelValueTransformationSequence;
    case tags::StackID:
    case tags::TemporalPositionIndex:
    case tags::FrameAcquisitionNumber:
    case tags::FrameAcquisitionDateTime:
        return macro == tags::FrameContentSequence;
    case tags::FrameType:
    case tags::ComplexImageComponent:
        return macro == tags::MRImageFrameTypeSequence || macro == tags::CTImageFrameTypeSequence ||
               macro == tags::PETFrameTypeSequence || macro == tags::USImageDescriptionSequence ||
               macro == tags::ParametricMapFrameTypeSequence;
    case tags::EffectiveEchoTime:
        return macro == tags::MREchoSequence;
    case tags::RepetitionTime:
    case tags::FlipAngle:
        return macro == tags::MRTimingAndRelatedParametersSequence;
    case tags::ReceiveCoilName:
        return macro == tags::MRReceiveCoilSequence;
    case tags::DiffusionBValue:
    case tags::DiffusionGradientDirectionSequence:
        return macro == tags::MRDiffusionSequence;
    case tags::NominalCardiacTriggerDelayTime:
    case tags::NominalPercentageOfCardiacPhase:
        return macro == tags::CardiacSynchronizationSequence;
    case tags::TemporalPositionTimeOffset:
        return macro == tags::TemporalPositionSequence;
    case tags::ImagerPixelSpacing:
        return macro == tags::FramePixelDataPropertiesSequence;
    case tags::WindowCenter:
    case tags::WindowWidth:
    case tags::VOILUTFunction:
        return macro == tags::FrameVOILUTSequence;
    default:
        return true;
    }
}

/// One macro of one item. PS3.3 C.7.6.16.2: it has one item, but the maps, of which all count.
void read_macro(const Element& macro, ElementReader& reader, const GroupOptions& options,
                FrameValues& values) {
    if (macro.tag == tags::RealWorldValueMappingSequence) {
        read_maps(macro, reader, options, values);
        return;
    }
    if (!std::ranges::binary_search(kMacros, macro.tag)) {
        return;
    }
    static_cast<void>(reader.walk(macro, [&](std::size_t item, const Element& element) {
        if (item == 0 && is_of(macro.tag, element.tag)) {
            read_value(element, reader, values);
        } else if (item == 0) {
            FrameValues unused; // damaged it is an error all the same
            read_value(element, reader, unused);
        }
    }));
}

} // namespace

void read_shared_groups(const Element& sequence, ElementReader& reader, const GroupOptions& options,
                        FrameValues& shared) {
    static_cast<void>(reader.walk(sequence, [&](std::size_t item, const Element& macro) {
        if (item == 0) {
            read_macro(macro, reader, options, shared);
        }
    }));
}

void read_frame_groups(const Element& sequence, ElementReader& reader, const GroupOptions& options,
                       std::vector<FrameValues>& frames) {
    const std::size_t items = reader.walk(sequence, [&](std::size_t item, const Element& macro) {
        if (item >= limits::kMaxFrames) {
            fail(ErrorCode::limit_frames,
                 "There are functional groups of more frames than any file has. The file is "
                 "corrupt",
                 sequence.place());
        }
        if (frames.size() <= item) {
            frames.resize(item + 1);
        }
        read_macro(macro, reader, options, frames[item]);
    });
    frames.resize(std::min<std::size_t>(items, limits::kMaxFrames)); // the last may be empty
}

} // namespace torchdicom
