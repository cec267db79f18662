"""What a compressed frame says about itself, and whether that agrees with the header.

A decoder fills its output by the codestream's own size, so the two have to agree first.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np

from torchdicom._errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdicom._reference._pixel_format import PixelFormat

Array = np.ndarray[Any, np.dtype[Any]]

# ISO 10918-1 Table B.1: every start of frame, SOF0 to SOF15, between which DHT, JPG and DAC stand;
# and SOF55 of ISO 14495-1.
_FRAMES: Final = (frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}) | {0xF7}
_LOSSY: Final = frozenset({0xC0, 0xC1, 0xC2})
_LOSSLESS: Final = frozenset({0xC3})
_JPEG_LS: Final = frozenset({0xF7})
_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
_RLE_HEADER: Final = 64


@dataclass(frozen=True, slots=True)
class Info:
    """The frame header of a codestream; `is_signed` is None where the format has no such thing."""

    rows: int
    columns: int
    precision: int
    sampling: tuple[tuple[int, int], ...]
    is_signed: bool | None = None


def check_jpeg(codestream: bytes, pixels: PixelFormat) -> Info:
    """Check a lossy JPEG frame (ISO 10918-1 B.2.2).

    Returns:
        What the codestream says about itself, here and in all of these.

    Raises:
        DecodeError: ``invalid_codestream``, ``codestream_mismatch``, here and in all of these.
    """
    return _compare(_jpeg_info(codestream, _LOSSY), pixels)


def check_jpeg_lossless(codestream: bytes, pixels: PixelFormat) -> Info:
    """Check a lossless JPEG frame (ISO 10918-1 B.2.2)."""
    return _compare(_jpeg_info(codestream, _LOSSLESS), pixels)


def check_jpeg_ls(codestream: bytes, pixels: PixelFormat) -> Info:
    """Check a JPEG-LS frame (ISO 14495-1 C.2.2)."""
    return _compare(_jpeg_info(codestream, _JPEG_LS), pixels)


def check_jpeg_2000(codestream: bytes, pixels: PixelFormat) -> Info:
    """Check a JPEG 2000 frame (ISO 15444-1 A.5.1), raw or in the boxes of a JP2 file."""
    return _compare(_jpeg_2000_info(codestream), pixels)


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
        _fail_mismatch("values of bits", info.precision, pixels.high_bit + 1)


def rle_segments(frame: bytes, pixels: PixelFormat) -> list[bytes]:
    """The segments of an RLE frame (PS3.5 G.5): one a byte of the sample, the highest first."""
    if len(frame) < _RLE_HEADER:
        _fail_invalid(f"The RLE header needs {_RLE_HEADER} bytes, and {len(frame)} are there")
    count, *offsets = (int.from_bytes(frame[i : i + 4], "little") for i in range(0, 64, 4))
    if not 1 <= count <= len(offsets):
        _fail_invalid(f"The RLE header says {count} segments, and 1 to {len(offsets)} are possible")
    if count != pixels.bytes_per_sample:
        _fail_mismatch("RLE segments", count, pixels.bytes_per_sample)
    starts = offsets[:count]
    bounds = [*starts, len(frame)]
    is_ascending = all(a < b for a, b in pairwise(bounds))
    if starts[0] != _RLE_HEADER or not is_ascending:
        _fail_invalid(f"The RLE segments start at {starts}, in a frame of {len(frame)} bytes")
    return [frame[a:b] for a, b in pairwise(bounds)]


def _jpeg_info(data: bytes, process: frozenset[int]) -> Info:
    _require_end(data)
    for marker, segment in _jpeg_segments(data):
        if marker not in _FRAMES:
            continue
        if marker not in process:
            expected = " or ".join(f"FF{allowed:02X}" for allowed in sorted(process))
            _fail_mismatch("frame header marker", f"FF{marker:02X}", expected)
        count = segment[5] if len(segment) > 5 else 0
        if count == 0 or len(segment) < 6 + 3 * count:
            _fail_invalid("The JPEG frame header is cut off")
        return Info(
            rows=int.from_bytes(segment[1:3], "big"),
            columns=int.from_bytes(segment[3:5], "big"),
            precision=segment[0],
            # Sampling is relative in JPEG: a single component is whole whatever it says.
            sampling=((1, 1),) * count,
        )
    msg = "The JPEG codestream has no frame header"
    raise DecodeError(msg, code="invalid_codestream")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The marker segments before the first scan (ISO 10918-1 B.1.1)."""
    if data[:2] != b"\xff\xd8":
        _fail_invalid("The frame does not start like a JPEG codestream")
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            _fail_invalid(f"No JPEG marker stands at byte {at} of the frame")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1  # a fill byte
            continue
        if marker in {_START_OF_SCAN, _END_OF_IMAGE}:
            return
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(data):
            _fail_invalid(f"The JPEG segment at byte {at} of the frame is cut off")
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + length


def _require_end(data: bytes) -> None:
    """Refuse a codestream that is cut off: decoders fill the rest in without a word.

    No coded data of the three formats has these two bytes in it.
    """
    if b"\xff\xd9" not in data:
        _fail_invalid("The codestream has no end marker: it is cut off")


def _jpeg_2000_info(data: bytes) -> Info:
    _require_end(data)
    start = _codestream_start(data)
    segment = data[start + 6 :]  # behind SOC, SIZ and its length
    if data[start : start + 4] != b"\xff\x4f\xff\x51" or len(segment) < 36:
        _fail_invalid("The frame does not start like a JPEG 2000 codestream")
    right, bottom, left, top = (int.from_bytes(segment[i : i + 4], "big") for i in (2, 6, 10, 14))
    count = int.from_bytes(segment[34:36], "big")
    components = [segment[i : i + 3] for i in range(36, 36 + 3 * count, 3)]
    if count == 0 or len(components[-1]) < 3:
        _fail_invalid("The JPEG 2000 size segment is cut off")
    return Info(
        rows=bottom - top,
        columns=right - left,
        precision=max((depth & 0x7F) + 1 for depth, _, _ in components),
        sampling=tuple((x, y) for _, x, y in components),
        is_signed=any(depth & 0x80 for depth, _, _ in components),
    )


def _codestream_start(data: bytes) -> int:
    """Where the codestream starts: at 0, or in the box ``jp2c`` (ISO 15444-1 I.4)."""
    if data[4:8] != b"jP  ":
        return 0
    at = 0
    while at + 16 <= len(data):
        length, header = int.from_bytes(data[at : at + 4], "big"), 8
        if length == 1:
            length, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if data[at + 4 : at + 8] == b"jp2c":
            return at + header
        if length < header:
            break
        at += length
    msg = "The JP2 file has no codestream in it"
    raise DecodeError(msg, code="invalid_codestream")


def _compare(info: Info, pixels: PixelFormat) -> Info:
    if len(info.sampling) != 1:
        _fail_mismatch("components", len(info.sampling), 1)
    if info.rows != pixels.rows:
        _fail_mismatch("rows", info.rows, pixels.rows)
    if info.columns != pixels.columns:
        _fail_mismatch("columns", info.columns, pixels.columns)
    if info.sampling[0] != (1, 1):
        _fail_mismatch("pixels a sample", info.sampling[0], (1, 1))
    if info.precision > pixels.bits_allocated:
        _fail_mismatch("bits", info.precision, pixels.bits_allocated)
    # The bits up to HighBit have to be there, unless zeros above the value change nothing; JPEG
    # 2000 alone extends a sign of its own.
    has_own_sign = info.is_signed is not None
    needs_top = pixels.high_bit + 1 != pixels.bits_stored or (pixels.is_signed and not has_own_sign)
    if needs_top and info.precision <= pixels.high_bit:
        _fail_mismatch("bits", info.precision, pixels.high_bit + 1)
    if info.is_signed is not None and info.is_signed != pixels.is_signed:
        _fail_mismatch("signed samples", info.is_signed, pixels.is_signed)
    return info


def _fail_invalid(text: str) -> NoReturn:
    raise DecodeError(text, code="invalid_codestream")


def _fail_mismatch(what: str, found: object, expected: object) -> NoReturn:
    msg = f"The codestream says {what}: {found}, and the header says {expected}"
    raise DecodeError(msg, code="codestream_mismatch")
