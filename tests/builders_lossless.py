"""A small encoder of lossless JPEG (ISO 10918-1 Annex H), for what no library writes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from builders_frames import even, segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builders import Cells

# How many codes there are of each length from 1 on, for the categories 0 to 16: all of five bits,
# or some of every length up to the longest (C.2: the code of ones alone is never used).
_LENGTHS = {"flat": [0, 0, 0, 0, 17] + [0] * 11, "deep": [0, 1, 3] + [1] * 13}


@dataclass(frozen=True)
class LosslessForm:
    """How a frame is coded.

    Attributes:
        precision: Bits of a sample.
        predictor: Selection value 1 to 7 (Table H.1).
        point_transform: Low bits that are left out.
        restart_rows: Rows between restart markers; 0 writes none.
        interleaved: One scan for all components, not one each.
        tables: Codes of one length, or of all.
    """

    precision: int = 16
    predictor: int = 1
    point_transform: int = 0
    restart_rows: int = 0
    interleaved: bool = True
    tables: Literal["flat", "deep"] = "flat"


def lossless_jpeg(cells: Cells, form: LosslessForm) -> bytes:
    """A frame of cells (rows, columns) or (rows, columns, components)."""
    planes = np.atleast_3d(cells).astype(np.int64) >> form.point_transform
    rows, columns, count = planes.shape
    components = b"".join(bytes([k + 1, 0x11, 0]) for k in range(count))
    out = b"\xff\xd8" + segment(
        0xFFC3, struct.pack(">BHHB", form.precision, rows, columns, count) + components
    )
    out += segment(0xFFC4, bytes([0, *_LENGTHS[form.tables], *range(17)]))
    if form.restart_rows:
        out += segment(0xFFDD, struct.pack(">H", form.restart_rows * columns))
    scans = [range(count)] if form.interleaved else [range(k, k + 1) for k in range(count)]
    for scan in scans:
        out += _scan(planes[..., scan.start : scan.stop], scan, form)
    return even(out + b"\xff\xd9")


def _scan(planes: Cells, numbers: Sequence[int], form: LosslessForm) -> bytes:
    chosen = b"".join(bytes([k + 1, 0]) for k in numbers)
    head = bytes([len(numbers)]) + chosen + bytes([form.predictor, 0, form.point_transform])
    step = form.restart_rows or len(planes)
    parts = [_interval(planes[at : at + step], form) for at in range(0, len(planes), step)]
    out = segment(0xFFDA, head) + parts[0]
    for number, part in enumerate(parts[1:]):
        out += bytes([0xFF, 0xD0 + number % 8]) + part
    return out


def _interval(planes: Cells, form: LosslessForm) -> bytes:
    """The coded differences between two markers; prediction starts anew (H.1.2.1)."""
    codes = _codes(form.tables)
    bits = []
    for y, x in np.ndindex(planes.shape[:2]):
        for k in range(planes.shape[2]):
            predicted = _prediction(planes[..., k], y, x, form)
            bits.append(_difference(int(planes[y, x, k]) - predicted, codes))
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    packed = int(text, 2).to_bytes(len(text) // 8, "big")
    return packed.replace(b"\xff", b"\xff\0")


def _prediction(plane: Cells, y: int, x: int, form: LosslessForm) -> int:
    if y == 0 and x == 0:
        return 1 << (form.precision - form.point_transform - 1)
    if y == 0:
        return int(plane[0, x - 1])
    b = int(plane[y - 1, x])
    if x == 0:
        return b
    a, c = int(plane[y, x - 1]), int(plane[y - 1, x - 1])
    return [a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) // 2][
        form.predictor - 1
    ]


def _difference(value: int, codes: Sequence[str]) -> str:
    """Modulo 2^16 (H.1.2.1); 32768 has a category of its own without bits (Table H.2)."""
    value = (value + 32767) % 65536 - 32767
    category = abs(value).bit_length()
    if category in (0, 16):
        return codes[category]
    extra = value if value > 0 else value + (1 << category) - 1
    return codes[category] + format(extra, f"0{category}b")


def _codes(tables: Literal["flat", "deep"]) -> list[str]:
    """The code of each category (C.2)."""
    codes, code = [], 0
    for length, count in enumerate(_LENGTHS[tables], start=1):
        for _ in range(count):
            codes.append(format(code, f"0{length}b"))
            code += 1
        code <<= 1
    return codes
