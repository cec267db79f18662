"""SUV of enhanced PET (PS3.3 A.56, C.8.22): the file says to which time decay was corrected."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from torchdicom._reference._suv_attributes import (
    DAY,
    Slice,
    common,
    moment_of,
    number_above_zero,
    remaining_factor,
    require_body_weight,
)
from torchdicom._reference._tables import real_world_maps, values_of
from torchdicom._reference._tags import TAGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._tables import RealWorldMap

_BY_WEIGHT: Final = "SUVbw"
_OF_RESCALE: Final = {"BQML": "BQML", "GML": "GML"}
# UCUM, PS3.16 CID 84 and 85; the last is the older code of the one before.
_OF_MAP: Final = {
    "Bq/ml": "BQML",
    "g/ml": "GML",
    "{SUVbw}g/ml": _BY_WEIGHT,
    "g/ml{SUVbw}": _BY_WEIGHT,
}

# PS3.3 C.8.22.4: RadionuclideTotalDose is in MBq here, where classic PET has Bq.
_MEGA: Final = 1e6
_DOSE_RANGE: Final = (1.0, 1e4)


def suv_map(file: FileHeader) -> RealWorldMap | None:
    """The map whose values SUV are made of, where the rescale does not say that it is the one.

    Returns:
        The only linear one in such a unit.

    Raises:
        ParseError: What is wrong with the maps.
    """
    if file.form != "enhanced" or file.header.rescale_type in _OF_RESCALE:
        return None
    if not file.may_have_maps or file.pixels is None:
        return None
    maps = real_world_maps(file, is_float=file.pixels.tag != TAGS["PixelData"])
    serving = [one for one in maps if one.table is None and one.units in _OF_MAP]
    return serving[0] if len(serving) == 1 else None


def factor_of_enhanced(files: Sequence[FileHeader]) -> float:
    """What the values of the frames of a series are multiplied by to be SUV by body weight.

    Raises:
        UnsupportedError: ``suv_not_possible``.
        ParseError: What is wrong with the radiopharmaceuticals, or with the maps.
    """
    slices = _slices(files)
    unit = _common_unit(files, slices)
    for name in ("AttenuationCorrected", "DecayCorrected"):
        if common(slices, name) != "YES":
            slices[0].refuse(name, f"{name} is not YES")
    if unit == "GML":
        require_body_weight(slices)
    if unit != "BQML":
        return 1.0
    weight = number_above_zero(slices, "PatientWeight")
    dose = _total_dose(slices)
    half_life = number_above_zero(slices, "RadionuclideHalfLife")
    corrected_to = _moment(slices, "DecayCorrectionDateTime")
    passed = corrected_to - _moment(slices, "RadiopharmaceuticalStartDateTime")
    if not 0.0 <= passed <= DAY:
        name = "RadiopharmaceuticalStartDateTime"
        slices[0].refuse(name, "it is not within the day before DecayCorrectionDateTime")
    return remaining_factor(slices[0], weight, dose * math.pow(2.0, -passed / half_life))


def _slices(files: Sequence[FileHeader]) -> list[Slice]:
    """Frames of one file share its elements, which are read once."""
    of_file: dict[str, Slice] = {}
    for file in files:
        if file.path not in of_file:
            of_file[file.path] = Slice(values_of(file))
    return [of_file[file.path] for file in files]


def _common_unit(files: Sequence[FileHeader], slices: Sequence[Slice]) -> str:
    units = []
    for file, one in zip(files, slices, strict=True):
        chosen = suv_map(file)
        if chosen is None:
            unit = _OF_RESCALE.get(file.header.rescale_type or "")
        else:
            unit = _OF_MAP[chosen.units or ""]
        if unit is None:
            why = "it is neither BQML nor GML, nor is there one linear map in Bq/ml or g/ml"
            one.refuse("RescaleType", why)
        units.append(unit)
        if unit != units[0]:
            one.refuse("RescaleType", "the unit differs between slices")
    return units[0]


def _total_dose(slices: Sequence[Slice]) -> float:
    """In Bq, when it was given."""
    for one in slices:
        if len(one.doses()) > 1:
            name = "RadiopharmaceuticalInformationSequence"
            one.refuse(name, "there is more than one radiopharmaceutical")
    dose = number_above_zero(slices, "RadionuclideTotalDose")
    if not _DOSE_RANGE[0] <= dose <= _DOSE_RANGE[1]:
        slices[0].refuse("RadionuclideTotalDose", f"{dose} is no dose in MBq")
    return dose * _MEGA


def _moment(slices: Sequence[Slice], name: str) -> float:
    text = common(slices, name)
    moment = moment_of(text, common(slices, "TimezoneOffsetFromUTC"))
    if moment is None:
        slices[0].refuse(name, f"{text!r} is no date and time in the time zone of the file")
    return moment
