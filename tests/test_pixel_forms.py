"""Native pixels of every form: packed, wide, floating, with junk beside the value; tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import BIG, DEFLATED, ENCAPSULATED, EXPLICIT, IMPLICIT, Cells, Syntax
from builders_encoded import DEFLATED_FRAME, deflated, encoded_file, picture
from builders_forms import (
    COLOUR,
    float_file,
    modality_lut,
    native_file,
    packed_12_bits,
    packed_bits,
    real_world,
    real_world_item,
    shared,
    with_junk,
)
from builders_frames import even
from helpers import Backend, expect_error, syntax_id

if TYPE_CHECKING:
    from builders import Element

NATIVE = [EXPLICIT, IMPLICIT, BIG, DEFLATED]
ROWS, COLUMNS = 5, 7  # 35 pixels: neither 1 nor 12 bits of them end at a byte


def bit_frames(count: int) -> Cells:
    return np.random.default_rng(1).integers(0, 2, (count, ROWS, COLUMNS)).astype(np.uint8)


def no_scale(**more: Any) -> dict[str, Any]:
    return {"RescaleIntercept": None, "RescaleSlope": None, **more}


def swapped(raw: bytes, syntax: Syntax, width: int) -> bytes:
    """Words of the width in the byte order of the syntax; the last is filled up."""
    if not syntax.big:
        return raw
    raw += b"\0" * (-len(raw) % width)
    return np.frombuffer(raw, f"<u{width}").byteswap().tobytes()


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, DEFLATED], ids=syntax_id)
@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_one_bit(backend: Backend, syntax: Syntax, count: int) -> None:
    bits = bit_frames(count)
    data = native_file(packed_bits(bits), (ROWS, COLUMNS), allocated=1, frames=count, syntax=syntax)
    found = td.decode(data, backend=backend)
    assert found.dtype == torch.uint8
    assert found.tolist() == bits.tolist()
    last_first = list(range(count))[::-1]
    assert td.decode(data, frames=last_first, backend=backend).tolist() == bits[::-1].tolist()


@pytest.mark.parametrize("syntax", [ENCAPSULATED, DEFLATED_FRAME], ids=syntax_id)
def test_one_bit_frames_that_start_at_a_byte(backend: Backend, syntax: Syntax) -> None:
    bits = bit_frames(3)
    raws = [packed_bits(one) for one in bits]
    frames = [deflated(raw) if syntax == DEFLATED_FRAME else even(raw) for raw in raws]
    data = encoded_file(frames, bits[0], syntax, bits=1, BitsAllocated=1)
    assert td.decode(data, backend=backend).tolist() == bits.tolist()


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, DEFLATED], ids=syntax_id)
@pytest.mark.parametrize("count", [1, 3])
def test_twelve_packed_bits(backend: Backend, syntax: Syntax, count: int) -> None:
    cells = np.stack([picture(ROWS, COLUMNS, 12, seed=k) for k in range(count)])
    raw = packed_12_bits(cells)
    data = native_file(raw, (ROWS, COLUMNS), allocated=12, frames=count, syntax=syntax)
    found = td.decode(data, backend=backend)
    assert found.dtype == torch.int16
    assert found.tolist() == cells.tolist()


def test_twelve_packed_bits_by_hand(backend: Backend) -> None:
    # 0x321 and 0x654: the low byte, then the high nibble of one beside the low one of the next.
    data = native_file(bytes([0x21, 0x43, 0x65]), (1, 2), allocated=12)
    assert td.decode(data, backend=backend).tolist() == [[[0x321, 0x654]]]


@pytest.mark.parametrize("syntax", NATIVE, ids=syntax_id)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_thirty_two_bits(backend: Backend, syntax: Syntax, *, signed: bool) -> None:
    values = [0, 1, 65536, (1 << 31) - 1, 0x12345678]
    values += [-1, -(1 << 31)] if signed else [(1 << 32) - 1, 1 << 31]
    cells = np.array([values], np.int32 if signed else np.uint32)
    raw = swapped(cells.tobytes(), syntax, 4)
    data = native_file(raw, (1, 7), allocated=32, signed=signed, syntax=syntax, **no_scale())
    found = td.decode(data, backend=backend)
    assert found.dtype == (torch.int32 if signed else torch.int64)
    assert found.tolist() == [[values]]
    # float32 cannot hold them all: rounded once, to nearest even.
    volume = td.load(data, backend=backend)
    assert volume.data.tolist() == [[[float(np.float32(value)) for value in values]]]


@pytest.mark.parametrize(
    ("stored", "high_bit"), [(16, 15), (12, 11), (12, 15), (10, 12), (1, 15), (1, 0), (8, 11)]
)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("syntax", [EXPLICIT, BIG, ENCAPSULATED, DEFLATED_FRAME], ids=syntax_id)
def test_bits_that_are_no_value_are_left_out(
    backend: Backend, syntax: Syntax, stored: int, high_bit: int, *, signed: bool
) -> None:
    cells = picture(ROWS, COLUMNS, stored, signed=signed).astype(np.int32)
    raw = with_junk(cells, stored, high_bit).astype("<u2").tobytes()
    form: dict[str, Any] = {"HighBit": high_bit, "PixelRepresentation": int(signed)}
    if syntax in (EXPLICIT, BIG):
        raw = swapped(raw, syntax, 2)
        data = native_file(raw, (ROWS, COLUMNS), allocated=16, stored=stored, syntax=syntax, **form)
    else:
        frame = deflated(raw) if syntax == DEFLATED_FRAME else raw
        data = encoded_file(
            [frame], cells.astype(np.int16), syntax, bits=stored, BitsAllocated=16, **form
        )
    assert td.decode(data, dtype=torch.int32, backend=backend).tolist() == [cells.tolist()]


@pytest.mark.parametrize(
    ("allocated", "stored", "signed", "dtype"),
    [
        (1, 1, False, torch.uint8),
        (8, 8, False, torch.uint8),
        (8, 7, True, torch.int8),
        (16, 8, False, torch.uint8),
        (16, 15, False, torch.int16),
        (16, 16, True, torch.int16),
        (16, 16, False, torch.int32),
        (32, 17, True, torch.int32),
        (32, 31, False, torch.int32),
        (32, 32, False, torch.int64),
    ],
)
def test_types_follow_from_the_bits(
    backend: Backend, allocated: int, stored: int, dtype: torch.dtype, *, signed: bool
) -> None:
    data = native_file(
        bytes(allocated * 2), (4, 4), allocated=allocated, stored=stored, signed=signed
    )
    assert td.decode(data, backend=backend).dtype == dtype


@pytest.mark.parametrize(
    ("stored", "dtype"),
    [(8, torch.uint8), (9, torch.int32), (31, torch.int32), (32, torch.int64)],
)
def test_types_of_colours_follow_from_the_bits(
    backend: Backend, stored: int, dtype: torch.dtype
) -> None:
    # Black in every file: it is not the values that ask for a wider type.
    allocated = 8 if stored == 8 else 32
    black = bytes(4 * 4 * 3 * allocated // 8)
    data = native_file(black, (4, 4), allocated=allocated, stored=stored, **COLOUR)
    assert td.decode(data, backend=backend).dtype == dtype
    assert td.load(data, backend=backend).data.dtype == dtype


SPECIAL = [0.0, -0.0, 1.5, -2.25, 3.4e38, 1e-45, float("inf"), float("-inf"), float("nan")]


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("count", [1, 2])
def test_floating_pixels(backend: Backend, kind: str, count: int) -> None:
    cells = np.array([[SPECIAL]] * count, kind) + np.zeros((count, 2, 1), kind)
    with np.errstate(all="ignore"):
        cells[:, 1] *= np.array(2, kind)
    data = float_file(cells if count > 1 else cells[0], **no_scale())
    found = td.decode(data, backend=backend)
    assert found.dtype == (torch.float32 if kind == "f4" else torch.float64)
    assert np.array_equal(found.numpy(), cells, equal_nan=True)
    assert np.array_equal(np.signbit(found.numpy()), np.signbit(cells))


def test_double_pixels_are_rounded_once(backend: Backend) -> None:
    cells = np.array([[0.1, 1 + 2.0**-24 + 2.0**-50, 1e300]])
    data = float_file(cells, **no_scale())
    found = td.decode(data, dtype=torch.float32, backend=backend)
    assert found.tolist() == [[[float(np.float32(0.1)), 1 + 2.0**-23, float("inf")]]]


def test_floating_pixels_as_integers_have_to_be_whole(backend: Backend) -> None:
    whole = float_file(np.array([[1.0, -7.0]], "f4"), **no_scale())
    assert td.decode(whole, dtype=torch.int16, backend=backend).tolist() == [[[1, -7]]]
    said = {1.5: "1.5", 32768.0: "32768", float("nan"): "NaN, which is not a number,"}
    said |= {float("inf"): "infinity", float("-inf"): "minus infinity"}
    for value, words in said.items():
        data = float_file(np.array([[0.0, value]], "f4"), **no_scale())
        with expect_error("value_overflow", match=f"The value {words} .*does not fit"):
            td.decode(data, dtype=torch.int16, backend=backend)


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_what_is_no_number_has_the_same_bits_everywhere(backend: Backend, kind: str) -> None:
    """Its sign stays; bfloat16 is the upper half, with the bit set that makes it a quiet one."""
    bits = [0x7FC00000, 0xFFC00000, 0x7F800001, 0xFF800001, 0x7FA50000, 0x7F800000]
    cells = np.array([bits], np.uint32).view("f4")
    with np.errstate(invalid="ignore"):
        data = float_file(cells.astype(kind), **no_scale())
    found = td.decode(data, dtype=torch.bfloat16, backend=backend).view(torch.int16)
    expected = [0x7FC0, 0xFFC0, 0x7FC0, 0xFFC0, 0x7FE5, 0x7F80]
    assert [value & 0xFFFF for value in found.flatten().tolist()] == expected
    found = td.decode(data, dtype=torch.float16, backend=backend).view(torch.int16)
    expected = [0x7E00, 0xFE00, 0x7E00, 0xFE00, 0x7E00, 0x7C00]
    assert [value & 0xFFFF for value in found.flatten().tolist()] == expected


def lut_file(cells: Cells, lut: Element, *, signed: bool = False) -> bytes:
    form = no_scale(extra=[lut])
    return native_file(cells.tobytes(), (1, cells.size), allocated=16, signed=signed, **form)


def test_modality_lut(backend: Backend) -> None:
    cells = np.array([0, 9, 10, 11, 13, 14, 65535], np.uint16)
    data = lut_file(cells, modality_lut([7, 1000, 3, 65535], first=10, unit="HU"))
    volume = td.load(data, backend=backend)
    assert volume.data.tolist() == [[[7.0, 7, 7, 1000, 65535, 65535, 65535]]]
    assert volume.units == "HU"
    stored = td.load(data, output="stored", backend=backend)
    assert stored.data.flatten().tolist() == cells.tolist()


def test_modality_lut_that_starts_below_zero(backend: Backend) -> None:
    cells = np.array([-100, -3, -2, 0, 1, 50], np.int16)
    lut = modality_lut([11, 22, 33, 44], first=-3, signed=True)
    volume = td.load(lut_file(cells, lut, signed=True), backend=backend)
    assert volume.data.flatten().tolist() == [11, 11, 22, 44, 44, 44]
    assert volume.units is None  # "US": unspecified
    whole = td.load(lut_file(cells, lut, signed=True), dtype=torch.int32, backend=backend)
    assert whole.data.flatten().tolist() == [11, 11, 22, 44, 44, 44]


def test_modality_lut_of_65536_entries(backend: Backend) -> None:
    values = [(value * 7919) % 65536 for value in range(65536)]
    cells = np.array([0, 1, 40000, 65535], np.uint16)
    volume = td.load(lut_file(cells, modality_lut(values)), backend=backend)
    assert volume.data.flatten().tolist() == [values[int(cell)] for cell in cells]


def map_file(cells: Cells, *items: list[Element], in_shared: bool = False, **more: Any) -> bytes:
    found = real_world(*items)
    extra = [shared(found)] if in_shared else [found]
    signed = cells.dtype.kind == "i"
    return native_file(
        cells.tobytes(), (1, cells.size), allocated=16, signed=signed, extra=extra, **more
    )


CELLS = np.array([5, 10, 15, 20, 25], np.uint16)


@pytest.mark.parametrize("in_shared", [False, True], ids=["top level", "shared groups"])
def test_linear_real_world_map(backend: Backend, *, in_shared: bool) -> None:
    item = real_world_item(first=10, last=20, slope=0.25, intercept=-1.5, unit="g/ml")
    data = map_file(CELLS, item, in_shared=in_shared)
    expected = [-0.25, 1.0, 2.25, 3.5, 4.75]
    found = td.decode(data, output="real_world", dtype=torch.float32, backend=backend)
    assert found.flatten().tolist() == expected
    volume = td.load(data, output="real_world", mask=True, backend=backend)
    assert volume.data.flatten().tolist() == expected
    assert volume.units == "g/ml"
    assert volume.valid_mask is not None
    assert volume.valid_mask.flatten().tolist() == [False, True, True, True, False]


def test_real_world_table(backend: Backend) -> None:
    item = real_world_item(first=10, last=14, values=[0.5, 1.5, -2.5, 1e10, 7.0])
    cells = np.array([0, 10, 12, 14, 99], np.uint16)
    volume = td.load(map_file(cells, item), output="real_world", mask=True, backend=backend)
    assert volume.data.flatten().tolist() == [0.5, 0.5, -2.5, 7.0, 7.0]
    assert volume.valid_mask is not None
    assert volume.valid_mask.flatten().tolist() == [False, True, True, True, False]


def test_real_world_table_that_starts_between_two_values(backend: Backend) -> None:
    # Halves go up: -2.5 is -2.
    item = real_world_item(first=-2.5, last=2, values=[1, 2, 3, 4, 5], form="FD")
    cells = np.array([-3, -2, -1, 0, 1, 2], np.int16)
    found = td.decode(map_file(cells, item), output="real_world", backend=backend)
    assert found.flatten().tolist() == [1, 1, 2, 3, 4, 5]


def test_signed_real_world_map(backend: Backend) -> None:
    item = real_world_item(first=-10, last=-1, slope=2.0, intercept=0.5, form="SS")
    cells = np.array([-11, -10, -1, 0], np.int16)
    volume = td.load(map_file(cells, item), output="real_world", mask=True, backend=backend)
    assert volume.data.flatten().tolist() == [-21.5, -19.5, -1.5, 0.5]
    assert volume.valid_mask is not None
    assert volume.valid_mask.flatten().tolist() == [False, True, True, False]


def test_one_of_several_real_world_maps(backend: Backend) -> None:
    items = [
        real_world_item(first=0, last=99, slope=float(k), intercept=0.0, label=f"map {k}")
        for k in (2, 3)
    ]
    data = map_file(CELLS, *items)
    for k in (2, 3):
        volume = td.load(data, output="real_world", rwvm=f"map {k}", backend=backend)
        assert volume.data.flatten().tolist() == [float(k * cell) for cell in CELLS]
    for wanted in (None, "map 4"):
        with expect_error("several_real_world_maps", match=r"map 2.*map 3"):
            td.load(data, output="real_world", backend=backend, rwvm=wanted)


def test_no_real_world_map(backend: Backend) -> None:
    data = native_file(CELLS.tobytes(), (1, 5), allocated=16)
    with expect_error("no_real_world_map"):
        td.load(data, output="real_world", backend=backend)
    with pytest.raises(ValueError, match="rwvm"):
        td.load(data, rwvm="map", backend=backend)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([real_world_item(first=0, last=99, slope=5.0, intercept=0.0, unit="mm2/s")], []),
        (
            [real_world_item(first=0, last=99, slope=5.0, intercept=0.0, unit="mm2/s")],
            [real_world_item(first=0, last=99, slope=7.0, intercept=0.0, unit="s")],
        ),
    ],
    ids=["none", "another"],
)
def test_slices_of_several_units_make_no_volume(
    backend: Backend, first: list[Any], second: list[Any]
) -> None:
    files = []
    for k, items in enumerate((first, second)):
        extra = [real_world(*items)] if items else []
        form = no_scale(ImagePositionPatient=(0, 0, k), SOPInstanceUID=f"1.2.{k + 1}", extra=extra)
        files.append(native_file(CELLS.tobytes(), (1, CELLS.size), allocated=16, **form))
    for sources in (files, files[::-1]):
        with expect_error("unsupported_pixel_format"):
            td.load(sources, backend=backend)
    volume = td.load(files, output="stored", backend=backend)
    assert volume.data[:, 0].tolist() == [CELLS.tolist()] * 2
    assert td.load(files, slices=0, backend=backend).units == "mm2/s"


def test_the_only_map_is_the_modality_where_there_is_no_other(backend: Backend) -> None:
    item = real_world_item(first=0, last=99, slope=0.5, intercept=1.0, unit="mm2/s")
    volume = td.load(map_file(CELLS, item, **no_scale()), backend=backend)
    assert volume.data.flatten().tolist() == [3.5, 6.0, 8.5, 11.0, 13.5]
    assert volume.units == "mm2/s"
    rescaled = td.load(map_file(CELLS, item), backend=backend)
    assert rescaled.data.flatten().tolist() == [float(cell) - 1024 for cell in CELLS]


def test_real_world_map_of_floating_pixels(backend: Backend) -> None:
    item = real_world_item(first=-1.5, last=1.5, slope=2.0, intercept=0.25, form="FD")
    cells = np.array([[-2.0, -1.5, 0.0, 1.5, 1.75]], "f4")
    data = float_file(cells, **no_scale(extra=[real_world(item)]))
    volume = td.load(data, output="real_world", mask=True, backend=backend)
    assert volume.data.flatten().tolist() == [-3.75, -2.75, 0.25, 3.25, 3.75]
    assert volume.valid_mask is not None
    assert volume.valid_mask.flatten().tolist() == [False, True, True, True, False]
