"""Traps 10 to 16, 35, 37: what is one series, its values, and where it lies in the patient."""

from __future__ import annotations

from typing import Any, Final

from benchmarks.traps_case import ROWS, Case, cells
from benchmarks.traps_order import SCOUT, SCOUT_PARTS
from builders import EXPLICIT, IMPLICIT, MR_IMAGE, PET_IMAGE, RLE, axial
from builders_frames import encapsulated, rle_frame
from builders_parts import AXIAL, CORONAL, DX_IMAGE

_MR: Final[dict[str, Any]] = {"SOPClassUID": MR_IMAGE, "Modality": "MR"}


def _alternating(text: str, first: str, second: str, **attributes: Any) -> Case:
    """Two series in one folder, slice about."""
    codes = ["several_series"]
    parts = [first, second] * 2
    return Case("10", text, 4, attributes, parts, None, codes)


_SHAPES: Final = [cells(0), cells(1)[: ROWS - 4], cells(2), cells(3)[: ROWS - 4]]
_DX: Final = {
    "SOPClassUID": DX_IMAGE,
    "Modality": "DX",
    "ImagePositionPatient": None,
    "ImageOrientationPatient": None,
}

SERIES: Final = (
    _alternating("two SeriesInstanceUIDs", "1.8", "1.9", SeriesInstanceUID=["1.8", "1.9"] * 2),
    _alternating("two echoes", "10 ms", "80 ms", **_MR, EchoTime=["10", "80"] * 2),
    _alternating(
        "magnitude and phase",
        "magnitude",
        "phase",
        **_MR,
        ImageType=["ORIGINAL\\PRIMARY\\M\\ND", "ORIGINAL\\PRIMARY\\P\\ND"] * 2,
    ),
    _alternating(
        "original and derived",
        "original",
        "derived",
        ImageType=["ORIGINAL\\PRIMARY", "DERIVED\\PRIMARY"] * 2,
    ),
    _alternating("two sizes", f"{ROWS} rows", f"{ROWS - 4} rows", pixels=_SHAPES),
    _alternating(
        "two orientations",
        "axial",
        "turned by 90 degrees",
        ImageOrientationPatient=[AXIAL, (0, 1, 0, -1, 0, 0)] * 2,
    ),
    Case(
        "10",
        "another exposure and another acquisition is the same series",
        4,
        {
            "ExposureTime": [500, 600, 500, 700],
            "XRayTubeCurrent": [120, 200, 210, 90],
            "KVP": [120, 120, 100, 100],
            "AcquisitionNumber": [1, 1, 2, 2],
            "SliceThickness": [2, 2, 2.5, 2.5],
        },
    ),
    Case(
        "11",
        "a parallel localizer between two slices of the same series",
        5,
        {**SCOUT, "ImagePositionPatient": axial(33, 30, 32.5, 35, 37.5)},
        SCOUT_PARTS,
    ),
    Case(
        "11",
        "a localizer of another series in the folder",
        5,
        {
            **SCOUT,
            "SeriesInstanceUID": ["1.9", *["1.2.3.4"] * 4],
            "ImageOrientationPatient": [CORONAL, *[AXIAL] * 4],
            "ImagePositionPatient": [(0, 0, 0), *axial(30, 32.5, 35, 37.5)],
        },
        SCOUT_PARTS,
    ),
    Case(
        "12",
        "gantry tilt of 11.3 degrees",
        4,
        {"ImagePositionPatient": [(0, k, 5 * k) for k in range(4)], "GantryDetectorTilt": "11.31"},
        matter="tilt|shear|orthogonal",
    ),
    Case("12", "GantryDetectorTilt says 15, the positions say 0", 4, {"GantryDetectorTilt": "15"}),
    Case("13", "0.8 mm between rows, 0.1 between columns", 3, {"PixelSpacing": (0.8, 0.1)}),
    Case(
        "13",
        "sagittal",
        3,
        {
            "ImageOrientationPatient": (0, 1, 0, 0, 0, -1),
            "ImagePositionPatient": [(-2 * k, 0, 0) for k in range(3)],
        },
    ),
    Case(
        "13",
        "columns towards the front",
        3,
        {
            "ImageOrientationPatient": (1, 0, 0, 0, -1, 0),
            "ImagePositionPatient": axial(0, -2, -4),
        },
    ),
    Case(
        "14",
        "a projection with ImagerPixelSpacing alone",
        1,
        {**_DX, "PixelSpacing": None, "ImagerPixelSpacing": (0.2, 0.1)},
        has_place=False,
    ),
    Case(
        "14",
        "slices with ImagerPixelSpacing alone",
        3,
        {"PixelSpacing": None, "ImagerPixelSpacing": (0.2, 0.1)},
        wanted=None,
        codes=["invalid_geometry"],
        matter="spacing",
        is_about_place=True,
    ),
    Case("15", "feet first, prone: moves nothing", 3, {"PatientPosition": "FFP"}),
    Case(
        "15",
        "a quadruped, whose axes have other names",
        3,
        {"AnatomicalOrientationType": "QUADRUPED"},
        wanted=None,
        matter="quadruped|anatomical",
        is_about_place=True,
    ),
    Case(
        "16",
        "PET: another slope in each slice, 1 in the first",
        4,
        {
            "SOPClassUID": PET_IMAGE,
            "Modality": "PT",
            "Units": "BQML",
            "RescaleIntercept": 0,
            "RescaleSlope": [1, 0.25, 0.375, 0.75],
        },
    ),
    Case(
        "35",
        "transfer syntaxes differ in the series",
        4,
        {
            "syntax": [IMPLICIT, EXPLICIT, RLE, IMPLICIT],
            "pixel_element": [None, None, encapsulated([[rle_frame(cells(2))]]), None],
        },
        matter="syntax|unsupported|compress|deflat",
    ),
    Case(
        "35",
        "no preamble and no file meta group",
        3,
        {"preamble": False, "meta": False, "syntax": IMPLICIT},
    ),
    Case(
        "37",
        "positions removed",
        4,
        {"ImagePositionPatient": [None] * 4, "InstanceNumber": [30, 10, 4, 20]},
        wanted=None,
        matter="position|order|sort|spacing",
        has_place=False,
    ),
    Case("37", "SeriesInstanceUID removed", 4, {"SeriesInstanceUID": None}),
    Case(
        "37",
        "another SeriesInstanceUID in each file",
        4,
        {"SeriesInstanceUID": [f"2.25.{k}" for k in range(4)]},
        [f"2.25.{k}" for k in range(4)],
        None,
        ["several_series"],
    ),
    Case("37", "SOPInstanceUID removed", 4, {"SOPInstanceUID": None}),
    Case(
        "37",
        "one SOPInstanceUID for all files",
        4,
        {"SOPInstanceUID": "1.1"},
        codes=["duplicate_files"],
    ),
)
