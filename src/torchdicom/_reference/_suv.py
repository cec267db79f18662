"""Standardised uptake values of PET by body weight (PS3.3 C.8.9.1), and Philips' own quantities."""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final, NoReturn

from torchdicom._errors import UnsupportedError
from torchdicom._metadata import PADDING, parse_decimal
from torchdicom._reference._elements import UNDEFINED, items
from torchdicom._reference._tables import values_of
from torchdicom._reference._tags import element_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._elements import DataSet, Element
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._mapping import Mapping
    from torchdicom._reference._pixel_format import PixelFormat
    from torchdicom._reference._values import Values

_TAGS: Final = {
    "SeriesDate": 0x0008_0021,
    "AcquisitionDate": 0x0008_0022,
    "SeriesTime": 0x0008_0031,
    "AcquisitionTime": 0x0008_0032,
    "TimezoneOffsetFromUTC": 0x0008_0201,
    "PatientWeight": 0x0010_1030,
    "CorrectedImage": 0x0028_0051,
    "Units": 0x0054_1001,
    "SUVType": 0x0054_1006,
    "DecayCorrection": 0x0054_1102,
}
_OF_DOSE: Final = {
    "RadiopharmaceuticalStartTime": 0x0018_1072,
    "RadionuclideTotalDose": 0x0018_1074,
    "RadionuclideHalfLife": 0x0018_1075,
    "RadiopharmaceuticalStartDateTime": 0x0018_1078,
}
_DOSES: Final = 0x0054_0016  # RadiopharmaceuticalInformationSequence
# Group, number within the block, and whose block it is (PS3.5 7.8.1).
_PRIVATE: Final = {
    "(0009,100D)": (0x0009, 0x0D, "GEMS_PETD_01"),
    "(7053,1000)": (0x7053, 0x00, "Philips PET Private Group"),
    "(2005,100E)": (0x2005, 0x0E, "Philips MR Imaging DD 001"),
}
_GE_SCAN, _PHILIPS_FACTOR, _SCALE_SLOPE = _PRIVATE

# None of these attributes is longer, whatever has its tag.
_MAX_LENGTH: Final = 1_024
# In Bq; outside of that a dose is in another unit, or mistyped.
_DOSE_RANGE: Final = (1e6, 1e10)

_DAY: Final = 86_400.0
_TIME: Final = re.compile(
    r"([0-9]{2})(?:(:?)([0-9]{2})(?:\2([0-9]{2})(?:\.([0-9]{1,6}))?)?)?", re.ASCII
)
_OFFSET: Final = re.compile(r"[+-][0-9]{4}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Slice:
    """The elements of one file, and of its first radiopharmaceutical where asked for."""

    values: Values

    def text(self, name: str) -> str:
        """What an attribute is, empty where it is not there."""
        if name in _PRIVATE:
            element = _private(self.values.data_set, *_PRIVATE[name])
            return _text(self.values.data_set, element)
        if name in _OF_DOSE:
            dose = self._dose()
            return "" if dose is None else _text(dose, dose.elements.get(_OF_DOSE[name]))
        data_set = self.values.data_set
        return _text(data_set, data_set.elements.get(_TAGS[name]))

    def _dose(self) -> DataSet | None:
        data_set = self.values.data_set
        element = data_set.elements.get(_DOSES)
        found = [] if element is None else items(data_set, element, self.values.path)
        return found[0] if found else None

    def moment(self, what: str) -> tuple[float, str]:
        """Seconds of a date and a time, or which of the two has nothing to say."""
        day = _days(self.text(f"{what}Date"))
        seconds = _seconds(self.text(f"{what}Time"))
        if day is None or seconds is None:
            return math.nan, f"{what}Date" if day is None else f"{what}Time"
        return day * _DAY + seconds, ""

    def refuse(self, name: str, why: str) -> NoReturn:
        """The error about one attribute."""
        msg = f"There is no SUV of these values: {why}; take them as they are: output='modality'"
        path = self.values.path
        raise UnsupportedError(msg, code="suv_not_possible", path=path, element=_named(name))


def suv_factor(files: Sequence[FileHeader]) -> float:
    """What the modality values of a series are multiplied by to be SUV by body weight.

    Args:
        files: All slices of the series, in slice order, whichever of them are wanted.

    Raises:
        UnsupportedError: ``suv_not_possible``, with the attribute that is missing, unusable, or
            not the same in all slices.
        ParseError: What is wrong with RadiopharmaceuticalInformationSequence.
    """
    slices = [_Slice(values_of(file)) for file in files]
    units = _common(slices, "Units")
    if units not in {"BQML", "GML", "CNTS"}:
        slices[0].refuse("Units", f"Units is {units!r}, and not BQML, GML or CNTS")
    for one in slices:
        given = {part.strip(PADDING) for part in one.text("CorrectedImage").split("\\")}
        if not {"ATTN", "DECY"} <= given:
            one.refuse("CorrectedImage", "it is not corrected for attenuation and decay")
    if units == "BQML":
        return _factor_of_activity(slices)
    if units == "CNTS":
        return _number(slices, _PHILIPS_FACTOR)
    kind = _common(slices, "SUVType")
    if kind not in {"", "BW"}:
        slices[0].refuse("SUVType", f"it is SUV already, of another type: {kind}")
    return 1.0


def _factor_of_activity(slices: Sequence[_Slice]) -> float:
    """Grams of the patient for each Bq of the dose that is left."""
    first = slices[0]
    correction = _common(slices, "DecayCorrection")
    if correction not in {"START", "ADMIN"}:
        first.refuse("DecayCorrection", "decay is not corrected to scan start or injection")
    weight = _number(slices, "PatientWeight")
    dose = _number(slices, "RadionuclideTotalDose")
    if not _DOSE_RANGE[0] <= dose <= _DOSE_RANGE[1]:
        first.refuse("RadionuclideTotalDose", f"{dose} is no dose in Bq")
    if correction == "START":
        half_life = _number(slices, "RadionuclideHalfLife")
        scan = _scan_start(slices)
        passed = scan - _injection(slices, scan)
        dose *= math.pow(2.0, -passed / half_life)
    factor = weight * 1000.0 / dose if dose > 0.0 else math.inf
    if not 0.0 < factor < math.inf:
        name = "PatientWeight" if dose > 0.0 else "RadionuclideHalfLife"
        first.refuse(name, "what follows from it is no number")
    return factor


def _scan_start(slices: Sequence[_Slice]) -> float:
    """SeriesDate and SeriesTime, unless the series is a later one than that which was scanned."""
    first = slices[0]
    for name in ("SeriesDate", "SeriesTime", _GE_SCAN, "TimezoneOffsetFromUTC"):
        _common(slices, name)
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
    scan = _moment(first.text(_GE_SCAN), first.text("TimezoneOffsetFromUTC"))
    if scan is None:
        blamed.refuse(missing, "the start of the scan is not known")
    return scan


def _injection(slices: Sequence[_Slice], scan: float) -> float:
    """Its DateTime within the day before the scan, else its time on that day or the one before."""
    first = slices[0]
    start = _common(slices, "RadiopharmaceuticalStartDateTime")
    time = _common(slices, "RadiopharmaceuticalStartTime")
    moment = _moment(start, first.text("TimezoneOffsetFromUTC"))
    if moment is not None and 0.0 <= scan - moment <= _DAY:
        return moment
    seconds = _seconds(time)
    if seconds is None:
        is_alone = start and not time
        name = f"RadiopharmaceuticalStart{'DateTime' if is_alone else 'Time'}"
        first.refuse(name, "the time of injection is not known")
    day = math.floor(scan / _DAY)
    same_day = day * _DAY + seconds
    return same_day if same_day <= scan else (day - 1) * _DAY + seconds


def scaled(mapping: Mapping, file: FileHeader, factor: float | None) -> Mapping:
    """The mapping to modality values, then on to SUV, or without a factor to Philips' values.

    Raises:
        UnsupportedError: ``philips_fp_not_possible``.
    """
    if factor is not None:
        return replace(mapping, factor=factor, units="SUVbw")
    scale_slope = _scale_slope(values_of(file).data_set)
    divisor = mapping.slope * scale_slope
    if not scale_slope > 0.0 or not 0.0 < abs(divisor) < math.inf:
        msg = "There is no scale slope of Philips to divide by; ask for output='modality'"
        code = "philips_fp_not_possible"
        raise UnsupportedError(msg, code=code, path=file.path, element=_SCALE_SLOPE)
    return replace(mapping, divisor=divisor, units=None)


def check_scalable(file: FileHeader, pixels: PixelFormat, *, is_suv: bool) -> None:
    """Refuse what is not gray, or has no RescaleSlope, from which such values follow.

    Raises:
        UnsupportedError: ``suv_not_possible``, ``philips_fp_not_possible``.
    """
    missing = ""
    if pixels.samples == 3 or pixels.is_palette:
        missing = "PhotometricInterpretation"
    elif file.may_have_maps and values_of(file).items("ModalityLUTSequence"):
        missing = "ModalityLUTSequence"
    elif file.header.rescale_slope is None:
        missing = "RescaleSlope"
    if missing:
        msg = f"The values need RescaleSlope of a gray image, and {missing} is not like that"
        code = "suv_not_possible" if is_suv else "philips_fp_not_possible"
        raise UnsupportedError(msg, code=code, path=file.path, element=element_name(missing))


def _common(slices: Sequence[_Slice], name: str) -> str:
    """What an attribute is in all slices, empty where it is in none."""
    text = slices[0].text(name)
    for one in slices:
        if one.text(name) != text:
            one.refuse(name, f"{name} differs between slices")
    return text


def _number(slices: Sequence[_Slice], name: str) -> float:
    """The same of a number above 0."""
    text = _common(slices, name)
    number = parse_decimal(text)
    if number is None or number <= 0.0:
        slices[0].refuse(name, f"{name} is {text!r}, and no number above 0")
    return number


def _named(name: str) -> str:
    tag = {**_TAGS, **_OF_DOSE}.get(name)
    return name if tag is None else f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {name}"


def _bytes(data_set: DataSet, element: Element | None) -> bytes:
    if element is None or element.length == UNDEFINED or element.length > _MAX_LENGTH:
        return b""
    return data_set.data[element.start : element.start + element.length]


def _text(data_set: DataSet, element: Element | None) -> str:
    return _bytes(data_set, element).decode("latin-1").strip(PADDING)


def _private(data_set: DataSet, group: int, number: int, creator: str) -> Element | None:
    """The element of this number in the first block of that creator that has it."""
    for block in range(0x10, 0x100):
        owner = data_set.elements.get(group << 16 | block)
        element = data_set.elements.get(group << 16 | block << 8 | number)
        if element is not None and _text(data_set, owner) == creator:
            return element
    return None


def _scale_slope(data_set: DataSet) -> float:
    """An FL, an FD or a DS; 0 where it is none."""
    element = _private(data_set, *_PRIVATE[_SCALE_SLOPE])
    value = _bytes(data_set, element)
    if element is not None and element.vr == "DS":
        return parse_decimal(value.decode("latin-1")) or 0.0
    order = ">" if data_set.encoding.big else "<"
    form = {4: "f", 8: "d"}.get(len(value))
    return float(struct.unpack(order + form, value)[0]) if form else 0.0


def _days(text: str) -> float | None:
    """Days since 1970-01-01 of a DA, in the form of before DICOM too."""
    match = re.fullmatch(r"([0-9]{4})(\.?)([0-9]{2})\2([0-9]{2})", text, re.ASCII)
    if not match:
        return None
    try:
        day = date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        return None
    return float((day - date(1970, 1, 1)).days)


def _seconds(text: str) -> float | None:
    """Seconds since midnight of a TM."""
    match = _TIME.fullmatch(text)
    if not match:
        return None
    hour, minute, second = (int(match[part] or 0) for part in (1, 3, 4))
    if hour > 23 or minute > 59 or second > 60:
        return None
    seconds = float(hour * 3600 + minute * 60 + second)
    return seconds + float(int(match[5])) / 10.0 ** len(match[5]) if match[5] else seconds


def _moment(text: str, offset: str) -> float | None:
    """Seconds of a DT; one with an offset from UTC counts where that is the file's own."""
    stated = _OFFSET.search(text)
    if stated and stated[0] != offset:
        return None
    local = text[: stated.start()] if stated else text
    day, seconds = _days(local[:8]), _seconds(local[8:])
    return None if day is None or seconds is None else day * _DAY + seconds
