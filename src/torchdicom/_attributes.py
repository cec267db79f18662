"""Which attributes an index keeps because the caller named them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# PS3.6. What is often asked for, and is not in an index by itself: much of it may identify a
# person. Anything else goes by its tag.
_NAMED: Final[dict[str, int]] = {
    "InstanceCreationDate": 0x0008_0012,
    "InstanceCreationTime": 0x0008_0013,
    "StudyDate": 0x0008_0020,
    "SeriesDate": 0x0008_0021,
    "AcquisitionDate": 0x0008_0022,
    "ContentDate": 0x0008_0023,
    "AcquisitionDateTime": 0x0008_002A,
    "StudyTime": 0x0008_0030,
    "SeriesTime": 0x0008_0031,
    "AcquisitionTime": 0x0008_0032,
    "ContentTime": 0x0008_0033,
    "AccessionNumber": 0x0008_0050,
    "ConversionType": 0x0008_0064,
    "PresentationIntentType": 0x0008_0068,
    "InstitutionName": 0x0008_0080,
    "StationName": 0x0008_1010,
    "StudyDescription": 0x0008_1030,
    "SeriesDescription": 0x0008_103E,
    "DerivationDescription": 0x0008_2111,
    "PatientName": 0x0010_0010,
    "PatientID": 0x0010_0020,
    "PatientBirthDate": 0x0010_0030,
    "PatientSex": 0x0010_0040,
    "PatientAge": 0x0010_1010,
    "PatientSize": 0x0010_1020,
    "PatientWeight": 0x0010_1030,
    "ContrastBolusAgent": 0x0018_0010,
    "ScanningSequence": 0x0018_0020,
    "SequenceVariant": 0x0018_0021,
    "ScanOptions": 0x0018_0022,
    "MRAcquisitionType": 0x0018_0023,
    "SequenceName": 0x0018_0024,
    "InversionTime": 0x0018_0082,
    "NumberOfAverages": 0x0018_0083,
    "ImagingFrequency": 0x0018_0084,
    "SpacingBetweenSlices": 0x0018_0088,
    "EchoTrainLength": 0x0018_0091,
    "PixelBandwidth": 0x0018_0095,
    "DeviceSerialNumber": 0x0018_1000,
    "SoftwareVersions": 0x0018_1020,
    "ProtocolName": 0x0018_1030,
    "TriggerTime": 0x0018_1060,
    "ReconstructionDiameter": 0x0018_1100,
    "GantryDetectorTilt": 0x0018_1120,
    "ExposureTime": 0x0018_1150,
    "XRayTubeCurrent": 0x0018_1151,
    "Exposure": 0x0018_1152,
    "FilterType": 0x0018_1160,
    "StudyInstanceUID": 0x0020_000D,
    "StudyID": 0x0020_0010,
    "SeriesNumber": 0x0020_0011,
    "AcquisitionNumber": 0x0020_0012,
    "FrameOfReferenceUID": 0x0020_0052,
    "Laterality": 0x0020_0060,
    "TemporalPositionIdentifier": 0x0020_0100,
    "SliceLocation": 0x0020_1041,
    "ImageComments": 0x0020_4000,
    "BurnedInAnnotation": 0x0028_0301,
    "WindowCenter": 0x0028_1050,
    "WindowWidth": 0x0028_1051,
    "LossyImageCompression": 0x0028_2110,
    "PatientOrientation": 0x0020_0020,
    "CorrectedImage": 0x0028_0051,
    "DecayCorrection": 0x0054_1102,
}

# (0010,1010), with or without the brackets.
_TAG: Final = re.compile(r"\(?([0-9A-Fa-f]{4}), ?([0-9A-Fa-f]{4})\)?")
_FIRST, _LAST = 0x0008_0000, 0x7FE0_0000  # a data set's, as far as a scan reads it


class Attribute(NamedTuple):
    """An attribute that was named.

    Attributes:
        name: Its column: the keyword, or "(gggg,eeee)".
        tag: Group and element as one number; None where every index has the column.
    """

    name: str
    tag: int | None


def attributes(names: Iterable[str], present: Collection[str]) -> tuple[Attribute, ...]:
    """The attributes of `include_metadata`, each once.

    Args:
        names: DICOM keywords, or tags as "(gggg,eeee)".
        present: The keywords that every index has as columns.

    Raises:
        TypeError: If the names are not strings in a list.
        ValueError: If a keyword is not known, or a tag can't be read by a scan.
    """
    if isinstance(names, str):
        msg = f"include_metadata must be a list of keywords, not a str: [{names!r}]"
        raise TypeError(msg)
    return tuple(dict.fromkeys(_attribute(name, present) for name in names))


def _attribute(name: object, present: Collection[str]) -> Attribute:
    if not isinstance(name, str):
        msg = f"include_metadata must hold keywords, not {type(name).__name__}"
        raise TypeError(msg)
    if name in present:
        return Attribute(name, None)
    if name in _NAMED:
        return Attribute(name, _NAMED[name])
    match = _TAG.fullmatch(name)
    if match is None:
        msg = (
            f"include_metadata has {name!r}, which is no keyword that torchdicom knows. "
            "Name the attribute by its tag, such as '(0010,1010)'"
        )
        raise ValueError(msg)
    tag = int(match[1] + match[2], 16)
    if not _FIRST <= tag < _LAST:
        msg = f"include_metadata has {name!r}, which is no attribute in front of the pixels"
        raise ValueError(msg)
    known = (keyword for keyword, number in _NAMED.items() if number == tag)
    return Attribute(next(known, f"({match[1]},{match[2]})".upper()), tag)
