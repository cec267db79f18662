"""What becomes of stored values in an output (PS3.3 C.11.1, C.7.6.3.1.5, C.7.6.16.2.11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NoReturn

import torch

from torchdicom._errors import ParseError, UnsupportedError
from torchdicom._reference._kinds import SEGMENTATIONS, units
from torchdicom._reference._suv import check_scalable, scaled
from torchdicom._reference._suv_enhanced import suv_map
from torchdicom._reference._tables import (
    modality_lut,
    palette,
    real_world_maps,
    values_of,
)
from torchdicom._reference._tags import element_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._pixel_format import PixelFormat
    from torchdicom._reference._tables import Palette, RealWorldMap, Table

Output = Literal["stored", "modality", "real_world", "suv", "philips_fp"]

INTEGERS: Final = frozenset(
    {torch.uint8, torch.int8, torch.int16, torch.uint16, torch.int32, torch.int64}
)


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """From the stored values of a file to values.

    Attributes:
        slope: To multiply by ...
        intercept: ... and to add, where there is no table.
        table: Whose entries the values are.
        palette: Whose colours the values are.
        bounds: First and last stored value that a real-world map is for.
        units: Of the values, or None.
        is_stored: The values are the stored ones.
        factor: To multiply by after that ...
        divisor: ... and then to divide by.
    """

    slope: float = 1.0
    intercept: float = 0.0
    table: Table | None = None
    palette: Palette | None = None
    bounds: tuple[float, float] | None = None
    units: str | None = None
    is_stored: bool = False
    factor: float = 1.0
    divisor: float = 1.0


def is_color(pixels: PixelFormat, output: Output) -> bool:
    """Whether an output is in RGB: stored values of a palette are indices."""
    return pixels.samples == 3 or (pixels.is_palette and output != "stored")


def mapping_of(
    file: FileHeader,
    pixels: PixelFormat,
    output: Output,
    dtype: torch.dtype | None,
    rwvm: str | None,
    suv: float | None = None,
) -> Mapping:
    """What an output makes of the stored values of a file.

    Args:
        file: The file.
        pixels: Its pixel format.
        output: What is asked for.
        dtype: Of the result, None for the default.
        rwvm: The label of the real-world map, where there are several.
        suv: From modality values to SUV, of the whole series; for ``"suv"`` alone.

    Raises:
        UnsupportedError: ``integer_dtype``, ``no_real_world_map``, ``several_real_world_maps``,
            ``suv_not_possible``, ``philips_fp_not_possible``.
        ParseError: ``invalid_value`` for a slope of 0, ``missing_element`` for a dose without its
            scale, and what is wrong with a table.
    """
    if output in {"suv", "philips_fp"}:
        is_suv = output == "suv"
        chosen = suv_map(file) if is_suv else None
        check_scalable(file, pixels, is_suv=is_suv, has_map=chosen is not None)
        if chosen is not None:
            return scaled(_real_world(file, pixels, chosen, dtype), file, suv)
        return scaled(_modality(file, pixels, dtype), file, suv)
    if is_color(pixels, output):
        if rwvm is not None:
            _refuse_map(file, f"There is no real-world map {rwvm!r}: the image is in colour")
        return Mapping(palette=palette(values_of(file)) if pixels.is_palette else None)
    if output == "stored":
        return Mapping(is_stored=True)
    if output == "real_world":
        maps = real_world_maps(file, is_float=pixels.is_float)
        chosen = _chosen(file, maps, rwvm)
        return _real_world(file, pixels, chosen, dtype)
    return _modality(file, pixels, dtype)


def _modality(file: FileHeader, pixels: PixelFormat, dtype: torch.dtype | None) -> Mapping:
    header = file.header
    if file.raw["SOPClassUID"] in SEGMENTATIONS:
        return Mapping()  # what a segment's values say is no quantity
    if file.form == "dose":
        return _dose(file, dtype)
    if file.may_have_maps:
        values = values_of(file)
        lut = modality_lut(values)
        if lut is not None:
            _check_integers(file, pixels)
            return Mapping(table=lut.table, units=None if lut.type == "US" else lut.type)
        if header.rescale_slope is None and header.rescale_intercept is None:
            maps = real_world_maps(file, is_float=pixels.is_float)
            if len(maps) == 1:  # parametric maps have nothing else
                return _real_world(file, pixels, maps[0], dtype)
    _check_slope(file, "RescaleSlope")
    _check_whole(file, dtype, RescaleSlope=file.slope, RescaleIntercept=file.intercept)
    return Mapping(file.slope, file.intercept, units=units(file))


def _dose(file: FileHeader, dtype: torch.dtype | None) -> Mapping:
    """Without its scale a dose is none (PS3.3 C.8.8.3)."""
    if file.header.rescale_slope is None:
        msg = "The dose has no DoseGridScaling, and its values mean nothing; ask for stored values"
        element = element_name("DoseGridScaling")
        raise ParseError(msg, code="missing_element", path=file.path, element=element)
    _check_slope(file, "DoseGridScaling")
    _check_whole(file, dtype, DoseGridScaling=file.slope)
    return Mapping(file.slope, units=units(file))


def _check_slope(file: FileHeader, keyword: str) -> None:
    if file.slope == 0.0:
        msg = f"{keyword} is 0: every value would be the same"
        element = element_name(keyword)
        raise ParseError(msg, code="invalid_value", path=file.path, element=element)


def _chosen(file: FileHeader, maps: Sequence[RealWorldMap], label: str | None) -> RealWorldMap:
    if not maps:
        _refuse_map(file, "The file has no real-world map of all its frames")
    matching = [one for one in maps if label is None or one.label == label]
    if label is not None and matching:
        return matching[0]
    if len(maps) == 1 and label is None:
        return maps[0]
    labels = ", ".join(repr(one.label) for one in maps)
    which = "name one of them as rwvm" if label is None else f"rwvm={label!r} is not one of them"
    msg = f"The file has the real-world maps {labels}: {which}"
    code, element = "several_real_world_maps", element_name("RealWorldValueMappingSequence")
    raise UnsupportedError(msg, code=code, path=file.path, element=element)


def _refuse_map(file: FileHeader, text: str) -> NoReturn:
    code, element = "no_real_world_map", element_name("RealWorldValueMappingSequence")
    raise UnsupportedError(text, code=code, path=file.path, element=element)


def _real_world(
    file: FileHeader, pixels: PixelFormat, chosen: RealWorldMap, dtype: torch.dtype | None
) -> Mapping:
    bounds = (chosen.first, chosen.last)
    if chosen.table is not None:
        _check_integers(file, pixels)
        return Mapping(table=chosen.table, bounds=bounds, units=chosen.units)
    slope, intercept = chosen.slope, chosen.intercept
    _check_whole(file, dtype, RealWorldValueSlope=slope, RealWorldValueIntercept=intercept)
    return Mapping(slope, intercept, bounds=bounds, units=chosen.units)


def _check_integers(file: FileHeader, pixels: PixelFormat) -> None:
    """Refuse a table for samples that have no place in one."""
    if pixels.is_float:
        msg = "Floating point samples have no place in a lookup table; ask for stored values"
        code = "unsupported_pixel_format"
        element = element_name(file.pixels.tag if file.pixels else "PixelData")
        raise UnsupportedError(msg, code=code, path=file.path, element=element)


def _check_whole(file: FileHeader, dtype: torch.dtype | None, **numbers: float) -> None:
    """Refuse an integer dtype for values that are no integers."""
    if dtype not in INTEGERS:
        return
    for keyword, number in numbers.items():
        if not number.is_integer():
            msg = f"{keyword} is {number}, so the values are no integers; ask for a float dtype"
            element = element_name(keyword)
            raise UnsupportedError(msg, code="integer_dtype", path=file.path, element=element)
