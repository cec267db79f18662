"""Traps 9 and 36: several images of every position, told apart by what they were taken at."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.traps_case import Case
from builders import MR_IMAGE, axial

_MR: Final[dict[str, Any]] = {
    "SOPClassUID": MR_IMAGE,
    "Modality": "MR",
    "ImageType": "ORIGINAL\\PRIMARY\\M\\ND",
}
_HEIGHTS: Final = (30, 33, 36)

TIMES: Final = (
    Case(
        "9",
        "two times of each position, both of it one after the other",
        6,
        {
            **_MR,
            "ImagePositionPatient": [z for z in axial(*_HEIGHTS) for _ in range(2)],
            "TemporalPositionIdentifier": [1, 2] * 3,
        },
        times=[0, 1] * 3,
    ),
    Case(
        "9",
        "three phases of the heart, by TriggerTime alone; the last one was sent first",
        9,
        {
            **_MR,
            "ImagePositionPatient": axial(*_HEIGHTS) * 3,
            "TriggerTime": [time for time in (600, 0, 300) for _ in _HEIGHTS],
        },
        times=[time for time in (2, 0, 1) for _ in _HEIGHTS],
    ),
    Case(
        "9",
        "of one position the second time is missing",
        5,
        {
            **_MR,
            "ImagePositionPatient": axial(*_HEIGHTS, *_HEIGHTS[:2]),
            "TemporalPositionIdentifier": [1, 1, 1, 2, 2],
        },
        wanted=None,
        codes=["duplicate_positions"],
        matter="repeat|duplicate|position|missing|slices|incomplete|time",
        times=[0, 0, 0, 1, 1],
    ),
    Case(
        "36",
        "two times, midnight between them",
        6,
        {
            **_MR,
            "ImagePositionPatient": axial(*_HEIGHTS) * 2,
            "AcquisitionTime": ["235950"] * 3 + ["000010"] * 3,
        },
        times=[0, 0, 0, 1, 1, 1],
    ),
)
