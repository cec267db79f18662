"""The tables of a file that turn its stored values into others: LUTs, palettes, real-world maps.

They are read when its pixels are used, so that a damaged table is no matter to a scan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from torchdicom._reference._elements import parse
from torchdicom._reference._groups import frame_values
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
        ParseError: ``missing_element``, ``invalid_multiplicity``, ``invalid_value``.
    """
    items = values.items("ModalityLUTSequence")
    if not items:
        return None
    first, entries, bits = _descriptor(items[0], "LUTDescriptor", is_signed=_is_signed(values))
    table = Table(first, _entries(items[0], "LUTData", entries, bits)[0])
    return ModalityLut(table, items[0].text("ModalityLUTType"))


def voi_lut(values: Values, *, is_signed: bool) -> tuple[Table, int] | None:
    """The first VOI LUT of a file and the bits of its entries; None where there is none.

    Args:
        values: The elements of the file.
        is_signed: Modality values can be negative, and the first value mapped has a sign.

    Raises:
        ParseError: ``missing_element``, ``invalid_multiplicity``, ``invalid_value``.
    """
    items = values.items("VOILUTSequence")
    if not items:
        return None
    item = items[0]
    is_signed = is_signed or item.vr("LUTDescriptor") == "SS"
    # Those of digital X-ray images may have 10 and 12 bits (PS3.3 C.8.11.3.1.5).
    first, count, bits = _descriptor(item, "LUTDescriptor", is_signed=is_signed, least_bits=8)
    entries, width = _entries(item, "LUTData", count, bits)
    if width > 8:
        width = bits if entries.max() < 1 << bits else 16
    return Table(first, entries), width


def palette(values: Values) -> Palette:
    """The palette of a file (PS3.3 C.7.6.3.1.5, C.7.6.3.1.6 and C.7.9.2).

    Raises:
        ParseError: ``missing_element``, ``invalid_multiplicity``, ``invalid_value``.
    """
    is_signed = _is_signed(values)
    channels, widths = [], []
    for color in _COLORS:
        name = f"{color}PaletteColorLookupTable"
        first, entries, bits = _descriptor(values, f"{name}Descriptor", is_signed=is_signed)
        table, width = _palette_entries(values, name, entries, bits)
        channels.append(Table(first, table))
        widths.append(width)
    return Palette(tuple(channels), max(widths))


def real_world_maps(file: FileHeader, *, is_float: bool) -> list[RealWorldMap]:
    """The real-world maps of a frame: of its own group, else of the shared one, else of the file.

    Raises:
        ParseError: ``missing_element``, and what is wrong with the sequences.
    """
    if file.form == "enhanced":
        frame = frame_values(file)
        values, items = frame.top, frame.items("RealWorldValueMappingSequence")
    else:
        values = values_of(file)
        items = values.items("RealWorldValueMappingSequence")
    is_signed = _is_signed(values)
    return [_real_world_map(item, is_float=is_float, is_signed=is_signed) for item in items]


def _is_signed(values: Values) -> bool:
    return values.short("PixelRepresentation") == 1


def _signed(number: int) -> int:
    return number - 0x1_0000 if number >= 0x8000 else number


def _descriptor(
    values: Values, keyword: str, *, is_signed: bool, least_bits: int = 16
) -> tuple[int, int, int]:
    """The first value of a table, its number of entries, and their bits: 8, or these up to 16."""
    numbers = values.shorts(keyword)
    if not numbers:
        msg = f"There is no {keyword}"
        raise values.error(msg, "missing_element", keyword)
    if len(numbers) != 3:
        msg = f"{keyword} has {len(numbers)} values, and a descriptor has three"
        raise values.error(msg, "invalid_multiplicity", keyword)
    entries, first, bits = numbers
    if bits != 8 and not least_bits <= bits <= 16:
        possible = "8 and 16" if least_bits == 16 else f"{least_bits} to 16"
        msg = f"The table's entries have {bits} bits, and {possible} are possible"
        raise values.error(msg, "invalid_value", keyword)
    return _signed(first) if is_signed else first, entries or 65_536, bits


def _palette_entries(values: Values, name: str, entries: int, bits: int) -> tuple[Array, int]:
    segmented = f"Segmented{name}Data"
    if TAGS[f"{name}Data"] in values.data_set.elements:
        return _entries(values, f"{name}Data", entries, bits)
    if TAGS[segmented] not in values.data_set.elements:
        msg = "The palette has no entries"
        raise values.error(msg, "missing_element", f"{name}Data")
    data = values.bytes_of(segmented, _MAX_DATA_LENGTH)
    if bits == 8:
        data = in_order(data, values, segmented)
    expanded = expand(data, entries, bits, big=values.data_set.encoding.big)
    if isinstance(expanded, str):
        raise values.error(expanded, "invalid_value", segmented)
    return expanded, bits


def _entries(values: Values, keyword: str, entries: int, bits: int) -> tuple[Array, int]:
    """The entries of a table, and their bits, which the descriptor may have wrong.

    Entries of 8 bits stand two to a word or one.
    """
    data = values.bytes_of(keyword, _MAX_DATA_LENGTH)
    if not data:
        msg = "The lookup table has no entries"
        raise values.error(msg, "missing_element", keyword)
    if len(data) >= 2 * entries:
        order = ">" if values.data_set.encoding.big else "<"
        words = np.frombuffer(data, f"{order}u2", count=entries).astype(np.int64)
        return words, 16 if words.max() > 0xFF else bits
    has_bytes = len(data) >= entries if bits == 8 else len(data) == entries + entries % 2
    if not has_bytes:
        msg = f"The lookup table has {len(data)} bytes for {entries} entries of {bits} bits"
        raise values.error(msg, "invalid_value", keyword)
    packed = np.frombuffer(in_order(data, values, keyword), np.uint8, count=entries)
    return packed.astype(np.int64), 8


def in_order(data: bytes, values: Values, keyword: str) -> bytes:
    """Bytes that stand two to a word, the first in its low byte."""
    is_swapped = values.data_set.encoding.big and values.vr(keyword) != "OB"
    if not is_swapped or len(data) % 2:
        return data
    return np.frombuffer(data, ">u2").astype("<u2").tobytes()


def _real_world_map(item: Values, *, is_float: bool, is_signed: bool) -> RealWorldMap:
    units = item.items("MeasurementUnitsCodeSequence")
    first, last = _range(item, is_float=is_float, is_signed=is_signed)
    label, unit = item.text("LUTLabel") or "", units[0].text("CodeValue") if units else None
    values = item.doubles("RealWorldValueLUTData")
    if values:
        nearest = math.floor(first + 0.5) if math.isfinite(first) else 0
        table = Table(nearest, np.array(values, dtype=np.float64))
        return RealWorldMap(label, unit, first, last, table=table)
    slope, intercept = (_double(item, f"RealWorldValue{name}") for name in ("Slope", "Intercept"))
    return RealWorldMap(label, unit, first, last, slope, intercept)


def _range(item: Values, *, is_float: bool, is_signed: bool) -> tuple[float, float]:
    """The stored values that a map is for, in the form that belongs to them or in the other."""
    names = "RealWorldValueFirstValueMapped", "RealWorldValueLastValueMapped"
    tags = item.data_set.elements
    has_integers = any(TAGS[name] in tags for name in names)
    has_doubles = any(TAGS[f"DoubleFloat{name}"] in tags for name in names)
    if has_doubles and (is_float or not has_integers):
        first, last = (_double(item, f"DoubleFloat{name}") for name in names)
        return first, last
    bounds = []
    for name in names:
        number = item.short(name)
        if number is None:
            msg = f"The real-world map has no {name}"
            raise item.error(msg, "missing_element", name)
        bounds.append(float(_signed(number) if is_signed else number))
    return bounds[0], bounds[1]


def _double(item: Values, keyword: str) -> float:
    doubles = item.doubles(keyword)
    if not doubles:
        msg = f"The real-world map has no {keyword}"
        raise item.error(msg, "missing_element", keyword)
    if len(doubles) != 1:
        msg = f"{keyword} has {len(doubles)} values where 1 belongs"
        raise item.error(msg, "invalid_multiplicity", keyword)
    return doubles[0]
