"""The attributes that quantities beside modality values are made of, each as text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, NoReturn

from torchdicom._errors import UnsupportedError
from torchdicom._metadata import PADDING, parse_decimal
from torchdicom._reference._elements import UNDEFINED, items

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._elements import DataSet, Element
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
    "DecayCorrectionDateTime": 0x0018_9701,
    "DecayCorrected": 0x0018_9758,
    "AttenuationCorrected": 0x0018_9759,
    "RadiopharmaceuticalInformationSequence": 0x0054_0016,
    "RescaleType": 0x0028_1054,
}
OF_DOSE: Final = {
    "RadiopharmaceuticalStartTime": 0x0018_1072,
    "RadionuclideTotalDose": 0x0018_1074,
    "RadionuclideHalfLife": 0x0018_1075,
    "RadiopharmaceuticalStartDateTime": 0x0018_1078,
}
# Group, number within the block, and whose block it is (PS3.5 7.8.1).
PRIVATE: Final = {
    "(0009,100D)": (0x0009, 0x0D, "GEMS_PETD_01"),
    "(7053,1000)": (0x7053, 0x00, "Philips PET Private Group"),
    "(2005,100E)": (0x2005, 0x0E, "Philips MR Imaging DD 001"),
}

# None of these attributes is longer, whatever has its tag.
_MAX_LENGTH: Final = 1_024
DAY: Final = 86_400.0
_TIME: Final = re.compile(
    r"([0-9]{2})(?:(:?)([0-9]{2})(?:\2([0-9]{2})(?:\.([0-9]{1,6}))?)?)?", re.ASCII
)
_OFFSET: Final = re.compile(r"[+-][0-9]{4}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Slice:
    """The elements of one file, and of its first radiopharmaceutical where asked for."""

    values: Values

    def text(self, name: str) -> str:
        """What an attribute is, empty where it is not there."""
        if name in PRIVATE:
            element = private_element(self.values.data_set, *PRIVATE[name])
            return text_of(self.values.data_set, element)
        if name in OF_DOSE:
            doses = self.doses()
            return text_of(doses[0], doses[0].elements.get(OF_DOSE[name])) if doses else ""
        data_set = self.values.data_set
        return text_of(data_set, data_set.elements.get(_TAGS[name]))

    def doses(self) -> list[DataSet]:
        """The radiopharmaceuticals.

        Raises:
            ParseError: What is wrong with their sequence.
        """
        data_set = self.values.data_set
        element = data_set.elements.get(_TAGS["RadiopharmaceuticalInformationSequence"])
        return [] if element is None else items(data_set, element, self.values.path)

    def moment(self, what: str) -> tuple[float, str]:
        """Seconds of a date and a time, or which of the two has nothing to say."""
        day = days_of(self.text(f"{what}Date"))
        seconds = seconds_of(self.text(f"{what}Time"))
        if day is None or seconds is None:
            return math.nan, f"{what}Date" if day is None else f"{what}Time"
        return day * DAY + seconds, ""

    def refuse(self, name: str, why: str) -> NoReturn:
        """The error about one attribute."""
        msg = f"There is no SUV of these values: {why}; take them as they are: output='modality'"
        path = self.values.path
        raise UnsupportedError(msg, code="suv_not_possible", path=path, element=_named(name))


def common(slices: Sequence[Slice], name: str) -> str:
    """What an attribute is in all slices, empty where it is in none."""
    text = slices[0].text(name)
    for one in slices:
        if one.text(name) != text:
            one.refuse(name, f"{name} differs between slices")
    return text


def number_above_zero(slices: Sequence[Slice], name: str) -> float:
    """The same of a number above 0."""
    text = common(slices, name)
    number = parse_decimal(text)
    if number is None or number <= 0.0:
        slices[0].refuse(name, f"{name} is {text!r}, and no number above 0")
    return number


def remaining_factor(first: Slice, weight: float, dose: float) -> float:
    """Grams of the patient for each Bq of the dose that is left."""
    factor = weight * 1000.0 / dose if dose > 0.0 else math.inf
    if not 0.0 < factor < math.inf:
        name = "PatientWeight" if dose > 0.0 else "RadionuclideHalfLife"
        first.refuse(name, "what follows from it is no number")
    return factor


def require_body_weight(slices: Sequence[Slice]) -> None:
    """Refuse SUV of another type."""
    kind = common(slices, "SUVType")
    if kind not in {"", "BW"}:
        slices[0].refuse("SUVType", f"it is SUV already, of another type: {kind}")


def _named(name: str) -> str:
    tag = {**_TAGS, **OF_DOSE}.get(name)
    return name if tag is None else f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {name}"


def bytes_of(data_set: DataSet, element: Element | None) -> bytes:
    if element is None or element.length == UNDEFINED or element.length > _MAX_LENGTH:
        return b""
    return data_set.data[element.start : element.start + element.length]


def text_of(data_set: DataSet, element: Element | None) -> str:
    return bytes_of(data_set, element).decode("latin-1").strip(PADDING)


def private_element(data_set: DataSet, group: int, number: int, creator: str) -> Element | None:
    """The element of this number in the first block of that creator that has it."""
    for block in range(0x10, 0x100):
        owner = data_set.elements.get(group << 16 | block)
        element = data_set.elements.get(group << 16 | block << 8 | number)
        if element is not None and text_of(data_set, owner) == creator:
            return element
    return None


def days_of(text: str) -> float | None:
    """Days since 1970-01-01 of a DA, in the form of before DICOM too."""
    match = re.fullmatch(r"([0-9]{4})(\.?)([0-9]{2})\2([0-9]{2})", text, re.ASCII)
    if not match:
        return None
    try:
        day = date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        return None
    return float((day - date(1970, 1, 1)).days)


def seconds_of(text: str) -> float | None:
    """Seconds since midnight of a TM."""
    match = _TIME.fullmatch(text)
    if not match:
        return None
    hour, minute, second = (int(match[part] or 0) for part in (1, 3, 4))
    if hour > 23 or minute > 59 or second > 60:
        return None
    seconds = float(hour * 3600 + minute * 60 + second)
    return seconds + float(int(match[5])) / 10.0 ** len(match[5]) if match[5] else seconds


def moment_of(text: str, offset: str) -> float | None:
    """Seconds of a DT; one with an offset from UTC counts where that is the file's own."""
    stated = _OFFSET.search(text)
    if stated and stated[0] != offset:
        return None
    local = text[: stated.start()] if stated else text
    day, seconds = days_of(local[:8]), seconds_of(local[8:])
    return None if day is None or seconds is None else day * DAY + seconds
