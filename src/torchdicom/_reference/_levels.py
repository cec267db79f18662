"""Images at 1/2, 1/4 ... of their size, as codecs themselves make them, through Pillow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import imagecodecs
import numpy as np
from PIL import Image, ImageFile

from torchdicom._errors import UnsupportedError
from torchdicom._reference._wavelet import lower_level

if TYPE_CHECKING:
    from torchdicom._reference._codestream import Info

Array = np.ndarray[Any, np.dtype[Any]]

# What Pillow calls the colours of a JPEG codestream.
_COLORS: Final = {"GRAYSCALE": "L", "RGB": "RGB", "YCBCR": "YCbCr"}


def scaled_jpeg(codestream: bytes, color: str, halvings: int) -> Array:
    """A lossy JPEG image of 8 bits, scaled in the frequency domain (libjpeg-turbo).

    Args:
        codestream: The frame.
        color: ``"GRAYSCALE"``, ``"RGB"`` or ``"YCBCR"``: what its components are.
        halvings: 1 to 3.

    Returns:
        uint8 of shape (rows, columns), or (rows, columns, 3), in RGB.
    """
    with Image.open(io.BytesIO(codestream), formats=["JPEG"]) as image:
        (tile,) = image.tile
        mode = image.mode
        # `draft` would choose the scale by itself.
        image.decoderconfig = (1 << halvings, 0)
        return _loaded(image, tile._replace(args=(mode, _COLORS[color])), halvings)


def jpeg_2000_level(codestream: bytes, info: Info, samples: int, halvings: int) -> Array:
    """A JPEG 2000 image at a lower resolution level (OpenJPEG).

    Args:
        codestream: The frame, without boxes around it.
        info: What it says about itself.
        samples: 1 or 3 a pixel.
        halvings: No more than it has levels.

    Returns:
        Samples as they are coded, of shape (rows, columns), or (rows, columns, 3).

    Raises:
        UnsupportedError: ``unsupported_pixel_format`` for what Pillow does not read, or cuts to 8
            or 16 bits, and cannot be made from the whole image.
    """
    width = 16 if info.precision > 8 else 8
    is_wide = info.precision > 16 or (samples == 3 and width == 16)
    decoded = None if is_wide else _level_by_pillow(codestream, halvings)
    if decoded is None:
        return _level_of_whole(codestream, info, samples, halvings)
    # Pillow shifts samples up to the width of its pixels, and signed ones to above zero.
    offset = 1 << (info.precision - 1) if info.is_signed else 0
    return (decoded.astype(np.int64) >> (width - info.precision)) - offset


def _level_by_pillow(codestream: bytes, halvings: int) -> Array | None:
    """Pixels of 8 or 16 bits; None where Pillow does not read them, such as some of many tiles."""
    with Image.open(io.BytesIO(codestream), formats=["JPEG2000"]) as image:
        (tile,) = image.tile
        # All layers, of a codestream that lies in memory.
        tile = tile._replace(args=("j2k", halvings, 0, -1, len(codestream)))
        try:
            return _loaded(image, tile, halvings)
        except OSError:
            return None


def _level_of_whole(codestream: bytes, info: Info, samples: int, halvings: int) -> Array:
    """The same, made from the whole image where nothing is lost in it."""
    size, tile, step = (info.rows, info.columns), info.lossless_tile, 1 << halvings
    if tile is None or any(
        one % step and one < length for one, length in zip(tile, size, strict=True)
    ):
        msg = (
            f"The reference backend has no resolution levels of {samples} samples a pixel and "
            f"{info.precision} bits; load it with reduce=0, or with the native backend"
        )
        raise UnsupportedError(msg, code="unsupported_pixel_format")
    whole = np.asarray(imagecodecs.jpeg2k_decode(codestream, planar=False))
    level = lower_level(whole, halvings, tile, is_transformed=info.is_transformed)
    lowest = -(1 << (info.precision - 1)) if info.is_signed else 0
    return level.clip(lowest, lowest + (1 << info.precision) - 1)


def _loaded(image: ImageFile.ImageFile, tile: ImageFile._Tile, halvings: int) -> Array:
    """The pixels of an image that its decoder is told to halve."""
    width, height = (-(-length // 2**halvings) for length in image.size)
    image._size = (width, height)  # noqa: SLF001 - Pillow's own `reduce` rounds it down
    image.tile = [tile._replace(extents=(0, 0, width, height))]
    return np.asarray(image)
