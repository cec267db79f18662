"""Damage that a parser may meet: first to the elements of a file, then to its bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    ITEM,
    ITEM_END,
    KEYWORDS,
    PIXEL_DATA,
    SEQUENCE_END,
    UNDEFINED,
    Element,
    Syntax,
    encode,
    item,
    part10,
    sequence,
)
from builders_bad import NO_DECIMALS, NO_INTEGERS
from builders_frames import EXTENDED_LENGTHS, EXTENDED_OFFSETS

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

VRS = "AE CS DS FD IS LO OB OV OW PN SH SQ UC UI UL UN US UT ?? \0\0".split(" ")
TAGS = [
    *(tag for tag, _ in KEYWORDS.values()),
    *(ITEM, ITEM_END, SEQUENCE_END, PIXEL_DATA, EXTENDED_OFFSETS, EXTENDED_LENGTHS),
    *(0x00020010, 0x00080005, 0x00081140, 0x00091010, 0x00880200, 0x7FE00011, 0xFFFCFFFC),
]
TEXTS = [
    *NO_DECIMALS,
    *NO_INTEGERS,
    *("1 2 3 8 -1 0 +5 .5 5. 1E2 1e-320 2147483648 007 0x1 1\\2\\3 1\\0\\0\\0\\1\\0 ").split(" "),
    *("MONOCHROME1", "RGB", "YBR_FULL_422", "AXIAL\\", "\\", " 1 ", "1\0", "a\0b"),
]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A file that is still in parts.

    Attributes:
        elements: The data set.
        syntax: How it is written.
        front: What stands before it: the arguments of `part10`.
        has_codestream: The two backends read its pixels with different libraries.
    """

    elements: tuple[Element, ...]
    syntax: Syntax = EXPLICIT
    front: tuple[bool, bool, bool] = (True, True, True)
    has_codestream: bool = False

    def build(self) -> bytes:
        """The bytes of the file."""
        preamble, meta, ts_uid = self.front
        data_set = encode(self.elements, self.syntax)
        return part10(data_set, self.syntax, preamble=preamble, meta=meta, ts_uid=ts_uid)


def mutated(recipe: Recipe, random: Random) -> bytes:
    """A damaged file. Codestreams stay as they are."""
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        try:
            changed = random.choice(STRUCTURAL)(recipe, random)
            changed.build()
        except struct.error:
            continue  # a value longer than its length field can say
        recipe = changed
    data = recipe.build()
    if not recipe.has_codestream:
        for _ in range(random.choice((0, 0, 1, 1, 2, 4))):
            data = damaged(data, random)
    return data


def damaged(data: bytes, random: Random) -> bytes:
    """The bytes with one thing wrong; what stands before the prefix is left alone."""
    start = min(132, len(data)) if data[128:132] == b"DICM" and random.random() < 0.95 else 0
    if start >= len(data):
        return data
    return data[:start] + random.choice(BYTEWISE)(data[start:], random)


def _flip(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data))
    byte = random.choice((data[at] ^ 1 << random.randrange(8), 0, 255, random.randrange(256)))
    return data[:at] + bytes([byte]) + data[at + 1 :]


def _number(data: bytes, random: Random) -> bytes:
    """A length or offset that is a little or far too large or small."""
    at = random.randrange(len(data))
    size = random.choice((2, 4))
    old = int.from_bytes(data[at : at + size], "little")
    far = (0, 1, 0x7FFFFFFF, UNDEFINED, len(data))
    new = random.choice((old + random.randrange(-16, 17), random.choice(far)))
    return data[:at] + (new % (1 << 8 * size)).to_bytes(size, "little") + data[at + size :]


def _truncate(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data))]


def _cut_out(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data))
    return data[:at] + data[at + random.randrange(1, 17) :]


def _put_in(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    tag = random.choice(TAGS)
    order = random.choice("<>")
    pieces = (
        random.randbytes(random.randrange(1, 9)),
        struct.pack(order + "HHI", tag >> 16, tag & 0xFFFF, random.choice((0, 2, 8, UNDEFINED))),
    )
    return data[:at] + random.choice(pieces) + data[at:]


def _splice(data: bytes, random: Random) -> bytes:
    """A piece of the file once more, in another place."""
    first, at = sorted(random.randrange(len(data)) for _ in range(2))
    return data[:at] + data[first : first + random.randrange(1, 65)] + data[at:]


def _pick(recipe: Recipe, random: Random) -> int:
    """An element that may be damaged: not the pixels of a codestream."""
    most = len(recipe.elements) - (1 if recipe.has_codestream else 0)
    return random.randrange(max(most, 1))


def _with(recipe: Recipe, at: int, *elements: Element) -> Recipe:
    return replace(recipe, elements=recipe.elements[:at] + elements + recipe.elements[at + 1 :])


def _remove(recipe: Recipe, random: Random) -> Recipe:
    return _with(recipe, _pick(recipe, random))


def _repeat(recipe: Recipe, random: Random) -> Recipe:
    one = recipe.elements[_pick(recipe, random)]
    at = _pick(recipe, random)
    return _with(recipe, at, recipe.elements[at], one)


def _swap(recipe: Recipe, random: Random) -> Recipe:
    elements = list(recipe.elements)
    a, b = _pick(recipe, random), _pick(recipe, random)
    elements[a], elements[b] = elements[b], elements[a]
    return replace(recipe, elements=tuple(elements))


def _insert(recipe: Recipe, random: Random) -> Recipe:
    at = _pick(recipe, random)
    if recipe.has_codestream:
        tag, vr = random.choice(list(KEYWORDS.values()))
    else:
        tag, vr = random.choice(TAGS), random.choice(VRS)
    return _with(recipe, at, Element(tag, vr, _value(random)), recipe.elements[at])


def _change_vr(recipe: Recipe, random: Random) -> Recipe:
    at = _pick(recipe, random)
    one = recipe.elements[at]
    value = one.value if isinstance(one.value, bytes) else encode([one], recipe.syntax)[8:]
    return _with(recipe, at, replace(one, vr=random.choice(VRS), value=value))


def _change_tag(recipe: Recipe, random: Random) -> Recipe:
    at = _pick(recipe, random)
    return _with(recipe, at, replace(recipe.elements[at], tag=random.choice(TAGS)))


def _change_value(recipe: Recipe, random: Random) -> Recipe:
    at = _pick(recipe, random)
    return _with(recipe, at, replace(recipe.elements[at], value=_value(random)))


def _change_length(recipe: Recipe, random: Random) -> Recipe:
    at = _pick(recipe, random)
    length = random.choice((0, 1, 2, 7, 8, 16, 64, 300, 70_000, UNDEFINED))
    return _with(recipe, at, replace(recipe.elements[at], claimed=length))


def _nest(recipe: Recipe, random: Random) -> Recipe:
    """An element as the content of a sequence, which may lie about its length."""
    at = _pick(recipe, random)
    nest = sequence(random.choice(TAGS), [recipe.elements[at]], undefined=random.random() < 0.5)
    if random.random() < 0.3:
        # PS3.5 6.2.2: what has VR UN and no length is a sequence in implicit little endian.
        content = item(encode([recipe.elements[at]], IMPLICIT)) + item(b"", tag=SEQUENCE_END)
        nest = Element(nest.tag, "UN", content, claimed=UNDEFINED)
    return _with(recipe, at, nest, recipe.elements[at])


def _front(recipe: Recipe, random: Random) -> Recipe:
    flags = [random.random() < 0.5 for _ in range(3)]
    if recipe.has_codestream:
        return recipe
    return replace(recipe, front=(flags[0], flags[1], flags[2]))


def _syntax(recipe: Recipe, random: Random) -> Recipe:
    """The elements in another syntax than the one that their pixel data was made for."""
    if recipe.has_codestream:
        return recipe
    return replace(recipe, syntax=random.choice((EXPLICIT, IMPLICIT, BIG, DEFLATED)))


def _value(random: Random) -> object:
    if random.random() < 0.6:
        text = random.choice(TEXTS).encode("latin-1")
        return text + b" " * (len(text) % 2)
    size = random.choice((0, 1, 2, 2, 4, 8, 16, 24))
    return random.choice((bytes(size), random.randbytes(size), b"\1\0" * (size // 2)))


STRUCTURAL: tuple[Callable[[Recipe, Random], Recipe], ...] = (
    _remove,
    _repeat,
    _swap,
    _insert,
    _insert,
    _change_vr,
    _change_tag,
    _change_value,
    _change_value,
    _change_length,
    _nest,
    _front,
    _syntax,
)
BYTEWISE: tuple[Callable[[bytes, Random], bytes], ...] = (
    _flip,
    _flip,
    _flip,
    _number,
    _number,
    _truncate,
    _cut_out,
    _put_in,
    _splice,
)
