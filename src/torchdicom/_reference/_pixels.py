"""From the cells of a frame to output values (PS3.5 8.1.1, PS3.3 C.11.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import torch

from torchdicom._errors import DicomError, LimitError, ParseError, UnsupportedError
from torchdicom._reference._codecs import decode_cells
from torchdicom._reference._elements import DEFLATED, EXPLICIT_BIG, parse
from torchdicom._reference._sources import read_again
from torchdicom._reference._tags import element_name

if TYPE_CHECKING:
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._pixel_format import PixelFormat

Array = np.ndarray[Any, np.dtype[Any]]
Output = Literal["stored", "modality"]

_INTEGERS: Final[dict[torch.dtype, np.dtype[np.integer[Any]]]] = {
    torch.uint8: np.dtype(np.uint8),
    torch.int8: np.dtype(np.int8),
    torch.int16: np.dtype(np.int16),
    torch.uint16: np.dtype(np.uint16),
    torch.int32: np.dtype(np.int32),
    torch.int64: np.dtype(np.int64),
}

# Above any clinical volume as float32, below what brings a workstation down.
_MAX_OUTPUT_BYTES: Final = 16 << 30


def default_dtype(pixels: PixelFormat, output: Output) -> torch.dtype:
    """The dtype of an output, from the header alone and never from the values."""
    if output == "modality":
        return torch.float32
    bits, signed = pixels.bits_stored, pixels.is_signed
    if bits <= 8:
        return torch.int8 if signed else torch.uint8
    if bits <= (16 if signed else 15):
        return torch.int16
    return torch.int32 if signed or bits < 32 else torch.int64


def check_rescale(file: FileHeader, output: Output, dtype: torch.dtype) -> tuple[float, float]:
    """The slope and intercept to apply to a file.

    Raises:
        UnsupportedError: ``unsupported_modality_lut``, ``unsupported_functional_groups``,
            ``integer_dtype``.
        ParseError: ``invalid_value`` for a slope of 0.
    """
    if output == "stored":
        return 1.0, 0.0
    if file.has_modality_lut:
        msg = "The values go through a Modality LUT, which is not supported; ask for stored values"
        code, element = "unsupported_modality_lut", element_name("ModalityLUTSequence")
        raise UnsupportedError(msg, code=code, path=file.path, element=element)
    if file.frame_wise is not None:
        msg = f"{file.frame_wise} gives the rescale, which is not supported; ask for stored values"
        code, element = "unsupported_functional_groups", element_name(file.frame_wise)
        raise UnsupportedError(msg, code=code, path=file.path, element=element)
    slope, intercept = file.slope, file.intercept
    if slope == 0.0:
        msg = "RescaleSlope is 0: every value would be the same"
        element = element_name("RescaleSlope")
        raise ParseError(msg, code="invalid_value", path=file.path, element=element)
    if dtype in _INTEGERS:
        for keyword, number in (("RescaleSlope", slope), ("RescaleIntercept", intercept)):
            if not number.is_integer():
                msg = f"{keyword} is {number}, so the values are no integers; ask for a float dtype"
                element = element_name(keyword)
                raise UnsupportedError(msg, code="integer_dtype", path=file.path, element=element)
    return slope, intercept


def stored_values(cells: Array, pixels: PixelFormat) -> Array:
    """The stored bits of each cell as int64, with their sign."""
    shift = pixels.high_bit - pixels.bits_stored + 1
    values = (cells.astype(np.int64) >> shift) & ((1 << pixels.bits_stored) - 1)
    if pixels.is_signed:
        sign = 1 << (pixels.bits_stored - 1)
        values = (values ^ sign) - sign
    return values


def outside_padding(file: FileHeader, stored: Array, pixels: PixelFormat) -> Array:
    """False where a stored value is padding (PS3.3 C.7.5.1.1.2), of the shape of the values.

    Padding is PixelPaddingValue, or all from it to PixelPaddingRangeLimit, whichever is greater;
    both have the sign of PixelRepresentation.
    """
    value, limit = file.padding
    if value is None:
        return np.ones(stored.shape, dtype=bool)
    ends = [
        end - 0x1_0000 if pixels.is_signed and end >= 0x8000 else end
        for end in (value, value if limit is None else limit)
    ]
    return (stored < min(ends)) | (stored > max(ends))


def read_frame(file: FileHeader, frame: int, pixels: PixelFormat) -> Array:
    """The stored values of one frame, int64 of shape (rows, columns).

    Raises:
        ParseError: ``file_changed``, ``truncated_pixels``.
        DecodeError: ``invalid_codestream``, ``codestream_mismatch``, ``decoder_failed``.
    """
    data = read_again(file.source, file.stamp)
    syntax = file.header.transfer_syntax_uid
    if syntax == DEFLATED:
        data = parse(data, file.path).data
    ranges = file.header.frame_ranges[frame]
    joined = b"".join(data[start : start + length] for start, length in ranges)
    if syntax == EXPLICIT_BIG and pixels.bits_allocated == 8 and _is_in_words(file):
        joined = _bytes_of_words(data, file, *ranges[0])
    try:
        return stored_values(decode_cells(joined, syntax, pixels), pixels)
    except DicomError as error:
        error.path = file.path
        error.element = error.element or element_name("PixelData")
        error.offset = ranges[0][0] if error.offset is None else error.offset
        raise


def _is_in_words(file: FileHeader) -> bool:
    return file.pixels is not None and file.pixels.vr == "OW"


def _bytes_of_words(data: bytes, file: FileHeader, start: int, length: int) -> bytes:
    """Bytes of OW in big endian, where the first of two pixels is the low byte (PS3.5 8.1.2)."""
    origin = file.pixels.start if file.pixels is not None else 0
    first, end = start - origin, start - origin + length
    whole = data[origin + first // 2 * 2 : origin + (end + 1) // 2 * 2]
    words = np.frombuffer(whole, dtype=np.uint8, count=len(whole) // 2 * 2)
    return words.reshape(-1, 2)[:, ::-1].tobytes()[first % 2 :][:length]


def rescale(
    stored: Array, slope: float, intercept: float, dtype: torch.dtype, path: str, index: int
) -> torch.Tensor:
    """Stored values to output values; the product and the sum are each rounded to double.

    Raises:
        LimitError: ``value_overflow`` where an integer dtype cannot hold a value.
    """
    with np.errstate(over="ignore"):
        values = stored.astype(np.float64) * slope + intercept
        if dtype not in _INTEGERS:
            if dtype == torch.float64:
                return torch.from_numpy(values)
            return torch.from_numpy(values.astype(np.float32)).to(dtype)
    limits = np.iinfo(_INTEGERS[dtype])
    # The bound above is exclusive: 2^63 - 1 is not a double, and 2^63 is.
    outside = (values < float(limits.min)) | (values >= float(int(limits.max) + 1))
    if outside.any():
        name = str(dtype).removeprefix("torch.")
        msg = f"The value {values[outside][0]:.17g} of slice {index} does not fit {name}"
        raise LimitError(msg, code="value_overflow", path=path)
    return torch.from_numpy(values.astype(_INTEGERS[dtype]))


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
