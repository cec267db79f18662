"""Standardised uptake values of PET by body weight (PS3.3 C.8.9.1), and Philips' own quantities."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from torchdicom._errors import LimitError, ParseError, UnsupportedError
from torchdicom._metadata import PADDING, parse_decimal
from torchdicom._reference._elements import items
from torchdicom._reference._groups import frame_values
from torchdicom._reference._suv_attributes import (
    DAY,
    PRIVATE,
    Slice,
    bytes_of,
    common,
    moment_of,
    number_above_zero,
    private_element,
    remaining_factor,
    require_body_weight,
    seconds_of,
)
from torchdicom._reference._suv_enhanced import factor_of_enhanced
from torchdicom._reference._tables import values_of
from torchdicom._reference._tags import element_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._elements import DataSet
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._mapping import Mapping
    from torchdicom._reference._pixel_format import PixelFormat
    from torchdicom._reference._values import Values

_GE_SCAN, _PHILIPS_FACTOR, _SCALE_SLOPE = PRIVATE
# Enhanced files of Philips have it in there.
_SCALE_SLOPE_SEQUENCE: Final = (0x2005, 0x0F, "Philips MR Imaging DD 005")

# In Bq; outside of that a dose is in another unit, or mistyped.
_DOSE_RANGE: Final = (1e6, 1e10)


def suv_factor(files: Sequence[FileHeader]) -> float:
    """What the modality values of a series are multiplied by to be SUV by body weight.

    Args:
        files: All slices of the series, in slice order, whichever of them are wanted.

    Raises:
        UnsupportedError: ``suv_not_possible``, with the attribute that is missing, unusable, or
            not the same in all slices.
        ParseError: What is wrong with RadiopharmaceuticalInformationSequence.
    """
    if files[0].form == "enhanced":
        return factor_of_enhanced(files)
    slices = [Slice(values_of(file)) for file in files]
    units = common(slices, "Units")
    if units not in {"BQML", "GML", "CNTS"}:
        slices[0].refuse("Units", f"Units is {units!r}, and not BQML, GML or CNTS")
    for one in slices:
        given = {part.strip(PADDING) for part in one.text("CorrectedImage").split("\\")}
        if not {"ATTN", "DECY"} <= given:
            one.refuse("CorrectedImage", "it is not corrected for attenuation and decay")
    if units == "BQML":
        return _factor_of_activity(slices)
    if units == "CNTS":
        return number_above_zero(slices, _PHILIPS_FACTOR)
    require_body_weight(slices)
    return 1.0


def _factor_of_activity(slices: Sequence[Slice]) -> float:
    """Grams of the patient for each Bq of the dose that is left."""
    first = slices[0]
    correction = common(slices, "DecayCorrection")
    if correction not in {"START", "ADMIN"}:
        first.refuse("DecayCorrection", "decay is not corrected to scan start or injection")
    weight = number_above_zero(slices, "PatientWeight")
    dose = number_above_zero(slices, "RadionuclideTotalDose")
    if not _DOSE_RANGE[0] <= dose <= _DOSE_RANGE[1]:
        first.refuse("RadionuclideTotalDose", f"{dose} is no dose in Bq")
    if correction == "START":
        half_life = number_above_zero(slices, "RadionuclideHalfLife")
        scan = _scan_start(slices)
        passed = scan - _injection(slices, scan)
        dose *= math.pow(2.0, -passed / half_life)
    return remaining_factor(first, weight, dose)


def _scan_start(slices: Sequence[Slice]) -> float:
    """SeriesDate and SeriesTime, unless the series is a later one than that which was scanned."""
    first = slices[0]
    for name in ("SeriesDate", "SeriesTime", _GE_SCAN, "TimezoneOffsetFromUTC"):
        common(slices, name)
    series, missing = first.moment("Series")
    blamed = first
    if not missing:
        for one in slices:
            acquired, missing = one.moment("Acquisition")
            if missing:
                blamed = one
                break
            if acquired < series:
                missing = "SeriesTime"
                break
        else:
            return series
    scan = moment_of(first.text(_GE_SCAN), first.text("TimezoneOffsetFromUTC"))
    if scan is None:
        blamed.refuse(missing, "the start of the scan is not known")
    return scan


def _injection(slices: Sequence[Slice], scan: float) -> float:
    """Its DateTime within the day before the scan, else its time on that day or the one before."""
    first = slices[0]
    start = common(slices, "RadiopharmaceuticalStartDateTime")
    time = common(slices, "RadiopharmaceuticalStartTime")
    moment = moment_of(start, first.text("TimezoneOffsetFromUTC"))
    if moment is not None and 0.0 <= scan - moment <= DAY:
        return moment
    seconds = seconds_of(time)
    if seconds is None:
        is_alone = start and not time
        name = f"RadiopharmaceuticalStart{'DateTime' if is_alone else 'Time'}"
        first.refuse(name, "the time of injection is not known")
    day = math.floor(scan / DAY)
    same_day = day * DAY + seconds
    return same_day if same_day <= scan else (day - 1) * DAY + seconds


def scaled(mapping: Mapping, file: FileHeader, factor: float | None) -> Mapping:
    """The mapping to modality values, then on to SUV, or without a factor to Philips' values.

    Raises:
        UnsupportedError: ``philips_fp_not_possible``.
    """
    if factor is not None:
        return replace(mapping, factor=factor, units="SUVbw")
    scale_slope = _scale_slope_of(file)
    divisor = mapping.slope * scale_slope
    if not scale_slope > 0.0 or not 0.0 < abs(divisor) < math.inf:
        msg = "There is no scale slope of Philips to divide by; ask for output='modality'"
        code = "philips_fp_not_possible"
        raise UnsupportedError(msg, code=code, path=file.path, element=_SCALE_SLOPE)
    return replace(mapping, divisor=divisor, units=None)


def check_scalable(
    file: FileHeader, pixels: PixelFormat, *, is_suv: bool, has_map: bool = False
) -> None:
    """Refuse what is not gray, or has no RescaleSlope or map, from which such values follow.

    Raises:
        UnsupportedError: ``suv_not_possible``, ``philips_fp_not_possible``.
    """
    missing = ""
    if pixels.samples == 3 or pixels.is_palette:
        missing = "PhotometricInterpretation"
    elif file.may_have_maps and values_of(file).items("ModalityLUTSequence"):
        missing = "ModalityLUTSequence"
    elif file.header.rescale_slope is None and not has_map:
        missing = "RescaleSlope"
    if missing:
        msg = f"The values need RescaleSlope of a gray image, and {missing} is not like that"
        code = "suv_not_possible" if is_suv else "philips_fp_not_possible"
        raise UnsupportedError(msg, code=code, path=file.path, element=element_name(missing))


def _scale_slope_of(file: FileHeader) -> float:
    """That of the frame, else of all frames, else of the data set; 0 where there is none."""
    if file.form != "enhanced":
        return _scale_slope(values_of(file).data_set) or 0.0
    frame = frame_values(file)
    own = (_in_group(group) for group in frame.groups)
    found = next((one for one in own if one is not None), None)
    return (_scale_slope(frame.top.data_set) if found is None else found) or 0.0


def _in_group(group: Values) -> float | None:
    """That of a functional group, in a sequence of Philips."""
    data_set = group.data_set
    sequence = private_element(data_set, *_SCALE_SLOPE_SEQUENCE)
    if sequence is None:
        return None
    try:
        found = items(data_set, sequence, group.path)
    except (ParseError, LimitError):
        return None
    return _scale_slope(found[0]) if found else None


def _scale_slope(data_set: DataSet) -> float | None:
    """An FL, an FD or a DS, 0 where it is none of these; None where it is not there."""
    element = private_element(data_set, *PRIVATE[_SCALE_SLOPE])
    if element is None:
        return None
    value = bytes_of(data_set, element)
    if element.vr == "DS":
        return parse_decimal(value.decode("latin-1")) or 0.0
    order = ">" if data_set.encoding.big else "<"
    form = {4: "f", 8: "d"}.get(len(value))
    return float(struct.unpack(order + form, value)[0]) if form else 0.0
