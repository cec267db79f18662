"""From the cells of a frame to output values (PS3.5 8.1.1, PS3.3 C.7.6.3.1.2, C.11.1)."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from torchdicom._errors import DicomError, LimitError, UnsupportedError
from torchdicom._reference._codecs import decode_cells
from torchdicom._reference._color import rgb_of_ybr
from torchdicom._reference._elements import DEFLATED, EXPLICIT_BIG, parse
from torchdicom._reference._mapping import INTEGERS, is_color
from torchdicom._reference._reduce import block_all, block_mean
from torchdicom._reference._sources import read_again
from torchdicom._reference._syntaxes import NATIVE
from torchdicom._reference._tags import element_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdicom._reference._codecs import Decoded
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._mapping import Mapping, Output
    from torchdicom._reference._pixel_format import PixelFormat

Array = np.ndarray[Any, np.dtype[Any]]

# Above any clinical volume as float32, below what brings a workstation down.
_MAX_OUTPUT_BYTES: Final = 16 << 30


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Which pixels of the images are wanted, and how small.

    Attributes:
        region: First row, row behind the last, and the same of columns.
        reduce: How often to halve them.
    """

    region: tuple[int, int, int, int]
    reduce: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the result."""
        rows, columns = self.slices(self.reduce)
        return rows.stop - rows.start, columns.stop - columns.start

    def slices(self, halvings: int) -> tuple[slice, slice]:
        """The rows and columns of the region in an image that was halved so often."""
        top, bottom, left, right = self.region
        step = 1 << halvings
        return slice(top // step, -(-bottom // step)), slice(left // step, -(-right // step))


def default_dtype(pixels: PixelFormat, output: Output, mapping: Mapping) -> torch.dtype:
    """The dtype of an output, from the header alone and never from the values."""
    bits = pixels.bits_stored if mapping.palette is None else mapping.palette.bits
    signed = pixels.is_signed
    if is_color(pixels, output):
        is_wide = bits == 32 and not signed
        return torch.uint8 if bits <= 8 else torch.int64 if is_wide else torch.int32
    if output != "stored":
        return torch.float32
    if pixels.is_float:
        return torch.float32 if bits == 32 else torch.float64
    if bits <= 8:
        return torch.int8 if signed else torch.uint8
    if bits <= (16 if signed else 15):
        return torch.int16
    return torch.int32 if signed or bits < 32 else torch.int64


def read_values(
    file: FileHeader,
    frame: int,
    pixels: PixelFormat,
    mapping: Mapping,
    window: Window,
    *,
    dtype: torch.dtype,
    with_mask: bool,
) -> tuple[Array, Array | None, float]:
    """The values of one frame.

    Args:
        file: Where it lies.
        frame: Which one of the file.
        pixels: Its pixel format.
        mapping: What to make of the stored values.
        window: Which pixels.
        dtype: Of the result: means are rounded for integers.
        with_mask: Whether to say which values are valid.

    Returns:
        Doubles of shape (rows, columns), or (3, rows, columns) in colour; a mask of shape (rows,
        columns) where wanted; and by how many pixels the first one has moved.

    Raises:
        ParseError: ``file_changed``, ``truncated_pixels``.
        DecodeError: ``invalid_codestream``, ``codestream_mismatch``, ``decoder_failed``.
        UnsupportedError: ``unsupported_pixel_format`` for a mask of what a codec has halved.
    """
    is_plain = mapping.table is None and mapping.palette is None
    if file.tile is None:
        decoded = _decode(file, frame, pixels, window, window.reduce if is_plain else 0)
        cells = decoded.cells
    else:
        # A codec would halve the mosaic, whose tiles may not lie on its blocks.
        rows, columns = file.tile.image_size
        whole = replace(pixels, rows=rows, columns=columns)
        decoded = _decode(file, frame, whole, Window((0, rows, 0, columns)), 0)
        top, left = file.tile.top, file.tile.left
        cells = decoded.cells[top : top + pixels.rows, left : left + pixels.columns]
    stored = stored_values(cells, pixels)[window.slices(decoded.halvings)]
    mask = None
    left = window.reduce - decoded.halvings
    if with_mask:
        if decoded.halvings:
            with located(file, frame):
                _check_maskable(file, pixels, mapping)
        mask = _mask(file, stored, pixels, mapping)
        mask = block_all(mask, left) if left else mask
    values = _looked_up(stored, decoded, pixels, mapping)
    if left:
        values = block_mean(values, left)
        is_whole = mapping.is_stored and not pixels.is_float and pixels.samples == 1
        if is_whole or dtype in INTEGERS:
            values = np.rint(values)
    if mapping.table is None and (mapping.slope, mapping.intercept) != (1.0, 0.0):
        with np.errstate(over="ignore", invalid="ignore"):
            # The product and the sum are each rounded to double.
            values = values.astype(np.float64) * mapping.slope + mapping.intercept
    if (mapping.factor, mapping.divisor) != (1.0, 1.0):
        with np.errstate(over="ignore", invalid="ignore"):
            values = values.astype(np.float64) * mapping.factor / mapping.divisor
    return values.astype(np.float64), mask, _shift(window.reduce, decoded)


def _shift(reduce: int, decoded: Decoded) -> float:
    """By how many pixels the centre of the first one of a smaller image has moved."""
    if not decoded.is_level:
        return ((1 << reduce) - 1) / 2
    levels = decoded.halvings
    return (1 << levels) * ((1 << (reduce - levels)) - 1) / 2


def _looked_up(stored: Array, decoded: Decoded, pixels: PixelFormat, mapping: Mapping) -> Array:
    """Stored values through the table or the palette of their file, or as RGB, planes first."""
    if mapping.table is not None:
        return mapping.table.look_up(stored)
    if mapping.palette is not None:
        return np.stack([channel.look_up(stored) for channel in mapping.palette.channels])
    if pixels.samples == 1:
        return stored
    is_ybr = pixels.photometric in {"YBR_FULL", "YBR_FULL_422"} and not decoded.is_rgb
    rgb = rgb_of_ybr(stored, pixels.bits_stored) if is_ybr else stored
    return rgb.transpose(2, 0, 1)


def stored_values(cells: Array, pixels: PixelFormat) -> Array:
    """The stored bits of each cell as int64, with their sign; floating point samples as doubles."""
    if pixels.is_float:
        with np.errstate(invalid="ignore"):  # what is no number may be a signaling one
            return cells.astype(np.float64)
    shift = pixels.high_bit - pixels.bits_stored + 1
    values = (cells.astype(np.int64) >> shift) & ((1 << pixels.bits_stored) - 1)
    if pixels.is_signed:
        sign = 1 << (pixels.bits_stored - 1)
        values = (values ^ sign) - sign
    return values


def _mask(file: FileHeader, stored: Array, pixels: PixelFormat, mapping: Mapping) -> Array:
    """False where a stored value is padding, or outside of what its map is for."""
    if pixels.samples > 1:
        return np.ones(stored.shape[:2], dtype=bool)
    mask = outside_padding(file, stored, pixels)
    if mapping.bounds is not None:
        first, last = mapping.bounds
        mask &= (stored >= first) & (stored <= last)
    return mask


def _check_maskable(file: FileHeader, pixels: PixelFormat, mapping: Mapping) -> None:
    """Refuse a mask of pixels that a codec has mixed, where any of them may be invalid."""
    if pixels.samples > 1:
        return
    is_padded = file.padding[0] is not None
    if mapping.bounds is not None:
        first, last = mapping.bounds
        lowest = -(1 << (pixels.bits_stored - 1)) if pixels.is_signed else 0
        if first > lowest or last < lowest + (1 << pixels.bits_stored) - 1:
            is_padded = True
    if is_padded:
        msg = "The codec halves the image, and invalid pixels are lost in it: load without a mask"
        raise UnsupportedError(msg, code="unsupported_pixel_format")


def outside_padding(file: FileHeader, stored: Array, pixels: PixelFormat) -> Array:
    """False where a stored value is padding (PS3.3 C.7.5.1.1.2), of the shape of the values.

    Padding is PixelPaddingValue, or all from it to PixelPaddingRangeLimit, whichever is greater;
    both have the sign of PixelRepresentation.
    """
    value, limit = file.padding
    if value is None or pixels.is_float:
        return np.ones(stored.shape, dtype=bool)
    ends = [
        end - 0x1_0000 if pixels.is_signed and end >= 0x8000 else end
        for end in (value, value if limit is None else limit)
    ]
    return (stored < min(ends)) | (stored > max(ends))


def _decode(
    file: FileHeader, frame: int, pixels: PixelFormat, window: Window, reduce: int
) -> Decoded:
    """One frame, with the place of whatever is wrong with it."""
    data = read_again(file.source, file.stamp)
    syntax = file.header.transfer_syntax_uid
    if syntax == DEFLATED:
        data = parse(data, file.path).data
    ranges = file.header.frame_ranges[frame]
    joined = b"".join(data[start : start + length] for start, length in ranges)
    if syntax == EXPLICIT_BIG and pixels.bits_allocated in {1, 8, 12} and _is_in_words(file):
        joined = _bytes_of_words(data, file, *ranges[0])
    first_bit = frame * pixels.frame_bits % 8 if syntax in NATIVE else 0
    with located(file, frame):
        return decode_cells(
            joined, syntax, pixels, first_bit=first_bit, reduce=reduce, part=window.slices
        )


@contextmanager
def located(file: FileHeader, frame: int) -> Iterator[None]:
    """Gives errors the place of the frame that they are about, where they have none."""
    try:
        yield
    except DicomError as error:
        error.path = file.path
        error.element = error.element or element_name("PixelData")
        if error.offset is None:
            error.offset = file.header.frame_ranges[frame][0][0]
        raise


def _is_in_words(file: FileHeader) -> bool:
    return file.pixels is not None and file.pixels.vr == "OW"


def _bytes_of_words(data: bytes, file: FileHeader, start: int, length: int) -> bytes:
    """Bytes of OW in big endian, where the first of two pixels is the low byte (PS3.5 8.1.2)."""
    origin = file.pixels.start if file.pixels is not None else 0
    if file.pixels is not None and file.pixels.length % 2:
        msg = "The pixel data ends with half a word"
        raise UnsupportedError(msg, code="unsupported_pixel_format")
    first, end = start - origin, start - origin + length
    whole = data[origin + first // 2 * 2 : origin + (end + 1) // 2 * 2]
    words = np.frombuffer(whole, dtype=np.uint8, count=len(whole) // 2 * 2)
    return words.reshape(-1, 2)[:, ::-1].tobytes()[first % 2 :][:length]


def converted(values: Array, dtype: torch.dtype, index: int) -> torch.Tensor:
    """Values in the dtype of the output.

    Raises:
        LimitError: ``value_overflow`` where an integer dtype cannot hold a value.
    """
    if dtype not in INTEGERS:
        if dtype == torch.float64:
            return torch.from_numpy(values)
        with np.errstate(over="ignore", invalid="ignore"):
            floats = values.astype(np.float32)
        return torch.from_numpy(floats) if dtype == torch.float32 else _narrowed(floats, dtype)
    limits = torch.iinfo(dtype)
    # The bound above is exclusive: 2^63 - 1 is not a double, and 2^63 is.
    fits = (values >= float(limits.min)) & (values < float(limits.max + 1))
    fits &= np.floor(values) == values
    if not fits.all():
        name = str(dtype).removeprefix("torch.")
        msg = f"The value {_in_words(values[~fits][0])} of slice {index} does not fit {name}"
        raise LimitError(msg, code="value_overflow")
    return torch.from_numpy(values.astype(np.int64)).to(dtype)


def _in_words(value: float) -> str:
    if np.isnan(value):
        return "NaN, which is not a number,"
    if np.isinf(value):
        return "minus infinity" if value < 0 else "infinity"
    return f"{value:.17g}"


def _narrowed(values: Array, dtype: torch.dtype) -> torch.Tensor:
    """float32 in 16 bits. What is no number keeps its sign, and in bfloat16 its upper bits.

    Torch's own conversion gives other bits for it on processors of another kind.
    """
    result = torch.from_numpy(values).to(dtype)
    bits = torch.from_numpy(values.view(np.int32))
    upper = (bits >> 16).to(torch.int16)
    quiet = upper | 0x40 if dtype == torch.bfloat16 else (upper & -0x8000) | 0x7E00
    no_number = torch.from_numpy(np.isnan(values))
    return torch.where(no_number, quiet, result.view(torch.int16)).view(dtype)


def output_tensor(
    shape: tuple[int, ...], dtype: torch.dtype, out: torch.Tensor | None
) -> torch.Tensor:
    """The tensor to fill: the caller's, or a new one.

    Raises:
        ValueError: If the caller's has another shape or dtype, or is not contiguous.
        LimitError: ``limit_output_bytes`` for a new one beyond 16 GiB.
    """
    if out is None:
        size = dtype.itemsize
        for length in shape:
            size *= length
        if size > _MAX_OUTPUT_BYTES:
            msg = f"The output takes {size} bytes; hand in a buffer (out=) to load more than 16 GiB"
            raise LimitError(msg, code="limit_output_bytes")
        return torch.empty(shape, dtype=dtype)
    if tuple(out.shape) != shape or out.dtype != dtype or not out.is_contiguous():
        msg = (
            f"out has shape {tuple(out.shape)} and dtype {out.dtype}; a contiguous tensor of shape "
            f"{shape} and dtype {dtype} is needed"
        )
        raise ValueError(msg)
    return out
