"""Which file's window a series takes, and windows that are damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import Element, ct_slice, encode, write_series
from helpers import expect_error

if TYPE_CHECKING:
    from pathlib import Path

    from helpers import Backend

from windows import PLAIN, image, only_value, shown

# --- which file's window


def write_windows(folder: Path, n: int, **attributes: Any) -> None:
    """Slices of the value 4; slice i has a window from 0 to 2 (i + 1)."""
    cells = [np.full((2, 3), 4, np.int16)] * n
    named: dict[str, Any] = {
        "WindowCenter": [i + 1 for i in range(n)],
        "VOILUTFunction": "LINEAR_EXACT",
    }
    named |= {"WindowWidth": [2 * (i + 1) for i in range(n)]}
    write_series(folder, n, pixels=cells, **(PLAIN | named | attributes))


@pytest.mark.parametrize(("n", "expected"), [(1, 1.0), (2, 1.0), (3, 1.0), (4, 4 / 6), (5, 4 / 6)])
def test_window_of_the_middle_slice(
    tmp_path: Path, backend: Backend, n: int, expected: float
) -> None:
    # Slice n // 2 has a window up to 2 (n // 2 + 1): 2, 4, 4, 6, 6.
    write_windows(tmp_path, n)
    options: Any = {"output": "window", "dtype": torch.float64}
    volume = td.load(tmp_path, backend=backend, **options)
    assert only_value(volume) == expected
    # Slices that are picked have that of the whole series.
    assert only_value(td.load(tmp_path, slices=0, backend=backend, **options)) == expected
    assert only_value(td.load(tmp_path, slices=[-1], backend=backend, **options)) == expected
    series = td.scan(tmp_path).series[0]
    listed = td.load(series, backend=backend, **options).data
    assert listed.equal(volume.data)
    assert only_value(series.load(slices=0, **options)) == expected


def test_middle_is_that_of_positions_and_not_of_names(tmp_path: Path, backend: Backend) -> None:
    names = ["d.dcm", "a.dcm", "c.dcm", "b.dcm", "e.dcm"]
    write_windows(tmp_path, 5, WindowWidth=[1, 1, 8, 1, 1], WindowCenter=[9, 9, 4, 9, 9])
    for i, name in enumerate(names):
        (tmp_path / f"{i:04}.dcm").rename(tmp_path / name)
    assert only_value(td.load(tmp_path, output="window", backend=backend)) == 0.5


@pytest.mark.parametrize("missing", ["WindowCenter", "WindowWidth"])
def test_no_window(tmp_path: Path, backend: Backend, missing: str) -> None:
    write_windows(tmp_path, 3, **{missing: [1, None, 1]})
    assert only_value(td.load(tmp_path, backend=backend)) == 4
    for empty in (None, "", "  ", "\\40"):
        write_windows(tmp_path, 3, **{missing: [1, empty, 1]})
        middle = tmp_path / "0001.dcm"
        with expect_error("no_window", element="WindowCenter", path=middle, match="Window"):
            td.load(tmp_path, output="window", backend=backend)
        series = td.scan(tmp_path).series[0]
        with expect_error("no_window", element="WindowCenter", path=middle):
            td.load(series, output="window", slices=0, backend=backend)
        with expect_error("no_window", element="WindowCenter", path=middle):
            td.decode(middle, output="window", backend=backend)
    outer = td.decode(tmp_path / "0000.dcm", output="window", backend=backend)
    assert only_value(outer) == 1


def test_cine_has_one_window(backend: Backend) -> None:
    cells = np.arange(4, dtype=np.uint8).reshape(2, 1, 2)
    named: dict[str, Any] = {"WindowCenter": 2, "WindowWidth": 4, "VOILUTFunction": "LINEAR_EXACT"}
    absent: dict[str, Any] = {
        "ImagePositionPatient": None,
        "ImageOrientationPatient": None,
        "Modality": "XA",
    }
    volume = td.load(ct_slice(cells, **PLAIN, **named, **absent), output="window", backend=backend)
    assert volume.dims == ("t", "z", "y", "x")
    assert volume.data.flatten().tolist() == [0, 0.25, 0.5, 0.75]


# --- what is wrong


@pytest.mark.parametrize(
    ("attributes", "code", "element"),
    [
        ({"WindowCenter": "1,5"}, "invalid_decimal_string", "WindowCenter"),
        ({"WindowWidth": "wide"}, "invalid_decimal_string", "WindowWidth"),
        ({"WindowWidth": "0.5"}, "invalid_value", "WindowWidth"),
        ({"WindowWidth": 0}, "invalid_value", "WindowWidth"),
        ({"WindowWidth": -4}, "invalid_value", "WindowWidth"),
        ({"WindowWidth": 0, "VOILUTFunction": "LINEAR_EXACT"}, "invalid_value", "WindowWidth"),
        ({"WindowWidth": -1, "VOILUTFunction": "SIGMOID"}, "invalid_value", "WindowWidth"),
        ({"VOILUTFunction": "LOG"}, "invalid_value", "VOILUTFunction"),
    ],
)
def test_damaged_windows(
    tmp_path: Path, backend: Backend, attributes: dict[str, Any], code: str, element: str
) -> None:
    named: dict[str, Any] = {"WindowCenter": 2, "WindowWidth": 4}
    path = tmp_path / "a.dcm"
    path.write_bytes(image([1, 2], **(named | attributes)))
    for call in (td.load, td.decode):
        with expect_error(code, element=element, path=path):
            call(path, output="window", backend=backend)
    # Nobody else minds.
    assert td.load(path, backend=backend).data.flatten().tolist() == [1, 2]
    assert len(td.scan(tmp_path).series) == 1
    with expect_error(code, element=element, path=path):
        td.load(td.scan(tmp_path).series[0], output="window", backend=backend)


def test_window_that_stands_there_twice(backend: Backend) -> None:
    more = encode([Element(0x00281050, "DS", "4"), Element(0x00281051, "DS", "8")])
    data = image([0, 4], WindowCenter=1, WindowWidth=2, VOILUTFunction="LINEAR_EXACT")
    at = data.index(b"\x28\0\x52\x10DS")
    twice = data[:at] + more + data[at:]
    assert shown(twice, backend) == [0, 0.5]
    assert shown(twice, backend, output="modality") == [0, 4]


def test_window_of_the_groups_counts_before_that_of_the_file(backend: Backend) -> None:
    window = [Element(0x00281050, "DS", "2"), Element(0x00281051, "DS", "4")]
    shared = Element(0x52009229, "SQ", [[Element(0x00289132, "SQ", [window])]])
    top: dict[str, Any] = {"WindowCenter": 1, "WindowWidth": 2, "VOILUTFunction": "LINEAR_EXACT"}
    assert shown(image([1, 3], **top), backend) == [0.5, 1]
    assert shown(image([1, 3], extra=[shared], **top), backend) == [0.25, 0.75]
