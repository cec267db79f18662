// One element after the other, up to the pixel data: which attribute goes where.

#include "base/limits.hpp"
#include "header/binary_values.hpp"
#include "header/file_header.hpp"
#include "header/multi_frame_reader.hpp"
#include "header/private_elements.hpp"
#include "header/quantity_reader.hpp"
#include "header/table_reader.hpp"
#include "header/values.hpp"

#include <algorithm>

namespace torchdicom {

namespace {

std::string text_value(ByteSpan value) { return std::string{trimmed(as_text(value))}; }

std::optional<std::uint32_t> short_value(ByteSpan value, const Element& element,
                                         std::endian order) {
    if (value.empty()) {
        return std::nullopt;
    }
    if (value.size() < sizeof(std::uint16_t)) {
        fail_multiplicity(element, 1, 0);
    }
    return load_number<std::uint16_t>(value, 0, order);
}

/// The texts: identity, and what tells one series from another.
std::string* text_attribute(Tag tag, FileHeader& header) {
    switch (tag) {
    case tags::SpecificCharacterSet:
        return &header.specific_character_set;
    case tags::ImageType:
        return &header.image_type;
    case tags::SOPClassUID:
        return &header.sop_class_uid;
    case tags::SOPInstanceUID:
        return &header.sop_instance_uid;
    case tags::SeriesInstanceUID:
        return &header.series_instance_uid;
    case tags::Modality:
        return &header.modality;
    case tags::SeriesDescription:
        return &header.series_description;
    case tags::EchoNumbers:
        return &header.echo_numbers;
    case tags::ReceiveCoilName:
        return &header.receive_coil_name;
    case tags::PhotometricInterpretation:
        return &header.photometric_interpretation;
    case tags::RescaleType:
        return &header.rescale_type;
    case tags::Units:
        return &header.units;
    default:
        return nullptr;
    }
}

/// The US attributes: the pixel format.
std::optional<std::uint32_t>* short_attribute(Tag tag, FileHeader& header) {
    switch (tag) {
    case tags::SamplesPerPixel:
        return &header.samples_per_pixel;
    case tags::PlanarConfiguration:
        return &header.planar_configuration;
    case tags::Rows:
        return &header.rows;
    case tags::Columns:
        return &header.columns;
    case tags::BitsAllocated:
        return &header.bits_allocated;
    case tags::BitsStored:
        return &header.bits_stored;
    case tags::HighBit:
        return &header.high_bit;
    case tags::PixelRepresentation:
        return &header.pixel_representation;
    case tags::PixelPaddingValue:
        return &header.pixel_padding_value;
    case tags::PixelPaddingRangeLimit:
        return &header.pixel_padding_range_limit;
    default:
        return nullptr;
    }
}

/// The DS attributes with one value.
std::optional<double>* decimal_attribute(Tag tag, FileHeader& header) {
    switch (tag) {
    case tags::SliceThickness:
        return &header.slice_thickness;
    case tags::RescaleSlope:
        return &header.rescale_slope;
    case tags::RescaleIntercept:
        return &header.rescale_intercept;
    case tags::EchoTime:
        return &header.echo_time;
    case tags::RepetitionTime:
        return &header.repetition_time;
    case tags::FlipAngle:
        return &header.flip_angle;
    case tags::FrameTime:
        return &header.frame_time;
    default:
        return nullptr;
    }
}

// FrameTimeVector has a DS for each frame, of 16 characters at most, with a backslash behind it.
constexpr std::uint64_t kMaxTimesLength = limits::kMaxFrames * 17;

/// An OV table of 64-bit numbers, one a frame (PS3.3 C.7.6.3.1.8 and .9).
std::vector<std::uint64_t> read_table(const Element& element, ElementReader& reader,
                                      std::endian order) {
    const ByteSpan value = reader.value(element, limits::kMaxFrames * sizeof(std::uint64_t));
    if (value.size() % sizeof(std::uint64_t) != 0) {
        fail(ErrorCode::invalid_offset_table,
             "The offset table has " + std::to_string(value.size()) +
                 " bytes, and 8 belong to each frame. The file is corrupt",
             element.place());
    }
    std::vector<std::uint64_t> table(value.size() / sizeof(std::uint64_t));
    for (std::size_t i = 0; i < table.size(); ++i) {
        table[i] = load_number<std::uint64_t>(value, i * sizeof(std::uint64_t), order);
    }
    return table;
}

/// The rest: vectors and integers in text. False where the attribute is not one of them.
bool read_special(const Element& element, ElementReader& reader, FileHeader& header) {
    switch (element.tag) {
    case tags::ImagePositionPatient:
        header.image_position_patient = parse_decimals<3>(as_text(reader.value(element)), element);
        return true;
    case tags::ImageOrientationPatient:
        header.image_orientation_patient =
            parse_decimals<6>(as_text(reader.value(element)), element);
        return true;
    case tags::PixelSpacing:
        header.pixel_spacing = parse_decimals<2>(as_text(reader.value(element)), element);
        return true;
    case tags::ImagerPixelSpacing:
        header.imager_pixel_spacing = parse_decimals<2>(as_text(reader.value(element)), element);
        return true;
    case tags::FrameTimeVector:
        header.frame_time_vector =
            parse_decimal_list(as_text(reader.value(element, kMaxTimesLength)), element);
        return true;
    case tags::InstanceNumber:
        header.instance_number = parse_one_integer(as_text(reader.value(element)), element);
        return true;
    case tags::NumberOfFrames:
        header.number_of_frames_given = parse_one_integer(as_text(reader.value(element)), element);
        return true;
    case tags::ExtendedOffsetTable:
        header.extended_offsets = read_table(element, reader, header.element_syntax.order);
        return true;
    case tags::ExtendedOffsetTableLengths:
        header.extended_lengths = read_table(element, reader, header.element_syntax.order);
        return true;
    default:
        return false;
    }
}

std::optional<double> one_integer(const Element& element, ElementReader& reader) {
    const auto number = parse_one_integer(as_text(reader.value(element)), element);
    return number ? std::optional{static_cast<double>(*number)} : std::nullopt;
}

/// When a slice was taken, and in which of a sequence of times. False where the attribute is none
/// of these.
bool read_time(const Element& element, ElementReader& reader, Moment& moment, FileHeader& header) {
    SliceTimes& times = header.times;
    const auto decimal = [&] { return parse_one_decimal(as_text(reader.value(element)), element); };
    switch (element.tag) {
    case tags::SpacingBetweenSlices: // of nuclear medicine and mosaics; else positions say it
        if (header.modality == "NM" || header.image_type.find("MOSAIC") != std::string::npos) {
            header.spacing_between_slices = decimal();
        }
        return true;
    case tags::TriggerTime:
        times.trigger_time = decimal();
        return true;
    case tags::FrameReferenceTime:
        times.frame_reference_time = decimal();
        return true;
    case tags::ConcatenationUID:
        header.concatenation.uid = text_value(reader.value(element));
        return true;
    case tags::AcquisitionDate:
        times.acquisition_day = parse_day(as_text(reader.value(element)));
        return true;
    case tags::AcquisitionTime:
        times.acquisition_time = parse_time_of_day(as_text(reader.value(element)));
        return true;
    case tags::AcquisitionDateTime:
        moment = parse_moment(as_text(reader.value(element)));
        return true;
    case tags::AcquisitionNumber:
        times.acquisition_number = one_integer(element, reader);
        return true;
    case tags::TemporalPositionIdentifier:
        times.temporal_position = one_integer(element, reader);
        return true;
    case tags::DiffusionBValue:
        times.diffusion_b_value = read_binary<double>(element, reader);
        return true;
    case tags::DiffusionGradientOrientation:
        times.diffusion_gradient = read_doubles<3>(element, reader);
        return true;
    case tags::InConcatenationTotalNumber:
        header.concatenation.total = read_binary<std::uint16_t>(element, reader);
        return true;
    default:
        return false;
    }
}

/// How values are to be displayed. False where the attribute says nothing about it.
bool read_voi(const Element& element, ElementReader& reader, Voi& voi) {
    const auto text = [&] { return VoiText{element, text_value(reader.value(element))}; };
    switch (element.tag) {
    case tags::WindowCenter:
        voi.center = text();
        return true;
    case tags::WindowWidth:
        voi.width = text();
        return true;
    case tags::VOILUTFunction:
        voi.function = text();
        return true;
    default:
        return false;
    }
}

/// Those of them that nobody minds who does not ask.
bool is_for_display(Tag tag) noexcept {
    return tag == tags::WindowCenter || tag == tags::WindowWidth || tag == tags::VOILUTFunction ||
           tag == tags::VOILUTSequence;
}

/// Attributes that count by being there; their values are passed over.
void note_presence(const Element& element, FileHeader& header) {
    switch (element.tag) {
    case tags::SharedFunctionalGroupsSequence:
    case tags::PerFrameFunctionalGroupsSequence:
        header.functional_groups = header.functional_groups.value_or(element.tag);
        break;
    default:
        break;
    }
}

/// What is put together from several elements.
struct Collected {
    detail::TableReader tables;
    PrivateReader vendor;
    Moment acquisition; ///< of AcquisitionDateTime
};

void read_element(const Element& element, ElementReader& reader, const HeaderOptions& options,
                  Collected& collected, FileHeader& header) {
    if (element.has_undefined_length) {
        note_presence(element, header);
        if (!detail::MultiFrameReader::read(element, reader, options, header)) {
            collected.tables.read(element, reader, options, header);
        }
        if (reader.position() == element.value_offset) {
            reader.skip(element);
        }
        return;
    }
    const std::endian order = header.element_syntax.order;
    if (std::string* text = text_attribute(element.tag, header)) {
        *text = text_value(reader.value(element));
    } else if (std::optional<std::uint32_t>* number = short_attribute(element.tag, header)) {
        *number = short_value(reader.value(element), element, order);
    } else if (std::optional<double>* decimal = decimal_attribute(element.tag, header)) {
        *decimal = parse_one_decimal(as_text(reader.value(element)), element);
    } else if (!read_special(element, reader, header) &&
               !(options.reads_slices &&
                 read_time(element, reader, collected.acquisition, header)) &&
               !(header.voi && read_voi(element, reader, *header.voi))) {
        note_presence(element, header);
        if (!detail::MultiFrameReader::read(element, reader, options, header)) {
            collected.tables.read(element, reader, options, header);
        }
    }
    // The transfer syntax is what the meta group says: the element has no place here (PS3.10 7.1).
    if (element.tag != tags::TransferSyntaxUID &&
        std::ranges::binary_search(options.texts, element.tag)) {
        header.texts.emplace_back(element.tag, text_value(reader.value(element)));
    }
    reader.skip(element);
}

[[noreturn]] void fail_stray(const Element& element) {
    fail(ErrorCode::invalid_sequence,
         "An item, or the end of one, stands outside of any sequence. The file is corrupt",
         element.place());
}

void finish(const HeaderOptions& options, Collected& collected, FileHeader& header) {
    collected.vendor.finish(header.times);
    if (!header.times.acquisition_time) {
        header.times.acquisition_time = collected.acquisition.time;
        header.times.acquisition_day =
            collected.acquisition.time ? collected.acquisition.day : header.times.acquisition_day;
    }
    if (!options.skip_tables) {
        collected.tables.finish(header);
    }
}

} // namespace

void read_attributes(ByteWindow& window, std::uint64_t offset, const HeaderOptions& options,
                     FileHeader& header) {
    ElementReader reader{window, header.element_syntax, offset};
    Collected collected;
    detail::QuantityReader quantities;
    Quantity quantity;
    if (options.reads_voi) {
        header.voi.emplace();
    }
    TagFilter read = known_tags();
    for (const Tag tag : options.texts) {
        read.add(tag);
    }
    Tag highest = 0;
    while (!reader.at_end()) {
        const Element element = reader.next();
        if ((element.tag >> 16U) == 0xFFFE) {
            fail_stray(element);
        }
        if (element.tag <= highest && !keyword_of(element.tag).empty() &&
            !is_for_display(element.tag)) {
            reader.check_once(offset, element);
        }
        highest = std::max(highest, element.tag);
        if (holds_pixels(element.tag)) {
            header.pixels = PixelElement{.element = element, .data_set_end = window.size()};
            break;
        }
        if (options.reads_slices && PrivateReader::is_of_interest(element.tag)) {
            collected.vendor.read(element, reader, detail::MultiFrameReader::mosaic_of(header));
        }
        if (options.reads_quantity) {
            quantities.read(element, reader, quantity);
        }
        if (read.may_have(element.tag)) {
            read_element(element, reader, options, collected, header);
        } else { // nearly all elements of nearly all files
            reader.skip(element);
        }
    }
    if (options.reads_quantity) {
        quantities.finish(quantity);
        header.quantity = std::make_shared<const Quantity>(std::move(quantity));
    }
    finish(options, collected, header);
}

} // namespace torchdicom
