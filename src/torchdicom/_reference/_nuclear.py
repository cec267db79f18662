"""The frames of a nuclear medicine image: its vectors say what each is (PS3.3 C.8.4.8)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from torchdicom._reference._kinds import is_projection
from torchdicom._reference._normal import moved, normal_of
from torchdicom._reference._values import MAX_LIST_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._values import Values

# Slices of different ones are no stack.
_STACKS: Final = (
    ("EnergyWindowVector", "EnergyWindow"),
    ("DetectorVector", "Detector"),
    ("RRIntervalVector", "RRInterval"),
)


def is_nuclear(file: FileHeader, values: Values) -> bool:
    """Whether the vectors of nuclear medicine say what the frames of a file are."""
    if file.raw["Modality"] != "NM":
        return False
    return file.header.number_of_frames > 1 or bool(values.items("DetectorInformationSequence"))


def nuclear_headers(file: FileHeader, values: Values) -> list[FileHeader]:
    """One header a frame.

    Raises:
        ParseError: What is wrong with the place of the frames.
    """
    count = file.header.number_of_frames
    vectors = {name: _vector(values, name, count) for name, _ in _STACKS}
    slices = _vector(values, "SliceVector", count) or tuple(range(1, count + 1))
    times = _time_vector(file, values, count)
    spacing = values.decimal("SpacingBetweenSlices")
    headers = []
    for frame in range(count):
        position, orientation = _first_place(file, values, vectors["DetectorVector"], frame)
        if is_projection(file):
            position = ()
        else:
            position = _position(position, orientation, spacing, slices[frame], count)
        place = replace(
            file.header, image_position_patient=position, image_orientation_patient=orientation
        )
        when = file.times
        if times:
            when = replace(when, temporal_position=float(times[frame]))
        stack = ", ".join(_stacks(vectors, frame))
        headers.append(
            replace(file, header=place, frame=frame, form="nuclear", stack=stack, times=when)
        )
    return headers


def _what(file: FileHeader) -> str:
    """The third value of ImageType, such as RECON GATED TOMO."""
    return file.image_type[2] if len(file.image_type) > 2 else ""


def _vector(values: Values, keyword: str, count: int) -> tuple[int, ...]:
    """One number a frame; nothing where there are more or fewer."""
    numbers = values.shorts(keyword, MAX_LIST_LENGTH)
    return numbers if len(numbers) == count else ()


def _time_vector(file: FileHeader, values: Values, count: int) -> tuple[int, ...]:
    if not is_projection(file) and "GATED" in _what(file):
        return _vector(values, "TimeSlotVector", count)
    times = _vector(values, "TimeSliceVector", count)
    return times if _varies(times) else ()


def _varies(vector: Sequence[int]) -> bool:
    return len(set(vector)) > 1


def _stacks(vectors: dict[str, tuple[int, ...]], frame: int) -> Iterator[str]:
    for keyword, name in _STACKS:
        if _varies(vectors[keyword]):
            yield f"{name} {vectors[keyword][frame]}"


def _first_place(
    file: FileHeader, values: Values, detectors: tuple[int, ...], frame: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Position and orientation of the first slice that the frame's detector gives."""
    items = values.items("DetectorInformationSequence")
    number = detectors[frame] if detectors else 1
    item = items[number - 1 if 1 <= number <= len(items) else 0] if items else values
    position = item.decimals("ImagePositionPatient", 3)
    orientation = item.decimals("ImageOrientationPatient", 6)
    header = file.header
    return (
        position or header.image_position_patient,
        orientation or header.image_orientation_patient,
    )


def _position(
    first: tuple[float, ...],
    orientation: tuple[float, ...],
    spacing: float | None,
    number: int,
    count: int,
) -> tuple[float, ...]:
    """Of a slice, counted from 1; the sign of the spacing counts (C.8.4.15.1)."""
    if not first or not orientation or (spacing is None and count > 1):
        return ()
    if spacing is None:
        return first
    return moved(first, (number - 1) * spacing, normal_of(orientation))
