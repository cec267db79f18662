"""What vendors write beside the standard: blocks of private elements, and Siemens' CSA header."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Final

from torchdicom._metadata import PADDING, parse_decimal
from torchdicom._reference._elements import UNDEFINED
from torchdicom._reference._values import parse_integer

if TYPE_CHECKING:
    from torchdicom._reference._values import Values

SIEMENS_MR: Final = (0x0019, "SIEMENS MR HEADER")
SIEMENS_CSA: Final = (0x0029, "SIEMENS CSA HEADER")
PHILIPS_IMAGING: Final = (0x2001, "Philips Imaging DD 001")
PHILIPS_MR: Final = (0x2005, "Philips MR Imaging DD 001")
GE_PARAMETERS: Final = (0x0043, "GEMS_PARM_01")

_MAX_LENGTH: Final = 1 << 20
_CSA_START: Final = 16
_CSA_TAG: Final = struct.Struct("<64si4siii")
_CSA_ITEM: Final = struct.Struct("<4i")


def private_bytes(values: Values, block: tuple[int, str], number: int) -> bytes:
    """The value of an element of the block that a creator has reserved (PS3.5 7.8.1).

    Args:
        values: The elements of the file.
        block: Group and creator.
        number: The last two digits of the element.

    Returns:
        Nothing where it is absent.
    """
    group, creator = block
    elements = values.data_set.elements
    for reserved in range(0x10, 0x100):
        named = elements.get(group << 16 | reserved)
        if named is None or values.bytes_at(named).strip(b" \0") != creator.encode():
            continue
        element = elements.get(group << 16 | reserved << 8 | number)
        if element is None or element.length == UNDEFINED or element.length > _MAX_LENGTH:
            return b""
        return values.bytes_at(element)
    return b""


def private_integer(values: Values, block: tuple[int, str], number: int) -> int | None:
    """The first number of a private IS; None where it is malformed too."""
    return parse_integer(_first_text(private_bytes(values, block, number)))


def private_numbers(
    values: Values, block: tuple[int, str], number: int, form: str
) -> tuple[float, ...]:
    """The binary numbers of a private element, as many as are whole; none if one is not finite."""
    value, size = private_bytes(values, block, number), struct.calcsize(f"<{form}")
    order = ">" if values.data_set.encoding.big else "<"
    count = len(value) // size
    numbers = struct.unpack_from(f"{order}{count}{form}", value)
    return numbers if all(map(math.isfinite, numbers)) else ()


def csa_texts(values: Values) -> dict[str, list[str]]:
    """The tags of Siemens' CSA image header (0029,xx10) in its second format, "SV10".

    Returns:
        The texts of each tag that has some; nothing where the header is absent or malformed.
    """
    data = private_bytes(values, SIEMENS_CSA, 0x10)
    if data[:4] != b"SV10" or len(data) < _CSA_START:
        return {}
    (count,) = struct.unpack_from("<I", data, 8)
    at = _CSA_START
    found: dict[str, list[str]] = {}
    for _ in range(count):
        if len(data) - at < _CSA_TAG.size:
            return {}
        name, _, _, _, items, _ = _CSA_TAG.unpack_from(data, at)
        at += _CSA_TAG.size
        texts = []
        for _ in range(items):
            if len(data) - at < _CSA_ITEM.size:
                return {}
            length = _CSA_ITEM.unpack_from(data, at)[1]
            at += _CSA_ITEM.size
            if not 0 <= length <= len(data) - at:
                return {}
            texts.append(_text(data[at : at + length]))
            at += -(-length // 4) * 4
        found[_text(name)] = [text for text in texts if text]
    return found


def csa_integer(csa: dict[str, list[str]], name: str) -> int | None:
    """The first number of a tag; None where there is none."""
    return parse_integer(next(iter(csa.get(name, ())), ""))


def csa_decimals(csa: dict[str, list[str]], name: str) -> tuple[float, ...]:
    """The numbers of a tag; none where one is malformed."""
    numbers = [parse_decimal(text) for text in csa.get(name, ())]
    return tuple(number for number in numbers if number is not None) * (None not in numbers)


def _text(value: bytes) -> str:
    """Up to the first NUL, without padding."""
    return value.partition(b"\0")[0].decode("latin-1").strip(PADDING)


def _first_text(value: bytes) -> str:
    return value.decode("latin-1").partition("\\")[0].strip(PADDING)
