"""Every option of every public function changes something, and wrong ones are refused."""

from __future__ import annotations

import dataclasses
import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from effects import EFFECTS, FRAMES, OF_OUTPUTS, OF_SERIES, ONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from helpers import Backend


def options() -> list[tuple[str, str]]:
    functions = [name for name in td.__all__ if inspect.isroutine(getattr(td, name))]
    named = [
        (n, option) for n in functions for option in inspect.signature(getattr(td, n)).parameters
    ]
    kinds: dict[str, Any] = {"Policy": td.Policy, "Window": td.Window}
    return named + [(n, field.name) for n in kinds for field in dataclasses.fields(kinds[n])]


@pytest.mark.parametrize(("function", "option"), options())
def test_every_option_changes_something(function: str, option: str) -> None:
    first, second = EFFECTS[function, option]
    assert first() != second()


@pytest.mark.parametrize("output", OF_OUTPUTS)
def test_outputs_change_something(output: str) -> None:
    first, second = OF_OUTPUTS[output]
    assert first() != second()


@pytest.mark.parametrize("option", OF_SERIES)
def test_options_of_a_series_change_something(option: str) -> None:
    first, second = OF_SERIES[option]
    assert first() != second()


def test_a_series_has_the_options_of_load() -> None:
    of_load = set(inspect.signature(td.load).parameters) - {"source", "series", "backend"}
    assert set(inspect.signature(td.Series.load).parameters) - {"self"} == of_load


def test_no_effect_is_stale() -> None:
    assert set(EFFECTS) == set(options())


WRONG = [
    (td.load, {"output": "hounsfield"}, "stored"),
    (td.load, {"output": None}, "stored"),
    (td.load, {"output": td.Window}, "a torchdicom.Window, not <class"),
    (td.load, {"output": (40, 400)}, "a torchdicom.Window, not \\(40, 400\\)"),
    (td.load, {"output": "window", "dtype": torch.int16}, "the dtype is int16"),
    (td.decode, {"output": td.Window(1, 2), "dtype": torch.uint8}, "the dtype is uint8"),
    (td.load, {"output": "suv", "dtype": torch.int16}, "output='suv' has .* the dtype is int16"),
    (td.decode, {"output": "philips_fp", "dtype": torch.int64}, "the dtype is int64"),
    (td.load, {"output": "SUV"}, "'real_world', 'suv', 'philips_fp', 'window'"),
    (td.load, {"backend": "gdcm"}, "reference"),
    (td.load, {"dtype": torch.complex64}, "float32"),
    (td.load, {"dtype": torch.bool}, "float32"),
    (td.load, {"dtype": "float32"}, "dtype"),
    (td.load, {"dtype": np.float32}, "dtype"),
    (td.load, {"out": [1, 2]}, "out"),
    (td.load, {"out": torch.zeros((1, 3, 4), dtype=torch.bool)}, "out"),
    (td.load, {"out": torch.zeros((1, 3, 4), dtype=torch.complex64)}, "out"),
    (td.load, {"series": 1}, "series must be"),
    (td.load, {"series": b"1.2.3.4"}, "series must be"),
    (td.load, {"policy": "allow"}, "Policy, not str"),
    (td.load, {"policy": td.Policy}, "policy"),
    (td.load, {"slices": "0"}, "slices must be an int, a slice"),
    (td.load, {"slices": 0.5}, "slices must be an int, a slice"),
    (td.load, {"slices": True}, "slices"),
    (td.load, {"slices": [0, None]}, "slices must hold integers"),
    (td.load, {"slices": []}, "slices is empty"),
    (td.load, {"slices": slice(0, 1, 0)}, "slices"),
    (td.load, {"slices": slice(0.0, 1.0)}, "slices"),
    (td.load, {"region": (0, 1, 0)}, "four integers"),
    (td.load, {"region": "0101"}, "four integers"),
    (td.load, {"region": 3}, "four integers"),
    (td.load, {"region": (0, 1.0, 0, 1)}, "four integers"),
    (td.load, {"region": (False, True, 0, 1)}, "four integers"),
    (td.load, {"reduce": 9}, "reduce must be 0 to 8, not 9"),
    (td.load, {"reduce": -1}, "reduce must be 0 to 8, not -1"),
    (td.load, {"reduce": 1.0}, "reduce must be an int"),
    (td.load, {"reduce": True}, "reduce must be an int"),
    (td.load, {"codec": "gdcm2"}, "codec must be one of .*'gdcm'"),
    (td.load, {"codec": 1}, "codec must be the name"),
    (td.load, {"rwvm": "a"}, "output='real_world'"),
    (td.load, {"rwvm": 1, "output": "real_world"}, "rwvm must be the label"),
    (td.decode, {"reduce": 9}, "reduce must be 0 to 8, not 9"),
    (td.decode, {"region": (0, 1, 0)}, "four integers"),
    (td.decode, {"codec": "gdcm2"}, "codec must be one of .*'gdcm'"),
    (td.decode, {"rwvm": "a"}, "output='real_world'"),
    (td.load, {"mask": 1}, "mask must be True or False"),
    (td.load, {"mask": None}, "mask must be True or False"),
    (td.decode, {"out": torch.zeros((1, 3, 4), dtype=torch.bool)}, "out"),
    (td.decode, {"output": "hounsfield"}, "stored"),
    (td.decode, {"backend": "gdcm"}, "reference"),
    (td.decode, {"frames": "all"}, "frames"),
    (td.decode, {"frames": [0.5]}, "frames"),
]


@pytest.mark.parametrize(("call", "wrong", "allowed"), WRONG)
def test_wrong_option_is_named_with_what_is_allowed(
    call: Callable[..., object], wrong: dict[str, object], allowed: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=allowed) as caught:
        call(ONE, **wrong)
    assert not isinstance(caught.value, td.DicomError)


ARRAY = np.frombuffer(ONE, np.uint8)


@pytest.mark.parametrize("source", [None, 3, 2.5, ARRAY, {ONE}, [None], [[ONE]], [ONE, ARRAY]])
def test_wrong_source(source: Any) -> None:
    for call in (td.load, td.decode, td.read_header):
        with pytest.raises(TypeError, match="source must be"):
            call(source)


def test_no_source() -> None:
    with pytest.raises(ValueError, match="source is an empty list"):
        td.load([])


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_every_kind(backend: Backend, kind: Callable[[bytes], Any]) -> None:
    assert td.load(kind(ONE), backend=backend).data.shape == (1, 3, 4)
    assert td.decode(kind(ONE), backend=backend).shape == (1, 3, 4)
    assert td.read_header(kind(ONE)).rows == 3


def test_numbers_of_numpy(backend: Backend) -> None:
    two: Any = np.int64(2)
    data = td.decode(FRAMES, frames=np.array([1, 0]), num_threads=two, backend=backend)
    assert data[:, 0, 0].tolist() == [12, 0]
    try:
        td.set_num_threads(two)
        assert td.get_num_threads() == 2
    finally:
        td.set_num_threads(None)


def test_options_are_by_keyword_alone() -> None:
    for function in (td.load, td.decode, td.read_header, td.scan, td.open_index, td.collate):
        kinds = [p.kind for p in inspect.signature(function).parameters.values()]
        assert all(kind is inspect.Parameter.KEYWORD_ONLY for kind in kinds[1:])
