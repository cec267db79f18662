"""Images of every pixel form, palettes, lookup tables and real-world maps, for the reference."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from builders import (
    EXPLICIT,
    PIXEL_DATA,
    Cells,
    Element,
    Syntax,
    ct_slice,
    sequence,
)
from builders_frames import encapsulated, even

if TYPE_CHECKING:
    from collections.abc import Sequence


def compressed(number: str) -> Syntax:
    """A transfer syntax whose frames are in fragments, by the end of its UID."""
    return Syntax(f"1.2.840.10008.1.2.{number}", encapsulated=True)


DEFLATED_FRAME = compressed("8.1")
JPEG_12, JPEG_XL, HTJ2K = compressed("4.51"), compressed("4.110"), compressed("4.201")

RGB: dict[str, Any] = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}
RGB |= {"PlanarConfiguration": 0}
NO_RESCALE: dict[str, Any] = {"RescaleSlope": None, "RescaleIntercept": None}


def form(rows: int, columns: int, allocated: int, **attributes: Any) -> dict[str, Any]:
    """The attributes of unsigned pixels that use all their bits, unless others are given."""
    stored = attributes.get("BitsStored", allocated)
    values = {"Rows": rows, "Columns": columns, "BitsAllocated": allocated, "BitsStored": stored}
    return values | {"HighBit": stored - 1, "PixelRepresentation": 0} | attributes


def native(value: bytes, syntax: Syntax = EXPLICIT, vr: str = "OW", **attributes: Any) -> bytes:
    """A file with the value of its pixel data as it is, and what `form` gives as attributes."""
    element = Element(PIXEL_DATA, vr, even(value))
    return ct_slice(syntax=syntax, pixel_element=element, **attributes)


def framed(syntax: Syntax, *frames: bytes | Sequence[bytes], **attributes: Any) -> bytes:
    """A file of encapsulated frames, each one fragment or several."""
    parts = [[even(one)] if isinstance(one, bytes) else [*map(even, one)] for one in frames]
    if len(parts) > 1:
        attributes = {"NumberOfFrames": len(parts)} | attributes
    return ct_slice(syntax=syntax, pixel_element=encapsulated(parts), **attributes)


def words(*numbers: int, order: str = "<") -> bytes:
    """Numbers of 16 bits."""
    return np.array(numbers).astype(f"{order}u2").tobytes()


def palette(
    tables: Sequence[bytes], entries: int, first: int, bits: int, *, segmented: bool = False
) -> list[Element]:
    """The elements of a palette of a red, a green and a blue table."""
    data = 0x00281221 if segmented else 0x00281201
    descriptor = struct.pack("<HHH", entries, first & 0xFFFF, bits)
    return [
        *(Element(0x00281101 + i, "US", descriptor) for i in range(3)),
        *(Element(data + i, "OW", one) for i, one in enumerate(tables)),
    ]


def modality_lut(
    data: bytes, entries: int, first: int, bits: int = 16, kind: str = "OD", **options: Any
) -> Element:
    """A Modality LUT (PS3.3 C.11.1)."""
    descriptor = struct.pack("<HHH", entries, first & 0xFFFF, bits)
    item = [
        Element(0x00283002, "US", options.get("descriptor", descriptor)),
        Element(0x00283004, "LO", kind),
        Element(0x00283006, "OW", data),
    ]
    return sequence(0x00283000, item, undefined=options.get("undefined", False))


def real_world_item(
    label: str,
    first: float,
    last: float,
    slope: float | None = None,
    intercept: float | None = None,
    lut: Cells | None = None,
    unit: str = "cm2/s",
    *,
    doubles: bool = False,
) -> list[Element]:
    """One item of RealWorldValueMappingSequence, its bounds in 16 bits or in doubles."""
    code = sequence(0x004008EA, [Element(0x00080100, "SH", unit)])
    item = [code, Element(0x00409210, "SH", label)]
    if doubles:
        item += [Element(0x00409213, "FD", last), Element(0x00409214, "FD", first)]
    else:
        item += [Element(0x00409211, "US", int(last) & 0xFFFF)]
        item += [Element(0x00409216, "US", int(first) & 0xFFFF)]
    if lut is not None:
        item.append(Element(0x00409212, "FD", lut.astype("<f8").tobytes()))
    if intercept is not None:
        item.append(Element(0x00409224, "FD", intercept))
    if slope is not None:
        item.append(Element(0x00409225, "FD", slope))
    return sorted(item, key=lambda one: one.tag)


def real_world(*items: list[Element], shared: bool = False) -> Element:
    """RealWorldValueMappingSequence, at the top level or in the shared functional groups."""
    maps = sequence(0x00409096, *items)
    return sequence(0x52009229, [maps], undefined=True) if shared else maps
