"""RLE frames (PS3.5 Annex G): a segment of byte runs for each byte of each sample of a pixel."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from torchdicom._errors import DecodeError

if TYPE_CHECKING:
    from torchdicom._reference._pixel_format import PixelFormat

Array = np.ndarray[Any, np.dtype[Any]]

_HEADER: Final = 64


def rle_cells(frame: bytes, pixels: PixelFormat) -> Array:
    """The cells of one frame.

    Returns:
        Array of shape (rows, columns), or (rows, columns, 3) with 3 samples a pixel.

    Raises:
        DecodeError: ``invalid_codestream``, ``codestream_mismatch``.
    """
    count = pixels.rows * pixels.columns
    segments = _segments(frame, pixels)
    if pixels.bits_allocated == 1:  # eight pixels a byte, as in uncompressed frames
        packed = np.frombuffer(_unpack_bits(segments[0], -(-count // 8)), dtype=np.uint8)
        bits = np.unpackbits(packed, count=count, bitorder="little")
        return bits.reshape(pixels.rows, pixels.columns)
    planes = [np.frombuffer(_unpack_bits(segment, count), dtype=np.uint8) for segment in segments]
    cells = np.zeros((pixels.samples, count), dtype=pixels.cell_dtype)
    size = pixels.bytes_per_sample
    for i, plane in enumerate(planes):  # sample by sample, the highest byte first
        sample, place = divmod(i, size)
        cells[sample] |= plane.astype(cells.dtype) << (8 * (size - 1 - place))
    if pixels.samples == 1:
        return cells.reshape(pixels.rows, pixels.columns)
    return cells.reshape(3, pixels.rows, pixels.columns).transpose(1, 2, 0)


def _segments(frame: bytes, pixels: PixelFormat) -> list[bytes]:
    """The segments of a frame (PS3.5 G.5)."""
    if len(frame) < _HEADER:
        msg = f"The RLE header needs {_HEADER} bytes, and {len(frame)} are there"
        raise DecodeError(msg, code="invalid_codestream")
    count, *offsets = (int.from_bytes(frame[i : i + 4], "little") for i in range(0, _HEADER, 4))
    if not 1 <= count <= len(offsets):
        msg = f"The RLE header says {count} segments, and 1 to {len(offsets)} are possible"
        raise DecodeError(msg, code="invalid_codestream")
    expected = pixels.samples * pixels.bytes_per_sample
    if count != expected:
        msg = f"The codestream says RLE segments: {count}, and the header says {expected}"
        raise DecodeError(msg, code="codestream_mismatch")
    starts = offsets[:count]
    bounds = [*starts, len(frame)]
    is_ascending = all(a < b for a, b in pairwise(bounds))
    if starts[0] != _HEADER or not is_ascending:
        msg = f"The RLE segments start at {starts}, in a frame of {len(frame)} bytes"
        raise DecodeError(msg, code="invalid_codestream")
    return [frame[a:b] for a, b in pairwise(bounds)]


def _unpack_bits(segment: bytes, count: int) -> bytes:
    """The first `count` bytes that a segment of byte runs stands for (PS3.5 G.3.2)."""
    unpacked = bytearray()
    at = 0
    while len(unpacked) < count:
        if at >= len(segment):
            msg = f"An RLE segment ends after {len(unpacked)} of {count} bytes"
            raise DecodeError(msg, code="invalid_codestream")
        control = segment[at]
        at += 1
        if control == 128:
            continue  # means nothing
        size, repeats = (control + 1, 1) if control < 128 else (1, 257 - control)
        run = segment[at : at + size]
        if len(run) < size:
            msg = f"The RLE run at byte {at - 1} goes beyond its segment of {len(segment)} bytes"
            raise DecodeError(msg, code="invalid_codestream")
        unpacked += run * repeats
        at += size
    return bytes(unpacked[:count])
