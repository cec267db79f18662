"""CT series of single slices, in every transfer syntax, and a tree of many small ones."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.datasets.attributes import ROOT, ct_slice
from benchmarks.datasets.cache import made
from benchmarks.datasets.codestreams import UIDS, add_pixels
from benchmarks.datasets.phantom import CT_INTERCEPT, ct_cells, ct_truth, shuffled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom.dataset import Dataset

CT_SYNTAXES: Final = dict(UIDS)
LOSSY: Final = frozenset({"jpeg_12bit", "jpeg_8bit"})
# BitsStored of the lossy ones: unsigned, as JPEG is. The phantom has 12 bits.
_LOSSY_BITS: Final = {"jpeg_12bit": 12, "jpeg_8bit": 8}
_PHANTOM_BITS: Final = 12
_FILES_A_SERIES: Final = 100


def ct_series(slices: int = 300, size: int = 512, syntax: str = "native") -> Path:
    """Make a CT series of single-frame files with shuffled names.

    Signed 16-bit cells with 12 bits of values, and intercept -1024; all lossless syntaxes have the
    same. Lossy: unsigned, "jpeg_12bit" with 12 bits stored, "jpeg_8bit" with 8 and slope 16.

    Compression of 300 slices, native to one: deflated 1.97, RLE 1.92, JPEG lossless 2.36, JPEG-LS
    2.45, JPEG 2000 2.41, HTJ2K 2.26; lossy 3.3 with 12 bits, 14.5 with 8.

    Args:
        slices: How many.
        size: Rows, and columns.
        syntax: A key of `CT_SYNTAXES`.

    Returns:
        The folder. It is made once and then found again; `truth` tells what is in it.
    """
    require(syntax, CT_SYNTAXES)
    form = "" if syntax == "native" else f"-{syntax}"

    def fill(folder: Path) -> None:
        cells, names = ct_cells(slices, size), shuffled(slices)

        def write(index: int) -> None:
            ds = ct_slice(index, size, size)
            stored = cells[index]
            if syntax in LOSSY:
                stored = _to_unsigned(ds, stored, syntax)
            add_pixels(ds, syntax, stored)
            if syntax in LOSSY:
                ratio = stored.nbytes / len(ds.PixelData)
                ds.LossyImageCompressionRatio = f"{ratio:.2f}"
            ds.save_as(folder / f"IM{names[index]:05d}.dcm", enforce_file_format=True)

        in_parallel(write, slices)

    return made(f"ct-{slices}x{size}x{size}{form}", fill, lambda: _truth(slices, size, syntax))


def header_tree(files: int = 3000, size: int = 64) -> Path:
    """Make folders of patients, studies and series of 100 native CT slices, for header readers.

    Every element of `ct_series` is there; nothing but DICOM is.

    Args:
        files: How many.
        size: Rows, and columns.

    Returns:
        The folder. It has no `truth`.
    """

    def fill(folder: Path) -> None:
        cells = ct_cells(_FILES_A_SERIES, size)

        def write(number: int) -> None:
            series, index = divmod(number, _FILES_A_SERIES)
            study, patient = series // 3, series // 6
            ds = ct_slice(index, size, size)
            ds.PatientID = f"PHANTOM{patient}"
            ds.StudyInstanceUID = f"{ROOT}.8.{study}"
            ds.SeriesInstanceUID = f"{ROOT}.9.{series}"
            ds.FrameOfReferenceUID = f"{ROOT}.10.{study}"
            ds.SOPInstanceUID = f"{ROOT}.11.{series}.{index + 1}"
            ds.SeriesNumber = series % 3 + 1
            add_pixels(ds, "native", cells[index])
            parent = folder / f"patient{patient:02d}" / f"study{study:03d}" / f"series{series:03d}"
            parent.mkdir(parents=True, exist_ok=True)
            ds.save_as(parent / f"IM{index:05d}.dcm", enforce_file_format=True)

        in_parallel(write, files)

    return made(f"tree-{files}x{size}x{size}", fill)


def require(syntax: str, allowed: dict[str, str]) -> None:
    """Refuse a name that is not there.

    Raises:
        ValueError: It lists those that are.
    """
    if syntax not in allowed:
        msg = f"syntax is {syntax!r}, and has to be one of {', '.join(allowed)}"
        raise ValueError(msg)


def in_parallel(work: Callable[[int], None], count: int) -> None:
    """Call it for each index; codecs release the GIL."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for _ in pool.map(work, range(count)):
            pass  # looking at a result raises what the work raised


def _to_unsigned(ds: Dataset, cells: np.ndarray, syntax: str) -> np.ndarray:
    """Make the data set one of a lossy image (PS3.3 C.7.6.1.1.5), and give the values it has."""
    bits = _LOSSY_BITS[syntax]
    shift = _PHANTOM_BITS - bits
    ds.ImageType = ["DERIVED", "PRIMARY", "AXIAL"]
    ds.SOPInstanceUID = f"{ROOT}.{bits}.{ds.InstanceNumber}"
    ds.SeriesInstanceUID = f"{ROOT}.{bits}"
    ds.PixelRepresentation = 0
    ds.BitsAllocated = 8 if bits == 8 else 16
    ds.BitsStored, ds.HighBit = bits, bits - 1
    ds.PixelPaddingValue = (1 << bits) - 1  # a value that the phantom does not have
    ds.RescaleSlope = 1 << shift
    ds.LossyImageCompression = "01"
    ds.LossyImageCompressionMethod = "ISO_10918_1"
    return (cells >> shift).astype("u1" if bits == 8 else "<u2")


def _truth(slices: int, size: int, syntax: str) -> np.ndarray | Path:
    if syntax == "jpeg_8bit":
        shift = _PHANTOM_BITS - _LOSSY_BITS[syntax]
        kept = ct_cells(slices, size) >> shift << shift
        return kept.astype(np.float32) + np.float32(CT_INTERCEPT)
    return ct_truth(slices, size)
