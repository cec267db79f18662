"""Writes DICOM byte by byte, good and deliberately bad, with `struct` alone.

Values in tests are given in the builder's terms: nothing here reads DICOM back, and nothing here
comes from a library that does.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Cells = npt.NDArray[Any]
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010

# PS3.5 7.1.2: these have two reserved bytes and a 32-bit length in explicit VR.
LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "OV": "Q"}


@dataclass(frozen=True)
class Syntax:
    """How a data set is written (PS3.5 Annex A)."""

    uid: str
    explicit: bool = True
    big: bool = False
    deflated: bool = False
    encapsulated: bool = False

    @property
    def order(self) -> Literal["<", ">"]:
        """The byte order in the spelling of `struct` and numpy."""
        return ">" if self.big else "<"


def _compressed(suffix: str) -> Syntax:
    return Syntax("1.2.840.10008.1.2." + suffix, encapsulated=True)


IMPLICIT = Syntax("1.2.840.10008.1.2", explicit=False)
EXPLICIT = Syntax("1.2.840.10008.1.2.1")
BIG = Syntax("1.2.840.10008.1.2.2", big=True)
DEFLATED = Syntax("1.2.840.10008.1.2.1.99", deflated=True)
ENCAPSULATED = _compressed("1.98")
RLE = _compressed("5")
JPEG = _compressed("4.50")
JPEG_LOSSLESS = _compressed("4.70")
JPEG_LS = _compressed("4.80")
JPEG_2000 = _compressed("4.90")
UNKNOWN = Syntax("1.2.840.10008.1.2.4.100", encapsulated=True)


@dataclass(frozen=True)
class Element:
    """One data element; bytes are written as they are, so that any of it can be wrong.

    Attributes:
        tag: Group and element as one number.
        vr: The two letters; lower case or invented ones are written too.
        value: bytes, text, a number, a tuple of them, or for a sequence a list of its items.
        undefined: Write the sequence and its items with undefined length.
        claimed: The length field, where it is to lie.
    """

    tag: int
    vr: str
    value: Any
    undefined: bool = False
    claimed: int | None = None


KEYWORDS: dict[str, tuple[int, str]] = {
    "ImageType": (0x00080008, "CS"),
    "SOPClassUID": (0x00080016, "UI"),
    "SOPInstanceUID": (0x00080018, "UI"),
    "Modality": (0x00080060, "CS"),
    "Manufacturer": (0x00080070, "LO"),
    "SeriesDescription": (0x0008103E, "LO"),
    "PatientName": (0x00100010, "PN"),
    "AnatomicalOrientationType": (0x00102210, "CS"),
    "SliceThickness": (0x00180050, "DS"),
    "KVP": (0x00180060, "DS"),
    "RepetitionTime": (0x00180080, "DS"),
    "EchoTime": (0x00180081, "DS"),
    "EchoNumbers": (0x00180086, "IS"),
    "SpacingBetweenSlices": (0x00180088, "DS"),
    "FrameTime": (0x00181063, "DS"),
    "FrameTimeVector": (0x00181065, "DS"),
    "GantryDetectorTilt": (0x00181120, "DS"),
    "ExposureTime": (0x00181150, "IS"),
    "XRayTubeCurrent": (0x00181151, "IS"),
    "ImagerPixelSpacing": (0x00181164, "DS"),
    "ConvolutionKernel": (0x00181210, "SH"),
    "ReceiveCoilName": (0x00181250, "SH"),
    "FlipAngle": (0x00181314, "DS"),
    "PatientPosition": (0x00185100, "CS"),
    "SeriesInstanceUID": (0x0020000E, "UI"),
    "AcquisitionNumber": (0x00200012, "IS"),
    "InstanceNumber": (0x00200013, "IS"),
    "ImagePositionPatient": (0x00200032, "DS"),
    "ImageOrientationPatient": (0x00200037, "DS"),
    "SliceLocation": (0x00201041, "DS"),
    "SamplesPerPixel": (0x00280002, "US"),
    "PhotometricInterpretation": (0x00280004, "CS"),
    "PlanarConfiguration": (0x00280006, "US"),
    "NumberOfFrames": (0x00280008, "IS"),
    "Rows": (0x00280010, "US"),
    "Columns": (0x00280011, "US"),
    "PixelSpacing": (0x00280030, "DS"),
    "BitsAllocated": (0x00280100, "US"),
    "BitsStored": (0x00280101, "US"),
    "HighBit": (0x00280102, "US"),
    "PixelRepresentation": (0x00280103, "US"),
    # US or SS by PixelRepresentation: negative ones are given as their 16 bits.
    "PixelPaddingValue": (0x00280120, "US"),
    "PixelPaddingRangeLimit": (0x00280121, "US"),
    "WindowCenter": (0x00281050, "DS"),
    "WindowWidth": (0x00281051, "DS"),
    "RescaleIntercept": (0x00281052, "DS"),
    "RescaleSlope": (0x00281053, "DS"),
    "RescaleType": (0x00281054, "LO"),
    "VOILUTFunction": (0x00281056, "CS"),
    "ModalityLUTSequence": (0x00283000, "SQ"),
    "DoseGridScaling": (0x3004000E, "DS"),
    "Units": (0x00541001, "CS"),
    "SharedFunctionalGroupsSequence": (0x52009229, "SQ"),
    "PerFrameFunctionalGroupsSequence": (0x52009230, "SQ"),
    "AcquisitionDate": (0x00080022, "DA"),
    "AcquisitionDateTime": (0x0008002A, "DT"),
    "AcquisitionTime": (0x00080032, "TM"),
    "TriggerTime": (0x00181060, "DS"),
    "DiffusionBValue": (0x00189087, "FD"),
    "DiffusionGradientOrientation": (0x00189089, "FD"),
    "TemporalPositionIdentifier": (0x00200100, "IS"),
    "ImagesInAcquisition": (0x00201002, "IS"),
    "ConcatenationUID": (0x00209161, "UI"),
    "InConcatenationNumber": (0x00209162, "US"),
    "InConcatenationTotalNumber": (0x00209163, "US"),
    "NominalPercentageOfCardiacPhase": (0x00209241, "FL"),
    "RealWorldValueMappingSequence": (0x00409096, "SQ"),
    "EnergyWindowVector": (0x00540010, "US"),
    "DetectorVector": (0x00540020, "US"),
    "DetectorInformationSequence": (0x00540022, "SQ"),
    "RRIntervalVector": (0x00540060, "US"),
    "TimeSlotVector": (0x00540070, "US"),
    "SliceVector": (0x00540080, "US"),
    "NumberOfSlices": (0x00540081, "US"),
    "TimeSliceVector": (0x00540100, "US"),
    "FrameReferenceTime": (0x00541300, "DS"),
    "DoseUnits": (0x30040002, "CS"),
    "GridFrameOffsetVector": (0x3004000C, "DS"),
    "FloatPixelData": (0x7FE00008, "OF"),
    "DoubleFloatPixelData": (0x7FE00009, "OD"),
}

CT_IMAGE, MR_IMAGE, PET_IMAGE = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("2", "4", "128"))
DEFAULTS: dict[str, Any] = {
    "ImageType": "ORIGINAL\\PRIMARY\\AXIAL",
    "SOPClassUID": CT_IMAGE,
    "SOPInstanceUID": "1.2.3.4.1",
    "Modality": "CT",
    "SeriesDescription": "built",
    "SeriesInstanceUID": "1.2.3.4",
    "InstanceNumber": 1,
    "ImagePositionPatient": (-10, -20, 30),
    "ImageOrientationPatient": (1, 0, 0, 0, 1, 0),
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "PixelSpacing": (0.5, 0.25),
    "RescaleIntercept": -1024,
    "RescaleSlope": 1,
}


def element(keyword: str, value: Any) -> Element:
    """The element of a keyword of the table."""
    tag, vr = KEYWORDS[keyword]
    return Element(tag, vr, value)


def tag_bytes(tag: int, syntax: Syntax = EXPLICIT) -> bytes:
    """Group and element as they stand in the file."""
    return struct.pack(syntax.order + "HH", tag >> 16, tag & 0xFFFF)


def encode(elements: Sequence[Element], syntax: Syntax = EXPLICIT) -> bytes:
    """The elements one after the other, in the order given."""
    return b"".join(_encode_element(one, syntax) for one in elements)


def _encode_element(one: Element, syntax: Syntax) -> bytes:
    value = _encode_value(one, syntax)
    length = one.claimed
    if length is None:
        length = UNDEFINED if one.undefined else len(value)
    tag = tag_bytes(one.tag, syntax)
    if not syntax.explicit:
        return tag + struct.pack(syntax.order + "I", length) + value
    if one.vr in LONG_VRS:
        return tag + one.vr.encode() + struct.pack(syntax.order + "HI", 0, length) + value
    return tag + one.vr.encode() + struct.pack(syntax.order + "H", length) + value


def _encode_value(one: Element, syntax: Syntax) -> bytes:
    value = one.value
    if isinstance(value, bytes):
        return value
    if isinstance(value, list):
        return _encode_items(one, syntax)
    values = value if isinstance(value, tuple) else (value,)
    if one.vr in NUMBERS:
        return struct.pack(f"{syntax.order}{len(values)}{NUMBERS[one.vr]}", *values)
    text = "\\".join(str(part) for part in values).encode()
    return text + (b"\0" if one.vr == "UI" else b" ") * (len(text) % 2)


def _encode_items(one: Element, syntax: Syntax) -> bytes:
    contents = [encode(elements, syntax) for elements in one.value]
    if not one.undefined:
        return b"".join(item(content, syntax) for content in contents)
    end = item(b"", syntax, tag=ITEM_END)
    out = b"".join(item(content, syntax, UNDEFINED) + end for content in contents)
    return out + item(b"", syntax, tag=SEQUENCE_END)


def item(
    content: bytes, syntax: Syntax = EXPLICIT, claimed: int | None = None, tag: int = ITEM
) -> bytes:
    """An item or delimiter (PS3.5 7.5): never with a VR."""
    length = len(content) if claimed is None else claimed
    return tag_bytes(tag, syntax) + struct.pack(syntax.order + "I", length) + content


def sequence(tag: int, *items: list[Element], undefined: bool = False) -> Element:
    """A sequence of the given items."""
    return Element(tag, "SQ", list(items), undefined)


def icon(syntax: Syntax = EXPLICIT, *, undefined: bool = True) -> Element:
    """An icon image sequence that holds pixel data of its own (PS3.3 F.7)."""
    pixels = Element(PIXEL_DATA, "OW", cells_to_bytes(np.full((2, 2), 9999, np.uint16), syntax))
    inner = [element("Rows", 2), element("Columns", 2), element("BitsAllocated", 16), pixels]
    return sequence(0x00880200, inner, undefined=undefined)


def cells_to_bytes(cells: Cells, syntax: Syntax = EXPLICIT) -> bytes:
    """Cells in the byte order of the syntax."""
    return cells.astype(cells.dtype.newbyteorder(syntax.order)).tobytes()


def meta_group(ts_uid: str | None, meta_class: str = CT_IMAGE) -> bytes:
    """Group 2 (PS3.10 7.1), always explicit little endian."""
    elements = [Element(0x00020001, "OB", b"\0\1"), Element(0x00020002, "UI", meta_class)]
    if ts_uid is not None:
        elements.append(Element(0x00020010, "UI", ts_uid))
    rest = encode(elements)
    return encode([Element(0x00020000, "UL", len(rest))]) + rest


def part10(
    data_set: bytes,
    syntax: Syntax = EXPLICIT,
    *,
    preamble: bool = True,
    meta: bool = True,
    ts_uid: bool = True,
    meta_class: str = CT_IMAGE,
) -> bytes:
    """A data set with what stands in front of it in a file."""
    if syntax.deflated:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data_set = packer.compress(data_set) + packer.flush()
        data_set += b"\0" * (len(data_set) % 2)
    front = bytes(128) + b"DICM" if preamble else b""
    front += meta_group(syntax.uid if ts_uid else None, meta_class) if meta else b""
    return front + data_set


def default_pixels() -> Cells:
    """3 rows, 4 columns: 0 to 11."""
    return np.arange(12, dtype=np.int16).reshape(3, 4)


def ct_elements(
    pixels: Cells | bytes | None = None,
    *,
    syntax: Syntax = EXPLICIT,
    extra: Sequence[Element] = (),
    pixel_element: Element | None = None,
    **attributes: Any,
) -> list[Element]:
    """The elements of `ct_slice`, sorted by tag."""
    cells = pixels if isinstance(pixels, np.ndarray) else default_pixels()
    values = {**DEFAULTS, **_pixel_format(cells), **attributes}
    elements = [element(k, v) for k, v in values.items() if v is not None] + list(extra)
    if pixel_element is not None:
        elements.append(pixel_element)
    elif not (syntax.encapsulated or values.keys() & {"FloatPixelData", "DoubleFloatPixelData"}):
        raw = pixels if isinstance(pixels, bytes) else cells_to_bytes(cells, syntax)
        vr = "OB" if cells.dtype.itemsize == 1 and syntax.explicit else "OW"
        elements.append(Element(PIXEL_DATA, vr, raw + b"\0" * (len(raw) % 2)))
    return sorted(elements, key=lambda one: one.tag)


def _pixel_format(cells: Cells) -> dict[str, int]:
    bits = cells.dtype.itemsize * 8
    rows, columns = cells.shape[-2:]
    form = {"Rows": rows, "Columns": columns, "BitsAllocated": bits, "BitsStored": bits}
    form |= {"HighBit": bits - 1, "PixelRepresentation": int(cells.dtype.kind == "i")}
    return form | ({"NumberOfFrames": len(cells)} if cells.ndim == 3 else {})


def ct_slice(
    pixels: Cells | bytes | None = None,
    *,
    syntax: Syntax = EXPLICIT,
    preamble: bool = True,
    meta: bool = True,
    ts_uid: bool = True,
    meta_class: str = CT_IMAGE,
    extra: Sequence[Element] = (),
    pixel_element: Element | None = None,
    **attributes: Any,
) -> bytes:
    """One file: a sound CT slice but for what the call says.

    Args:
        pixels: Cells of shape (rows, columns) or (frames, rows, columns), or the value as bytes.
        syntax: How to write the data set.
        preamble: Write the 128 bytes and ``DICM``.
        meta: Write group 2.
        ts_uid: Write TransferSyntaxUID in it.
        meta_class: MediaStorageSOPClassUID in it.
        extra: More elements; sorted in.
        pixel_element: Takes the place of the pixel data, see `encapsulated`.
        **attributes: Values by DICOM keyword; None leaves the attribute out.
    """
    elements = ct_elements(
        pixels, syntax=syntax, extra=extra, pixel_element=pixel_element, **attributes
    )
    front: dict[str, Any] = {"preamble": preamble, "meta": meta, "ts_uid": ts_uid}
    return part10(encode(elements, syntax), syntax, meta_class=meta_class, **front)


def axial(*z: float) -> list[tuple[float, float, float]]:
    """Positions one above the other."""
    return [(0, 0, value) for value in z]


def write_series(
    folder: Path,
    n: int,
    *,
    step_mm: float = 2.5,
    names: Sequence[str] | None = None,
    pixels: Sequence[Cells] | None = None,
    **attributes: Any,
) -> list[Path]:
    """An axial series of n files; a list among the attributes has one value for each slice.

    Slice i holds the values 100 * i + 0 .. 11 unless `pixels` says otherwise.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for i in range(n):
        values: dict[str, Any] = {
            "SOPInstanceUID": f"1.2.3.4.{i + 1}",
            "InstanceNumber": i + 1,
            "ImagePositionPatient": (-10, -20, 30 + i * step_mm),
        }
        values |= {k: v[i] if isinstance(v, list) else v for k, v in attributes.items()}
        cells = default_pixels() + np.int16(100 * i) if pixels is None else pixels[i]
        path = folder / (names[i] if names is not None else f"{i:04}.dcm")
        path.write_bytes(ct_slice(cells, **values))
        paths.append(path)
    return paths


def offset_of(data: bytes, tag: int, syntax: Syntax = EXPLICIT) -> int:
    """Where an element starts; its four bytes must stand there only once."""
    wanted = tag_bytes(tag, syntax)
    if data.count(wanted) != 1:
        msg = f"{tag:08X} occurs {data.count(wanted)} times"
        raise ValueError(msg)
    return data.index(wanted)
