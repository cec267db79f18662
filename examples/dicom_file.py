"""A DICOM file of one image, as the generated data of the examples needs it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

_EXPLICIT: Final = "1.2.840.10008.1.2.1"
# Tag and value representation (PS3.6) of what is written, ascending.
_ELEMENTS: Final[dict[str, tuple[int, str]]] = {
    "SOPClassUID": (0x00080016, "UI"),
    "SOPInstanceUID": (0x00080018, "UI"),
    "SeriesDate": (0x00080021, "DA"),
    "AcquisitionDate": (0x00080022, "DA"),
    "SeriesTime": (0x00080031, "TM"),
    "AcquisitionTime": (0x00080032, "TM"),
    "Modality": (0x00080060, "CS"),
    "PatientID": (0x00100020, "LO"),
    "PatientWeight": (0x00101030, "DS"),
    "RadiopharmaceuticalStartTime": (0x00181072, "TM"),
    "RadionuclideTotalDose": (0x00181074, "DS"),
    "RadionuclideHalfLife": (0x00181075, "DS"),
    "SeriesInstanceUID": (0x0020000E, "UI"),
    "InstanceNumber": (0x00200013, "IS"),
    "ImagePositionPatient": (0x00200032, "DS"),
    "ImageOrientationPatient": (0x00200037, "DS"),
    "SamplesPerPixel": (0x00280002, "US"),
    "PhotometricInterpretation": (0x00280004, "CS"),
    "Rows": (0x00280010, "US"),
    "Columns": (0x00280011, "US"),
    "PixelSpacing": (0x00280030, "DS"),
    "CorrectedImage": (0x00280051, "CS"),
    "BitsAllocated": (0x00280100, "US"),
    "BitsStored": (0x00280101, "US"),
    "HighBit": (0x00280102, "US"),
    "PixelRepresentation": (0x00280103, "US"),
    "WindowCenter": (0x00281050, "DS"),
    "WindowWidth": (0x00281051, "DS"),
    "RescaleIntercept": (0x00281052, "DS"),
    "RescaleSlope": (0x00281053, "DS"),
    "RadiopharmaceuticalInformationSequence": (0x00540016, "SQ"),
    "Units": (0x00541001, "CS"),
    "DecayCorrection": (0x00541102, "CS"),
    "PixelData": (0x7FE00010, "OW"),
}


def write_dicom(path: Path, cells: np.ndarray[Any, Any], **attributes: Any) -> None:
    """Write one gray image, explicit VR little endian.

    Args:
        path: The file; its folder is made.
        cells: 16-bit integers (rows, columns).
        **attributes: Values by keyword, tuples for several, a dict for the item of a sequence.
    """
    bits = attributes.pop("BitsStored", 16)
    values = {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": cells.shape[0],
        "Columns": cells.shape[1],
        "BitsAllocated": 16,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(cells.dtype.kind == "i"),
        "PixelData": cells.astype("<" + cells.dtype.str[1:]).tobytes(),
        **attributes,
    }
    meta = _element(0x00020002, "UI", values["SOPClassUID"])
    meta += _element(0x00020003, "UI", values["SOPInstanceUID"])
    meta += _element(0x00020010, "UI", _EXPLICIT)
    meta = _element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(128) + b"DICM" + meta + _data_set(values))


def _data_set(values: Mapping[str, Any]) -> bytes:
    return b"".join(
        _element(tag, vr, values[keyword])
        for keyword, (tag, vr) in _ELEMENTS.items()
        if keyword in values
    )


def _element(tag: int, vr: str, value: Any) -> bytes:
    """PS3.5 7.1.2."""
    content = value if isinstance(value, bytes) else _encoded(vr, value)
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    length = struct.pack("<2xI" if vr in {"OW", "SQ"} else "<H", len(content))
    return head + length + content


def _encoded(vr: str, value: Any) -> bytes:
    if vr == "US":
        return struct.pack("<H", value)
    if vr == "SQ":  # of one item, PS3.5 7.5
        content = _data_set(value)
        return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content
    text = "\\".join(map(str, value if isinstance(value, tuple) else (value,))).encode()
    return text + (b"\0" if vr == "UI" else b" ") * (len(text) % 2)
