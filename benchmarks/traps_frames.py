"""Traps 16 and 29 to 34 where one file has all slices: enhanced, doses, mosaics, tomograms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.traps_case import (
    COLUMNS,
    POSITION,
    REQUIRED,
    ROWS,
    SPACING,
    USUAL,
    Case,
    Slice,
    cells,
)
from builders import MR_IMAGE, Element, sequence
from builders_enhanced import ENHANCED_CT, ENHANCED_MR, ENHANCED_PET, enhanced
from builders_multiframe import NM_IMAGE, RT_DOSE, dose, mosaic, nuclear
from builders_parts import AXIAL, CORONAL

if TYPE_CHECKING:
    from collections.abc import Sequence

Place = tuple[float, float, float]
_ORGANIZATION: Final = Element(0x00209164, "UI", "1.2.3.6")
# By which attribute of the frames' content a frame is found (PS3.3 C.7.6.17).
_STACK, _POSITION, _TIME, _CONTENT = 0x00209056, 0x00209057, 0x00209128, 0x00209111
_FRAME_TYPE: Final = "ORIGINAL\\PRIMARY\\VOLUME\\NONE"


def _up(*heights: float) -> list[Place]:
    return [(*POSITION[:2], z) for z in heights]


def _written(
    places: Sequence[Place],
    *,
    parts: Sequence[str] = (),
    times: Sequence[int] = (),
    axes: Sequence[Sequence[float]] = (),
    slopes: Sequence[float] = (),
    intercept: float = 0,
) -> list[Slice]:
    """Frame k has content k, and lies at its place."""
    found = []
    for k, place in enumerate(places):
        directions = np.array(axes[k] if axes else AXIAL, float)
        found.append(
            Slice(
                part=parts[k] if parts else "volume",
                values=cells(k) * float(slopes[k] if slopes else 1) + intercept,
                origin=np.array(place, float),
                down=directions[3:] * SPACING[0],
                across=directions[:3] * SPACING[1],
                t=times[k] if times else None,
            )
        )
    return found


def _pixels(count: int) -> np.ndarray:
    return np.stack([cells(k) for k in range(count)])


def _enhanced(
    places: Sequence[Place],
    *,
    stacks: Sequence[str] = (),
    times: Sequence[int] = (),
    shared: dict[str, Any] | None = None,
    per_frame: dict[str, Sequence[Any]] | None = None,
    **attributes: Any,
) -> bytes:
    """An enhanced file whose dimensions are what the frames' content says."""
    count = len(places)
    stacks = stacks or ["1"] * count
    numbers = [_rank(places, stacks, k) for k in range(count)]
    content: dict[str, Sequence[Any]] = {"StackID": stacks, "InStackPositionNumber": numbers}
    indices = [[sorted(set(stacks)).index(stacks[k]) + 1, numbers[k]] for k in range(count)]
    if times:
        content["TemporalPositionIndex"] = [time + 1 for time in times]
        indices = [[*index, time + 1] for index, time in zip(indices, times, strict=True)]
    content["DimensionIndexValues"] = [tuple(index) for index in indices]
    pointers = [
        [
            _ORGANIZATION,
            Element(0x00209165, "AT", _tag(tag)),
            Element(0x00209167, "AT", _tag(_CONTENT)),
        ]
        for tag in (_STACK, _POSITION, *([_TIME] if times else []))
    ]
    dimensions = [sequence(0x00209221, [_ORGANIZATION]), sequence(0x00209222, *pointers)]
    top = {"extra": [*REQUIRED, *dimensions], "pixels": _pixels(count), **USUAL, **attributes}
    top["meta_class"] = attributes.get("SOPClassUID", ENHANCED_MR)
    frames = {"ImagePositionPatient": places, **content, **(per_frame or {})}
    return enhanced(count, shared=shared, per_frame=frames, **top)


def _tag(tag: int) -> bytes:
    return (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")


def _rank(places: Sequence[Place], stacks: Sequence[str], k: int) -> int:
    """The frame's position in its stack, from 1 on."""
    here = {place for place, stack in zip(places, stacks, strict=True) if stack == stacks[k]}
    return sorted(here).index(places[k]) + 1


_SHUFFLED: Final = _up(35, 30, 40, 32.5, 37.5)
_TWICE: Final = [place for place in _up(30, 33, 36) for _ in range(2)]
_STACKS: Final = _up(30, 60, 33, 63, 36, 66)
_TURNING: Final = [*_up(30, 33, 36), (0, 0, 50), (0, 4, 50), (0, 8, 50)]
_CT: Final[dict[str, Any]] = {
    "SOPClassUID": ENHANCED_CT,
    "Modality": "CT",
    "ImageType": _FRAME_TYPE,
}
_HU: Final = {"RescaleIntercept": -1024, "RescaleSlope": 1, "RescaleType": "HU"}
_SLOPES: Final = (1, 0.25, 0.375, 0.75)
_SIEMENS: Final[dict[str, Any]] = {**USUAL, "Manufacturer": "SIEMENS"}
# The middle of the whole image: half of what it is larger is before the first tile.
_MOSAIC_CORNER: Final = (
    POSITION[0] - SPACING[1] * COLUMNS / 2,
    POSITION[1] - SPACING[0] * ROWS / 2,
    POSITION[2],
)


def _tiles(count: int) -> np.ndarray:
    """A mosaic of 2 x 2 tiles."""
    image = np.zeros((2 * ROWS, 2 * COLUMNS), np.uint16)
    for k in range(count):
        y, x = divmod(k, 2)
        image[y * ROWS : (y + 1) * ROWS, x * COLUMNS : (x + 1) * COLUMNS] = cells(k)
    return image


def _one(trap: str, text: str, data: bytes, written: Sequence[Slice], **expected: Any) -> Case:
    return Case(trap, text, len(written), files=[data], written=written, **expected)


def _dose(text: str, offsets: Sequence[float], heights: Sequence[float]) -> Case:
    """0.5 GY a stored unit."""
    count = len(offsets)
    top = {**USUAL, "extra": REQUIRED, "meta_class": RT_DOSE}
    data = dose(count, offsets=offsets, pixels=_pixels(count), **top)
    return _one("29", text, data, _written(_up(*heights), slopes=[0.5] * count))


FRAMES: Final = (
    _one(
        "16",
        "enhanced PET: another slope in each frame, 1 in the first",
        _enhanced(
            _up(30, 33, 36, 39),
            shared={"RescaleType": "BQML", "PETFrameType": _FRAME_TYPE},
            per_frame={"RescaleSlope": _SLOPES, "RescaleIntercept": [0] * 4},
            SOPClassUID=ENHANCED_PET,
            Modality="PT",
            ImageType=_FRAME_TYPE,
        ),
        _written(_up(30, 33, 36, 39), slopes=_SLOPES),
    ),
    _dose("dose: planes by offsets from the first", (0, 3, 6, 9, 12), (30, 33, 36, 39, 42)),
    _dose("dose: offsets towards the feet", (0, -3, -6, -9, -12), (30, 27, 24, 21, 18)),
    _dose("dose: offsets are places", (30, 33, 36, 39, 42), (30, 33, 36, 39, 42)),
    _one(
        "31",
        "enhanced CT: frames in another order than their places",
        _enhanced(_SHUFFLED, shared={**_HU, "CTFrameType": _FRAME_TYPE}, **_CT),
        _written(_SHUFFLED, intercept=-1024),
    ),
    _one(
        "31",
        "enhanced MR: two times of each position, both of it one after the other",
        _enhanced(_TWICE, times=[0, 1] * 3),
        _written(_TWICE, times=[0, 1] * 3),
    ),
    _one(
        "31",
        "enhanced MR: two stacks in one file, frame about",
        _enhanced(_STACKS, stacks=["1", "2"] * 3),
        _written(_STACKS, parts=["stack 1", "stack 2"] * 3),
        wanted=None,
        codes=["several_series"],
    ),
    _one(
        "31",
        "enhanced MR: the orientation changes inside the file",
        _enhanced(
            _TURNING,
            stacks=["1"] * 3 + ["2"] * 3,
            per_frame={"ImageOrientationPatient": [AXIAL] * 3 + [CORONAL] * 3},
        ),
        _written(
            _TURNING,
            parts=["axial"] * 3 + ["coronal"] * 3,
            axes=[AXIAL] * 3 + [CORONAL] * 3,
        ),
        wanted=None,
        codes=["several_series"],
    ),
    _one(
        "32",
        "Siemens mosaic, its slices from the top down",
        mosaic(
            4,
            normal=(0, 0, -1),
            pixels=_tiles(4),
            extra=REQUIRED,
            meta_class=MR_IMAGE,
            ImagePositionPatient=_MOSAIC_CORNER,
            **_SIEMENS,
        ),
        _written(_up(30, 26, 22, 18)),
    ),
    _one(
        "34",
        "nuclear medicine: a tomogram that has but the place of its first slice",
        nuclear(5, pixels=_pixels(5), extra=REQUIRED, meta_class=NM_IMAGE, **USUAL),
        _written(_up(30, 34, 38, 42, 46)),
    ),
)
