#include "header/tags.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace torchdicom {

namespace {

struct KeywordRow {
    Tag tag;
    std::string_view keyword;
};

constexpr std::array kKeywords{
    KeywordRow{tags::TransferSyntaxUID, "TransferSyntaxUID"},
    KeywordRow{tags::SpecificCharacterSet, "SpecificCharacterSet"},
    KeywordRow{tags::ImageType, "ImageType"},
    KeywordRow{tags::SOPClassUID, "SOPClassUID"},
    KeywordRow{tags::SOPInstanceUID, "SOPInstanceUID"},
    KeywordRow{tags::AcquisitionDate, "AcquisitionDate"},
    KeywordRow{tags::AcquisitionDateTime, "AcquisitionDateTime"},
    KeywordRow{tags::AcquisitionTime, "AcquisitionTime"},
    KeywordRow{tags::Modality, "Modality"},
    KeywordRow{tags::CodeValue, "CodeValue"},
    KeywordRow{tags::SeriesDescription, "SeriesDescription"},
    KeywordRow{tags::FrameType, "FrameType"},
    KeywordRow{tags::ComplexImageComponent, "ComplexImageComponent"},
    KeywordRow{tags::SliceThickness, "SliceThickness"},
    KeywordRow{tags::RepetitionTime, "RepetitionTime"},
    KeywordRow{tags::EchoTime, "EchoTime"},
    KeywordRow{tags::EchoNumbers, "EchoNumbers"},
    KeywordRow{tags::SpacingBetweenSlices, "SpacingBetweenSlices"},
    KeywordRow{tags::TriggerTime, "TriggerTime"},
    KeywordRow{tags::FrameTime, "FrameTime"},
    KeywordRow{tags::FrameTimeVector, "FrameTimeVector"},
    KeywordRow{tags::ImagerPixelSpacing, "ImagerPixelSpacing"},
    KeywordRow{tags::ReceiveCoilName, "ReceiveCoilName"},
    KeywordRow{tags::FlipAngle, "FlipAngle"},
    KeywordRow{tags::MRReceiveCoilSequence, "MRReceiveCoilSequence"},
    KeywordRow{tags::FrameAcquisitionDateTime, "FrameAcquisitionDateTime"},
    KeywordRow{tags::DiffusionGradientDirectionSequence, "DiffusionGradientDirectionSequence"},
    KeywordRow{tags::EffectiveEchoTime, "EffectiveEchoTime"},
    KeywordRow{tags::DiffusionBValue, "DiffusionBValue"},
    KeywordRow{tags::DiffusionGradientOrientation, "DiffusionGradientOrientation"},
    KeywordRow{tags::MRTimingAndRelatedParametersSequence, "MRTimingAndRelatedParametersSequence"},
    KeywordRow{tags::MREchoSequence, "MREchoSequence"},
    KeywordRow{tags::MRDiffusionSequence, "MRDiffusionSequence"},
    KeywordRow{tags::CardiacSynchronizationSequence, "CardiacSynchronizationSequence"},
    KeywordRow{tags::MRImageFrameTypeSequence, "MRImageFrameTypeSequence"},
    KeywordRow{tags::CTImageFrameTypeSequence, "CTImageFrameTypeSequence"},
    KeywordRow{tags::PETFrameTypeSequence, "PETFrameTypeSequence"},
    KeywordRow{tags::USImageDescriptionSequence, "USImageDescriptionSequence"},
    KeywordRow{tags::SeriesInstanceUID, "SeriesInstanceUID"},
    KeywordRow{tags::AcquisitionNumber, "AcquisitionNumber"},
    KeywordRow{tags::InstanceNumber, "InstanceNumber"},
    KeywordRow{tags::ImagePositionPatient, "ImagePositionPatient"},
    KeywordRow{tags::ImageOrientationPatient, "ImageOrientationPatient"},
    KeywordRow{tags::TemporalPositionIdentifier, "TemporalPositionIdentifier"},
    KeywordRow{tags::StackID, "StackID"},
    KeywordRow{tags::FrameContentSequence, "FrameContentSequence"},
    KeywordRow{tags::PlanePositionSequence, "PlanePositionSequence"},
    KeywordRow{tags::PlaneOrientationSequence, "PlaneOrientationSequence"},
    KeywordRow{tags::TemporalPositionIndex, "TemporalPositionIndex"},
    KeywordRow{tags::NominalCardiacTriggerDelayTime, "NominalCardiacTriggerDelayTime"},
    KeywordRow{tags::FrameAcquisitionNumber, "FrameAcquisitionNumber"},
    KeywordRow{tags::ConcatenationUID, "ConcatenationUID"},
    KeywordRow{tags::InConcatenationTotalNumber, "InConcatenationTotalNumber"},
    KeywordRow{tags::NominalPercentageOfCardiacPhase, "NominalPercentageOfCardiacPhase"},
    KeywordRow{tags::ImagePositionVolume, "ImagePositionVolume"},
    KeywordRow{tags::ImageOrientationVolume, "ImageOrientationVolume"},
    KeywordRow{tags::TemporalPositionTimeOffset, "TemporalPositionTimeOffset"},
    KeywordRow{tags::PlanePositionVolumeSequence, "PlanePositionVolumeSequence"},
    KeywordRow{tags::PlaneOrientationVolumeSequence, "PlaneOrientationVolumeSequence"},
    KeywordRow{tags::TemporalPositionSequence, "TemporalPositionSequence"},
    KeywordRow{tags::SamplesPerPixel, "SamplesPerPixel"},
    KeywordRow{tags::PhotometricInterpretation, "PhotometricInterpretation"},
    KeywordRow{tags::PlanarConfiguration, "PlanarConfiguration"},
    KeywordRow{tags::NumberOfFrames, "NumberOfFrames"},
    KeywordRow{tags::Rows, "Rows"},
    KeywordRow{tags::Columns, "Columns"},
    KeywordRow{tags::PixelSpacing, "PixelSpacing"},
    KeywordRow{tags::BitsAllocated, "BitsAllocated"},
    KeywordRow{tags::BitsStored, "BitsStored"},
    KeywordRow{tags::HighBit, "HighBit"},
    KeywordRow{tags::PixelRepresentation, "PixelRepresentation"},
    KeywordRow{tags::PixelPaddingValue, "PixelPaddingValue"},
    KeywordRow{tags::PixelPaddingRangeLimit, "PixelPaddingRangeLimit"},
    KeywordRow{tags::WindowCenter, "WindowCenter"},
    KeywordRow{tags::WindowWidth, "WindowWidth"},
    KeywordRow{tags::RescaleIntercept, "RescaleIntercept"},
    KeywordRow{tags::RescaleSlope, "RescaleSlope"},
    KeywordRow{tags::RescaleType, "RescaleType"},
    KeywordRow{tags::VOILUTFunction, "VOILUTFunction"},
    KeywordRow{tags::RedPaletteColorLookupTableDescriptor, "RedPaletteColorLookupTableDescriptor"},
    KeywordRow{tags::GreenPaletteColorLookupTableDescriptor,
               "GreenPaletteColorLookupTableDescriptor"},
    KeywordRow{tags::BluePaletteColorLookupTableDescriptor,
               "BluePaletteColorLookupTableDescriptor"},
    KeywordRow{tags::RedPaletteColorLookupTableData, "RedPaletteColorLookupTableData"},
    KeywordRow{tags::GreenPaletteColorLookupTableData, "GreenPaletteColorLookupTableData"},
    KeywordRow{tags::BluePaletteColorLookupTableData, "BluePaletteColorLookupTableData"},
    KeywordRow{tags::SegmentedRedPaletteColorLookupTableData,
               "SegmentedRedPaletteColorLookupTableData"},
    KeywordRow{tags::SegmentedGreenPaletteColorLookupTableData,
               "SegmentedGreenPaletteColorLookupTableData"},
    KeywordRow{tags::SegmentedBluePaletteColorLookupTableData,
               "SegmentedBluePaletteColorLookupTableData"},
    KeywordRow{tags::ModalityLUTSequence, "ModalityLUTSequence"},
    KeywordRow{tags::LUTDescriptor, "LUTDescriptor"},
    KeywordRow{tags::ModalityLUTType, "ModalityLUTType"},
    KeywordRow{tags::LUTData, "LUTData"},
    KeywordRow{tags::VOILUTSequence, "VOILUTSequence"},
    KeywordRow{tags::PixelMeasuresSequence, "PixelMeasuresSequence"},
    KeywordRow{tags::FrameVOILUTSequence, "FrameVOILUTSequence"},
    KeywordRow{tags::PixelValueTransformationSequence, "PixelValueTransformationSequence"},
    KeywordRow{tags::FramePixelDataPropertiesSequence, "FramePixelDataPropertiesSequence"},
    KeywordRow{tags::MeasurementUnitsCodeSequence, "MeasurementUnitsCodeSequence"},
    KeywordRow{tags::ParametricMapFrameTypeSequence, "ParametricMapFrameTypeSequence"},
    KeywordRow{tags::RealWorldValueMappingSequence, "RealWorldValueMappingSequence"},
    KeywordRow{tags::LUTLabel, "LUTLabel"},
    KeywordRow{tags::RealWorldValueLastValueMapped, "RealWorldValueLastValueMapped"},
    KeywordRow{tags::RealWorldValueLUTData, "RealWorldValueLUTData"},
    KeywordRow{tags::DoubleFloatRealWorldValueLastValueMapped,
               "DoubleFloatRealWorldValueLastValueMapped"},
    KeywordRow{tags::DoubleFloatRealWorldValueFirstValueMapped,
               "DoubleFloatRealWorldValueFirstValueMapped"},
    KeywordRow{tags::RealWorldValueFirstValueMapped, "RealWorldValueFirstValueMapped"},
    KeywordRow{tags::RealWorldValueIntercept, "RealWorldValueIntercept"},
    KeywordRow{tags::RealWorldValueSlope, "RealWorldValueSlope"},
    KeywordRow{tags::EnergyWindowVector, "EnergyWindowVector"},
    KeywordRow{tags::DetectorVector, "DetectorVector"},
    KeywordRow{tags::DetectorInformationSequence, "DetectorInformationSequence"},
    KeywordRow{tags::RRIntervalVector, "RRIntervalVector"},
    KeywordRow{tags::TimeSlotVector, "TimeSlotVector"},
    KeywordRow{tags::SliceVector, "SliceVector"},
    KeywordRow{tags::TimeSliceVector, "TimeSliceVector"},
    KeywordRow{tags::Units, "Units"},
    KeywordRow{tags::FrameReferenceTime, "FrameReferenceTime"},
    KeywordRow{tags::DoseUnits, "DoseUnits"},
    KeywordRow{tags::GridFrameOffsetVector, "GridFrameOffsetVector"},
    KeywordRow{tags::DoseGridScaling, "DoseGridScaling"},
    KeywordRow{tags::SharedFunctionalGroupsSequence, "SharedFunctionalGroupsSequence"},
    KeywordRow{tags::PerFrameFunctionalGroupsSequence, "PerFrameFunctionalGroupsSequence"},
    KeywordRow{tags::ExtendedOffsetTable, "ExtendedOffsetTable"},
    KeywordRow{tags::ExtendedOffsetTableLengths, "ExtendedOffsetTableLengths"},
    KeywordRow{tags::FloatPixelData, "FloatPixelData"},
    KeywordRow{tags::DoubleFloatPixelData, "DoubleFloatPixelData"},
    KeywordRow{tags::PixelData, "PixelData"},
    KeywordRow{tags::Item, "Item"},
    KeywordRow{tags::ItemDelimitationItem, "ItemDelimitationItem"},
    KeywordRow{tags::SequenceDelimitationItem, "SequenceDelimitationItem"},
};

static_assert(std::ranges::is_sorted(kKeywords, {}, &KeywordRow::tag));

constexpr TagFilter kKnown = [] {
    TagFilter filter;
    for (const KeywordRow& row : kKeywords) {
        filter.add(row.tag);
    }
    return filter;
}();

} // namespace

const TagFilter& known_tags() noexcept { return kKnown; }

std::string_view keyword_of(Tag tag) noexcept {
    const auto* const row = std::ranges::lower_bound(kKeywords, tag, {}, &KeywordRow::tag);
    return row != kKeywords.end() && row->tag == tag ? row->keyword : std::string_view{};
}

std::string element_name(Tag tag) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "(%04X,%04X)", tag >> 16U, tag & 0xFFFFU);
    std::string name{text.data()};
    if (const std::string_view keyword = keyword_of(tag); !keyword.empty()) {
        name.append(" ").append(keyword);
    }
    return name;
}

} // namespace torchdicom
