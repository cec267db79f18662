"""GDCM from C++, as it is without Python around each file."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.native.build import library
from benchmarks.native.memory import touched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SOURCE: Final = "gdcm_peer.cpp"
_VALUE_END: Final = "\x1f"
_FILE_END: Final = "\x1e"


class _Shape(ctypes.Structure):
    _fields_ = (
        ("frames", ctypes.c_int64),
        ("rows", ctypes.c_int64),
        ("columns", ctypes.c_int64),
        ("bytes_per_cell", ctypes.c_int64),
        ("is_signed", ctypes.c_int64),
    )

    @property
    def sizes(self) -> tuple[int, int, int]:
        return self.frames, self.rows, self.columns


class GdcmSeries:
    """A folder of slices to float32 modality values."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Find the shape and touch the memory, which GDCM's user would have to allocate.

        Args:
            folder: Of one series.
            threads: How many share the slices; the order is found on one.

        Raises:
            RuntimeError: GDCM does not read the first slice, or finds no order.
        """
        shape = _Shape()
        self._folder = ctypes.c_char_p(os.fsencode(folder))
        _call("gdcm_series_shape", self._folder, ctypes.byref(shape))
        self._out = touched(shape.sizes, np.float32)
        self._threads = threads

    def load(self) -> np.ndarray:
        """Find, sort, read, decode and rescale all slices.

        Returns:
            float32 (slices, rows, columns): the same memory each time.

        Raises:
            RuntimeError: GDCM refuses a slice.
        """
        out = ctypes.c_void_p(self._out.ctypes.data)
        count = ctypes.c_int64(self._out.size)
        _call("gdcm_series_load", self._folder, ctypes.c_int(self._threads), out, count)
        return self._out


class GdcmImage:
    """One file, of one frame or many, to its stored values."""

    def __init__(self, path: Path) -> None:
        """Find the shape and touch the memory.

        Args:
            path: The file.

        Raises:
            RuntimeError: GDCM does not read it.
        """
        shape = _Shape()
        self._path = ctypes.c_char_p(os.fsencode(path))
        _call("gdcm_image_shape", self._path, ctypes.byref(shape))
        kind = f"{'i' if shape.is_signed else 'u'}{shape.bytes_per_cell}"
        self._out = touched(shape.sizes, kind)

    def load(self) -> np.ndarray:
        """Read and decode all frames; GDCM has no threads for that.

        Returns:
            Stored values (frames, rows, columns): the same memory each time.

        Raises:
            RuntimeError: GDCM does not decode the file.
        """
        out = ctypes.c_void_p(self._out.ctypes.data)
        _call("gdcm_image_load", self._path, out, ctypes.c_int64(self._out.nbytes))
        return self._out


class GdcmScan:
    """A few attributes of many files."""

    def __init__(self, paths: Sequence[Path], tags: Sequence[int]) -> None:
        """Prepare the lists.

        Args:
            paths: The files.
            tags: Group and element as one number, such as 0x0020000E.
        """
        self._paths = (ctypes.c_char_p * len(paths))(*map(os.fsencode, paths))
        self._tags = (ctypes.c_uint32 * len(tags))(*tags)

    def load(self) -> list[tuple[str, ...]]:
        """Read the headers with gdcm::Scanner.

        Returns:
            For each file the values of the tags as text without padding, empty where there is none.

        Raises:
            RuntimeError: A file is not read.
        """
        found = ctypes.c_char_p()
        count = ctypes.c_int64(len(self._paths))
        tag_count = ctypes.c_int64(len(self._tags))
        _call("gdcm_scan", self._paths, count, self._tags, tag_count, ctypes.byref(found))
        files = (found.value or b"").decode("utf-8").split(_FILE_END)[:-1]
        return [tuple(map(str.rstrip, file.split(_VALUE_END)[:-1])) for file in files]


def _call(name: str, *arguments: Any) -> None:
    function = library(_SOURCE)[name]
    function.restype = ctypes.c_char_p
    error: bytes | None = function(*arguments)
    if error is not None:
        raise RuntimeError(error.decode("utf-8", "replace"))
