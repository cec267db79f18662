"""The codec libraries without DICOM around them: the least that decoding takes."""

from __future__ import annotations

import ctypes
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pydicom
from pydicom.encaps import generate_frames

from benchmarks.native.build import library
from benchmarks.native.memory import touched

if TYPE_CHECKING:
    from pathlib import Path

_SOURCE: Final = "codec_peer.cpp"
_FUNCTIONS: Final = {
    "1.2.840.10008.1.2.4.50": "jpeg_decode",
    "1.2.840.10008.1.2.4.90": "openjpeg_decode",
    "1.2.840.10008.1.2.4.201": "openjpeg_decode",
}
_META_END: Final = 132 + 12  # preamble, DICM, and the length of group 2 (PS3.10 7.1)


class CodecFrames:
    """A file whose frames lie at known places, to its stored values by one library."""

    def __init__(self, path: Path) -> None:
        """Find the frames and touch the memory.

        Args:
            path: A file in JPEG baseline, JPEG 2000 or HTJ2K, one gray sample a pixel.

        Raises:
            NotImplementedError: It is in another transfer syntax.
        """
        ds = pydicom.dcmread(path)
        function = _FUNCTIONS.get(ds.file_meta.TransferSyntaxUID)
        if function is None:
            raise NotImplementedError
        self._decode = library(_SOURCE)[function]
        self._decode.restype = ctypes.c_char_p
        count = int(ds.get("NumberOfFrames", 1))
        whole = path.read_bytes()
        streams = generate_frames(ds.PixelData, number_of_frames=count)
        self._places = [(whole.index(stream), len(stream)) for stream in streams]
        kind = np.uint8 if function == "jpeg_decode" else np.int16
        self._out = touched((count, ds.Rows, ds.Columns), kind)
        self._path = path

    def load(self) -> np.ndarray:
        """Read the file and decode its frames, one after the other.

        Returns:
            Stored values (frames, rows, columns): the same memory each time.

        Raises:
            RuntimeError: The library refuses a frame.
        """
        whole = self._path.read_bytes()
        start = ctypes.cast(ctypes.c_char_p(whole), ctypes.c_void_p).value or 0
        sizes = [ctypes.c_int64(size) for size in self._out.shape[1:]]
        for (at, size), out in zip(self._places, self._out, strict=True):
            to = ctypes.c_void_p(out.ctypes.data)
            data = ctypes.c_void_p(start + at)
            error: bytes | None = self._decode(data, ctypes.c_int64(size), to, *sizes)
            if error is not None:
                raise RuntimeError(error.decode("utf-8", "replace"))
        return self._out


class ZlibFrames:
    """A file in the deflated syntax to its stored values by zlib."""

    def __init__(self, path: Path) -> None:
        """Find where the pixels lie in the inflated data set.

        Args:
            path: The file.

        Raises:
            NotImplementedError: It is in another transfer syntax.
        """
        ds = pydicom.dcmread(path)
        if not ds.file_meta.TransferSyntaxUID.is_deflated:
            raise NotImplementedError
        self._path = path
        self._shape = (int(ds.get("NumberOfFrames", 1)), ds.Rows, ds.Columns)
        self._kind = "<i2" if ds.PixelRepresentation else "<u2"
        self._at = self._inflated().index(ds.PixelData)

    def _inflated(self) -> bytes:
        whole = self._path.read_bytes()
        start = _META_END + int.from_bytes(whole[_META_END - 4 : _META_END], "little")
        return zlib.decompress(whole[start:], wbits=-zlib.MAX_WBITS)

    def load(self) -> Any:
        """Read and inflate the file.

        Returns:
            Stored values (frames, rows, columns), over the inflated bytes.
        """
        return np.frombuffer(
            self._inflated(), self._kind, int(np.prod(self._shape)), self._at
        ).reshape(self._shape)
