"""Palettes in segments (PS3.3 C.7.9.2): runs of entries, ramps, and copies of either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_DISCRETE, _LINEAR, _INDIRECT = range(3)


def expand(data: bytes, entries: int, bits: int, *, big: bool) -> Array | str:
    """The entries that the segments stand for.

    Args:
        data: The segmented data, words of `bits` bits.
        entries: How many have to come out.
        bits: Of an entry, 8 or 16.
        big: Words of 16 bits are big endian.

    Returns:
        The entries, or a sentence that says what is wrong.
    """
    size = bits // 8
    order: Literal["little", "big"] = "big" if big else "little"
    words = [
        int.from_bytes(data[at : at + size], order) for at in range(0, len(data) - size + 1, size)
    ]
    segments = _Segments(words, size, entries, [])
    try:
        at = 0
        while at < len(words) and len(segments.values) < entries:
            at = segments.append(at)
    except _SegmentError as error:
        return str(error)
    if len(segments.values) != entries:
        return f"The segments make {len(segments.values)} entries, and the descriptor has {entries}"
    return np.array(segments.values, dtype=np.int64)


class _SegmentError(Exception):
    """A segment is malformed."""


@dataclass(frozen=True, slots=True)
class _Segments:
    """Expands segments of words of `size` bytes into `values`, up to all `entries`."""

    words: list[int]
    size: int
    entries: int
    values: list[int]

    def append(self, at: int, *, may_copy: bool = True) -> int:
        """Expand the segment at a word, and tell where the next one starts."""
        opcode, count = self._take(at, 2)
        if not count:
            msg = f"The palette's segment at word {at} has no length"
            raise _SegmentError(msg)
        if opcode == _DISCRETE:
            self.values.extend(self._take(at + 2, count))
            at += 2 + count
        elif opcode == _LINEAR:
            (end,) = self._take(at + 2, 1)
            self._ramp(count, end)
            at += 3
        elif opcode == _INDIRECT and may_copy:
            size = 4 // self.size
            parts = self._take(at + 2, size)
            source = sum(part << (8 * self.size * i) for i, part in enumerate(parts)) // self.size
            for _ in range(count):
                if len(self.values) < self.entries:
                    source = self.append(source, may_copy=False)
            at += 2 + size
        else:
            msg = f"The palette has a segment of type {opcode} where none belongs"
            raise _SegmentError(msg)
        return at

    def _ramp(self, count: int, end: int) -> None:
        if not self.values:
            msg = "A linear segment is the first of the palette, and has nothing to start from"
            raise _SegmentError(msg)
        start = self.values[-1]
        # Halves to even, as numpy.around has them.
        self.values.extend(round(start + (end - start) * k / count) for k in range(1, count + 1))

    def _take(self, at: int, count: int) -> list[int]:
        if at + count > len(self.words):
            msg = f"The palette's segment at word {at} goes beyond its {len(self.words)} words"
            raise _SegmentError(msg)
        return self.words[at : at + count]
