"""Which plugin decodes each transfer syntax: one pinned choice a row, called directly."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np

from torchdicom._errors import DecodeError, LimitError, ParseError, UnsupportedError
from torchdicom._reference._codestream import (
    check_jpeg,
    check_jpeg_lossless,
    check_jpeg_ls,
    check_unused_bits,
)
from torchdicom._reference._elements import EXPLICIT_BIG
from torchdicom._reference._jpeg_2000 import check_jpeg_2000
from torchdicom._reference._jpeg_xl import check_jpeg_xl
from torchdicom._reference._levels import jpeg_2000_level, scaled_jpeg
from torchdicom._reference._rle import rle_cells
from torchdicom._reference._syntaxes import (
    CODESTREAMS,
    DEFLATED_FRAME,
    ENCAPSULATED,
    JPEG,
    JPEG_2000,
    JPEG_LOSSLESS,
    JPEG_LS,
    JPEG_XL,
    RLE,
)
from torchdicom._reference._tags import element_name
from torchdicom._reference._uncompressed import uncompressed_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torchdicom._reference._codestream import Info
    from torchdicom._reference._pixel_format import PixelFormat

    # By how often an image was halved, its rows and columns that are wanted.
    Part = Callable[[int], tuple[slice, slice]]

Array = np.ndarray[Any, np.dtype[Any]]

# libjxl alone says that a codestream ends too early, or that its headers are none.
_OF_LIBJXL: Final = ("JXL_DEC_NEED_MORE_INPUT", "could not determine frame count")

# libjpeg scales by 1/2, 1/4 and 1/8.
_MOST_JPEG_HALVINGS: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What a decoder gives.

    Attributes:
        cells (Array of shape (rows, columns) or (rows, columns, 3)): Unsigned integers,
            BitsAllocated wide and not yet masked to BitsStored; or floating point numbers.
        is_rgb: Colours are RGB, whatever the header says.
        halvings: How often the decoder has halved the image.
        is_level: It did so by resolution levels, whose pixels stand where every second one stood.
    """

    cells: Array
    is_rgb: bool = False
    halvings: int = 0
    is_level: bool = False


@dataclass(frozen=True, slots=True)
class Codec:
    """How the frames of one transfer syntax are decoded.

    Attributes:
        library: What does the work.
        function: Its function, looked up when called.
        check: Compares a codestream with the header before the library sees it, and tells what
            it says about itself.
        options: The keyword arguments of the function, by what the codestream says.
        is_rgb: Whether the colours that come out are RGB, by the same.
        reduced: Decodes at 1/2, 1/4 ... of the size, and tells how often it has halved.
    """

    library: Any
    function: str
    check: Callable[[bytes, PixelFormat], Info]
    options: Callable[[Info, PixelFormat], dict[str, Any]]
    is_rgb: Callable[[Info], bool]
    reduced: Callable[[bytes, Info, PixelFormat, int], tuple[Array, int] | None] | None = None

    def decode(
        self, codestream: bytes, pixels: PixelFormat, reduce: int, part: Part | None = None
    ) -> Decoded:
        """One frame, of which the part alone is judged by its values.

        Raises:
            DecodeError: ``invalid_codestream``, ``codestream_mismatch``, ``decoder_failed``.
        """
        info = self.check(codestream, pixels)
        data = codestream[info.start :]
        samples, halvings = None, 0
        try:
            if reduce and self.reduced is not None:
                found = self.reduced(data, info, pixels, reduce)
                if found is not None:
                    samples, halvings = found
            if samples is None:
                function = getattr(self.library, self.function)
                samples = np.asarray(function(data, **self.options(info, pixels)))
        except UnsupportedError:
            raise
        except Exception as error:  # plugins raise classes of their own
            msg = f"The decoder refuses the frame: {error}"
            is_invalid = any(text in str(error) for text in _OF_LIBJXL)
            code = "invalid_codestream" if is_invalid else "decoder_failed"
            raise DecodeError(msg, code=code) from error
        size = (-(-pixels.rows // 2**halvings), -(-pixels.columns // 2**halvings))
        shape = size if pixels.samples == 1 else (*size, pixels.samples)
        if samples.size != np.prod(shape):
            msg = f"The decoder gave an array of shape {samples.shape}"
            raise DecodeError(msg, code="decoder_failed")
        wanted = (slice(None), slice(None)) if part is None else part(halvings)
        cells = _cells(samples.reshape(shape), info, pixels, wanted)
        is_level = halvings > 0 and info.is_signed is not None
        return Decoded(cells, self.is_rgb(info), halvings, is_level)


def _cells(samples: Array, info: Info, pixels: PixelFormat, wanted: tuple[slice, slice]) -> Array:
    """Samples as cells: two's complement in their width, whatever width the plugin chose."""
    values = samples.astype(np.int64)
    if info.is_signed is not None and info.is_signed != pixels.is_signed:
        # The bits are right and the sign is not: the header says what they mean.
        values &= (1 << info.precision) - 1
        if pixels.is_signed:
            sign = 1 << (info.precision - 1)
            values = (values ^ sign) - sign
    values &= (1 << pixels.bits_allocated) - 1
    check_unused_bits(values[wanted], info, pixels)
    return values.astype(pixels.cell_dtype)


def jpeg_color(info: Info, pixels: PixelFormat) -> str:
    """What the components of a lossy JPEG frame are: the codestream says so, else the header."""
    if info.color is not None:
        return info.color
    return "YCBCR" if pixels.photometric.startswith("YBR") else "RGB"


def _jpeg_options(info: Info, pixels: PixelFormat) -> dict[str, Any]:
    color = jpeg_color(info, pixels)
    out = "GRAYSCALE" if pixels.samples == 1 else "RGB"
    return {"colorspace": color, "outcolorspace": out}


def _lossless_options(_info: Info, pixels: PixelFormat) -> dict[str, Any]:
    """Nothing is converted."""
    color = "GRAYSCALE" if pixels.samples == 1 else "RGB"
    return {"colorspace": color, "outcolorspace": color}


def _no_options(_info: Info, _pixels: PixelFormat) -> dict[str, Any]:
    return {}


def _jpeg_2000_options(_info: Info, _pixels: PixelFormat) -> dict[str, Any]:
    return {"planar": False}


def _jpeg_xl_options(_info: Info, _pixels: PixelFormat) -> dict[str, Any]:
    return {"keeporientation": True}


def _reduced_jpeg(
    data: bytes, info: Info, pixels: PixelFormat, reduce: int
) -> tuple[Array, int] | None:
    if info.precision != 8:
        return None
    halvings = min(reduce, _MOST_JPEG_HALVINGS)
    return scaled_jpeg(data, jpeg_color(info, pixels), halvings), halvings


def _reduced_jpeg_2000(
    data: bytes, info: Info, pixels: PixelFormat, reduce: int
) -> tuple[Array, int] | None:
    halvings = min(reduce, info.levels)
    if not halvings:
        return None
    return jpeg_2000_level(data, info, pixels.samples, halvings), halvings


def _always(_info: Info) -> bool:
    return True


def _never(_info: Info) -> bool:
    return False


def _is_transformed(info: Info) -> bool:
    return info.is_transformed


# libjpeg-turbo 3 reads 8 and 12 bits, sequential and progressive, and lossless up to 16 bits.
_JPEG: Final = Codec(imagecodecs, "jpeg8_decode", check_jpeg, _jpeg_options, _always, _reduced_jpeg)
_JPEG_LOSSLESS: Final = Codec(
    imagecodecs, "jpeg8_decode", check_jpeg_lossless, _lossless_options, _never
)
# CharLS, OpenJPEG and libjxl.
_JPEG_LS: Final = Codec(imagecodecs, "jpegls_decode", check_jpeg_ls, _no_options, _never)
_JPEG_2000: Final = Codec(
    imagecodecs,
    "jpeg2k_decode",
    check_jpeg_2000,
    _jpeg_2000_options,
    _is_transformed,
    _reduced_jpeg_2000,
)
_JPEG_XL: Final = Codec(imagecodecs, "jpegxl_decode", check_jpeg_xl, _jpeg_xl_options, _always)

CODECS: Final[Mapping[str, Codec]] = {
    **dict.fromkeys(sorted(JPEG), _JPEG),
    **dict.fromkeys(sorted(JPEG_LOSSLESS), _JPEG_LOSSLESS),
    **dict.fromkeys(sorted(JPEG_LS), _JPEG_LS),
    **dict.fromkeys(sorted(JPEG_2000), _JPEG_2000),
    **dict.fromkeys(sorted(JPEG_XL), _JPEG_XL),
}

# Against decompression bombs: what a frame may be larger than its codestream, and what is free.
_FREE_BYTES: Final = 64 << 20
_MAX_CODESTREAM_RATIO: Final = 1_000


def decode_cells(
    frame: bytes,
    syntax: str,
    pixels: PixelFormat,
    *,
    first_bit: int = 0,
    reduce: int = 0,
    part: Part | None = None,
) -> Decoded:
    """One frame.

    Args:
        frame: The bytes of the frame, its fragments joined.
        syntax: One of `NATIVE` or `ENCAPSULATED`.
        pixels: What the header says about it.
        first_bit: Where in the first byte an uncompressed frame starts.
        reduce: How often to halve the image, where the codec can: it may do less.
        part: Which pixels of the halved image are wanted: others may be what they like.

    Raises:
        DecodeError: ``invalid_codestream``, ``codestream_mismatch``, ``decoder_failed``.
        LimitError: ``limit_ratio``.
        ParseError: ``truncated_pixels``, ``invalid_deflate``.
    """
    if syntax in ENCAPSULATED:
        _check_expansion(frame, pixels)
    if syntax in CODESTREAMS:
        return CODECS[syntax].decode(frame, pixels, reduce, part)
    if syntax == RLE:
        return Decoded(rle_cells(frame, pixels))
    if syntax == DEFLATED_FRAME:
        frame = _inflate(frame, pixels)
    is_big = syntax == EXPLICIT_BIG
    return Decoded(uncompressed_cells(frame, pixels, first_bit=first_bit, big=is_big))


def _check_expansion(codestream: bytes, pixels: PixelFormat) -> None:
    """A few bytes that ask for a giant image are no image."""
    size = pixels.rows * pixels.columns * pixels.samples * pixels.bytes_per_sample
    if size > max(_FREE_BYTES, _MAX_CODESTREAM_RATIO * len(codestream)):
        msg = f"A frame of {size} bytes is said to be in {len(codestream)} compressed ones"
        raise LimitError(msg, code="limit_ratio", element=element_name("PixelData"))


def _inflate(frame: bytes, pixels: PixelFormat) -> bytes:
    """An uncompressed frame out of a raw deflate stream (PS3.5 A.4.13, RFC 1951)."""
    needed = (pixels.frame_bits + 7) // 8
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(frame, needed + 2)
    except zlib.error as error:
        msg = f"The deflated frame is broken: {error}"
        raise ParseError(msg, code="invalid_deflate") from error
    # One more byte may make its length even.
    if len(inflated) > needed + 1 or (inflater.eof and len(inflated) < needed):
        msg = f"The frame inflates to {len(inflated)} bytes or more, and the header says {needed}"
        raise DecodeError(msg, code="codestream_mismatch")
    if not inflater.eof:
        msg = f"The deflated frame ends after {len(inflated)} of {needed} bytes"
        raise ParseError(msg, code="invalid_deflate")
    return inflated
