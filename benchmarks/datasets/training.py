"""Several series, and several radiographs: what a training run goes through in an epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pydicom.uid import DigitalXRayImageStorageForPresentation

from benchmarks.datasets.attributes import ROOT, ct_slice
from benchmarks.datasets.cache import kept, made, versioned
from benchmarks.datasets.codestreams import UIDS, add_pixels
from benchmarks.datasets.ct import in_parallel, require
from benchmarks.datasets.mammogram import without_pixels
from benchmarks.datasets.phantom import breast, ct_cells, ct_truth, shuffled

if TYPE_CHECKING:
    from pathlib import Path

COHORT_SYNTAXES: Final = {name: UIDS[name] for name in ("native", "jpeg_lossless", "jpeg_2000")}
# Columns that the picture moves on from one to the next, round the edge: no two are the same.
_STEP: Final = 37


def moved(picture: np.ndarray, number: int) -> np.ndarray:
    """The picture of one of several, which differ in how far they moved along the columns."""
    return np.roll(picture, _STEP * number, axis=-1)


def ct_cohort(series: int, slices: int, syntax: str = "native", size: int = 512) -> Path:
    """Make several CT series as `ct_series` does, each in a folder and with a picture of its own.

    Args:
        series: How many.
        slices: Of each.
        syntax: A key of `COHORT_SYNTAXES`.
        size: Rows, and columns.

    Returns:
        The folder, of folders `series0`, `series1` and so on. `truth` is that of the first; of the
        others it is what `moved` makes of it.
    """
    require(syntax, COHORT_SYNTAXES)

    def fill(folder: Path) -> None:
        cells, names = ct_cells(slices, size), shuffled(slices)
        for number in range(series):
            (folder / f"series{number}").mkdir()

        def write(k: int) -> None:
            number, index = divmod(k, slices)
            ds = ct_slice(index, size, size)
            ds.SOPInstanceUID = f"{ROOT}.31.{number}.{index + 1}"
            ds.StudyInstanceUID = f"{ROOT}.32.{number}"
            ds.SeriesInstanceUID = f"{ROOT}.33.{number}"
            ds.FrameOfReferenceUID = f"{ROOT}.34.{number}"
            add_pixels(ds, syntax, moved(cells[index], number))
            path = folder / f"series{number}" / f"IM{names[index]:05d}.dcm"
            ds.save_as(path, enforce_file_format=True)

        in_parallel(write, series * slices)

    name = f"cohort-{series}x{slices}x{size}x{size}-{syntax}"
    return made(name, fill, lambda: ct_truth(slices, size))


def radiographs(count: int, size: int = 2048) -> Path:
    """Make native digital X-ray images (PS3.3 A.26), each a series of its own: 12 of 16 bits.

    Args:
        count: How many.
        size: Rows, and columns.

    Returns:
        The folder, of files `DX00000.dcm` and so on. `truth` of shape (1, size, size) is that of
        the first; of the others it is what `moved` makes of it.
    """

    def values() -> np.ndarray:
        return breast(size, size).astype(np.float32)[np.newaxis]

    picture = kept(versioned(f"breast-{size}x{size}"), values)

    def fill(folder: Path) -> None:
        cells = np.load(picture)[0].astype("<u2")

        def write(number: int) -> None:
            ds = without_pixels(size, size)
            ds.SOPClassUID, ds.Modality = DigitalXRayImageStorageForPresentation, "DX"
            ds.PresentationIntentType = "FOR PRESENTATION"
            ds.SOPInstanceUID = f"{ROOT}.41.{number}"
            ds.StudyInstanceUID = f"{ROOT}.42.{number}"
            ds.SeriesInstanceUID = f"{ROOT}.43.{number}"
            ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "US"
            add_pixels(ds, "native", moved(cells, number))
            ds.save_as(folder / f"DX{number:05d}.dcm", enforce_file_format=True)

        in_parallel(write, count)

    return made(f"radiographs-{count}x{size}x{size}", fill, lambda: picture)
