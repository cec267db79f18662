"""Native pixel data in every form that PS3.3 C.7.6.3.1 has, and the tables beside it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from builders import EXPLICIT, PIXEL_DATA, Cells, Element, Syntax, cells_to_bytes, ct_slice

if TYPE_CHECKING:
    from collections.abc import Sequence

_PALETTE_DESCRIPTOR, _PALETTE_DATA, _PALETTE_SEGMENTS = 0x00281101, 0x00281201, 0x00281221
COLOUR: dict[str, Any] = {
    "SamplesPerPixel": 3,
    "PhotometricInterpretation": "RGB",
    "PlanarConfiguration": 0,
    "RescaleIntercept": None,
    "RescaleSlope": None,
}


def native_file(
    raw: bytes,
    shape: tuple[int, int],
    *,
    allocated: int,
    stored: int | None = None,
    signed: bool = False,
    frames: int = 1,
    syntax: Syntax = EXPLICIT,
    **attributes: Any,
) -> bytes:
    """A file of pixel data given as bytes; HighBit is the highest of BitsStored unless given."""
    bits = allocated if stored is None else stored
    form: dict[str, Any] = {"Rows": shape[0], "Columns": shape[1], "BitsAllocated": allocated}
    form |= {"BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": int(signed)}
    form |= {"NumberOfFrames": frames} if frames > 1 else {}
    vr = "OB" if allocated <= 8 and syntax.explicit else "OW"
    pixels = Element(PIXEL_DATA, vr, raw + b"\0" * (len(raw) % 2))
    return ct_slice(syntax=syntax, pixel_element=pixels, **(form | attributes))


def float_file(cells: Cells, **attributes: Any) -> bytes:
    """FloatPixelData or DoubleFloatPixelData of (rows, columns) or (frames, rows, columns)."""
    double = cells.dtype.itemsize == 8
    keyword = "DoubleFloatPixelData" if double else "FloatPixelData"
    form: dict[str, Any] = {"Rows": cells.shape[-2], "Columns": cells.shape[-1]}
    form |= {"BitsAllocated": 64 if double else 32, "BitsStored": None, "HighBit": None}
    form |= {"PixelRepresentation": None, keyword: cells_to_bytes(cells)}
    form |= {"NumberOfFrames": len(cells)} if cells.ndim == 3 else {}
    return ct_slice(**(form | attributes))


def packed_bits(cells: Cells) -> bytes:
    """1 bit a pixel, the first in the lowest bit (PS3.5 8.1.1); frames run on."""
    return np.packbits(cells.astype(np.uint8).ravel(), bitorder="little").tobytes()


def packed_12_bits(cells: Cells) -> bytes:
    """12 bits a pixel one after the other, the lowest first; two pixels in three bytes."""
    flat = [int(value) & 0xFFF for value in cells.ravel()]
    whole = sum(value << (12 * at) for at, value in enumerate(flat))
    return whole.to_bytes((12 * len(flat) + 7) // 8, "little")


def with_junk(cells: Cells, stored: int, high_bit: int) -> Cells:
    """16-bit cells whose value ends at a bit, with ones and zeros in all others."""
    low = high_bit + 1 - stored
    mask = ((1 << stored) - 1) << low
    junk = np.random.default_rng(5).integers(0, 1 << 16, cells.shape)
    placed = (cells.astype(np.int64) << low) & mask
    return (placed | (junk & ~mask & 0xFFFF)).astype(np.uint16)


def ybr_422(y: Cells, cb: Cells, cr: Cells) -> bytes:
    """Two of Y, then the Cb and Cr of both (PS3.3 C.7.6.3.1.2); cb and cr have half the columns."""
    rows, columns = y.shape
    pairs = np.stack([y[:, ::2], y[:, 1::2], cb, cr], axis=-1)
    return pairs.astype(y.dtype).reshape(rows, columns * 2).tobytes()


def palette(
    channels: Sequence[Sequence[int]],
    *,
    first: int = 0,
    bits: int = 16,
    word_each: bool = True,
    signed: bool = False,
) -> list[Element]:
    """Three tables (PS3.3 C.7.6.3.1.5); entries of 8 bits stand in a word or two to a word."""
    vr = "SS" if signed else "US"
    out = []
    for at, values in enumerate(channels):
        descriptor = struct.pack("<HhH" if signed else "<HHH", len(values) % 65536, first, bits)
        packed = (
            struct.pack(f"<{len(values)}H", *values)
            if word_each
            else bytes(values) + b"\0" * (len(values) % 2)
        )
        out.append(Element(_PALETTE_DESCRIPTOR + at, vr, descriptor))
        out.append(Element(_PALETTE_DATA + at, "OW", packed))
    return out


def segmented_palette(
    channels: Sequence[Sequence[int]], entries: int, *, first: int = 0, bits: int = 16
) -> list[Element]:
    """Three tables in segments (PS3.3 C.7.9.2), each given as the words or bytes it has."""
    out = []
    for at, words in enumerate(channels):
        data = struct.pack(f"<{len(words)}{'H' if bits == 16 else 'B'}", *words)
        descriptor = struct.pack("<HHH", entries % 65536, first, bits)
        out.append(Element(_PALETTE_DESCRIPTOR + at, "US", descriptor))
        out.append(Element(_PALETTE_SEGMENTS + at, "OW", data + b"\0" * (len(data) % 2)))
    return out


def modality_lut(
    values: Sequence[int],
    *,
    first: int = 0,
    bits: int = 16,
    unit: str | None = "US",
    signed: bool = False,
) -> Element:
    """ModalityLUTSequence of one item (PS3.3 C.11.1)."""
    descriptor = struct.pack("<HhH" if signed else "<HHH", len(values) % 65536, first, bits)
    item = [Element(0x00283002, "SS" if signed else "US", descriptor)]
    if unit is not None:
        item.append(Element(0x00283004, "LO", unit))
    item.append(Element(0x00283006, "OW", struct.pack(f"<{len(values)}H", *values)))
    return Element(0x00283000, "SQ", [item])


def voi_lut(
    values: Sequence[int],
    *,
    first: int = 0,
    bits: int = 16,
    vr: str = "US",
    syntax: Syntax = EXPLICIT,
    word_each: bool = True,
) -> list[Element]:
    """An item of VOILUTSequence (PS3.3 C.11.2); entries stand in a word each, or two to a word."""
    order = syntax.order
    descriptor = struct.pack(f"{order}3H", len(values) % 65536, first & 0xFFFF, bits)
    data = struct.pack(f"{order}{len(values)}H", *values) if word_each else bytes(values)
    return [
        Element(0x00283002, vr, descriptor),
        Element(0x00283006, "OW", data + b"\0" * (len(data) % 2)),
    ]


def voi_luts(*items: list[Element]) -> Element:
    """VOILUTSequence of the given items."""
    return Element(0x00283010, "SQ", list(items))


def real_world_item(
    *,
    first: float,
    last: float,
    label: str = "map",
    unit: str = "mm2/s",
    slope: float | None = None,
    intercept: float | None = None,
    values: Sequence[float] | None = None,
    form: str = "US",
) -> list[Element]:
    """One item of RealWorldValueMappingSequence (PS3.3 C.7.6.16.2.11).

    Args:
        first: The first stored value mapped.
        last: The last one.
        label: LUTLabel.
        unit: CodeValue of the units.
        slope: Of a linear map.
        intercept: Of a linear map.
        values: Of a table.
        form: "US", "SS" or "FD": how first and last are written.
    """
    unit_code = [Element(0x00080100, "SH", unit), Element(0x00080102, "SH", "UCUM")]
    out = [Element(0x004008EA, "SQ", [unit_code]), Element(0x00409210, "SH", label)]
    if form == "FD":
        out += [Element(0x00409213, "FD", last), Element(0x00409214, "FD", first)]
    else:
        letters = {"US": "<H", "SS": "<h"}[form]
        out.append(Element(0x00409211, form, struct.pack(letters, int(last))))
        out.append(Element(0x00409216, form, struct.pack(letters, int(first))))
    if values is not None:
        out.append(Element(0x00409212, "FD", tuple(values)))
    if slope is not None:
        out.append(Element(0x00409225, "FD", slope))
    if intercept is not None:
        out.append(Element(0x00409224, "FD", intercept))
    return sorted(out, key=lambda one: one.tag)


def real_world(*items: list[Element]) -> Element:
    """RealWorldValueMappingSequence of the given items."""
    return Element(0x00409096, "SQ", list(items))


def shared(*sequences: Element) -> Element:
    """SharedFunctionalGroupsSequence with these in its item."""
    return Element(0x52009229, "SQ", [list(sequences)])
