"""Traps 1 to 8: the order of slices, their distances, slices that are missing or there twice."""

from __future__ import annotations

from typing import Final

from benchmarks.traps_case import GAPS, Case
from builders import axial
from builders_parts import AXIAL, CORONAL, LOCALIZER


def _coronal(*steps: int) -> list[tuple[float, float, float]]:
    return [(-7, 11 + 2.5 * k, 40) for k in steps]


_TURNED: Final = (0.9999, 0.0141, 0, -0.0141, 0.9999, 0)
_STEEP: Final = [tuple(round(v * k, 9) for v in (-1.5, 2.0, 0.0)) for k in (2, 0, 1, 4, 3)]
SCOUT: Final = {
    "ImageType": [LOCALIZER] + ["ORIGINAL\\PRIMARY\\AXIAL"] * 4,
    "SOPInstanceUID": [f"1.2.3.4.{k}" for k in (777, 1, 2, 3, 4)],
}
SCOUT_PARTS: Final = ["localizer", *["volume"] * 4]
ORDER: Final = (
    Case(
        "1",
        "names, InstanceNumber and SliceLocation tell other orders than the positions",
        5,
        {
            "InstanceNumber": [1, 5, 2, 4, 3],
            "SliceLocation": [0, 40, 10, 30, 20],
            "ImagePositionPatient": _coronal(3, 0, 4, 1, 2),
            "ImageOrientationPatient": CORONAL,
        },
    ),
    Case(
        "2",
        "the first file is a localizer of the same series",
        5,
        {
            **SCOUT,
            "ImageOrientationPatient": [CORONAL, *[AXIAL] * 4],
            "ImagePositionPatient": [(0, 0, 0), *axial(30, 32.5, 35, 37.5)],
        },
        SCOUT_PARTS,
    ),
    Case(
        "2",
        "the first file has another orientation",
        5,
        {"ImageOrientationPatient": [CORONAL, *[AXIAL] * 4]},
        ["odd one", *["axial"] * 4],
        None,
        ["several_series"],
    ),
    Case(
        "3",
        "cosines rounded, to 0.0009",
        5,
        {"ImageOrientationPatient": [AXIAL, (1, 0, 0, 0, 0.9999, 0.0009), AXIAL, AXIAL, AXIAL]},
    ),
    Case(
        "3",
        "every other slice turned by 0.8 degrees",
        4,
        {"ImageOrientationPatient": [AXIAL, _TURNED] * 2},
        ["straight", "turned"] * 2,
        None,
        ["several_series"],
    ),
    Case(
        "3",
        "row and column direction are the same",
        3,
        {"ImageOrientationPatient": (1, 0, 0, 1, 0, 0)},
        wanted=None,
        codes=["invalid_geometry"],
        matter="orient|cosine|direction|orthogonal|singular",
    ),
    Case(
        "4",
        "positions rounded to 0.1 mm are no gap",
        7,
        {"ImagePositionPatient": axial(0.0, 0.3, 0.7, 1.0, 1.3, 1.7, 2.0)},
        tolerance_mm=0.05,
    ),
    Case(
        "5",
        "SliceThickness 5 and SpacingBetweenSlices 16, positions 0.5 mm apart",
        4,
        {
            "ImagePositionPatient": axial(0, 0.5, 1, 1.5),
            "SliceThickness": 5,
            "SpacingBetweenSlices": 16,
        },
    ),
    Case(
        "6",
        "oblique: 2.5 mm apart in space, 0 in z",
        5,
        {"ImagePositionPatient": _STEEP, "ImageOrientationPatient": (0.8, 0.6, 0, 0, 0, -1)},
    ),
    Case(
        "7",
        "a slice is missing",
        5,
        {"ImagePositionPatient": axial(0, 2, 6, 8, 10)},
        wanted=None,
        codes=["missing_slices"],
        matter=GAPS,
    ),
    Case(
        "7",
        "uneven distances: 2, 3, 3, 2, 2 mm",
        6,
        {"ImagePositionPatient": axial(0, 2, 5, 8, 10, 12)},
        wanted=None,
        codes=["uneven_spacing"],
        matter=GAPS,
    ),
    Case(
        "8",
        "a file is there twice",
        5,
        {
            "ImagePositionPatient": axial(0, 2, 4, 6, 4),
            "InstanceNumber": [1, 2, 3, 4, 3],
            "SOPInstanceUID": [f"1.2.3.4.{k}" for k in (1, 2, 3, 4, 3)],
        },
        contents=[0, 1, 2, 3, 2],
    ),
    Case(
        "8",
        "two different slices at one position",
        4,
        {"ImagePositionPatient": axial(0, 2, 2, 4)},
        wanted=None,
        codes=["duplicate_positions"],
        matter=f"{GAPS}|duplicate|same|position",
    ),
)
