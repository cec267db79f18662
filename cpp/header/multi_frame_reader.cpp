#include "header/multi_frame_reader.hpp"

#include "header/binary_values.hpp"
#include "header/divide.hpp"
#include "header/functional_groups.hpp"
#include "header/sop_classes.hpp"
#include "header/values.hpp"

namespace torchdicom::detail {

namespace {

// A DS for each frame, of 16 characters at most, with a backslash behind it.
constexpr std::uint64_t kMaxOffsetsLength = limits::kMaxFrames * 17;

MultiFrame& slices_of(FileHeader& header) {
    if (!header.slices_of_file) {
        header.slices_of_file = std::make_shared<MultiFrame>();
    }
    return *header.slices_of_file;
}

std::vector<std::uint32_t>* vector_attribute(Tag tag, FileHeader& header) {
    switch (tag) {
    case tags::EnergyWindowVector:
        return &slices_of(header).vectors.energy_window;
    case tags::DetectorVector:
        return &slices_of(header).vectors.detector;
    case tags::RRIntervalVector:
        return &slices_of(header).vectors.rr_interval;
    case tags::TimeSlotVector:
        return &slices_of(header).vectors.time_slot;
    case tags::SliceVector:
        return &slices_of(header).vectors.slice;
    case tags::TimeSliceVector:
        return &slices_of(header).vectors.time_slice;
    default:
        return nullptr;
    }
}

void read_detectors(const Element& sequence, ElementReader& reader,
                    std::vector<Detector>& detectors) {
    constexpr std::size_t kMostDetectors = 1'000;
    static_cast<void>(reader.walk(sequence, [&](std::size_t item, const Element& element) {
        if (item >= kMostDetectors) {
            return;
        }
        detectors.resize(std::max(detectors.size(), item + 1));
        if (element.tag == tags::ImagePositionPatient) {
            detectors[item].position = parse_decimals<3>(as_text(reader.value(element)), element);
        } else if (element.tag == tags::ImageOrientationPatient) {
            detectors[item].orientation =
                parse_decimals<6>(as_text(reader.value(element)), element);
        }
    }));
}

void read_dose(const Element& element, ElementReader& reader, MultiFrame& slices) {
    if (element.tag == tags::DoseGridScaling) {
        slices.dose_grid_scaling = parse_one_decimal(as_text(reader.value(element)), element);
    } else if (element.tag == tags::DoseUnits) {
        slices.dose_units = trimmed(as_text(reader.value(element)));
    } else {
        slices.grid_frame_offsets =
            parse_decimal_list(as_text(reader.value(element, kMaxOffsetsLength)), element);
    }
}

void read_groups(const Element& element, ElementReader& reader, const HeaderOptions& options,
                 FileHeader& header) {
    const GroupOptions group{.is_signed = header.pixel_representation.value_or(0) == 1,
                             .skip_tables = options.skip_tables};
    MultiFrame& slices = slices_of(header);
    if (element.tag == tags::SharedFunctionalGroupsSequence) {
        read_shared_groups(element, reader, group, slices.shared);
    } else {
        read_frame_groups(element, reader, group, slices.frames);
    }
}

} // namespace

bool MultiFrameReader::read(const Element& element, ElementReader& reader,
                            const HeaderOptions& options, FileHeader& header) {
    if (!options.reads_slices ||
        (!options.reads_foreign && is_foreign_class(header.sop_class_uid))) {
        return false;
    }
    switch (element.tag) {
    case tags::SharedFunctionalGroupsSequence:
    case tags::PerFrameFunctionalGroupsSequence:
        read_groups(element, reader, options, header);
        return true;
    case tags::DetectorInformationSequence:
        if (header.modality != "NM") {
            return false;
        }
        read_detectors(element, reader, slices_of(header).detectors);
        return true;
    case tags::ComplexImageComponent:
        slices_of(header).component = trimmed(as_text(reader.value(element)));
        return true;
    case tags::DoseGridScaling:
    case tags::DoseUnits:
    case tags::GridFrameOffsetVector:
        if (header.modality == "RTDOSE") { // of anything else they say nothing
            read_dose(element, reader, slices_of(header));
        }
        return true;
    default:
        break;
    }
    if (auto* const vector = vector_attribute(element.tag, header)) {
        *vector = read_shorts(element, reader);
        return true;
    }
    return false;
}

Mosaic* MultiFrameReader::mosaic_of(FileHeader& header) {
    return has_image_type(header, "MOSAIC") ? &slices_of(header).mosaic : nullptr;
}

} // namespace torchdicom::detail
