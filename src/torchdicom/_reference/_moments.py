"""When something was: dates, times, and both in one (PS3.5 6.2, DA, TM and DT).

Times tell slices apart and are no part of their place, so that what is malformed is as absent.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from torchdicom._metadata import PADDING

_EPOCH: Final = date(1970, 1, 1)
# Both also in the form with separators that ACR-NEMA had.
_DAY: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})|([0-9]{4})\.([0-9]{2})\.([0-9]{2})")
_TIME: Final = re.compile(r"([0-9]{2})(?:([0-9]{2})(?:([0-9]{2})(?:\.([0-9]{1,6}))?)?)?")
_ZONE: Final = re.compile(r"[+-][0-9]{4}$")


def day_of(text: str) -> int | None:
    """Days since 1970-01-01 of a DA; None where it is none."""
    found = _DAY.fullmatch(text.strip(PADDING))
    if found is None:
        return None
    year, month, day = (int(number) for number in found.groups() if number is not None)
    try:
        return (date(year, month, day) - _EPOCH).days
    except ValueError:
        return None


def seconds_of(text: str) -> float | None:
    """Seconds since midnight of a TM; None where it is none."""
    text = text.strip(PADDING)
    if text[2:3] == ":":
        text = text[:2] + text[3:5] + (text[6:] if text[5:6] == ":" else text[5:])
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, second = (int(number or 0) for number in found.groups()[:3])
    if hour > 23 or minute > 59 or second > 60:  # a leap second is one more
        return None
    fraction = found[4] or "0"
    return float(hour * 3600 + minute * 60 + second) + float(int(fraction)) / 10.0 ** len(fraction)


def moment_of(text: str) -> tuple[int, float] | None:
    """Day and seconds of a DT, its zone left aside; None where one of them is missing."""
    text = _ZONE.sub("", text.strip(PADDING))
    day, seconds = day_of(text[:8]), seconds_of(text[8:])
    return None if day is None or seconds is None else (day, seconds)
