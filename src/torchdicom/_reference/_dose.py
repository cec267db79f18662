"""The frames of a dose: planes at the offsets of the grid (PS3.3 C.8.8.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from torchdicom._errors import SeriesError
from torchdicom._reference._normal import moved, normal_of
from torchdicom._reference._tags import element_name

if TYPE_CHECKING:
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._values import Values

_OFFSETS: Final = "GridFrameOffsetVector"
_COSINE_TOLERANCE: Final = 1e-3
_START_TOLERANCE_MM: Final = 0.1  # positions are text


def dose_headers(file: FileHeader, values: Values) -> list[FileHeader]:
    """One header a plane.

    Raises:
        ParseError: ``missing_element``, ``invalid_multiplicity`` of the offsets.
        SeriesError: ``invalid_geometry`` where they do not say where the planes are.
    """
    count = file.header.number_of_frames
    offsets = _offsets(values, count) if count > 1 else (0.0,)
    first = replace(
        file,
        header=replace(
            file.header,
            rescale_slope=values.decimal("DoseGridScaling"),
            rescale_intercept=None,
            rescale_type=values.text("DoseUnits"),
        ),
        raw={**file.raw, "RescaleType": values.raw("DoseUnits")},
        form="dose",
    )
    if count > 1 and offsets[0] != 0.0:
        _check_coordinates(first, offsets[0])
    return [
        replace(
            first,
            frame=frame,
            header=replace(first.header, image_position_patient=_position(first, offsets, frame)),
        )
        for frame in range(count)
    ]


def _offsets(values: Values, count: int) -> tuple[float, ...]:
    offsets = values.decimal_list(_OFFSETS)
    if not offsets:
        msg = f"The dose has {count} frames, and no {_OFFSETS} that says where they are"
        raise values.error(msg, "missing_element", _OFFSETS)
    if len(offsets) != count:
        msg = f"{_OFFSETS} has {len(offsets)} values, and NumberOfFrames is {count}"
        raise values.error(msg, "invalid_multiplicity", _OFFSETS)
    return offsets


def _position(file: FileHeader, offsets: tuple[float, ...], frame: int) -> tuple[float, ...]:
    """Of the first voxel of a plane; nothing where the dose has no place."""
    position, orientation = (
        file.header.image_position_patient,
        file.header.image_orientation_patient,
    )
    if len(offsets) == 1:
        return position or ()
    if not position or not orientation:
        return ()
    if offsets[0] != 0.0:  # these are coordinates
        return (*position[:2], offsets[frame])
    return moved(position, offsets[frame] - offsets[0], normal_of(orientation))


def _check_coordinates(file: FileHeader, first: float) -> None:
    """Coordinates along z begin with the position's, and say where planes across z are."""
    position = file.header.image_position_patient
    orientation = file.header.image_orientation_patient
    straight = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    if (
        not position
        or not orientation
        or (
            abs(first - position[2]) <= _START_TOLERANCE_MM
            and all(
                abs(abs(cosine) - whole) <= _COSINE_TOLERANCE
                for cosine, whole in zip(orientation, straight, strict=True)
            )
        )
    ):
        return
    text = (
        f"{_OFFSETS} does not start with 0: its values are coordinates along z, and it starts with "
        "another than the first plane's, or the planes are not across z; torchdicom.decode reads "
        "their pixels"
    )
    element = element_name(_OFFSETS)
    raise SeriesError(text, code="invalid_geometry", path=file.path, element=element)
