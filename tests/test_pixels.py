"""Stored bits to output values: pixel formats, encodings, dtypes, and the exact rescale."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

import torchdicom as td
from builders import (
    BIG,
    DEFLATED,
    ENCAPSULATED,
    EXPLICIT,
    IMPLICIT,
    PIXEL_DATA,
    RLE,
    Cells,
    Element,
    Syntax,
    cells_to_bytes,
    ct_slice,
)
from builders_frames import encapsulated, even, rle_frame
from compare import assert_same_bits
from helpers import Backend, Output, expect_error, syntax_id

Stored = npt.NDArray[np.int64]
NO_RESCALE: dict[str, Any] = {"RescaleSlope": None, "RescaleIntercept": None}


def file_of(cells: Cells, syntax: Syntax, **attributes: Any) -> bytes:
    """One file of one or more frames in any syntax that the builders can write."""
    frames = cells if cells.ndim == 3 else cells[None]
    if syntax == RLE:
        pixels = encapsulated([[rle_frame(frame)] for frame in frames])
    elif syntax == ENCAPSULATED:
        pixels = encapsulated([[even(cells_to_bytes(frame))] for frame in frames])
    else:
        return ct_slice(cells, syntax=syntax, **attributes)
    return ct_slice(cells, syntax=syntax, pixel_element=pixels, **attributes)


def edge_values(bits: int, *, signed: bool) -> Stored:
    """The values at the ends of a range of bits, and a few between."""
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    inside = [v for v in (-2, -1, 0, 1, 5, 100) if low <= v <= high]
    values = [low, high, (low + high) // 2, *inside]
    return np.array((values * 12)[:12], np.int64).reshape(3, 4)


def cells_with_junk(stored: Stored, allocated: int, bits: int, high_bit: int) -> Cells:
    """Cells that hold the values below HighBit, and noise in every other bit."""
    shift = high_bit - bits + 1
    mask = ((1 << bits) - 1) << shift
    noise = np.random.default_rng(7).integers(0, 1 << allocated, stored.shape, np.int64)
    cells = (noise & ~mask) | ((stored << shift) & mask)
    return cells.astype(f"u{allocated // 8}")


FORMATS = [
    (8, 8, 7),
    (8, 1, 0),
    (8, 7, 6),
    (8, 5, 7),
    (16, 16, 15),
    (16, 12, 11),
    (16, 12, 15),
    (16, 10, 12),
    (16, 8, 7),
    (32, 32, 31),
    (32, 24, 23),
    (32, 20, 31),
    (32, 31, 30),
]
SYNTAXES = [EXPLICIT, IMPLICIT, BIG, DEFLATED, ENCAPSULATED, RLE]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=syntax_id)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize(("allocated", "bits", "high_bit"), FORMATS)
def test_stored_values(
    backend: Backend, syntax: Syntax, allocated: int, bits: int, high_bit: int, *, signed: bool
) -> None:
    stored = edge_values(bits, signed=signed)
    cells = cells_with_junk(stored, allocated, bits, high_bit)
    form: dict[str, Any] = {
        "BitsStored": bits,
        "HighBit": high_bit,
        "PixelRepresentation": int(signed),
    }
    data = file_of(cells, syntax, **form)
    assert td.decode(data, backend=backend).tolist() == [stored.tolist()]
    wide = td.decode(data, output="modality", dtype=torch.float64, backend=backend)
    assert wide.tolist() == [(stored - 1024.0).tolist()]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=syntax_id)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32])
def test_many_frames_of_noise(backend: Backend, syntax: Syntax, dtype: type[np.generic]) -> None:
    # Odd sizes: rows of RLE planes and fragments end off any boundary.
    info = np.iinfo(dtype)  # type: ignore[type-var] # the three are integers
    cells = np.random.default_rng(3).integers(info.min, info.max, (3, 17, 131), dtype)
    cells[:, 4:9, :100] = cells[0, 0, 0]
    data = td.decode(file_of(cells, syntax), dtype=torch.int32, backend=backend)
    assert np.array_equal(data.numpy(), cells)


DEFAULT_DTYPES = [
    (8, 8, False, torch.uint8),
    (16, 7, False, torch.uint8),
    (8, 8, True, torch.int8),
    (16, 9, False, torch.int16),
    (16, 15, False, torch.int16),
    (16, 9, True, torch.int16),
    (16, 16, True, torch.int16),
    (16, 16, False, torch.int32),
    (32, 17, False, torch.int32),
    (32, 31, False, torch.int32),
    (32, 17, True, torch.int32),
    (32, 32, True, torch.int32),
    (32, 32, False, torch.int64),
]


@pytest.mark.parametrize(("allocated", "bits", "signed", "dtype"), DEFAULT_DTYPES)
def test_default_dtype_follows_the_header_alone(
    backend: Backend, allocated: int, bits: int, dtype: torch.dtype, *, signed: bool
) -> None:
    cells = np.zeros((3, 4), f"u{allocated // 8}")
    form: dict[str, Any] = {
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(signed),
    }
    data = ct_slice(cells, **form)
    assert td.decode(data, backend=backend).dtype == dtype
    assert td.load(data, output="stored", backend=backend).data.dtype == dtype
    assert td.load(data, backend=backend).data.dtype == torch.float32


INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.uint16, torch.int32, torch.int64]
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS], ids=str)
@pytest.mark.parametrize("output", ["stored", "modality"])
def test_every_dtype(backend: Backend, dtype: torch.dtype, output: Output) -> None:
    cells = np.arange(12, dtype=np.int16).reshape(3, 4)
    data = ct_slice(cells, RescaleSlope=2, RescaleIntercept="3.0")
    expected = cells * 2 + 3 if output == "modality" else cells
    result = td.load(data, output=output, dtype=dtype, backend=backend).data
    assert result.dtype == dtype
    assert result.tolist() == [expected.tolist()]


LIMITS = [
    (torch.uint8, 0, 255),
    (torch.int8, -128, 127),
    (torch.int16, -32768, 32767),
    (torch.uint16, 0, 65535),
    (torch.int32, -(2**31), 2**31 - 1),
]


@pytest.mark.parametrize(("dtype", "low", "high"), LIMITS, ids=str)
def test_integer_dtype_holds_its_limits_and_nothing_beyond(
    backend: Backend, dtype: torch.dtype, low: int, high: int
) -> None:
    for value, fits in [(low, True), (high, True), (low - 1, False), (high + 1, False)]:
        data = ct_slice(np.zeros((3, 4), np.int16), RescaleIntercept=value)
        if fits:
            loaded = td.load(data, dtype=dtype, backend=backend)
            assert set(loaded.data.flatten().tolist()) == {value}
            continue
        with expect_error("value_overflow", match=str(value)):
            td.load(data, dtype=dtype, backend=backend)


def test_overflow_names_slice_and_value(backend: Backend) -> None:
    sources = [
        ct_slice(
            np.full((3, 4), 300 if z == 1 else 7, np.int16),
            ImagePositionPatient=(0, 0, z),
            SOPInstanceUID=f"1.2.{z}",
        )
        for z in (2, 1, 0)
    ]
    with expect_error("value_overflow", match=r"300[^0-9].*\b1\b|\b1\b.*[^0-9]300"):
        td.load(sources, output="stored", dtype=torch.uint8, backend=backend)


def test_negative_value_never_wraps_into_unsigned(backend: Backend) -> None:
    data = ct_slice(np.full((3, 4), -1, np.int16))
    for dtype in (torch.uint8, torch.uint16):
        with expect_error("value_overflow"):
            td.decode(data, dtype=dtype, backend=backend)


@pytest.mark.parametrize(
    ("attributes", "keyword"),
    [({"RescaleSlope": "1.5"}, "RescaleSlope"), ({"RescaleIntercept": "0.25"}, "RescaleIntercept")],
)
def test_integer_dtype_needs_integral_rescale(
    backend: Backend, attributes: dict[str, Any], keyword: str
) -> None:
    data = ct_slice(**attributes)
    with expect_error("integer_dtype", element=keyword):
        td.load(data, dtype=torch.int32, backend=backend)
    stored = td.load(data, output="stored", dtype=torch.int32, backend=backend)
    assert stored.data.flatten().tolist() == list(range(12))


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (NO_RESCALE, [0.0, 1.0]),
        ({"RescaleSlope": None, "RescaleIntercept": 5}, [5.0, 6.0]),
        ({"RescaleSlope": 3, "RescaleIntercept": None}, [0.0, 3.0]),
        ({"RescaleSlope": "-0.5", "RescaleIntercept": 0}, [0.0, -0.5]),
    ],
)
def test_either_half_of_the_rescale_may_be_absent(
    backend: Backend, attributes: dict[str, Any], expected: list[float]
) -> None:
    volume = td.load(ct_slice(**attributes), backend=backend)
    assert volume.data.flatten()[:2].tolist() == expected


def test_bytes_in_words_of_a_big_endian_file(backend: Backend) -> None:
    # PS3.5 8.1.2 and A.3: two 8-bit cells make one OW word, the first cell its low byte.
    words = np.arange(12, dtype=np.uint8).reshape(6, 2)[:, ::-1].tobytes()
    data = ct_slice(
        np.zeros((3, 4), np.uint8), syntax=BIG, pixel_element=Element(PIXEL_DATA, "OW", words)
    )
    assert td.decode(data, backend=backend).flatten().tolist() == list(range(12))


def test_monochrome1_changes_nothing(backend: Backend) -> None:
    one, two = (ct_slice(PhotometricInterpretation=f"MONOCHROME{k}") for k in (1, 2))
    for output in ("stored", "modality"):
        first = td.load(one, output=output, backend=backend).data
        assert_same_bits(first, td.load(two, output=output, backend=backend).data)


PAIRS = [
    ("1", "-1024"),
    ("1", "0"),
    ("0.5", "0"),
    ("0.5", "-0.25"),
    ("37.37", "0"),
    ("37.37", "-1000.1"),
    ("1e-7", "0"),
    ("1e-7", "1"),
    ("1e-7", "1e6"),
    ("1e6", "0"),
    ("1e6", "-0.1"),
    ("-1", "0"),
    ("-1", "1024"),
    ("-0.3", "0.1"),
    ("-37.37", "12.5"),
    ("2", "-8192"),
    ("3", "1"),
    ("0.1", "0.2"),
    ("0.3333333333", "0"),
    ("1.0000001", "0"),
    ("0.99999999", "-1024"),
    ("0.0037", "-0.0001"),
    ("4.8828125e-4", "0"),
    ("0.347577", "0.0"),
    ("1.25984", "-1024.5"),
    ("16777217", "0"),
    ("1", "16777217"),
    ("1", "0.00000001"),
    ("65504", "-1"),
    ("1.5e38", "0"),
]


def every_stored_value(*, signed: bool) -> Cells:
    return np.arange(1 << 16, dtype=np.uint16).view(np.int16 if signed else np.uint16)


def expected_values(stored: Cells, slope: str, intercept: str, dtype: torch.dtype) -> torch.Tensor:
    """The rule in numpy: two roundings to double, then to float32, then to half by nearest even."""
    with np.errstate(over="ignore"):
        exact = stored.astype(np.float64) * float(slope) + float(intercept)
        single = exact.astype(np.float32)
        if dtype == torch.float64:
            return torch.from_numpy(exact)
        if dtype == torch.float32:
            return torch.from_numpy(single)
        if dtype == torch.float16:
            return torch.from_numpy(single.astype(np.float16))
    words = single.view(np.uint32).astype(np.uint64)
    words += 0x7FFF + ((words >> np.uint64(16)) & np.uint64(1))
    return torch.from_numpy((words >> np.uint64(16)).astype(np.uint16)).view(torch.bfloat16)


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_rescale_is_exact(backend: Backend, dtype: torch.dtype, *, signed: bool) -> None:
    stored = every_stored_value(signed=signed)
    assert len(PAIRS) == 30
    for slope, intercept in PAIRS:
        data = ct_slice(stored.reshape(256, 256), RescaleSlope=slope, RescaleIntercept=intercept)
        volume = td.load(data, dtype=dtype, backend=backend)
        expected = expected_values(stored, slope, intercept, dtype).reshape(1, 256, 256)
        assert_same_bits(volume.data, expected)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("output", ["stored", "modality"])
def test_wide_cells_are_exact(backend: Backend, dtype: torch.dtype, output: Output) -> None:
    # 32-bit values do not fit float32: the product of the rule must still be a double's.
    stored = np.random.default_rng(5).integers(-(2**31), 2**31, (64, 64), np.int32)
    slope, intercept = ("0.1", "-0.7") if output == "modality" else ("1", "0")
    data = ct_slice(stored, RescaleSlope="0.1", RescaleIntercept="-0.7")
    loaded = td.load(data, output=output, dtype=dtype, backend=backend).data
    assert_same_bits(loaded[0], expected_values(stored, slope, intercept, dtype))


def test_half_precision_rounds_twice(backend: Backend) -> None:
    # 1 + 2^-11 + 2^-40 is above the middle of two halves, as a float32 it is the middle itself.
    data = ct_slice(
        np.ones((3, 4), np.int16), RescaleSlope=1, RescaleIntercept=repr(2**-11 + 2**-40)
    )
    loaded = td.load(data, dtype=torch.float16, backend=backend).data
    assert set(loaded.flatten().tolist()) == {1.0}
