"""The values of top-level elements, by keyword, checked against the grammar of their VR."""

from __future__ import annotations

import math
import re
import struct
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydicom.charset import convert_encodings, decode_bytes

from torchdicom._errors import LimitError, ParseError
from torchdicom._metadata import PADDING, parse_decimal
from torchdicom._reference._elements import UNDEFINED, items
from torchdicom._reference._tags import TAGS, element_name

if TYPE_CHECKING:
    from torchdicom._reference._elements import DataSet, Element

# The longest attribute that is read is text of some 10,000 characters.
_MAX_LENGTH: Final = 65_536
# But for FrameTimeVector: 16 characters and a backslash (PS3.5 6.2) for each of a million frames.
MAX_LIST_LENGTH: Final = 17_000_000

# A table of 65,536 doubles.
_MAX_TABLE_LENGTH: Final = 524_288

# Leading zeros aside, ten digits are all that 32 bits hold.
_INTEGER: Final = re.compile(r"[+-]?0*[0-9]{1,10}")


def parse_integer(text: str) -> int | None:
    """The number of an integer string (IS, PS3.5 6.2) of 32 bits; None where it is none."""
    text = text.strip(PADDING)
    if not _INTEGER.fullmatch(text) or not -(2**31) <= int(text) < 2**31:
        return None
    return int(text)


@dataclass(frozen=True, slots=True)
class Values:
    """Reads a data set's values; an absent or empty one is None or an empty tuple."""

    data_set: DataSet
    path: str

    def text(self, name: str | int) -> str | None:
        """Text without its padding; several values keep their backslashes.

        Args:
            name: A keyword of `TAGS`, or any tag.

        Raises:
            LimitError: ``limit_element_length``, here and in every other method.
        """
        found = self._bytes(name)
        return self._decode(found[1]).strip(PADDING) or None if found else None

    def raw(self, keyword: str) -> str:
        """The bytes of text without their padding, one character each; empty where absent."""
        found = self._bytes(keyword)
        return found[1].decode("latin-1").strip(PADDING) if found else ""

    def decimals(self, keyword: str, count: int) -> tuple[float, ...]:
        """The numbers of a DS with exactly `count` values.

        Raises:
            ParseError: ``invalid_decimal_string``, ``invalid_multiplicity``.
        """
        element, parts = self._parts(keyword)
        self._require_count(keyword, element, parts, count)
        return self._numbers(keyword, element, parts)

    def decimal_list(self, keyword: str) -> tuple[float, ...]:
        """The numbers of a DS with any number of values.

        Raises:
            ParseError: ``invalid_decimal_string``.
        """
        return self._numbers(keyword, *self._parts(keyword, MAX_LIST_LENGTH))

    def decimal(self, keyword: str) -> float | None:
        """The number of a DS with one value.

        Raises:
            ParseError: ``invalid_decimal_string``, ``invalid_multiplicity``.
        """
        return next(iter(self.decimals(keyword, 1)), None)

    def first_decimal(self, keyword: str) -> float | None:
        """The first number of a DS with any number of values; the others are not looked at.

        None where the first is empty, whatever follows it.

        Raises:
            ParseError: ``invalid_decimal_string``.
        """
        element, parts = self._parts(keyword)
        first = [part for part in parts[:1] if part.strip(PADDING)]
        return next(iter(self._numbers(keyword, element, first)), None)

    def integer(self, keyword: str) -> int | None:
        """The number of an IS with one value.

        Raises:
            ParseError: ``invalid_integer_string``, ``invalid_multiplicity``.
        """
        element, parts = self._parts(keyword)
        self._require_count(keyword, element, parts, 1)
        if not parts:
            return None
        number = parse_integer(parts[0])
        if number is None:
            text = parts[0].strip(PADDING)
            msg = f"{text!r} is not an integer string of 32 bits (PS3.5 6.2)"
            raise self.error(msg, "invalid_integer_string", keyword, element)
        return number

    def short(self, keyword: str) -> int | None:
        """The first number of a US.

        Raises:
            ParseError: ``invalid_multiplicity`` where not even one is whole.
        """
        found = self._bytes(keyword)
        if found is None or not found[1]:
            return None
        element, value = found
        if len(value) < 2:
            msg = "The value has one byte, and a number of type US has two"
            raise self.error(msg, "invalid_multiplicity", keyword, element)
        return self.data_set.encoding.number(value, 0, 2)

    def shorts(self, keyword: str, limit: int = _MAX_LENGTH) -> tuple[int, ...]:
        """The numbers of a US, or of an SS without their signs."""
        value = self.bytes_of(keyword, limit)
        number = self.data_set.encoding.number
        return tuple(number(value, at, 2) for at in range(0, len(value) - 1, 2))

    def doubles(self, keyword: str) -> tuple[float, ...]:
        """The numbers of an FD.

        Raises:
            ParseError: ``invalid_multiplicity`` where they do not fill it.
        """
        value = self.bytes_of(keyword, _MAX_TABLE_LENGTH)
        if len(value) % 8:
            msg = f"The value has {len(value)} bytes, and a number of type FD has eight"
            raise self.error(msg, "invalid_multiplicity", keyword)
        order = ">" if self.data_set.encoding.big else "<"
        return struct.unpack(f"{order}{len(value) // 8}d", value)

    def has(self, keyword: str) -> bool:
        """Whether an attribute is there and not empty."""
        element = self.data_set.elements.get(TAGS[keyword])
        return element is not None and element.length != 0

    def double(self, keyword: str) -> float | None:
        """The first number of an FD; None where it is none that is finite.

        Raises:
            ParseError: ``invalid_multiplicity`` where not even one is whole.
        """
        return self._first(keyword, "d", "FD")

    def single(self, keyword: str) -> float | None:
        """The same of an FL."""
        return self._first(keyword, "f", "FL")

    def long(self, keyword: str) -> int | None:
        """The first number of a UL.

        Raises:
            ParseError: ``invalid_multiplicity`` where not even one is whole.
        """
        number = self._first(keyword, "I", "UL")
        return None if number is None else int(number)

    def exact_doubles(self, keyword: str, count: int) -> tuple[float, ...]:
        """The numbers of an FD with `count` values; none where one of them is not finite.

        Raises:
            ParseError: ``invalid_multiplicity``.
        """
        value = self.bytes_of(keyword)
        if value and len(value) != 8 * count:
            msg = (
                f"The value has {len(value)} bytes, and {count} numbers of type FD have {8 * count}"
            )
            raise self.error(msg, "invalid_multiplicity", keyword)
        order = ">" if self.data_set.encoding.big else "<"
        numbers = struct.unpack(f"{order}{len(value) // 8}d", value)
        return numbers if all(map(math.isfinite, numbers)) else ()

    def vr(self, keyword: str) -> str:
        """The value representation of an element as written; empty where it is not."""
        element = self.data_set.elements.get(TAGS[keyword])
        return element.vr if element else ""

    def bytes_of(self, keyword: str, limit: int = _MAX_LENGTH) -> bytes:
        """A value as it stands, empty where it is absent."""
        found = self._bytes(keyword, limit)
        return found[1] if found else b""

    def bytes_at(self, element: Element) -> bytes:
        """The value of one of the elements."""
        return self.data_set.data[element.start : element.start + element.length]

    def items(self, keyword: str) -> list[Values]:
        """The items of a sequence; none where it is absent.

        Raises:
            ParseError: ``invalid_sequence`` and others.
            LimitError: ``limit_sequence_depth``.
        """
        element = self.data_set.elements.get(TAGS[keyword])
        if element is None:
            return []
        return [Values(item, self.path) for item in items(self.data_set, element, self.path)]

    def error(
        self, text: str, code: str, keyword: str, element: Element | None = None
    ) -> ParseError:
        """An error about one element of this file."""
        element = element or self.data_set.elements.get(TAGS[keyword])
        offset = element.offset if element else None
        return ParseError(
            text, code=code, path=self.path, element=element_name(keyword), offset=offset
        )

    def _bytes(self, name: str | int, limit: int = _MAX_LENGTH) -> tuple[Element, bytes] | None:
        """An element and its value; None where it is absent or a sequence."""
        element = self.data_set.elements.get(TAGS[name] if isinstance(name, str) else name)
        if element is None or element.length == UNDEFINED:
            return None
        if element.length > limit:
            msg = f"The value has {element.length} bytes, and {limit} are the limit"
            raise LimitError(
                msg,
                code="limit_element_length",
                path=self.path,
                element=element_name(name),
                offset=element.offset,
            )
        return element, self.bytes_at(element)

    def _first(self, keyword: str, form: str, vr: str) -> float | None:
        """The first binary number of a value; None where it is absent or not finite."""
        value, size = self.bytes_of(keyword), struct.calcsize(f"<{form}")
        if not value:
            return None
        if len(value) < size:
            msg = f"The value has {len(value)} bytes, and a number of type {vr} has {size}"
            raise self.error(msg, "invalid_multiplicity", keyword)
        order = ">" if self.data_set.encoding.big else "<"
        (number,) = struct.unpack_from(f"{order}{form}", value)
        return number if math.isfinite(number) else None

    def _parts(self, keyword: str, limit: int = _MAX_LENGTH) -> tuple[Element | None, list[str]]:
        """The values of numeric text; none where it is absent or all padding."""
        found = self._bytes(keyword, limit)
        if found is None:
            return None, []
        element, value = found
        text = value.decode("latin-1")
        return element, text.split("\\") if text.strip(PADDING) else []

    def _require_count(
        self, keyword: str, element: Element | None, parts: list[str], count: int
    ) -> None:
        """Refuse another number of values than `count`, none aside."""
        if parts and len(parts) != count:
            msg = f"The attribute has {len(parts)} values where {count} belong"
            raise self.error(msg, "invalid_multiplicity", keyword, element)

    def _numbers(
        self, keyword: str, element: Element | None, parts: list[str]
    ) -> tuple[float, ...]:
        numbers = []
        for part in parts:
            number = parse_decimal(part)
            if number is None:
                msg = f"{part.strip(PADDING)!r} is not a decimal string (PS3.5 6.2), such as -1.5"
                raise self.error(msg, "invalid_decimal_string", keyword, element)
            numbers.append(number)
        return tuple(numbers)

    def _decode(self, value: bytes) -> str:
        """Text by SpecificCharacterSet; what cannot be read becomes U+FFFD."""
        if value.isascii() and b"\x1b" not in value:
            return value.decode("ascii")
        found = self._bytes("SpecificCharacterSet")
        charset = found[1].decode("ascii", errors="replace").strip(PADDING) if found else ""
        if not charset:
            # PS3.3 C.12.1.1.2: without the attribute, text is ASCII.
            return value.decode("ascii", errors="replace")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about charsets that it corrects or replaces
            try:
                encodings = convert_encodings([part.strip(PADDING) for part in charset.split("\\")])
            except (LookupError, ValueError):  # it is no name at all
                return value.decode("ascii", errors="replace")
            return decode_bytes(value, encodings, set())
