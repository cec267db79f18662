"""The data elements of one file (PS3.5 section 7), walked strictly."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

from torchdicom._errors import LimitError, ParseError
from torchdicom._metadata import PADDING
from torchdicom._reference._tags import KNOWN_TAGS, PIXEL_TAGS, READ_TAGS, TAGS, element_name

IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"

UNDEFINED: Final = 0xFFFF_FFFF

ITEM: Final = 0xFFFE_E000
ITEM_END: Final = 0xFFFE_E00D
SEQUENCE_END: Final = 0xFFFE_E0DD
_DELIMITER_GROUP: Final = 0xFFFE

_SHORT_VRS: Final = frozenset(
    "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
)
# PS3.5 7.1.2: two reserved bytes, then a length of four.
_LONG_VRS: Final = frozenset("OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_VRS: Final = _SHORT_VRS | _LONG_VRS

# Real objects nest some 8 deep; a file of nothing but sequences must not exhaust the stack.
_MAX_SEQUENCE_DEPTH: Final = 32
# Against decompression bombs: what is free, times what was deflated, and in any case.
_FREE_BYTES: Final = 64 << 20
_MAX_DEFLATE_RATIO: Final = 100
_MAX_INFLATED_BYTES: Final = 4 << 30

_PREAMBLE: Final = 128
_SHORTEST: Final = 8  # an element without a value
_META_GROUP: Final = 0x0002


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the elements of a data set are written.

    Attributes:
        implicit: The VR is not written (PS3.5 7.1.3).
        big: Numbers are big endian.
    """

    implicit: bool
    big: bool

    def number(self, data: bytes, at: int, size: int) -> int:
        """The unsigned number of `size` bytes at `at`."""
        return int.from_bytes(data[at : at + size], "big" if self.big else "little")

    def tag(self, data: bytes, at: int) -> int:
        """The tag at `at`: two numbers of two bytes each."""
        return self.number(data, at, 2) << 16 | self.number(data, at + 2, 2)


_META: Final = Encoding(implicit=False, big=False)


@dataclass(frozen=True, slots=True)
class Element:
    """Where one element lies.

    Attributes:
        tag: Group and element number.
        vr: Two letters; empty where it is not written.
        offset: Of the first byte of the tag.
        start: Of the first byte of the value.
        length: Of the value, `UNDEFINED` included.
    """

    tag: int
    vr: str
    offset: int
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class DataSet:
    """The top-level elements of a file, up to and with its pixel data.

    Attributes:
        data: The bytes that the offsets count in: the file, or what it inflates to.
        transfer_syntax: As the file says, or as its bytes show.
        encoding: How the data set turned out to be written.
        elements: By tag; what `read_header` reads is there once, of the rest the last counts.
    """

    data: bytes
    transfer_syntax: str
    encoding: Encoding
    elements: dict[int, Element]


def parse(data: bytes, path: str) -> DataSet:
    """Find every element of a file.

    Raises:
        ParseError: ``not_dicom``, ``truncated_header``, ``length_exceeds_file``, ``invalid_vr``,
            ``invalid_sequence``, ``invalid_deflate``.
        LimitError: ``limit_sequence_depth``, ``limit_ratio``.
    """
    start = _start(data, path)
    # PS3.10 7.1 has this group explicit; a few writers made it implicit.
    walker = _Walker(data, Encoding(implicit=not _has_vr(data, start), big=False), path)
    elements: dict[int, Element] = {}
    while _META.number(data, start, 2) == _META_GROUP and start < len(data):
        element = walker.header(start, len(data))
        start = walker.skip(element, len(data), 0)
        elements[element.tag] = element

    uid = ""
    named = elements.get(TAGS["TransferSyntaxUID"])
    if named is not None and named.length != UNDEFINED:
        value = data[named.start : named.start + named.length]
        uid = value.decode("latin-1").strip(PADDING)
    if uid == DEFLATED:
        # Offsets are in the inflated data set from here on: none in the file has a meaning.
        data, start = _inflate(data[start:], path), 0
    if not uid:
        uid = _judge_syntax(data, start)
    encoding = _encoding_of(uid, data, start)
    walker = _Walker(data, encoding, path)
    found: set[int] = set()
    while start < len(data):
        element = walker.header(start, len(data))
        walker.check_place(element, found)
        found.add(element.tag)
        if element.length != UNDEFINED or element.tag not in elements:
            elements[element.tag] = element  # items are no value that could replace one
        if element.tag in PIXEL_TAGS:
            walker.check_pixels(element)
            break
        start = walker.skip(element, len(data), 0)
    return DataSet(data, uid, encoding, elements)


def items(data_set: DataSet, element: Element, path: str) -> list[DataSet]:
    """The items of a sequence, each with its own elements.

    Args:
        data_set: Where the sequence lies, a file or an item.
        element: The sequence.
        path: The file.

    Raises:
        ParseError: ``invalid_sequence``, ``truncated_header``, ``length_exceeds_file``,
            ``invalid_vr``.
        LimitError: ``limit_sequence_depth``.
    """
    data = data_set.data
    # PS3.5 6.2.2: a sequence of unknown VR is implicit little endian inside.
    unknown = element.vr == "UN"
    encoding = Encoding(implicit=True, big=False) if unknown else data_set.encoding
    walker = _Walker(data, encoding, path)
    end = len(data) if element.length == UNDEFINED else element.start + element.length
    at, found = element.start, []
    while at < end:
        item = walker.header(at, end)
        if item.tag == SEQUENCE_END and element.length == UNDEFINED:
            break
        if item.tag != ITEM:
            msg = "Only items may stand in a sequence"
            raise walker.error(msg, "invalid_sequence", item.tag, at)
        at = walker.skip_item(item, end, 1)
        found.append(DataSet(data, data_set.transfer_syntax, encoding, walker.elements(item, at)))
    return found


def _has_vr(data: bytes, at: int) -> bool:
    return data[at + 4 : at + 6].decode("latin-1") in _VRS


def _start(data: bytes, path: str) -> int:
    """Where the first element is: behind preamble and prefix (PS3.10 7.1), one, or neither."""
    for at in (_PREAMBLE, 0):
        if len(data) >= _SHORTEST and data[at : at + 4] == b"DICM":
            return at + 4
    if len(data) < _SHORTEST or not _is_plausible_start(data):
        msg = "This is no DICOM file: it has no DICM prefix and does not start like a data set"
        raise ParseError(msg, code="not_dicom", path=path)
    return 0


def _is_plausible_start(data: bytes) -> bool:
    """Whether the bytes begin with group 0002 or 0008, in a syntax that can have it there."""
    if _has_vr(data, 0):
        # Group 2 is always little endian (PS3.10 7.1).
        return data[:2] in {b"\2\0", b"\x08\0", b"\0\x08"}
    return data[:2] in {b"\2\0", b"\x08\0"} and _META.number(data, 4, 4) <= len(data) - 8


def _judge_syntax(data: bytes, start: int) -> str:
    """The uncompressed syntax that the first element of a data set shows."""
    # That is one of group 0008, or of another low one.
    if data[start : start + 1] == b"\0" and data[start + 1 : start + 2] > b"\0":
        return EXPLICIT_BIG
    if _has_vr(data, start) or len(data) - start < _SHORTEST:
        return EXPLICIT_LITTLE
    return IMPLICIT_LITTLE


def _encoding_of(uid: str, data: bytes, start: int) -> Encoding:
    """What the syntax says, or what the first element shows where the two contradict."""
    if uid == EXPLICIT_BIG:
        return Encoding(implicit=False, big=True)
    if start >= len(data):
        return Encoding(implicit=uid == IMPLICIT_LITTLE, big=False)
    return Encoding(implicit=not _has_vr(data, start), big=False)


def _inflate(deflated: bytes, path: str) -> bytes:
    """The data set of the deflated syntax: a raw deflate stream (PS3.5 A.5, RFC 1951)."""
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    limit = min(max(_FREE_BYTES, _MAX_DEFLATE_RATIO * len(deflated)), _MAX_INFLATED_BYTES)
    try:
        data = inflater.decompress(deflated, limit + 1)
    except zlib.error as error:
        msg = f"The deflated data set is broken: {error}"
        raise ParseError(msg, code="invalid_deflate", path=path) from error
    if len(data) > limit:
        msg = f"The data set inflates to more than {limit} bytes"
        raise LimitError(msg, code="limit_ratio", path=path)
    if not inflater.eof:
        msg = "The deflated data set ends early"
        raise ParseError(msg, code="invalid_deflate", path=path)
    return data


@dataclass(frozen=True, slots=True)
class _Walker:
    """Steps over elements, sequences and items; `end` is where what contains them ends."""

    data: bytes
    encoding: Encoding
    path: str

    def header(self, at: int, end: int) -> Element:
        """The element whose tag is at `at`."""
        self._require(at, 8, end)
        tag = self.encoding.tag(self.data, at)
        # Items and delimiters never have a VR (PS3.5 7.5).
        if self.encoding.implicit or tag >> 16 == _DELIMITER_GROUP:
            return Element(tag, "", at, at + 8, self.encoding.number(self.data, at + 4, 4))
        vr = self.data[at + 4 : at + 6].decode("latin-1")
        if vr in _SHORT_VRS:
            return Element(tag, vr, at, at + 8, self.encoding.number(self.data, at + 6, 2))
        if vr not in _LONG_VRS:
            msg = f"{vr!r} is no value representation"
            raise self.error(msg, "invalid_vr", tag, at)
        self._require(at, 12, end)
        return Element(tag, vr, at, at + 12, self.encoding.number(self.data, at + 8, 4))

    def skip(self, element: Element, end: int, depth: int) -> int:
        """The offset behind an element; `depth` sequences are around it.

        What has a length is passed over, whatever is inside: nothing in there is read.
        """
        if element.length != UNDEFINED:
            return self._end_of(element, end)
        if depth >= _MAX_SEQUENCE_DEPTH:
            msg = f"Sequences nest deeper than {_MAX_SEQUENCE_DEPTH}"
            place = element_name(element.tag)
            code, path = "limit_sequence_depth", self.path
            raise LimitError(msg, code=code, path=path, element=place, offset=element.offset)
        inner = self
        if element.vr == "UN":
            # PS3.5 6.2.2: a sequence of unknown VR is implicit little endian inside.
            inner = _Walker(self.data, Encoding(implicit=True, big=False), self.path)
        at = element.start
        while True:
            item = inner.header(at, end)
            if item.tag == SEQUENCE_END and item.length == 0:
                return item.start
            if item.tag != ITEM:
                msg = "Only items may stand in a sequence, and its delimiter has no length"
                raise self.error(msg, "invalid_sequence", item.tag, at)
            at = inner.skip_item(item, end, depth + 1)

    def skip_item(self, item: Element, end: int, depth: int) -> int:
        """The offset behind an item; `depth` sequences are around its elements."""
        if item.length != UNDEFINED:
            return self._end_of(item, end)
        at = item.start
        while True:
            element = self.header(at, end)
            if element.tag == ITEM_END and element.length == 0:
                return element.start
            self._check_inside(element)
            at = self.skip(element, end, depth)

    def elements(self, item: Element, end: int) -> dict[int, Element]:
        """The elements of an item that ends before `end`, its delimiter included."""
        at, found = item.start, {}
        while at < end:
            element = self.header(at, end)
            if element.tag == ITEM_END and item.length == UNDEFINED:
                break
            self._check_inside(element)
            if element.tag in found and element.tag in KNOWN_TAGS:
                msg = "The attribute is there twice in one item, and PS3.5 7.1 allows it once"
                raise self.error(msg, "invalid_multiplicity", element.tag, element.offset)
            found[element.tag] = element
            at = self.skip(element, end, 1)
        return found

    def _check_inside(self, element: Element) -> None:
        """Refuse in an item what only a sequence has."""
        if element.tag >> 16 == _DELIMITER_GROUP:
            msg = "An item or delimiter stands where a data element should"
            raise self.error(msg, "invalid_sequence", element.tag, element.offset)

    def check_place(self, element: Element, found: set[int]) -> None:
        """Refuse at the top level what shows that a length before it is wrong."""
        if element.tag >> 16 == _DELIMITER_GROUP:
            msg = "An item or delimiter stands outside of any sequence (PS3.5 7.5)"
            raise self.error(msg, "invalid_sequence", element.tag, element.offset)
        if element.tag in found & READ_TAGS:
            msg = "The attribute is there twice, and PS3.5 7.1 allows it once"
            raise self.error(msg, "invalid_multiplicity", element.tag, element.offset)

    def check_pixels(self, element: Element) -> None:
        """Refuse pixels beyond the file, unless these are judged together with their format."""
        judged = (TAGS[name] for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))
        if element.tag not in judged and element.length != UNDEFINED:
            self._end_of(element, len(self.data))

    def _end_of(self, element: Element, end: int) -> int:
        """The offset behind a value of known length."""
        stop = element.start + element.length
        if stop > end:
            msg = f"The value has {element.length} bytes, and {end - element.start} are left"
            raise self.error(msg, "length_exceeds_file", element.tag, element.offset)
        return stop

    def _require(self, at: int, count: int, end: int) -> None:
        """Refuse an element header that is cut off."""
        if end - at < count:
            msg = f"The file ends inside an element: {count} bytes are needed, {end - at} are left"
            raise ParseError(msg, code="truncated_header", path=self.path, offset=at)

    def error(self, text: str, code: str, tag: int, offset: int) -> ParseError:
        """An error about one element."""
        return ParseError(text, code=code, path=self.path, element=element_name(tag), offset=offset)
