"""Encapsulated pixel data (PS3.5 A.4) and the frames inside, written byte by byte."""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING

import numpy as np

from builders import PIXEL_DATA, SEQUENCE_END, UNDEFINED, Cells, Element, item

if TYPE_CHECKING:
    from collections.abc import Sequence

EXTENDED_OFFSETS, EXTENDED_LENGTHS = 0x7FE00001, 0x7FE00002


def basic_table(frames: Sequence[Sequence[bytes]]) -> tuple[int, ...]:
    """Offset of each frame's first item, from the first byte after the table (PS3.5 A.4)."""
    sizes = [sum(8 + len(fragment) for fragment in fragments) for fragments in frames]
    return tuple(itertools.accumulate(sizes, initial=0))[:-1]


def encapsulated(
    frames: Sequence[Sequence[bytes]],
    *,
    table: Sequence[int] | bytes | None = (),
    delimiter: bool = True,
    tail: bytes = b"",
) -> Element:
    """Pixel data of frames, each a list of fragments.

    Args:
        frames: The fragments, written as they are.
        table: The basic offset table: None computes it, the default is an empty one.
        delimiter: Write the sequence delimiter.
        tail: Bytes after the last fragment, for damage.
    """
    if table is None:
        table = basic_table(frames)
    packed = table if isinstance(table, bytes) else struct.pack(f"<{len(table)}I", *table)
    fragments = b"".join(item(fragment) for frame in frames for fragment in frame)
    end = item(b"", tag=SEQUENCE_END) if delimiter else b""
    return Element(PIXEL_DATA, "OB", item(packed) + fragments + tail + end, claimed=UNDEFINED)


def extended_table(
    frames: Sequence[Sequence[bytes]],
    *,
    offsets: Sequence[int] | None = None,
    lengths: Sequence[int] | None = None,
) -> list[Element]:
    """ExtendedOffsetTable and its lengths (PS3.3 C.7.6.3.1.8), computed unless given."""
    at = basic_table(frames) if offsets is None else offsets
    sizes = [len(frame[0]) for frame in frames] if lengths is None else lengths
    return [
        Element(EXTENDED_OFFSETS, "OV", tuple(at)),
        Element(EXTENDED_LENGTHS, "OV", tuple(sizes)),
    ]


def even(data: bytes) -> bytes:
    """Padded to an even length."""
    return data + b"\0" * (len(data) % 2)


def pack_bits(data: bytes) -> bytes:
    """PackBits (PS3.5 G.3.1): runs of three or more as runs, all else as literals."""
    out, literal = bytearray(), bytearray()

    def flush() -> None:
        for start in range(0, len(literal), 128):
            part = literal[start : start + 128]
            out.extend([len(part) - 1, *part])
        literal.clear()

    for value, group in itertools.groupby(data):
        count = len(list(group))
        if count < 3:
            literal.extend([value] * count)
            continue
        flush()
        for start in range(0, count, 128):
            length = min(128, count - start)
            out.extend([257 - length, value] if length > 1 else [0, value])
    flush()
    return bytes(out)


def rle_frame(cells: Cells) -> bytes:
    """An RLE frame (PS3.5 G.5): a segment for each byte of a cell, the highest first."""
    planes = np.ascontiguousarray(cells.astype(cells.dtype.newbyteorder(">"))).view(np.uint8)
    planes = planes.reshape(*cells.shape, cells.dtype.itemsize)
    segments = [
        even(b"".join(pack_bits(row.tobytes()) for row in planes[..., k]))
        for k in range(cells.dtype.itemsize)
    ]
    return rle_header(segments) + b"".join(segments)


def rle_header(segments: Sequence[bytes], count: int | None = None) -> bytes:
    """The 64 bytes in front of the segments; `count` lies about how many there are."""
    offsets = list(itertools.accumulate(map(len, segments), initial=64))[:-1]
    number = len(segments) if count is None else count
    return struct.pack("<16I", number, *offsets, *[0] * (15 - len(segments)))


def segment(marker: int, body: bytes) -> bytes:
    """A marker segment of JPEG, JPEG-LS or JPEG 2000: its length counts itself."""
    return struct.pack(">HH", marker, len(body) + 2) + body


def jpeg_frame(
    rows: int, columns: int, *, precision: int = 16, components: int = 1, sof: int = 0xC3
) -> bytes:
    """SOI, a frame header (ISO 10918-1 B.2.2), an empty scan and EOI."""
    parts = b"".join(bytes([k + 1, 0x11, 0]) for k in range(components))
    scan = b"".join(bytes([k + 1, 0]) for k in range(components))
    frame = struct.pack(">BHHB", precision, rows, columns, components) + parts
    head = segment(0xFF00 | sof, frame)
    return even(
        b"\xff\xd8" + head + segment(0xFFDA, bytes([components]) + scan + b"\1\0\0") + b"\xff\xd9"
    )


def j2k_frame(
    rows: int, columns: int, *, precision: int = 16, signed: bool = False, components: int = 1
) -> bytes:
    """SOC, SIZ, COD, QCD (ISO 15444-1 A.5.1, A.6), one tile with no data in it, EOC."""
    depth = precision - 1 + (0x80 if signed else 0)
    parts = bytes([depth, 1, 1]) * components
    size = struct.pack(">H8IH", 0, columns, rows, 0, 0, columns, rows, 0, 0, components) + parts
    coding = bytes([0, 0, 0, 1, 0, 0, 4, 4, 0, 1])  # one layer, no level, 64 x 64, 5-3 wavelet
    main = segment(0xFF51, size) + segment(0xFF52, coding) + segment(0xFF5C, bytes([0x40, 0x80]))
    tile = segment(0xFF90, struct.pack(">HIBB", 0, 14, 0, 1))
    return even(b"\xff\x4f" + main + tile + b"\xff\x93\xff\xd9")
