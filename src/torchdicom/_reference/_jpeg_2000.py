"""What a JPEG 2000 codestream says about itself (ISO 15444-1 Annex A), plain or high throughput."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NoReturn

from torchdicom._errors import DecodeError
from torchdicom._reference._codestream import (
    Info,
    compare,
    fail_invalid,
    fail_mismatch,
    require_end,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdicom._reference._pixel_format import PixelFormat

_START: Final = b"\xff\x4f\xff\x51"  # SOC and SIZ
_SIZ, _COD, _COC, _CAP = 0xFF51, 0xFF52, 0xFF53, 0xFF50
_SOT, _SOD, _EOC = 0xFF90, 0xFF93, 0xFFD9
# DFS, ADS, MCT, NLT, MCC, MCO, CBD and ATK of ISO 15444-2.
_EXTENSIONS: Final = range(0xFF72, 0xFF7A)
_LEAST_TILE: Final = 14  # SOT and SOD
_REVERSIBLE: Final = 1  # the 5-3 filter (Table A.20)
_HIGH_THROUGHPUT: Final = 1 << (32 - 15)  # the bit of ISO 15444-15 in Pcap


def check_jpeg_2000(codestream: bytes, pixels: PixelFormat) -> Info:
    """Check a JPEG 2000 frame, raw or in the boxes of a JP2 file.

    Returns:
        What the codestream says about itself.

    Raises:
        DecodeError: ``invalid_codestream``, ``codestream_mismatch``; ``decoder_failed`` for the
            extensions of ISO 15444-2.
    """
    info, offsets, tile = _size(codestream)
    info = compare(info, pixels)
    transforms: list[int] = []
    levels: list[int] = []
    wavelets: set[int] = set()
    for marker, segment in _segments(codestream, info.start):
        if marker in _EXTENSIONS:
            _fail_extension()
        if marker == _CAP and int.from_bytes(segment[:4], "big") & ~_HIGH_THROUGHPUT:
            _fail_extension()
        # The levels stand behind Scod and SGcod, and behind Ccoc and Scoc (A.6.1, A.6.2).
        at = {_COD: 5, _COC: 2}.get(marker, 0)
        if not at:
            continue
        if len(segment) < at + 5:
            fail_invalid("A coding style segment of the codestream is cut off")
        if segment[at + 4] > 1:
            _fail_extension()
        levels.append(segment[at])
        wavelets.add(segment[at + 4])
        if marker == _COD:
            transforms.append(segment[4])
    if not transforms:
        fail_invalid("The codestream has no coding style segment")
    if len(set(transforms)) > 1:
        fail_mismatch("component transforms of its tiles", transforms, transforms[0])
    whole = [n for n in range(33) if all(offset % (1 << n) == 0 for offset in offsets)]
    is_transformed = transforms[0] == 1 and pixels.samples == 3
    return replace(
        info,
        is_transformed=is_transformed,
        levels=min(*levels, whole[-1]),
        lossless_tile=tile if wavelets == {_REVERSIBLE} else None,
    )


def _size(data: bytes) -> tuple[Info, tuple[int, int], tuple[int, int] | None]:
    """The size segment, the offsets of the image on its grid, and the size of tiles there."""
    require_end(data)
    start = _codestream_start(data)
    segment = data[start + 6 :]  # behind SOC, SIZ and its length
    if data[start : start + 4] != _START or len(segment) < 36:
        fail_invalid("The frame does not start like a JPEG 2000 codestream")
    right, bottom, left, top = (int.from_bytes(segment[i : i + 4], "big") for i in (2, 6, 10, 14))
    count = int.from_bytes(segment[34:36], "big")
    components = [segment[i : i + 3] for i in range(36, 36 + 3 * count, 3)]
    if count == 0 or len(components[-1]) < 3:
        fail_invalid("The JPEG 2000 size segment is cut off")
    depths = {depth for depth, _, _ in components}
    if len(depths) > 1:
        fail_mismatch("precisions and signs of its components", sorted(depths), "one for all")
    (depth,) = depths
    info = Info(
        rows=bottom - top,
        columns=right - left,
        precision=(depth & 0x7F) + 1,
        sampling=tuple((x, y) for _, x, y in components),
        is_signed=bool(depth & 0x80),
        start=start,
    )
    return info, (left, top), _tile(data, segment)


def _tile(data: bytes, segment: bytes) -> tuple[int, int] | None:
    """Rows and columns of a tile, where the first one starts with the image."""
    right, bottom, left, top, width, height, tile_left, tile_top = (
        int.from_bytes(segment[i : i + 4], "big") for i in range(2, 34, 4)
    )
    if not width or not height or tile_left > left or tile_top > top:
        fail_invalid("The tiles of the codestream do not cover its image")
    count = -((tile_left - right) // width) * -((tile_top - bottom) // height)
    if _LEAST_TILE * count > len(data):
        fail_invalid(f"The codestream has {len(data)} bytes, which {count} tiles do not fit in")
    return (height, width) if (left, top, tile_left, tile_top) == (0, 0, 0, 0) else None


def _segments(data: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """The marker segments of the main header and of the headers of all tile parts."""
    at = start + 2
    tile_end = 0
    while at + 4 <= len(data):
        marker = int.from_bytes(data[at : at + 2], "big")
        if marker == _EOC:
            return
        if marker == _SOD:
            if tile_end <= at:
                return  # the last one goes up to the end (A.4.2)
            at = tile_end
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker < 0xFF00 or length < 2 or at + 2 + length > len(data):
            fail_invalid(f"The marker segment at byte {at} of the codestream is broken")
        segment = data[at + 4 : at + 2 + length]
        if marker == _SOT:
            size = int.from_bytes(segment[2:6], "big")
            tile_end = at + size if size else 0
        yield marker, segment
        at += 2 + length


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


def _fail_extension() -> NoReturn:
    msg = "The codestream uses a Part 2 extension (ISO 15444-2), which is not supported"
    raise DecodeError(msg, code="decoder_failed")
