"""Which plugin decodes each transfer syntax: one pinned choice a row, called directly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np

from torchdicom._errors import DecodeError, LimitError, ParseError
from torchdicom._reference._codestream import (
    check_jpeg,
    check_jpeg_2000,
    check_jpeg_lossless,
    check_jpeg_ls,
    check_unused_bits,
    rle_segments,
)
from torchdicom._reference._elements import DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from torchdicom._reference._tags import element_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torchdicom._reference._codestream import Info
    from torchdicom._reference._pixel_format import PixelFormat

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Codec:
    """How the frames of one transfer syntax are decoded.

    Attributes:
        library: What does the work.
        function: Its function, looked up when called.
        check: Compares a codestream with the header before the library sees it, and tells what
            it says about itself.
    """

    library: Any
    function: str
    check: Callable[[bytes, PixelFormat], Info]

    def decode(self, codestream: bytes, pixels: PixelFormat) -> Array:
        """The cells of one frame.

        Raises:
            DecodeError: ``invalid_codestream``, ``codestream_mismatch``, ``decoder_failed``.
        """
        info = self.check(codestream, pixels)
        try:
            decoded = np.asarray(getattr(self.library, self.function)(codestream))
        except Exception as error:  # plugins raise classes of their own
            msg = f"The decoder refuses the frame: {error}"
            raise DecodeError(msg, code="decoder_failed") from error
        if decoded.size != pixels.rows * pixels.columns:
            msg = f"The decoder gave an array of shape {decoded.shape}"
            raise DecodeError(msg, code="decoder_failed")
        # Two's complement in the width of a cell, whatever width the plugin chose.
        cells = decoded.astype(np.int64) & ((1 << pixels.bits_allocated) - 1)
        check_unused_bits(cells, info, pixels)
        return cells.astype(f"u{pixels.bytes_per_sample}").reshape(pixels.rows, pixels.columns)


# libjpeg-turbo 3 reads 8 and 12 bits, sequential and progressive, and lossless up to 16 bits.
_JPEG: Final = Codec(imagecodecs, "jpeg8_decode", check_jpeg)
_JPEG_LOSSLESS: Final = Codec(imagecodecs, "jpeg8_decode", check_jpeg_lossless)
_JPEG_LS: Final = Codec(imagecodecs, "jpegls_decode", check_jpeg_ls)  # CharLS
_JPEG_2000: Final = Codec(imagecodecs, "jpeg2k_decode", check_jpeg_2000)  # OpenJPEG

CODECS: Final[Mapping[str, Codec]] = {
    "1.2.840.10008.1.2.4.50": _JPEG,
    "1.2.840.10008.1.2.4.51": _JPEG,
    "1.2.840.10008.1.2.4.53": _JPEG,
    "1.2.840.10008.1.2.4.55": _JPEG,
    "1.2.840.10008.1.2.4.57": _JPEG_LOSSLESS,
    "1.2.840.10008.1.2.4.70": _JPEG_LOSSLESS,
    "1.2.840.10008.1.2.4.80": _JPEG_LS,
    "1.2.840.10008.1.2.4.81": _JPEG_LS,
    "1.2.840.10008.1.2.4.90": _JPEG_2000,
    "1.2.840.10008.1.2.4.91": _JPEG_2000,
}

RLE: Final = "1.2.840.10008.1.2.5"
ENCAPSULATED_UNCOMPRESSED: Final = "1.2.840.10008.1.2.1.98"
NATIVE: Final = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED})
ENCAPSULATED: Final = frozenset({*CODECS, RLE, ENCAPSULATED_UNCOMPRESSED})

# Against decompression bombs: what a frame may be larger than its codestream, and what is free.
_FREE_BYTES: Final = 64 << 20
_MAX_CODESTREAM_RATIO: Final = 1_000


def decode_cells(frame: bytes, syntax: str, pixels: PixelFormat) -> Array:
    """The cells of one frame: unsigned, BitsAllocated wide, not yet masked to BitsStored.

    Args:
        frame: The bytes of the frame, its fragments joined.
        syntax: One of `NATIVE` or `ENCAPSULATED`.
        pixels: What the header says about it.

    Returns:
        Unsigned integers of shape (rows, columns).

    Raises:
        DecodeError: ``invalid_codestream``, ``codestream_mismatch``, ``decoder_failed``.
        LimitError: ``limit_ratio``.
        ParseError: ``truncated_pixels``.
    """
    size = pixels.bytes_per_sample
    if syntax in ENCAPSULATED:
        _check_expansion(frame, pixels)
    if syntax in CODECS:
        return CODECS[syntax].decode(frame, pixels)
    if syntax == RLE:
        return _decode_rle(frame, pixels)
    count = pixels.rows * pixels.columns
    if len(frame) < count * size:
        msg = f"The frame has {len(frame)} bytes, and the header calls for {count * size}"
        raise ParseError(msg, code="truncated_pixels", element=element_name("PixelData"))
    order = ">" if syntax == EXPLICIT_BIG else "<"
    cells = np.frombuffer(frame, dtype=f"{order}u{size}", count=count)
    return cells.astype(f"u{size}").reshape(pixels.rows, pixels.columns)


def _check_expansion(codestream: bytes, pixels: PixelFormat) -> None:
    """A few bytes that ask for a giant image are no image."""
    size = pixels.rows * pixels.columns * pixels.bytes_per_sample
    if size > max(_FREE_BYTES, _MAX_CODESTREAM_RATIO * len(codestream)):
        msg = f"A frame of {size} bytes is said to be in {len(codestream)} compressed ones"
        raise LimitError(msg, code="limit_ratio", element=element_name("PixelData"))


def _decode_rle(frame: bytes, pixels: PixelFormat) -> Array:
    """Undo the RLE of PS3.5 Annex G."""
    count = pixels.rows * pixels.columns
    cells = np.zeros(count, dtype=f"u{pixels.bytes_per_sample}")
    for segment in rle_segments(frame, pixels):
        plane = np.frombuffer(_unpack_bits(segment, count), dtype=np.uint8)
        cells = (cells << (8 if cells.itemsize > 1 else 0)) | plane
    return cells.reshape(pixels.rows, pixels.columns)


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
