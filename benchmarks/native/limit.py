"""The fastest that this machine can fill a volume, or look into every file of a tree."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pydicom
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from benchmarks.native.build import library
from benchmarks.native.memory import touched

if TYPE_CHECKING:
    from pathlib import Path

_NATIVE: Final = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)


class _Slice(NamedTuple):
    """Where a file's pixels are, and what they mean."""

    height: float
    path: Path
    offset: int
    kind: tuple[int, int, float, float]


class Limit:
    """A native series of signed 16-bit cells, whose files are known in all that matters."""

    def __init__(self, folder: Path, threads: int, *, mapped: bool = False) -> None:
        """Find the order and the offsets of the pixels, and touch the memory.

        Args:
            folder: Of axial single-frame slices, all with the same size, slope and intercept.
            threads: How many share the slices.
            mapped: Map the files instead of reading them into scratch memory.

        Raises:
            ValueError: The series is another one.
        """
        slices = sorted(_look(path) for path in folder.rglob("*.dcm"))
        kinds = {one.kind for one in slices}
        if len(kinds) != 1:
            msg = f"{folder} has slices of {len(kinds)} kinds, and one is needed"
            raise ValueError(msg)
        rows, columns, slope, intercept = slices[0].kind
        self._names = [str(one.path) for one in slices]
        self._paths = (ctypes.c_char_p * len(slices))(*map(os.fsencode, self._names))
        self._offsets = (ctypes.c_int64 * len(slices))(*(one.offset for one in slices))
        self._out = touched((len(slices), rows, columns), np.float32)
        self._scratch = None if mapped else touched((threads, rows, columns), np.int16)
        self._failed = ctypes.c_int64()
        self._arguments = (
            self._paths,
            self._offsets,
            ctypes.c_int64(len(slices)),
            ctypes.c_int64(rows * columns),
            ctypes.c_float(slope),
            ctypes.c_float(intercept),
            ctypes.c_int(threads),
            ctypes.c_void_p(None if self._scratch is None else self._scratch.ctypes.data),
            ctypes.c_void_p(self._out.ctypes.data),
            ctypes.byref(self._failed),
        )
        self._call = library("limit.c").limit_load

    def load(self) -> np.ndarray:
        """Fill the memory again.

        Returns:
            float32 (slices, rows, columns) in slice order: the same memory each time.

        Raises:
            OSError: A file cannot be opened or mapped.
        """
        error = self._call(*self._arguments)
        if error:
            index = self._failed.value
            raise OSError(error, os.strerror(error), self._names[index] if index >= 0 else None)
        return self._out


def floor(folder: Path, threads: int) -> int:
    """Walk a tree on one thread; then open, read 8 KiB and close each file, on all.

    Args:
        folder: The root.
        threads: How many share the files.

    Returns:
        The number of files.

    Raises:
        OSError: One of them, or a folder, cannot be read.
    """
    files = ctypes.c_int64()
    call = library("limit.c").limit_floor
    error = call(ctypes.c_char_p(os.fsencode(folder)), ctypes.c_int(threads), ctypes.byref(files))
    if error:
        raise OSError(error, os.strerror(error), str(folder))
    return files.value


def _look(path: Path) -> _Slice:
    ds = pydicom.dcmread(path)
    if ds.file_meta.TransferSyntaxUID not in _NATIVE or ds.PixelRepresentation != 1:
        msg = f"{path} has no native signed pixels"
        raise ValueError(msg)
    pixels = ds.get_item("PixelData")
    offset = getattr(pixels, "value_tell", None)  # of an element that is not parsed yet
    size = 2 * ds.Rows * ds.Columns
    # The kernel would say SIGBUS where a mapping goes beyond the file.
    if ds.BitsStored != 16 or offset is None or path.stat().st_size < offset + size:
        msg = f"{path} has not {size} bytes of 16-bit pixels"
        raise ValueError(msg)
    kind = (ds.Rows, ds.Columns, float(ds.RescaleSlope), float(ds.RescaleIntercept))
    return _Slice(float(ds.ImagePositionPatient[2]), path, offset, kind)
