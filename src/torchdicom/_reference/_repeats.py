"""The axis of time: images of one place that an attribute tells apart, the same at every place."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torchdicom._reference._header import FileHeader

Value: TypeAlias = tuple[float, ...]

_DAY: Final = 86_400.0
_HALF_DAY: Final = 43_200.0  # a longer pause between two images of a series is midnight


class Moments:
    """When each of some slices was taken, in seconds since midnight of their first day."""

    def __init__(self, files: Iterable[FileHeader]) -> None:
        """Find out whether they have a day, and where midnight is if not."""
        times = [file.times for file in files]
        days = [one.day for one in times if one.day is not None]
        self._first_day = min(days) if len(days) == len(times) and days else None
        self._midnight = -1.0  # times up to this one are of the next day
        if self._first_day is None:
            distinct = sorted({one.seconds for one in times if one.seconds is not None})
            gaps = [(after - before, before) for before, after in pairwise(distinct)]
            if gaps:
                largest = max(gap for gap, _ in gaps)
                before = next(before for gap, before in gaps if gap == largest)
                self._midnight = before if largest > _HALF_DAY else -1.0

    def of(self, file: FileHeader) -> float | None:
        """Of one of them; None where it has no time."""
        day, seconds = file.times.day, file.times.seconds
        if seconds is None:
            return None
        if self._first_day is not None and day is not None:
            return (day - self._first_day) * _DAY + seconds
        return seconds + _DAY if seconds <= self._midnight else seconds


@dataclass(frozen=True, slots=True)
class Attribute:
    """One that may be a coordinate along t.

    Attributes:
        keyword: Its name there.
        of: Its value in a header; None where it has none.
        is_time: Slices of one time may differ in it: the earliest counts.
    """

    keyword: str
    of: Callable[[FileHeader], float | None]
    is_time: bool = False


def _attributes(moments: Moments) -> list[Attribute]:
    return [
        Attribute("TemporalPositionIdentifier", lambda file: file.times.temporal_position),
        Attribute("TriggerTime", lambda file: file.times.trigger_time, is_time=True),
        Attribute("NominalPercentageOfCardiacPhase", lambda file: file.times.cardiac_phase),
        Attribute("DiffusionBValue", lambda file: file.times.b_value),
        Attribute("FrameReferenceTime", lambda file: file.times.frame_reference_time, is_time=True),
        Attribute("AcquisitionNumber", lambda file: file.times.acquisition_number),
        Attribute("AcquisitionTime", moments.of, is_time=True),
    ]


def in_time(groups: Sequence[Sequence[FileHeader]]) -> list[list[FileHeader]] | None:
    """The slices of every position in the order of the first attribute that serves.

    Args:
        groups: The slices of each position.

    Returns:
        None where no attribute is the same series of values at every position.
    """
    count = len(groups[0])
    if count < 2 or any(len(group) != count for group in groups):
        return None
    for value_of in _axes(Moments(file for group in groups for file in group)):
        ordered = [_ordered(group, value_of) for group in groups]
        first = ordered[0]
        if first is None or any(one is None for one in ordered):
            continue
        values = [value for value, _ in first]
        is_same = all([value for value, _ in one or ()] == values for one in ordered)
        if is_same and len(set(values)) > 1:
            return [[file for _, file in one or ()] for one in ordered]
    return None


def _axes(moments: Moments) -> list[Callable[[FileHeader], Value | None]]:
    """In the order in which they are tried."""
    number = {one.keyword: _as_value(one) for one in _attributes(moments)}
    return [
        number["TemporalPositionIdentifier"],
        number["TriggerTime"],
        number["NominalPercentageOfCardiacPhase"],
        _diffusion,
        number["FrameReferenceTime"],
        number["AcquisitionNumber"],
        number["AcquisitionTime"],
    ]


def _as_value(attribute: Attribute) -> Callable[[FileHeader], Value | None]:
    def value_of(file: FileHeader) -> Value | None:
        number = attribute.of(file)
        return None if number is None else (number,)

    return value_of


def _diffusion(file: FileHeader) -> Value | None:
    b_value = file.times.b_value
    return None if b_value is None else (b_value, *_gradient(file))


def _direction(file: FileHeader) -> tuple[float | None, Value]:
    return file.times.b_value, _gradient(file)


def _gradient(file: FileHeader) -> Value:
    return file.times.gradient or (0.0, 0.0, 0.0)


def _ordered(
    group: Sequence[FileHeader], value_of: Callable[[FileHeader], Value | None]
) -> list[tuple[Value, FileHeader]] | None:
    """The slices of a position by value, equal ones by InstanceNumber; None if that fails."""
    valued: list[tuple[Value, FileHeader]] = []
    for file in group:
        value = value_of(file)
        if value is None:
            return None
        valued.append((value, file))

    def key(pair: tuple[Value, FileHeader]) -> tuple[Value, bool, int, object]:
        value, file = pair
        number = file.header.instance_number
        return value, number is not None, number or 0, file.order

    valued.sort(key=key)
    for (value, file), (next_value, next_file) in pairwise(valued):
        # Frames of one file are in its order.
        if value == next_value and file.source != next_file.source:
            numbers = file.header.instance_number, next_file.header.instance_number
            if None in numbers or numbers[0] == numbers[1]:
                return None  # nothing says which one was first
    return valued


def coordinates(times: Sequence[Sequence[FileHeader]]) -> dict[str, torch.Tensor]:
    """What varies along t.

    Args:
        times: The slices of each time.

    Returns:
        By keyword a float64 Tensor with one value a time; gradients have three each.
    """
    files = [file for group in times for file in group]
    found: dict[str, torch.Tensor] = {}
    is_clear = all(_direction(file) == _direction(group[0]) for group in times for file in group)
    for attribute in _attributes(Moments(files)):
        if attribute.keyword == "DiffusionBValue" and not is_clear:
            continue
        values = [[attribute.of(file) for file in group] for group in times]
        numbers = _one_a_time(values, is_time=attribute.is_time)
        if numbers is not None:
            found[attribute.keyword] = torch.tensor(numbers, dtype=torch.float64)
        if attribute.keyword == "DiffusionBValue":
            found |= _gradients(times, files)
    return found


def _gradients(
    times: Sequence[Sequence[FileHeader]], files: Sequence[FileHeader]
) -> dict[str, torch.Tensor]:
    if not any(file.times.gradient for file in files):
        return {}
    firsts = [_gradient(group[0]) for group in times]
    if len(set(firsts)) < 2:
        return {}
    return {"DiffusionGradientOrientation": torch.tensor(firsts, dtype=torch.float64)}


def _one_a_time(values: Sequence[Sequence[float | None]], *, is_time: bool) -> list[float] | None:
    """The value of each time; None where one is missing, unclear, or all are the same."""
    numbers = [[one for one in group if one is not None] for group in values]
    if any(len(one) != len(all_) for one, all_ in zip(numbers, values, strict=True)):
        return None
    if not is_time and any(one != group[0] for group in numbers for one in group):
        return None
    firsts = [min(group) for group in numbers]
    return firsts if len(set(firsts)) > 1 else None
