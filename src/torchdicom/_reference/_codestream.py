"""What a compressed frame says about itself, and whether that agrees with the header.

A decoder fills its output by the codestream's own size, so the two have to agree first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

import numpy as np

from torchdicom._errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdicom._reference._pixel_format import PixelFormat

Array = np.ndarray[Any, np.dtype[Any]]
Color = Literal["GRAYSCALE", "RGB", "YCBCR"]

# ISO 10918-1 Table B.1: every start of frame, SOF0 to SOF15, between which DHT, JPG and DAC stand;
# and SOF55 of ISO 14495-1.
_FRAMES: Final = (frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}) | {0xF7}
_LOSSY: Final = frozenset({0xC0, 0xC1, 0xC2})
_LOSSLESS: Final = frozenset({0xC3})
_JPEG_LS: Final = frozenset({0xF7})
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_APP0: Final = 0xE0
_APP14: Final = 0xEE


@dataclass(frozen=True, slots=True)
class Info:
    """The frame header of a codestream.

    Attributes:
        rows: Height.
        columns: Width.
        precision: Bits of a sample.
        sampling: Pixels a sample, across and down, of each component.
        is_signed: None where the format has no such thing.
        color: What the components are, as far as a lossy JPEG codestream says.
        start: Of the codestream itself, behind the boxes of a file format.
        is_transformed: The decoder undoes a transform of the components, which leaves RGB.
        levels: How often a decoder can halve the image.
        lossless_tile: Rows and columns of the tiles of a wavelet that loses nothing, which start
            with the image; None for others.
    """

    rows: int
    columns: int
    precision: int
    sampling: tuple[tuple[int, int], ...]
    is_signed: bool | None = None
    color: Color | None = None
    start: int = 0
    is_transformed: bool = False
    levels: int = 0
    lossless_tile: tuple[int, int] | None = None


def check_jpeg(codestream: bytes, pixels: PixelFormat) -> Info:
    """Check a lossy JPEG frame (ISO 10918-1 B.2.2), whose components may be of any resolution.

    Returns:
        What the codestream says about itself, here and in all of these.

    Raises:
        DecodeError: ``invalid_codestream``, ``codestream_mismatch``, here and in all of these.
    """
    info = _jpeg_info(codestream, _LOSSY)
    return compare(info, pixels, may_be_subsampled=True)


def check_jpeg_lossless(codestream: bytes, pixels: PixelFormat) -> Info:
    """Check a lossless JPEG frame (ISO 10918-1 B.2.2)."""
    return compare(_jpeg_info(codestream, _LOSSLESS), pixels)


def check_jpeg_ls(codestream: bytes, pixels: PixelFormat) -> Info:
    """Check a JPEG-LS frame (ISO 14495-1 C.2.2)."""
    return compare(_jpeg_info(codestream, _JPEG_LS), pixels)


def check_unused_bits(cells: Array, info: Info, pixels: PixelFormat) -> None:
    """Refuse values that reach above HighBit: masking would turn them into others.

    Args:
        cells: The decoded samples as cells, in integers of any larger width.
        info: What the codestream says about itself.
        pixels: What the header says.

    Raises:
        DecodeError: ``codestream_mismatch``.
    """
    if info.precision <= pixels.high_bit + 1:
        return
    above = (1 << pixels.bits_allocated) - (2 << pixels.high_bit)
    upper = cells & above
    is_negative = (cells & (1 << pixels.high_bit) != 0) & pixels.is_signed
    is_kept = np.where(is_negative, upper == above, upper == 0)
    if not info.is_signed:
        is_kept |= upper == 0  # without a sign of its own, two's complement may end at HighBit
    if not is_kept.all():
        fail_mismatch("values of bits", info.precision, pixels.high_bit + 1)


def require_end(data: bytes) -> None:
    """Refuse a codestream that is cut off: decoders fill the rest in without a word.

    No coded data of the three formats has these two bytes in it.
    """
    if b"\xff\xd9" not in data:
        fail_invalid("The codestream has no end marker: it is cut off")


def compare(info: Info, pixels: PixelFormat, *, may_be_subsampled: bool = False) -> Info:
    """What a codestream says, where it agrees with the header.

    Raises:
        DecodeError: ``codestream_mismatch``.
    """
    if len(info.sampling) != pixels.samples:
        fail_mismatch("components", len(info.sampling), pixels.samples)
    if info.rows != pixels.rows:
        fail_mismatch("rows", info.rows, pixels.rows)
    if info.columns != pixels.columns:
        fail_mismatch("columns", info.columns, pixels.columns)
    if not may_be_subsampled and any(one != (1, 1) for one in info.sampling):
        fail_mismatch("pixels a sample", info.sampling, (1, 1))
    if info.precision > pixels.bits_allocated:
        fail_mismatch("bits", info.precision, pixels.bits_allocated)
    # The bits up to HighBit have to be there, unless zeros above the value change nothing; JPEG
    # 2000 alone extends a sign of its own.
    has_own_sign = info.is_signed is not None
    needs_top = pixels.high_bit + 1 != pixels.bits_stored or (pixels.is_signed and not has_own_sign)
    if needs_top and info.precision <= pixels.high_bit:
        fail_mismatch("bits", info.precision, pixels.high_bit + 1)
    return info


def _jpeg_info(data: bytes, process: frozenset[int]) -> Info:
    require_end(data)
    markers: dict[int, bytes] = {}
    for marker, segment in _jpeg_segments(data):
        if marker not in _FRAMES:
            markers.setdefault(marker, segment)
            continue
        if marker not in process:
            expected = " or ".join(f"FF{allowed:02X}" for allowed in sorted(process))
            fail_mismatch("frame header marker", f"FF{marker:02X}", expected)
        count = segment[5] if len(segment) > 5 else 0
        if count == 0 or len(segment) < 6 + 3 * count:
            fail_invalid("The JPEG frame header is cut off")
        parts = [segment[at : at + 3] for at in range(6, 6 + 3 * count, 3)]
        factors = [(part[1] >> 4, part[1] & 15) for part in parts]
        # Sampling is relative in JPEG: whole are components of the most samples.
        most = max(factors)
        return Info(
            rows=int.from_bytes(segment[1:3], "big"),
            columns=int.from_bytes(segment[3:5], "big"),
            precision=segment[0],
            sampling=tuple((1, 1) if one == most else (2, 2) for one in factors),
            color=_color(markers, bytes(part[0] for part in parts)),
        )
    msg = "The JPEG codestream has no frame header"
    raise DecodeError(msg, code="invalid_codestream")


def _color(markers: dict[int, bytes], names: bytes) -> Color | None:
    """What components are: Adobe's APP14 says so, else JFIF's APP0, else their names."""
    if len(names) == 1:
        return "GRAYSCALE"
    adobe = markers.get(_APP14, b"")
    if adobe[:5] == b"Adobe" and adobe[11:12] in {b"\0", b"\1"}:
        return "YCBCR" if adobe[11] else "RGB"
    if markers.get(_APP0, b"")[:5] == b"JFIF\0":
        return "YCBCR"
    return "RGB" if names in {b"RGB", b"rgb"} else None


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The marker segments before the first scan (ISO 10918-1 B.1.1)."""
    if data[:2] != b"\xff\xd8":
        fail_invalid("The frame does not start like a JPEG codestream")
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            fail_invalid(f"No JPEG marker stands at byte {at} of the frame")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1  # a fill byte
            continue
        if marker in {_START_OF_SCAN, _END_OF_IMAGE}:
            return
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(data):
            fail_invalid(f"The JPEG segment at byte {at} of the frame is cut off")
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + length


def fail_invalid(text: str) -> NoReturn:
    """Raise about a codestream that is broken."""
    raise DecodeError(text, code="invalid_codestream")


def fail_mismatch(what: str, found: object, expected: object) -> NoReturn:
    """Raise about a codestream that contradicts the header."""
    msg = f"The codestream says {what}: {found}, and the header says {expected}"
    raise DecodeError(msg, code="codestream_mismatch")
