// The attributes that the core reads, under their keywords of PS3.6.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace torchdicom {

/// Group in the high, element in the low 16 bits.
using Tag = std::uint32_t;

namespace tags {

inline constexpr Tag TransferSyntaxUID = 0x0002'0010;
inline constexpr Tag SpecificCharacterSet = 0x0008'0005;
inline constexpr Tag ImageType = 0x0008'0008;
inline constexpr Tag SOPClassUID = 0x0008'0016;
inline constexpr Tag SOPInstanceUID = 0x0008'0018;
inline constexpr Tag AcquisitionDate = 0x0008'0022;
inline constexpr Tag AcquisitionDateTime = 0x0008'002A;
inline constexpr Tag AcquisitionTime = 0x0008'0032;
inline constexpr Tag Modality = 0x0008'0060;
inline constexpr Tag CodeValue = 0x0008'0100;
inline constexpr Tag SeriesDescription = 0x0008'103E;
inline constexpr Tag FrameType = 0x0008'9007;
inline constexpr Tag ComplexImageComponent = 0x0008'9208;
inline constexpr Tag SliceThickness = 0x0018'0050;
inline constexpr Tag RepetitionTime = 0x0018'0080;
inline constexpr Tag EchoTime = 0x0018'0081;
inline constexpr Tag EchoNumbers = 0x0018'0086;
inline constexpr Tag SpacingBetweenSlices = 0x0018'0088;
inline constexpr Tag TriggerTime = 0x0018'1060;
inline constexpr Tag FrameTime = 0x0018'1063;
inline constexpr Tag FrameTimeVector = 0x0018'1065;
inline constexpr Tag ImagerPixelSpacing = 0x0018'1164;
inline constexpr Tag ReceiveCoilName = 0x0018'1250;
inline constexpr Tag FlipAngle = 0x0018'1314;
inline constexpr Tag MRReceiveCoilSequence = 0x0018'9042;
inline constexpr Tag FrameAcquisitionDateTime = 0x0018'9074;
inline constexpr Tag DiffusionGradientDirectionSequence = 0x0018'9076;
inline constexpr Tag EffectiveEchoTime = 0x0018'9082;
inline constexpr Tag DiffusionBValue = 0x0018'9087;
inline constexpr Tag DiffusionGradientOrientation = 0x0018'9089;
inline constexpr Tag MRTimingAndRelatedParametersSequence = 0x0018'9112;
inline constexpr Tag MREchoSequence = 0x0018'9114;
inline constexpr Tag MRDiffusionSequence = 0x0018'9117;
inline constexpr Tag CardiacSynchronizationSequence = 0x0018'9118;
inline constexpr Tag MRImageFrameTypeSequence = 0x0018'9226;
inline constexpr Tag CTImageFrameTypeSequence = 0x0018'9329;
inline constexpr Tag PETFrameTypeSequence = 0x0018'9751;
inline constexpr Tag USImageDescriptionSequence = 0x0018'9806;
inline constexpr Tag SeriesInstanceUID = 0x0020'000E;
inline constexpr Tag AcquisitionNumber = 0x0020'0012;
inline constexpr Tag InstanceNumber = 0x0020'0013;
inline constexpr Tag ImagePositionPatient = 0x0020'0032;
inline constexpr Tag ImageOrientationPatient = 0x0020'0037;
inline constexpr Tag TemporalPositionIdentifier = 0x0020'0100;
inline constexpr Tag StackID = 0x0020'9056;
inline constexpr Tag FrameContentSequence = 0x0020'9111;
inline constexpr Tag PlanePositionSequence = 0x0020'9113;
inline constexpr Tag PlaneOrientationSequence = 0x0020'9116;
inline constexpr Tag TemporalPositionIndex = 0x0020'9128;
inline constexpr Tag NominalCardiacTriggerDelayTime = 0x0020'9153;
inline constexpr Tag FrameAcquisitionNumber = 0x0020'9156;
inline constexpr Tag ConcatenationUID = 0x0020'9161;
inline constexpr Tag InConcatenationTotalNumber = 0x0020'9163;
inline constexpr Tag NominalPercentageOfCardiacPhase = 0x0020'9241;
inline constexpr Tag ImagePositionVolume = 0x0020'9301;
inline constexpr Tag ImageOrientationVolume = 0x0020'9302;
inline constexpr Tag TemporalPositionTimeOffset = 0x0020'930D;
inline constexpr Tag PlanePositionVolumeSequence = 0x0020'930E;
inline constexpr Tag PlaneOrientationVolumeSequence = 0x0020'930F;
inline constexpr Tag TemporalPositionSequence = 0x0020'9310;
inline constexpr Tag SamplesPerPixel = 0x0028'0002;
inline constexpr Tag PhotometricInterpretation = 0x0028'0004;
inline constexpr Tag PlanarConfiguration = 0x0028'0006;
inline constexpr Tag NumberOfFrames = 0x0028'0008;
inline constexpr Tag Rows = 0x0028'0010;
inline constexpr Tag Columns = 0x0028'0011;
inline constexpr Tag PixelSpacing = 0x0028'0030;
inline constexpr Tag BitsAllocated = 0x0028'0100;
inline constexpr Tag BitsStored = 0x0028'0101;
inline constexpr Tag HighBit = 0x0028'0102;
inline constexpr Tag PixelRepresentation = 0x0028'0103;
inline constexpr Tag PixelPaddingValue = 0x0028'0120;
inline constexpr Tag PixelPaddingRangeLimit = 0x0028'0121;
inline constexpr Tag WindowCenter = 0x0028'1050;
inline constexpr Tag WindowWidth = 0x0028'1051;
inline constexpr Tag RescaleIntercept = 0x0028'1052;
inline constexpr Tag RescaleSlope = 0x0028'1053;
inline constexpr Tag RescaleType = 0x0028'1054;
inline constexpr Tag VOILUTFunction = 0x0028'1056;
inline constexpr Tag RedPaletteColorLookupTableDescriptor = 0x0028'1101;
inline constexpr Tag GreenPaletteColorLookupTableDescriptor = 0x0028'1102;
inline constexpr Tag BluePaletteColorLookupTableDescriptor = 0x0028'1103;
inline constexpr Tag RedPaletteColorLookupTableData = 0x0028'1201;
inline constexpr Tag GreenPaletteColorLookupTableData = 0x0028'1202;
inline constexpr Tag BluePaletteColorLookupTableData = 0x0028'1203;
inline constexpr Tag SegmentedRedPaletteColorLookupTableData = 0x0028'1221;
inline constexpr Tag SegmentedGreenPaletteColorLookupTableData = 0x0028'1222;
inline constexpr Tag SegmentedBluePaletteColorLookupTableData = 0x0028'1223;
inline constexpr Tag ModalityLUTSequence = 0x0028'3000;
inline constexpr Tag LUTDescriptor = 0x0028'3002;
inline constexpr Tag ModalityLUTType = 0x0028'3004;
inline constexpr Tag LUTData = 0x0028'3006;
inline constexpr Tag VOILUTSequence = 0x0028'3010;
inline constexpr Tag PixelMeasuresSequence = 0x0028'9110;
inline constexpr Tag FrameVOILUTSequence = 0x0028'9132;
inline constexpr Tag PixelValueTransformationSequence = 0x0028'9145;
inline constexpr Tag FramePixelDataPropertiesSequence = 0x0028'9443;
inline constexpr Tag MeasurementUnitsCodeSequence = 0x0040'08EA;
inline constexpr Tag ParametricMapFrameTypeSequence = 0x0040'9092;
inline constexpr Tag RealWorldValueMappingSequence = 0x0040'9096;
inline constexpr Tag LUTLabel = 0x0040'9210;
inline constexpr Tag RealWorldValueLastValueMapped = 0x0040'9211;
inline constexpr Tag RealWorldValueLUTData = 0x0040'9212;
inline constexpr Tag DoubleFloatRealWorldValueLastValueMapped = 0x0040'9213;
inline constexpr Tag DoubleFloatRealWorldValueFirstValueMapped = 0x0040'9214;
inline constexpr Tag RealWorldValueFirstValueMapped = 0x0040'9216;
inline constexpr Tag RealWorldValueIntercept = 0x0040'9224;
inline constexpr Tag RealWorldValueSlope = 0x0040'9225;
inline constexpr Tag EnergyWindowVector = 0x0054'0010;
inline constexpr Tag DetectorVector = 0x0054'0020;
inline constexpr Tag DetectorInformationSequence = 0x0054'0022;
inline constexpr Tag RRIntervalVector = 0x0054'0060;
inline constexpr Tag TimeSlotVector = 0x0054'0070;
inline constexpr Tag SliceVector = 0x0054'0080;
inline constexpr Tag TimeSliceVector = 0x0054'0100;
inline constexpr Tag Units = 0x0054'1001;
inline constexpr Tag FrameReferenceTime = 0x0054'1300;
inline constexpr Tag DoseUnits = 0x3004'0002;
inline constexpr Tag GridFrameOffsetVector = 0x3004'000C;
inline constexpr Tag DoseGridScaling = 0x3004'000E;
inline constexpr Tag SharedFunctionalGroupsSequence = 0x5200'9229;
inline constexpr Tag PerFrameFunctionalGroupsSequence = 0x5200'9230;
inline constexpr Tag ExtendedOffsetTable = 0x7FE0'0001;
inline constexpr Tag ExtendedOffsetTableLengths = 0x7FE0'0002;
inline constexpr Tag FloatPixelData = 0x7FE0'0008;
inline constexpr Tag DoubleFloatPixelData = 0x7FE0'0009;
inline constexpr Tag PixelData = 0x7FE0'0010;
inline constexpr Tag Item = 0xFFFE'E000;
inline constexpr Tag ItemDelimitationItem = 0xFFFE'E00D;
inline constexpr Tag SequenceDelimitationItem = 0xFFFE'E0DD;

} // namespace tags

/// Whether it is PixelData, or its float or double form.
[[nodiscard]] constexpr bool holds_pixels(Tag tag) noexcept {
    return tag == tags::PixelData || tag == tags::FloatPixelData ||
           tag == tags::DoubleFloatPixelData;
}

/// Tells most tags from those that were added by one look at a table of bits; where it says that
/// one may be among them, it may still be another.
class TagFilter {
  public:
    constexpr void add(Tag tag) noexcept {
        bits_[slot(tag) / kBits] |= std::uint64_t{1} << (slot(tag) % kBits);
    }
    [[nodiscard]] constexpr bool may_have(Tag tag) const noexcept {
        return ((bits_[slot(tag) / kBits] >> (slot(tag) % kBits)) & 1U) != 0;
    }

  private:
    static constexpr std::size_t kBits = 64;
    /// The upper ten bits of a product with 2^32 divided by the golden ratio.
    static constexpr std::size_t slot(Tag tag) noexcept { return (tag * 0x9E37'79B1U) >> 22U; }

    std::array<std::uint64_t, 1024 / kBits> bits_{};
};

/// All attributes that the core reads.
[[nodiscard]] const TagFilter& known_tags() noexcept;

/// The keyword of an attribute that the core reads, else "".
[[nodiscard]] std::string_view keyword_of(Tag tag) noexcept;

/// "(0028,0010) Rows": how errors name an element.
[[nodiscard]] std::string element_name(Tag tag);

} // namespace torchdicom
