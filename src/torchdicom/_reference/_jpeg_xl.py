"""What a JPEG XL codestream says about itself (ISO 18181-1 D.2 and D.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from torchdicom._errors import DecodeError
from torchdicom._reference._codestream import Info, compare, fail_invalid

if TYPE_CHECKING:
    from torchdicom._reference._pixel_format import PixelFormat

_CONTAINER: Final = b"\0\0\0\x0cJXL \r\n\x87\n"
_MAX_BITS: Final = 16
_GRAY: Final = 1

# What U32 stands for: a number to add and how many bits to read, by its selector.
_SIZE: Final = ((1, 9), (1, 13), (1, 18), (1, 30))
_BITS: Final = ((8, 0), (10, 0), (12, 0), (1, 6))
_EXTRA_CHANNELS: Final = ((0, 0), (1, 0), (2, 4), (1, 12))
_ENUM: Final = ((0, 0), (1, 0), (2, 4), (18, 6))
_PREVIEW_BY_8: Final = ((16, 0), (32, 0), (1, 5), (33, 9))
_PREVIEW: Final = ((1, 6), (65, 8), (321, 10), (1345, 12))
_RATIOS: Final = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


class _Bits:
    """Reads numbers from the lowest bit of the first byte on."""

    def __init__(self, data: bytes) -> None:
        self._number = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def take(self, count: int = 1) -> int:
        if count > self._left:
            fail_invalid("The JPEG XL codestream ends in its header")
        value = self._number & ((1 << count) - 1)
        self._number >>= count
        self._left -= count
        return value

    def choice(self, choices: tuple[tuple[int, int], ...]) -> int:
        base, count = choices[self.take(2)]
        return base + self.take(count)


def check_jpeg_xl(codestream: bytes, pixels: PixelFormat) -> Info:
    """Check a JPEG XL frame, raw or in boxes.

    Returns:
        What the codestream says about itself.

    Raises:
        DecodeError: ``invalid_codestream``, ``codestream_mismatch``; ``decoder_failed`` for what no
            DICOM image has.
    """
    data = _codestream(codestream)
    if data[:2] != b"\xff\x0a":
        fail_invalid("The frame does not start like a JPEG XL codestream")
    bits = _Bits(data[2:258])
    rows, columns = _size(bits)
    precision, components = 8, 3
    if not bits.take():  # not all by default
        if bits.take():
            _skip_extra_fields(bits)
        precision, components = _samples(bits)
    return compare(Info(rows, columns, precision, ((1, 1),) * components), pixels)


def _codestream(data: bytes) -> bytes:
    """The codestream, or its first part, out of the boxes of a container."""
    if not data.startswith(_CONTAINER):
        return data
    at = 0
    while at + 8 <= len(data):
        length, header = int.from_bytes(data[at : at + 4], "big"), 8
        if length == 1:
            length, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        kind = data[at + 4 : at + 8]
        if kind in {b"jxlc", b"jxlp"}:
            # A part has its number in front.
            return data[at + header + (4 if kind == b"jxlp" else 0) :]
        if length < header:
            break
        at += length
    msg = "The JPEG XL file has no codestream in it"
    raise DecodeError(msg, code="invalid_codestream")


def _size(bits: _Bits) -> tuple[int, int]:
    is_by_8 = bits.take()
    rows = 8 * (1 + bits.take(5)) if is_by_8 else bits.choice(_SIZE)
    ratio = bits.take(3)
    if ratio:
        over, under = _RATIOS[ratio - 1]
        return rows, rows * over // under
    return rows, 8 * (1 + bits.take(5)) if is_by_8 else bits.choice(_SIZE)


def _skip_extra_fields(bits: _Bits) -> None:
    """Pass over orientation, the intrinsic size and the size of a preview."""
    bits.take(3)
    if bits.take():
        _size(bits)
    if bits.take():
        choices = _PREVIEW_BY_8 if bits.take() else _PREVIEW
        bits.choice(choices)
        if not bits.take(3):
            bits.choice(choices)
    if bits.take():
        _refuse("is an animation")


def _samples(bits: _Bits) -> tuple[int, int]:
    """The bits of a sample, and how many samples a pixel has."""
    if bits.take():
        _refuse("has floating point samples")
    precision = bits.choice(_BITS)
    if precision > _MAX_BITS:
        _refuse(f"has {precision} bits a sample, and {_MAX_BITS} are the limit")
    bits.take()  # whether 16 bits do for the decoder
    if bits.choice(_EXTRA_CHANNELS):
        _refuse("has channels beyond its colours")
    bits.take()  # XYB, which the decoder undoes
    if bits.take():
        return precision, 3  # sRGB
    bits.take()  # an ICC profile
    return precision, 1 if bits.choice(_ENUM) == _GRAY else 3


def _refuse(what: str) -> NoReturn:
    msg = f"The JPEG XL codestream {what}"
    raise DecodeError(msg, code="decoder_failed")
