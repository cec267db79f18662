"""Windows against the numbers of the standard (PS3.3 C.11.2.1)."""

from __future__ import annotations

import math
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import BIG, EXPLICIT, IMPLICIT
from builders_forms import COLOUR, float_file, native_file, palette, voi_lut, voi_luts
from helpers import syntax_id

if TYPE_CHECKING:
    from builders import Syntax
    from helpers import Backend

from windows import image, shown

# --- LINEAR, LINEAR_EXACT, SIGMOID


@pytest.mark.parametrize(
    ("center", "width", "values", "expected"),
    [
        # C.11.2.1.2.1: a center of 2048 and a width of 4096 take 0 to 0 and 4095 to 1.
        (2048, 4096, [-1, 0, 1365, 4095, 4096], [0, 0, 1 / 3, 1, 1]),
        # A width of 1 is a step behind 2047.
        (2048, 1, [0, 2047, 2048, 4095], [0, 0, 1, 1]),
        # 0 and 100: all up to -50 is 0, all above 49 is 1, and 99 steps lie between them.
        (0, 100, [-51, -50, -17, 16, 49, 50], [0, 0, 1 / 3, 2 / 3, 1, 1]),
        # 0 and 1: -1 is 0, 0 is 1.
        (0, 1, [-2, -1, 0, 1], [0, 0, 1, 1]),
        ("127.5", "256", [-1, 0, 127, 254, 255], [0, 0.5 / 255, 127.5 / 255, 254.5 / 255, 1]),
    ],
)
@pytest.mark.parametrize("function", [None, "LINEAR"])
def test_linear(
    backend: Backend,
    center: float | str,
    width: float | str,
    values: list[int],
    expected: list[float],
    function: str | None,
) -> None:
    data = image(values, WindowCenter=center, WindowWidth=width, VOILUTFunction=function)
    assert shown(data, backend) == pytest.approx(expected, abs=1e-15)
    # The ends are meant exactly.
    assert min(shown(data, backend)) == 0
    assert max(shown(data, backend)) == 1


@pytest.mark.parametrize(
    ("center", "width", "values", "expected"),
    [
        # C.11.2.1.3.2: as written, without the half and the one of integers.
        (2048, 4096, [-1, 0, 1024, 2048, 4096, 4097], [0, 0, 0.25, 0.5, 1, 1]),
        (0, 1, [-1, 0, 1], [0, 0.5, 1]),
        ("0.25", "0.5", [0, 1], [0, 1]),
    ],
)
def test_linear_exact(
    backend: Backend,
    center: float | str,
    width: float | str,
    values: list[int],
    expected: list[float],
) -> None:
    named: dict[str, Any] = {
        "WindowCenter": center,
        "WindowWidth": width,
        "VOILUTFunction": "LINEAR_EXACT",
    }
    assert shown(image(values, **named), backend) == expected


def test_sigmoid(backend: Backend) -> None:
    named: dict[str, Any] = {"WindowCenter": 2048, "WindowWidth": 4096, "VOILUTFunction": "SIGMOID"}
    values = shown(image([0, 2048, 4096, 3072], **named), backend)
    # C.11.2.1.3.1: 1 / (1 + exp(-4 (x - c) / w)), here of exponents 2, 0, -2 and -1.
    expected = [0.11920292202211755, 0.5, 0.8807970779778825, 0.7310585786300049]
    assert values == pytest.approx(expected, abs=1e-15)
    # exp(4 * 32768) is beyond every double.
    steep = named | {"WindowCenter": 0, "WindowWidth": "0.5"}
    assert shown(image([-32768, 0, 32767], **steep), backend) == [0, 0.5, 1]


def test_window_is_one_of_modality_values(backend: Backend) -> None:
    attributes: dict[str, Any] = {"RescaleSlope": 2, "RescaleIntercept": -1000}
    named: dict[str, Any] = {
        "WindowCenter": 0,
        "WindowWidth": 1000,
        "VOILUTFunction": "LINEAR_EXACT",
    }
    # 2 * 500 - 1000 is 0.
    assert shown(image([250, 500, 625, 750], **attributes, **named), backend) == [0, 0.5, 0.75, 1]


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG], ids=syntax_id)
def test_first_of_several_windows(backend: Backend, syntax: Syntax) -> None:
    named: dict[str, Any] = {
        "WindowCenter": "50\\x",
        "WindowWidth": ("101", "1", "-3"),
        "VOILUTFunction": "LINEAR",
    }
    assert shown(image([0, 50, 100], syntax=syntax, **named), backend) == pytest.approx(
        [0.005, 0.505, 1.0], abs=1e-15
    )


def test_default_dtype_is_float32(backend: Backend) -> None:
    data = image([0, 1, 2, 3], WindowCenter=2, WindowWidth=4)
    values = td.decode(data, output="window", backend=backend)
    assert values.dtype == torch.float32
    assert values.tolist() == [[[0, float(np.float32(1 / 3)), float(np.float32(2 / 3)), 1]]]
    volume = td.load(data, output="window", backend=backend)
    assert (volume.data.tolist(), volume.units) == (values.tolist(), None)
    assert (volume.provenance[0].slope, volume.provenance[0].intercept) == (1, 0)
    for dtype in (torch.float16, torch.bfloat16):
        half = td.decode(data, output="window", dtype=dtype, backend=backend)
        assert half.equal(values.to(dtype))


# --- Window


@pytest.mark.parametrize("call", ["load", "decode"])
def test_window_of_the_caller(backend: Backend, call: str) -> None:
    window = td.Window(center=100, width=400)
    data = image([-101, -100, 0, 100, 200, 300, 301], WindowCenter=5, WindowWidth=7)
    options: Any = {"output": window, "dtype": torch.float64, "backend": backend}
    found = td.load(data, **options).data if call == "load" else td.decode(data, **options)
    assert found.flatten().tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 1]


def test_window_of_the_caller_needs_none_in_the_file(backend: Backend) -> None:
    values = td.decode(image([0, 3]), output=td.Window(2, 4), backend=backend)
    assert values.flatten().tolist() == [0, 0.75]


def test_what_a_window_is() -> None:
    window = td.Window(np.float32(40), width=np.int64(400))  # type: ignore[arg-type]
    assert window == td.Window(40.0, 400.0)
    assert (type(window.center), type(window.width)) == (float, float)
    assert repr(window) == "Window(center=40.0, width=400.0)"
    assert (window.low, hash(window)) == (-160.0, hash(td.Window(40, 400)))
    assert pickle.loads(pickle.dumps(window)) == window
    with pytest.raises(AttributeError):
        window.width = 3.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("center", "width", "kind", "words"),
    [
        (0, 0, ValueError, "width must be above 0, not 0.0"),
        (0, -1, ValueError, "width must be above 0, not -1.0"),
        (0, math.inf, ValueError, "width must be finite, not inf"),
        (math.nan, 1, ValueError, "center must be a number, not nan"),
        ("40", 1, TypeError, "center must be a number, not str"),
        (40, None, TypeError, "width must be a number, not NoneType"),
        (True, 1, TypeError, "center must be a number, not bool"),
    ],
)
def test_what_no_window_is(center: Any, width: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        td.Window(center, width)


@pytest.mark.parametrize("output", ["window", td.Window(40, 400)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64])
def test_no_integers_between_0_and_1(output: Any, dtype: torch.dtype) -> None:
    data = image([1, 2])
    words = "has values between integers, and the dtype is"
    for call in (td.load, td.decode):
        with pytest.raises(ValueError, match=words):
            call(data, output=output, dtype=dtype)
        with pytest.raises(ValueError, match=words):
            call(data, output=output, out=torch.zeros((1, 1, 2), dtype=dtype))


def test_out_takes_a_window(backend: Backend) -> None:
    out = torch.zeros((1, 1, 3), dtype=torch.float64)
    options: Any = {"output": td.Window(1, 2), "dtype": torch.float64, "backend": backend}
    assert td.load(image([0, 1, 2]), out=out, **options).data is out
    assert out.tolist() == [[[0, 0.5, 1]]]


# --- MONOCHROME1


def test_monochrome1_is_inverted(backend: Backend) -> None:
    named: dict[str, Any] = {"WindowCenter": 2, "WindowWidth": 4, "VOILUTFunction": "LINEAR_EXACT"}
    data = image([0, 1, 2, 4], PhotometricInterpretation="MONOCHROME1", **named)
    assert shown(data, backend) == [1, 0.75, 0.5, 0]
    assert shown(data, backend, output=td.Window(2, 4)) == [1, 0.75, 0.5, 0]
    assert shown(data, backend, output="modality") == [0, 1, 2, 4]
    table = image(
        [0, 1, 2],
        PhotometricInterpretation="MONOCHROME1",
        extra=[voi_luts(voi_lut([0, 255, 51], bits=8))],
    )
    assert shown(table, backend) == [1, 0, 0.8]


# --- floating point


def test_floating_point_samples(backend: Backend) -> None:
    cells = np.array([[-1.0, 0.25, 0.5, 2.0, math.nan, math.inf]])
    named: dict[str, Any] = {"RescaleSlope": None, "RescaleIntercept": None}
    named |= {"WindowCenter": "0.5", "WindowWidth": 1}
    for function, expected in (
        ("LINEAR", [0, 1, 1, 1, math.nan, 1]),
        ("LINEAR_EXACT", [0, 0.25, 0.5, 1, math.nan, 1]),
        ("SIGMOID", [1 / (1 + math.exp(6)), 1 / (1 + math.e), 0.5, None, math.nan, 1]),
    ):
        found = shown(float_file(cells, VOILUTFunction=function, **named), backend)
        pairs = [(a, b) for a, b in zip(found, expected, strict=True) if b is not None]
        assert [a for a, _ in pairs] == pytest.approx([b for _, b in pairs], nan_ok=True, abs=1e-15)
    luts = voi_luts(voi_lut([0, 51, 255], first=-1, bits=8))
    found = shown(float_file(cells, extra=[luts], **named), backend)
    assert found == pytest.approx([0, 0.2, 0.2, 1, math.nan, 1], nan_ok=True)


# --- colour


def test_colours_take_their_whole_range(backend: Backend) -> None:
    cells = np.array([[[0, 51, 255], [255, 0, 102]]], np.uint8)
    named = COLOUR | {"WindowCenter": 10, "WindowWidth": 3}
    data = native_file(cells.tobytes(), (1, 2), allocated=8, **named)
    assert shown(data, backend) == [0, 1, 0.2, 0, 1, 0.4]
    volume = td.load(data, output="window", backend=backend)
    assert (volume.dims, volume.data.dtype) == (("c", "z", "y", "x"), torch.float32)
    # A window of the caller is one of each channel.
    assert shown(data, backend, output=td.Window(51, 102)) == [0, 1, 0.5, 0, 1, 1]


def test_palettes_take_the_range_of_their_entries(backend: Backend) -> None:
    attributes = {"PhotometricInterpretation": "PALETTE COLOR", **COLOUR, "SamplesPerPixel": 1}
    attributes["PhotometricInterpretation"] = "PALETTE COLOR"
    tables = palette([[0, 65535], [13107, 0], [65535, 26214]])
    data = native_file(bytes([0, 1]), (1, 2), allocated=8, extra=tables, **attributes)
    assert shown(data, backend) == [0, 1, 0.2, 0, 1, 0.4]
