"""VOI LUTs against the numbers of the standard (PS3.3 C.11.2.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import torchdicom as td
from builders import BIG, EXPLICIT, IMPLICIT, Element, ct_slice
from builders_forms import modality_lut, voi_lut, voi_luts
from helpers import expect_error, syntax_id

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Syntax
    from helpers import Backend

from windows import PLAIN, image, shown


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG], ids=syntax_id)
def test_table_of_16_bits(backend: Backend, syntax: Syntax) -> None:
    luts = voi_luts(voi_lut([0, 13107, 65535], first=10, syntax=syntax))
    data = image([-5, 10, 11, 12, 99], syntax=syntax, extra=[luts])
    assert shown(data, backend) == [0, 0, 0.2, 1, 1]


def test_table_comes_before_the_window(backend: Backend) -> None:
    luts = voi_luts(voi_lut([0, 65535]), voi_lut([65535, 0]))
    data = image([0, 1], extra=[luts], WindowCenter=0, WindowWidth=1, VOILUTFunction="NONSENSE")
    assert shown(data, backend) == [0, 1]


def test_table_of_8_bits(backend: Backend) -> None:
    for word_each in (False, True):
        luts = voi_luts(voi_lut([0, 51, 255], bits=8, word_each=word_each))
        assert shown(image([0, 1, 2], extra=[luts]), backend) == [0, 0.2, 1]


def test_tables_of_bits_between(backend: Backend) -> None:
    # Digital X-ray images have 10 and 12 bits (C.8.11.3.1.5): the most is 1023 and 4095.
    ten = voi_luts(voi_lut([0, 341, 1023], bits=10))
    assert shown(image([0, 1, 2], extra=[ten]), backend) == [0, 1 / 3, 1]
    twelve = voi_luts(voi_lut([0, 819, 200], bits=12))
    assert shown(image([0, 1, 2], extra=[twelve]), backend) == [0, 0.2, 200 / 4095]
    # Entries that do not fit show that the bits are wrong.
    wrong = voi_luts(voi_lut([0, 13107, 65535], bits=12))
    assert shown(image([0, 1, 2], extra=[wrong]), backend) == [0, 0.2, 1]


def test_most_entries_that_a_table_has(backend: Backend) -> None:
    entries = [i // 2 for i in range(65536)]
    luts = voi_luts(voi_lut(entries, first=-32768 & 0xFFFF, vr="SS", bits=15))
    data = image([-32768, 0, 32767], extra=[luts])
    assert shown(data, backend) == [0, 16384 / 32767, 1]


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT], ids=syntax_id)
def test_first_value_below_0(backend: Backend, syntax: Syntax) -> None:
    luts = [voi_luts(voi_lut([0, 255, 51], first=-1, bits=8, vr="US", syntax=syntax))]
    stored: dict[str, Any] = {"PixelRepresentation": 1, "syntax": syntax, "extra": luts}
    assert shown(image([-2, -1, 0, 1], **stored), backend) == [0, 0, 1, 0.2]
    # Unsigned pixels: the rescale makes their values negative (C.11.1.1).
    unsigned = np.array([[1023, 1024, 1025]], np.uint16)
    data = ct_slice(unsigned, syntax=syntax, extra=luts, RescaleSlope=1, RescaleIntercept=-1024)
    assert shown(data, backend) == [0, 1, 0.2]
    # Without one they are not: 65535 is the first, which nothing here reaches.
    data = ct_slice(unsigned, syntax=syntax, extra=luts, **PLAIN)
    assert shown(data, backend) == [0, 0, 0]
    # A negative slope turns them below 0 as well.
    data = ct_slice(np.array([[0, 1, 2]], np.uint16), syntax=syntax, extra=luts, RescaleSlope=-1)
    assert shown(data, backend, output="modality") == [-1024, -1025, -1026]
    assert shown(data, backend) == [0, 0, 0]


def test_first_value_that_says_it_has_a_sign(backend: Backend) -> None:
    luts = voi_luts(voi_lut([0, 255, 51], first=-1, bits=8, vr="SS"))
    data = ct_slice(np.array([[0, 1]], np.uint16), extra=[luts], **PLAIN)
    assert shown(data, backend) == [1, 0.2]


def test_values_between_entries_are_rounded_down(backend: Backend) -> None:
    luts = voi_luts(voi_lut([0, 51, 255], first=-1, bits=8))
    data = image([-3, -1, 0, 1, 3], RescaleSlope="0.5", extra=[luts])
    # -1.5, -0.5, 0, 0.5 and 1.5.
    assert shown(data, backend) == [0, 0, 0.2, 0.2, 1]


def test_table_behind_a_modality_table(backend: Backend) -> None:
    first = modality_lut([40000, 40001, 65535], signed=True)
    luts = voi_luts(voi_lut([0, 51, 255], first=40000, bits=8))
    assert shown(image([0, 1, 2], extra=[first, luts]), backend) == [0, 0.2, 1]


@pytest.mark.parametrize("empty", [False, True])
def test_sequence_without_an_item(backend: Backend, empty: bool) -> None:  # noqa: FBT001
    luts = voi_luts()
    if empty:
        with expect_error("no_window"):
            shown(image([1], extra=[luts]), backend)
        return
    data = image([0, 1], extra=[luts], WindowCenter=1, WindowWidth=1)
    assert shown(data, backend) == [0, 1]


def item(descriptor: bytes | None, data: bytes | None) -> list[Element]:
    parts = [Element(0x00283002, "US", descriptor)] if descriptor is not None else []
    return parts + ([Element(0x00283006, "OW", data)] if data is not None else [])


@pytest.mark.parametrize(
    ("lut", "code", "element"),
    [
        (item(b"\4\0\0\0\x10\0", b"\0\0"), "invalid_value", "(0028,3006) LUTData"),
        (item(b"\2\0\0\0\x10\0", None), "missing_element", "(0028,3006) LUTData"),
        (item(None, bytes(4)), "missing_element", "(0028,3002) LUTDescriptor"),
        (item(b"\2\0\0\0", bytes(4)), "invalid_multiplicity", "(0028,3002) LUTDescriptor"),
        (item(b"\2\0\0\0\x07\0", bytes(4)), "invalid_value", "(0028,3002) LUTDescriptor"),
        (item(b"\2\0\0\0\x11\0", bytes(4)), "invalid_value", "(0028,3002) LUTDescriptor"),
    ],
    ids=["short", "no data", "no descriptor", "two values", "7 bits", "17 bits"],
)
def test_damaged_tables(
    tmp_path: Path, backend: Backend, lut: list[Element], code: str, element: str
) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(image([1, 2], extra=[voi_luts(lut)], WindowCenter=1, WindowWidth=2))
    with expect_error(code, element=element, path=path):
        td.decode(path, output="window", backend=backend)
    assert td.decode(path, output="modality", backend=backend).flatten().tolist() == [1, 2]
    assert len(td.scan(tmp_path).series) == 1
