"""The tables of a file that turn its stored values into others: LUTs, palettes, real-world maps.

They are read when its pixels are used, so that a damaged table is no matter to a scan.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from torchdicom._reference._elements import parse
from torchdicom._reference._palette import expand
from torchdicom._reference._sources import read_again
from torchdicom._reference._tags import TAGS
from torchdicom._reference._values import Values

if TYPE_CHECKING:
    from torchdicom._reference._header import FileHeader

Array = np.ndarray[Any, np.dtype[Any]]

# A table has up to 65,536 entries of two bytes; the segments of one may take a little more.
_MAX_DATA_LENGTH: Final = 4 * 65_536
_COLORS: Final = ("Red", "Green", "Blue")


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A lookup table.

    Attributes:
        first: The stored value of the first entry; all below have it too.
        values: The entries; all stored values above have the last one.
    """

    first: int
    values: Array

    def look_up(self, stored: Array) -> Array:
        """The entries of stored values."""
        index = np.clip(stored.astype(np.int64) - self.first, 0, len(self.values) - 1)
        looked_up: Array = self.values[index]
        return looked_up


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """The colours of PALETTE COLOR: one table a channel, and the bits of an entry."""

    channels: tuple[Table, ...]
    bits: int


@dataclass(frozen=True, slots=True, eq=False)
class ModalityLut:
    """The Modality LUT (PS3.3 C.11.1.1): its table, and ModalityLUTType or None."""

    table: Table
    type: str | None


@dataclass(frozen=True, slots=True, eq=False)
class RealWorldMap:
    """One item of RealWorldValueMappingSequence (PS3.3 C.7.6.16.2.11).

    Attributes:
        label: LUTLabel.
        units: CodeValue of MeasurementUnitsCodeSequence, or None.
        first: Stored values from here on ...
        last: ... to here have a real-world value.
        slope: Of a linear map.
        intercept: Of a linear map.
        table: Of a map that is none.
    """

    label: str
    units: str | None
    first: float
    last: float
    slope: float = 1.0
    intercept: float = 0.0
    table: Table | None = None


def values_of(file: FileHeader) -> Values:
    """The elements of a file, read again.

    Raises:
        ParseError: ``file_changed``.
        OSError: If the file cannot be read.
    """
    return Values(parse(read_again(file.source, file.stamp), file.path), file.path)


def modality_lut(values: Values) -> ModalityLut | None:
    """The first Modality LUT of a file; None where there is none.

    Raises:
        ParseError: ``missing_element``, ``invalid_value``.
    """
    items = values.items("ModalityLUTSequence")
    if not items:
        return None
    first, entries, bits = _descriptor(items[0], "LUTDescriptor", is_signed=_is_signed(values))
    if not 8 <= bits <= 16:
        msg = f"The LUT's entries have {bits} bits, and 8 to 16 are possible"
        raise items[0].error(msg, "invalid_value", "LUTDescriptor")
    table = Table(first, _entries(items[0], "LUTData", entries, bits))
    return ModalityLut(table, items[0].text("ModalityLUTType"))


def palette(values: Values) -> Palette:
    """The palette of a file (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6 and C.7.9.2).

    Raises:
        ParseError: ``missing_element``, ``invalid_value``.
    """
    is_signed = _is_signed(values)
    names = [f"{color}PaletteColorLookupTable" for color in _COLORS]
    descriptors = [_descriptor(values, f"{n}Descriptor", is_signed=is_signed) for n in names]
    for name, ((_, *one), (_, *other)) in zip(names[1:], pairwise(descriptors), strict=True):
        if one != other:
            msg = f"The channels of the palette have {one} and {other} entries and bits"
            raise values.error(msg, "invalid_value", f"{name}Descriptor")
    channels = []
    for name, (first, entries, bits) in zip(names, descriptors, strict=True):
        if bits not in {8, 16}:
            msg = f"The palette's entries have {bits} bits, and 8 and 16 are possible"
            raise values.error(msg, "invalid_value", f"{name}Descriptor")
        channels.append(Table(first, _palette_entries(values, name, entries, bits)))
    return Palette(tuple(channels), descriptors[0][2])


def real_world_maps(values: Values, *, is_float: bool) -> list[RealWorldMap]:
    """The real-world maps of all frames: at the top level, else in the shared groups.

    Raises:
        ParseError: ``missing_element``, and what is wrong with the sequences.
    """
    items = values.items("RealWorldValueMappingSequence")
    if not items:
        shared = values.items("SharedFunctionalGroupsSequence")
        items = [item for one in shared for item in one.items("RealWorldValueMappingSequence")]
    is_signed = _is_signed(values)
    return [_real_world_map(item, is_float=is_float, is_signed=is_signed) for item in items]


def has_frame_wise_rescale(values: Values) -> bool:
    """Whether a functional group, shared or of a frame, has a slope and intercept of its own."""
    return any(
        TAGS["PixelValueTransformationSequence"] in item.data_set.elements
        for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
        for item in values.items(keyword)
    )


def _is_signed(values: Values) -> bool:
    return values.short("PixelRepresentation") == 1


def _signed(number: int) -> int:
    return number - 0x1_0000 if number >= 0x8000 else number


def _descriptor(values: Values, keyword: str, *, is_signed: bool) -> tuple[int, int, int]:
    """The first stored value of a table, its number of entries, and their bits."""
    numbers = values.shorts(keyword)
    if not numbers:
        msg = f"There is no {keyword}"
        raise values.error(msg, "missing_element", keyword)
    if len(numbers) != 3:
        msg = f"{keyword} has {len(numbers)} values, and a descriptor has three"
        raise values.error(msg, "invalid_value", keyword)
    entries, first, bits = numbers
    return _signed(first) if is_signed else first, entries or 65_536, bits


def _palette_entries(values: Values, name: str, entries: int, bits: int) -> Array:
    segmented = f"Segmented{name}Data"
    if TAGS[f"{name}Data"] in values.data_set.elements:
        return _entries(values, f"{name}Data", entries, bits)
    if TAGS[segmented] not in values.data_set.elements:
        msg = "The palette has no entries"
        raise values.error(msg, "missing_element", f"{name}Data")
    data = values.bytes_of(segmented, _MAX_DATA_LENGTH)
    expanded = expand(data, entries, bits, big=values.data_set.encoding.big)
    if isinstance(expanded, str):
        raise values.error(expanded, "invalid_value", segmented)
    return expanded


def _entries(values: Values, keyword: str, entries: int, bits: int) -> Array:
    """The entries of a table, of 8 bits two to a word or one."""
    data = values.bytes_of(keyword, _MAX_DATA_LENGTH)
    if not data:
        msg = "The lookup table has no entries"
        raise values.error(msg, "missing_element", keyword)
    order = ">" if values.data_set.encoding.big else "<"
    words = np.frombuffer(data, f"{order}u2", count=len(data) // 2)
    if len(words) >= entries:
        return words[:entries].astype(np.int64) & (0xFF if bits == 8 else 0xFFFF)
    if bits > 8 or len(data) < entries:
        msg = f"The lookup table has {len(data)} bytes for {entries} entries of {bits} bits"
        raise values.error(msg, "invalid_value", keyword)
    # Two to a word, the first in its low byte.
    packed = words.astype("<u2").view(np.uint8)
    if len(data) % 2:
        packed = np.append(packed, data[-1])
    return packed[:entries].astype(np.int64)


def _real_world_map(item: Values, *, is_float: bool, is_signed: bool) -> RealWorldMap:
    units = item.items("MeasurementUnitsCodeSequence")
    first, last = (
        _bound(item, f"RealWorldValue{end}ValueMapped", is_float=is_float, is_signed=is_signed)
        for end in ("First", "Last")
    )
    label, unit = item.text("LUTLabel") or "", units[0].text("CodeValue") if units else None
    values = item.doubles("RealWorldValueLUTData")
    if values:
        table = Table(int(first), np.array(values, dtype=np.float64))
        return RealWorldMap(label, unit, first, last, table=table)
    slope, intercept = (_double(item, f"RealWorldValue{name}") for name in ("Slope", "Intercept"))
    return RealWorldMap(label, unit, first, last, slope, intercept)


def _bound(item: Values, keyword: str, *, is_float: bool, is_signed: bool) -> float:
    """One end of the stored values that a map is for, in the form that belongs or in the other."""
    doubles = item.doubles(f"DoubleFloat{keyword}")
    number = item.short(keyword)
    if doubles and (is_float or number is None):
        return doubles[0]
    if number is None:
        msg = f"The real-world map has no {keyword}"
        raise item.error(msg, "missing_element", keyword)
    return float(_signed(number) if is_signed else number)


def _double(item: Values, keyword: str) -> float:
    doubles = item.doubles(keyword)
    if not doubles:
        msg = f"The real-world map has no {keyword}"
        raise item.error(msg, "missing_element", keyword)
    return doubles[0]
