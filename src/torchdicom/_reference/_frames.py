"""Where the frames of a file lie: byte ranges of native pixel data, or of fragments (PS3.5 A.4)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from torchdicom._errors import LimitError, ParseError
from torchdicom._reference._elements import ITEM, SEQUENCE_END, UNDEFINED
from torchdicom._reference._syntaxes import JPEG, JPEG_2000, JPEG_LOSSLESS, JPEG_LS
from torchdicom._reference._tags import TAGS, element_name

if TYPE_CHECKING:
    from torchdicom._reference._elements import DataSet, Element

Range = tuple[int, int]
FrameRanges = tuple[tuple[Range, ...], ...]

_ITEM_HEADER: Final = 8

# Codestreams of these end with the same two bytes, in the last ten of their last fragment.
_WITH_END: Final = JPEG | JPEG_LOSSLESS | JPEG_LS | JPEG_2000
_TAIL: Final = 10

# A frame has one, seldom a few; an empty one takes 8 bytes of the file.
_MAX_FRAGMENTS: Final = 2_000_000


def native_ranges(
    data_set: DataSet, element: Element, frames: int, frame_bits: int, path: str
) -> FrameRanges:
    """One range a frame, of uncompressed pixel data.

    Args:
        data_set: Where the pixel data lies.
        element: The pixel data; more bytes than the frames need are fine.
        frames: How many frames the header says there are.
        frame_bits: Size of one frame. Frames of one bit a pixel may share a byte (PS3.5 8.1.1).
        path: The file.

    Raises:
        ParseError: ``truncated_pixels``, ``frame_count_mismatch``.
    """
    available = min(element.length, len(data_set.data) - element.start)
    needed = -(-frames * frame_bits // 8)
    if available < needed:
        whole, rest = divmod(available * 8, frame_bits)
        if whole >= 1 and rest == 0:
            msg = f"NumberOfFrames is {frames}, and the pixel data holds {whole}"
            raise _error(msg, "frame_count_mismatch", element, path)
        msg = f"The pixel data has {available} bytes, and {frames} frame(s) need {needed}"
        raise _error(msg, "truncated_pixels", element, path)
    bounds = [(i * frame_bits // 8, -(-(i + 1) * frame_bits // 8)) for i in range(frames)]
    return tuple(((element.start + first, end - first),) for first, end in bounds)


def encapsulated_ranges(data_set: DataSet, element: Element, frames: int, path: str) -> FrameRanges:
    """One range a fragment, of encapsulated pixel data.

    Raises:
        ParseError: ``truncated_pixels``, ``invalid_fragments``, ``invalid_offset_table``,
            ``frame_count_mismatch``.
        LimitError: ``limit_frames``.
    """
    if element.length != UNDEFINED:
        msg = "Compressed pixel data must be in fragments, with an undefined length"
        raise _error(msg, "invalid_fragments", element, path)
    items = _items(data_set, element, path)
    if not items:
        msg = "The pixel data has no item, not even the one for its offset table"
        raise _error(msg, "invalid_fragments", element, path, element.start)
    table, fragments = items[0], items[1:]
    if not fragments:
        msg = f"NumberOfFrames is {frames}, and the pixel data has no fragment"
        raise _error(msg, "frame_count_mismatch", element, path)
    extended = data_set.elements.get(TAGS["ExtendedOffsetTable"])
    if extended is not None and extended.length not in {0, UNDEFINED}:
        return _Table(data_set, extended, fragments, frames, path).extended_ranges()
    if table[1]:
        return _Table(data_set, element, fragments, frames, path).basic_ranges(table)
    if frames == 1:
        return (tuple(fragments),)
    if len(fragments) == frames:
        return tuple((fragment,) for fragment in fragments)
    if data_set.transfer_syntax in _WITH_END:
        ranges = _up_to_ends(data_set.data, fragments)
        if len(ranges) == frames:
            return ranges
    msg = (
        f"NumberOfFrames is {frames}, and there are {len(fragments)} fragments without an offset "
        "table that says which belong together"
    )
    raise _error(msg, "frame_count_mismatch", element, path)


def _up_to_ends(data: bytes, fragments: list[Range]) -> FrameRanges:
    """Fragments joined up to those at whose end a codestream ends."""
    ranges: list[tuple[Range, ...]] = []
    first = 0
    for i, (start, length) in enumerate(fragments):
        if b"\xff\xd9" in data[start + max(length - _TAIL, 0) : start + length]:
            ranges.append(tuple(fragments[first : i + 1]))
            first = i + 1
    if first < len(fragments):
        ranges.append(tuple(fragments[first:]))  # the last frame ends where the pixel data does
    return tuple(ranges)


def _items(data_set: DataSet, element: Element, path: str) -> list[Range]:
    """The values of all items, the basic offset table first."""
    data, encoding = data_set.data, data_set.encoding
    items: list[Range] = []
    at = element.start
    while at < len(data):
        if len(data) - at < _ITEM_HEADER:
            msg = "The file ends inside the header of a fragment"
            raise _error(msg, "truncated_pixels", element, path, at)
        tag, length = encoding.tag(data, at), encoding.number(data, at + 4, 4)
        if tag == SEQUENCE_END:
            return items
        if tag != ITEM or length == UNDEFINED:
            msg = f"{element_name(tag)} of length {length} stands where a fragment should"
            raise _error(msg, "invalid_fragments", element, path, at)
        start = at + _ITEM_HEADER
        if length > len(data) - start:
            msg = f"A fragment has {length} bytes, and {len(data) - start} are left in the file"
            raise _error(msg, "truncated_pixels", element, path, at)
        if len(items) > _MAX_FRAGMENTS:
            msg = f"The pixel data has more than {_MAX_FRAGMENTS} fragments"
            place = element_name(element.tag)
            code = "limit_frames"
            raise LimitError(msg, code=code, path=path, element=place, offset=element.offset)
        items.append((start, length))
        at = start + length
    return items  # the delimiter at the very end is missing, and nothing else


@dataclass(frozen=True, slots=True)
class _Table:
    """An offset table and the fragments that it points to."""

    data_set: DataSet
    element: Element
    fragments: list[Range]
    frames: int
    path: str

    def basic_ranges(self, table: Range) -> FrameRanges:
        """Each frame is the fragments from its offset up to the next frame's."""
        firsts = self._fragments_at(self._numbers(*table, "I"))
        ends = [*firsts[1:], len(self.fragments)]
        return tuple(
            tuple(self.fragments[first:end]) for first, end in zip(firsts, ends, strict=True)
        )

    def extended_ranges(self) -> FrameRanges:
        """Each frame is one fragment, cut to its length (PS3.3 C.7.6.3.1.8)."""
        lengths_element = self.data_set.elements.get(TAGS["ExtendedOffsetTableLengths"])
        if lengths_element is None or lengths_element.length == UNDEFINED:
            self._fail("There is no (7FE0,0002) ExtendedOffsetTableLengths to it")
        if len(self.fragments) != self.frames:
            self._fail(f"There are {len(self.fragments)} fragments, and one a frame belong")
        firsts = self._fragments_at(self._numbers(self.element.start, self.element.length, "Q"))
        lengths = self._numbers(lengths_element.start, lengths_element.length, "Q")
        ranges = []
        for first, length in zip(firsts, lengths, strict=True):
            offset, stored = self.fragments[first]
            if length > stored:
                self._fail(f"A length is {length}, and its fragment has {stored} bytes")
            ranges.append(((offset, length),))
        return tuple(ranges)

    def _numbers(self, start: int, length: int, form: str) -> list[int]:
        """The entries of a table, one a frame."""
        size = struct.calcsize(f"<{form}")
        if length != size * self.frames:
            self._fail(f"It has {length} bytes, and {self.frames} frame(s) need {size} each")
        data = self.data_set.data[start : start + length]
        order = ">" if self.data_set.encoding.big else "<"
        return list(struct.unpack(f"{order}{self.frames}{form}", data))

    def _fragments_at(self, offsets: list[int]) -> list[int]:
        """Which fragment starts at each offset, counted from the first fragment's item tag."""
        origin = self.fragments[0][0] - _ITEM_HEADER
        starts = {start - _ITEM_HEADER - origin: i for i, (start, _) in enumerate(self.fragments)}
        if offsets[0] != 0:
            self._fail(f"The first frame starts at {offsets[0]}, behind the first fragment")
        found = []
        for previous, offset in zip([-1, *offsets], offsets, strict=False):
            if offset <= previous:
                self._fail(f"Offset {offset} follows {previous}")
            if offset not in starts:
                self._fail(f"No fragment starts at offset {offset}")
            found.append(starts[offset])
        return found

    def _fail(self, text: str) -> NoReturn:
        msg = f"The offset table is wrong. {text}"
        raise _error(msg, "invalid_offset_table", self.element, self.path)


def _error(
    text: str, code: str, element: Element, path: str, offset: int | None = None
) -> ParseError:
    """An error about the pixel data, at its first byte unless `offset` says where in it."""
    offset = element.offset if offset is None else offset
    return ParseError(text, code=code, path=path, element=element_name(element.tag), offset=offset)
