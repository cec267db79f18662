"""How long does one file's header take?"""

from __future__ import annotations

from typing import Final

import pydicom

import torchdicom as td
from benchmarks.datasets import ct_series
from benchmarks.report import Answer, spread
from torchdicom import _ext

_ROUNDS: Final = 9
_REPEATS: Final = 5
_SAMPLE: Final = 10
_BAR_US: Final = 15.0


def ask() -> Answer:
    """Open, read and parse 300 files on one thread, in C++, warm: microseconds a file."""
    paths = sorted(str(path) for path in ct_series().iterdir())
    for path in paths[:_SAMPLE]:
        _require_equal(path)
    seconds = [_ext.time_headers(paths, _REPEATS) for _ in range(_ROUNDS)]
    row = spread(seconds, "us")
    bar = f"under {_BAR_US:g} us a file on one thread"
    return Answer("header", bar, row["us"] < _BAR_US, [{"files": len(paths), **row}])


def _require_equal(path: str) -> None:
    """Fail where our header is not pydicom's: a wrong answer has no speed."""
    ours = td.read_header(path)
    ds = pydicom.dcmread(path, stop_before_pixels=True)
    pairs = {
        "SOPInstanceUID": (ours.sop_instance_uid, ds.SOPInstanceUID),
        "SeriesInstanceUID": (ours.series_instance_uid, ds.SeriesInstanceUID),
        "Rows": (ours.rows, ds.Rows),
        "Columns": (ours.columns, ds.Columns),
        "BitsStored": (ours.bits_stored, ds.BitsStored),
        "ImagePositionPatient": (ours.image_position_patient, tuple(ds.ImagePositionPatient)),
        "ImageOrientationPatient": (
            ours.image_orientation_patient,
            tuple(ds.ImageOrientationPatient),
        ),
        "PixelSpacing": (ours.pixel_spacing, tuple(ds.PixelSpacing)),
        "RescaleSlope": (ours.rescale_slope, ds.RescaleSlope),
        "RescaleIntercept": (ours.rescale_intercept, ds.RescaleIntercept),
    }
    for name, (found, expected) in pairs.items():
        if found != expected:
            msg = f"{name} of {path} is {found!r}, and {expected!r} for pydicom"
            raise AssertionError(msg)
