"""The elements that are read, by keyword (PS3.6), and how an error names an element."""

from __future__ import annotations

from typing import Final

from torchdicom._metadata import METADATA

# Where frames lie, and when they were taken: read where a file is divided into its frames, and for
# the axis of time. `read_header` looks at no value of them.
_OF_FRAMES: Final[dict[str, int]] = {
    "AcquisitionDate": 0x0008_0022,
    "AcquisitionDateTime": 0x0008_002A,
    "AcquisitionTime": 0x0008_0032,
    "FrameType": 0x0008_9007,
    "ComplexImageComponent": 0x0008_9208,
    "SpacingBetweenSlices": 0x0018_0088,
    "TriggerTime": 0x0018_1060,
    "MRReceiveCoilSequence": 0x0018_9042,
    "FrameAcquisitionDateTime": 0x0018_9074,
    "DiffusionGradientDirectionSequence": 0x0018_9076,
    "EffectiveEchoTime": 0x0018_9082,
    "DiffusionBValue": 0x0018_9087,
    "DiffusionGradientOrientation": 0x0018_9089,
    "MRTimingAndRelatedParametersSequence": 0x0018_9112,
    "MREchoSequence": 0x0018_9114,
    "MRDiffusionSequence": 0x0018_9117,
    "CardiacSynchronizationSequence": 0x0018_9118,
    "MRImageFrameTypeSequence": 0x0018_9226,
    "CTImageFrameTypeSequence": 0x0018_9329,
    "PETFrameTypeSequence": 0x0018_9751,
    "USImageDescriptionSequence": 0x0018_9806,
    "AcquisitionNumber": 0x0020_0012,
    "TemporalPositionIdentifier": 0x0020_0100,
    "StackID": 0x0020_9056,
    "FrameContentSequence": 0x0020_9111,
    "PlanePositionSequence": 0x0020_9113,
    "PlaneOrientationSequence": 0x0020_9116,
    "TemporalPositionIndex": 0x0020_9128,
    "NominalCardiacTriggerDelayTime": 0x0020_9153,
    "FrameAcquisitionNumber": 0x0020_9156,
    "ConcatenationUID": 0x0020_9161,
    "InConcatenationTotalNumber": 0x0020_9163,
    "NominalPercentageOfCardiacPhase": 0x0020_9241,
    "ImagePositionVolume": 0x0020_9301,
    "ImageOrientationVolume": 0x0020_9302,
    "TemporalPositionTimeOffset": 0x0020_930D,
    "PlanePositionVolumeSequence": 0x0020_930E,
    "PlaneOrientationVolumeSequence": 0x0020_930F,
    "TemporalPositionSequence": 0x0020_9310,
    "PixelMeasuresSequence": 0x0028_9110,
    "FrameVOILUTSequence": 0x0028_9132,
    "PixelValueTransformationSequence": 0x0028_9145,
    "FramePixelDataPropertiesSequence": 0x0028_9443,
    "ParametricMapFrameTypeSequence": 0x0040_9092,
    "EnergyWindowVector": 0x0054_0010,
    "DetectorVector": 0x0054_0020,
    "DetectorInformationSequence": 0x0054_0022,
    "RRIntervalVector": 0x0054_0060,
    "TimeSlotVector": 0x0054_0070,
    "SliceVector": 0x0054_0080,
    "TimeSliceVector": 0x0054_0100,
    "FrameReferenceTime": 0x0054_1300,
    "DoseUnits": 0x3004_0002,
    "GridFrameOffsetVector": 0x3004_000C,
}

TAGS: Final[dict[str, int]] = {
    **_OF_FRAMES,
    **{keyword: tag for keyword, (tag, _) in METADATA.items()},
    "SpecificCharacterSet": 0x0008_0005,
    "ImageType": 0x0008_0008,
    "SOPInstanceUID": 0x0008_0018,
    "CodeValue": 0x0008_0100,
    "SeriesDescription": 0x0008_103E,
    "EchoNumbers": 0x0018_0086,
    "FrameTime": 0x0018_1063,
    "FrameTimeVector": 0x0018_1065,
    "ImagerPixelSpacing": 0x0018_1164,
    "ReceiveCoilName": 0x0018_1250,
    "InstanceNumber": 0x0020_0013,
    "ImagePositionPatient": 0x0020_0032,
    "ImageOrientationPatient": 0x0020_0037,
    "SamplesPerPixel": 0x0028_0002,
    "PhotometricInterpretation": 0x0028_0004,
    "PlanarConfiguration": 0x0028_0006,
    "NumberOfFrames": 0x0028_0008,
    "Rows": 0x0028_0010,
    "Columns": 0x0028_0011,
    "PixelSpacing": 0x0028_0030,
    "BitsAllocated": 0x0028_0100,
    "BitsStored": 0x0028_0101,
    "HighBit": 0x0028_0102,
    "PixelRepresentation": 0x0028_0103,
    "PixelPaddingValue": 0x0028_0120,
    "PixelPaddingRangeLimit": 0x0028_0121,
    "WindowCenter": 0x0028_1050,
    "WindowWidth": 0x0028_1051,
    "RescaleIntercept": 0x0028_1052,
    "RescaleSlope": 0x0028_1053,
    "RescaleType": 0x0028_1054,
    "VOILUTFunction": 0x0028_1056,
    "RedPaletteColorLookupTableDescriptor": 0x0028_1101,
    "GreenPaletteColorLookupTableDescriptor": 0x0028_1102,
    "BluePaletteColorLookupTableDescriptor": 0x0028_1103,
    "RedPaletteColorLookupTableData": 0x0028_1201,
    "GreenPaletteColorLookupTableData": 0x0028_1202,
    "BluePaletteColorLookupTableData": 0x0028_1203,
    "SegmentedRedPaletteColorLookupTableData": 0x0028_1221,
    "SegmentedGreenPaletteColorLookupTableData": 0x0028_1222,
    "SegmentedBluePaletteColorLookupTableData": 0x0028_1223,
    "ModalityLUTSequence": 0x0028_3000,
    "LUTDescriptor": 0x0028_3002,
    "ModalityLUTType": 0x0028_3004,
    "LUTData": 0x0028_3006,
    "VOILUTSequence": 0x0028_3010,
    "MeasurementUnitsCodeSequence": 0x0040_08EA,
    "RealWorldValueMappingSequence": 0x0040_9096,
    "LUTLabel": 0x0040_9210,
    "RealWorldValueLastValueMapped": 0x0040_9211,
    "RealWorldValueLUTData": 0x0040_9212,
    "DoubleFloatRealWorldValueLastValueMapped": 0x0040_9213,
    "DoubleFloatRealWorldValueFirstValueMapped": 0x0040_9214,
    "RealWorldValueFirstValueMapped": 0x0040_9216,
    "RealWorldValueIntercept": 0x0040_9224,
    "RealWorldValueSlope": 0x0040_9225,
    "Units": 0x0054_1001,
    "DoseGridScaling": 0x3004_000E,
    "SharedFunctionalGroupsSequence": 0x5200_9229,
    "PerFrameFunctionalGroupsSequence": 0x5200_9230,
    "ExtendedOffsetTable": 0x7FE0_0001,
    "ExtendedOffsetTableLengths": 0x7FE0_0002,
    "FloatPixelData": 0x7FE0_0008,
    "DoubleFloatPixelData": 0x7FE0_0009,
    "PixelData": 0x7FE0_0010,
    "Item": 0xFFFE_E000,
    "ItemDelimitationItem": 0xFFFE_E00D,
    "SequenceDelimitationItem": 0xFFFE_E0DD,
}

PIXEL_TAGS: Final = frozenset(
    TAGS[keyword] for keyword in ("FloatPixelData", "DoubleFloatPixelData", "PixelData")
)

# Of these nothing but the text is handed on.
_METADATA_ONLY: Final = frozenset(
    """Manufacturer ManufacturerModelName AnatomicalOrientationType BodyPartExamined KVP
    MagneticFieldStrength ConvolutionKernel PatientPosition ViewPosition
    ImageLaterality""".split()
)
# What is read for one output alone harms no other.
_ASKED_FOR: Final = frozenset("WindowCenter WindowWidth VOILUTFunction VOILUTSequence".split())
READ_TAGS: Final = frozenset(
    tag for name, tag in TAGS.items() if name not in _METADATA_ONLY | _ASKED_FOR
)

# In an item nothing that is read is there twice.
KNOWN_TAGS: Final = READ_TAGS | {TAGS[name] for name in _ASKED_FOR}

_KEYWORDS: Final = {tag: keyword for keyword, tag in TAGS.items()}


def element_name(tag: int | str) -> str:
    """How errors name an element: ``"(0028,0010) Rows"``, or the tag alone where it is not read."""
    number = TAGS[tag] if isinstance(tag, str) else tag
    name = f"({number >> 16:04X},{number & 0xFFFF:04X})"
    return f"{name} {_KEYWORDS[number]}" if number in _KEYWORDS else name
