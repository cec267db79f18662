"""Frames that nothing compresses, of every form of a sample (PS3.5 8.1.1, 8.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from torchdicom._errors import ParseError
from torchdicom._reference._tags import element_name

if TYPE_CHECKING:
    from torchdicom._reference._pixel_format import PixelFormat

Array = np.ndarray[Any, np.dtype[Any]]


def uncompressed_cells(frame: bytes, pixels: PixelFormat, *, first_bit: int, big: bool) -> Array:
    """The cells of a frame as it stands in the file.

    Args:
        frame: The bytes that hold it.
        pixels: What the header says about it.
        first_bit: Where in the first byte it starts; frames of packed pixels share bytes.
        big: Numbers are big endian.

    Returns:
        Array of shape (rows, columns), or (rows, columns, 3) with 3 samples a pixel, of the
        unsigned integers that are the cells, or of floating point numbers.

    Raises:
        ParseError: ``truncated_pixels``.
    """
    needed = (first_bit + pixels.frame_bits + 7) // 8
    if len(frame) < needed:
        msg = f"The frame has {len(frame)} bytes, and the header calls for {needed}"
        raise ParseError(msg, code="truncated_pixels", element=element_name("PixelData"))
    if pixels.bits_allocated in {1, 12}:
        samples = _unpacked(frame[:needed], pixels, first_bit)
    else:
        kind = pixels.cell_dtype.newbyteorder(">" if big else "<")
        count = pixels.frame_bits // pixels.bits_allocated
        samples = np.frombuffer(frame, kind, count=count).astype(pixels.cell_dtype)
    return _arranged(samples, pixels)


def _unpacked(frame: bytes, pixels: PixelFormat, first_bit: int) -> Array:
    """Pixels of 1 or 12 bits, the first in the lowest bits, without a gap between them."""
    bits = np.unpackbits(np.frombuffer(frame, np.uint8), bitorder="little")
    groups = bits[first_bit : first_bit + pixels.frame_bits].reshape(-1, pixels.bits_allocated)
    weights = 1 << np.arange(pixels.bits_allocated, dtype=np.int64)
    cells: Array = (groups @ weights).astype(pixels.cell_dtype)
    return cells


def _arranged(samples: Array, pixels: PixelFormat) -> Array:
    """Samples in the order of the file as (rows, columns), or (rows, columns, 3)."""
    rows, columns = pixels.rows, pixels.columns
    if pixels.samples == 1:
        return samples.reshape(rows, columns)
    if pixels.photometric == "YBR_FULL_422":
        # Y0 Y1 Cb Cr: two pixels share their colour (PS3.3 C.7.6.3.1.2).
        pairs = samples.reshape(rows, columns // 2, 4)
        color = np.repeat(pairs[..., 2:], 2, axis=1)
        return np.concatenate([pairs[..., :2].reshape(rows, columns, 1), color], axis=2)
    if pixels.planar_configuration == 1:
        return samples.reshape(3, rows, columns).transpose(1, 2, 0)
    return samples.reshape(rows, columns, 3)
