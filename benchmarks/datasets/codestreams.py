"""One frame in each transfer syntax, as a typical writer makes it.

Precision is BitsStored in every codestream, and the sign is where the standard has it: of its own
in JPEG 2000, two's complement in the others (PS3.5 8.2). Nothing but the markers that the codec
needs is written: no JFIF, SPIFF or JP2 header.
"""

from __future__ import annotations

import itertools
import struct
import threading
from typing import TYPE_CHECKING, Final

import imagecodecs
import numpy as np
from pydicom.encaps import encapsulate
from pydicom.uid import UID

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydicom.dataset import Dataset

UIDS: Final = {
    "native": "1.2.840.10008.1.2.1",
    "deflated": "1.2.840.10008.1.2.1.99",
    "rle": "1.2.840.10008.1.2.5",
    "jpeg_lossless": "1.2.840.10008.1.2.4.70",
    "jpeg_ls": "1.2.840.10008.1.2.4.80",
    "jpeg_2000": "1.2.840.10008.1.2.4.90",
    "htj2k": "1.2.840.10008.1.2.4.201",
    "jpeg_12bit": "1.2.840.10008.1.2.4.51",
    "jpeg_8bit": "1.2.840.10008.1.2.4.50",
}
QUALITY: Final = 95  # of lossy JPEG, on libjpeg's scale
_JFIF_BYTES: Final = 18  # APP0 with its marker (ISO 10918-5)
_SSIZ_AT: Final = 42  # bits a sample of the first component (ISO 15444-1 A.5.1)
_OPENJPH: Final = threading.Lock()


def encode(name: str, cells: np.ndarray, bits: int) -> bytes:
    """One frame's codestream.

    Args:
        name: A key of `UIDS`, but neither "native" nor "deflated".
        cells: Stored values (rows, columns): int16 with all 16 bits, or unsigned.
        bits: BitsStored.
    """
    return _ENCODERS[name](np.ascontiguousarray(cells), bits)


def add_pixels(ds: Dataset, name: str, cells: np.ndarray) -> None:
    """Write the one frame of a single-frame object into it, and its transfer syntax."""
    ds.file_meta.TransferSyntaxUID = UID(UIDS[name])
    if name in ("native", "deflated"):
        ds.add_new("PixelData", "OW", cells.tobytes())
        return
    add_encapsulated(ds, encapsulate([encode(name, cells, ds.BitsStored)]))


def add_encapsulated(ds: Dataset, items: bytes) -> None:
    """Pixel data of undefined length (PS3.5 A.4)."""
    ds.add_new("PixelData", "OB", items)
    ds["PixelData"].is_undefined_length = True


def _rle(cells: np.ndarray, bits: int) -> bytes:
    """A segment for each byte of a cell, the highest first; rows apart (PS3.5 G.3.1, G.5)."""
    del bits  # a segment has all of them
    planes = cells.astype(cells.dtype.newbyteorder(">")).view(np.uint8)
    planes = planes.reshape(*cells.shape, cells.dtype.itemsize)
    segments = []
    for k in range(cells.dtype.itemsize):
        packed = imagecodecs.packbits_encode(np.ascontiguousarray(planes[..., k]), axis=1)
        segments.append(bytes(packed) + b"\0" * (len(packed) % 2))
    offsets = list(itertools.accumulate(map(len, segments), initial=64))[:-1]
    header = struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments)))
    return header + b"".join(segments)


def _jpeg_lossless(cells: np.ndarray, bits: int) -> bytes:
    coded = imagecodecs.jpeg8_encode(
        _unsigned(cells), lossless=True, predictor=1, bitspersample=bits
    )
    return _without_jfif(coded)


def _jpeg(cells: np.ndarray, bits: int) -> bytes:
    return _without_jfif(imagecodecs.jpeg8_encode(cells, level=QUALITY, bitspersample=bits))


def _without_jfif(codestream: bytes | bytearray) -> bytes:
    return bytes(codestream[:2] + codestream[2 + _JFIF_BYTES :])


def _jpeg_ls(cells: np.ndarray, bits: int) -> bytes:
    import jpeg_ls  # noqa: PLC0415 - the demo makes native series, and has no need of it

    rows, columns = cells.shape
    return bytes(jpeg_ls.encode_buffer(cells.tobytes(), rows, columns, 1, bits))


def _jpeg_2000(cells: np.ndarray, bits: int) -> bytes:
    coded = imagecodecs.jpeg2k_encode(
        cells, level=0, codecformat="j2k", reversible=True, bitspersample=bits
    )
    return bytes(coded)


def _htj2k(cells: np.ndarray, bits: int) -> bytes:
    """The encoder writes 16 bits only. Below that its samples are coded as signed ones.

    Unsigned samples are level-shifted by half their range (ISO 15444-1 G.1.2). Shifted before, and
    coded as signed ones, they are the same codestream but for the sign and the bits in SIZ.
    """
    if cells.dtype.kind == "i":
        return bytes(_htj2k_of_signed(cells))
    shifted = (cells.astype(np.int32) - (1 << (bits - 1))).astype(np.int16)
    codestream = bytearray(_htj2k_of_signed(shifted))
    codestream[_SSIZ_AT] = bits - 1
    return bytes(codestream)


def _htj2k_of_signed(cells: np.ndarray) -> bytes | bytearray:
    # OpenJPH 0.26 makes its tables at the first call: where two threads are first, one of ten
    # codestreams can't be read.
    with _OPENJPH:
        coded: bytes | bytearray = imagecodecs.htj2k_encode(cells, reversible=True)
        return coded


def _unsigned(cells: np.ndarray) -> np.ndarray:
    return cells.view(f"u{cells.dtype.itemsize}")


_ENCODERS: Final[dict[str, Callable[[np.ndarray, int], bytes]]] = {
    "rle": _rle,
    "jpeg_lossless": _jpeg_lossless,
    "jpeg_ls": _jpeg_ls,
    "jpeg_2000": _jpeg_2000,
    "htj2k": _htj2k,
    "jpeg_12bit": _jpeg,
    "jpeg_8bit": _jpeg,
}
