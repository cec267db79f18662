"""How a load does its work: every byte read once, one allocation, few opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import torchdicom as td
from builders import DEFLATED, EXPLICIT, RLE, Element, ct_slice, write_series
from builders_frames import encapsulated, rle_frame
from scanning import in_child
from torchdicom import _ext

if TYPE_CHECKING:
    from pathlib import Path

COUNTED = """
td.load(sys.argv[1], num_threads=2)
grown = bytes_read(lambda: td.load(sys.argv[1], num_threads=2))
print(json.dumps({"grown": grown, **_ext.last_load_stats()}))
"""


def write(folder: Path, kind: str) -> list[Path]:
    cells = np.random.default_rng(1).integers(0, 1000, (5, 100, 90), np.int16)
    if kind == "native":
        return write_series(folder, 5, pixels=list(cells))
    if kind == "deflated":
        return write_series(folder, 5, pixels=list(cells), syntax=DEFLATED)
    if kind == "large header":
        filler = [Element(0x00091010, "OB", bytes(200_000))]
        return write_series(folder, 5, pixels=list(cells), extra=[filler] * 5)
    pixels = [encapsulated([[rle_frame(frame)]], table=None) for frame in cells]
    return write_series(folder, 5, pixels=list(cells), syntax=RLE, pixel_element=pixels)


@pytest.mark.parametrize("kind", ["native", "deflated", "large header", "rle"])
def test_each_byte_is_read_once(tmp_path: Path, kind: str) -> None:
    paths = write(tmp_path, kind)
    stats: dict[str, Any] = in_child(COUNTED, tmp_path)
    assert stats["files"] == 5
    assert stats["grown"] == stats["bytes_read"]
    assert 0 < stats["bytes_read"] <= sum(path.stat().st_size for path in paths)
    assert stats["opens"] <= 2 * 5
    assert stats["allocations"] == 1
    assert stats["threads"] <= 2


def test_large_private_element_is_jumped_over(tmp_path: Path) -> None:
    paths = write(tmp_path, "large header")
    td.load(tmp_path)
    skipped = sum(path.stat().st_size for path in paths) - _ext.last_load_stats()["bytes_read"]
    assert skipped > 5 * 150_000


def test_memory_sources_are_not_read_as_files() -> None:
    td.load(ct_slice(syntax=EXPLICIT))
    stats = _ext.last_load_stats()
    assert (stats["files"], stats["bytes_read"], stats["opens"]) == (1, 0, 0)


def test_out_needs_no_allocation(tmp_path: Path) -> None:
    write_series(tmp_path, 3)
    out = td.load(tmp_path).data.clone()
    td.load(tmp_path, out=out)
    assert _ext.last_load_stats()["allocations"] == 0


def test_contiguous_and_aligned(tmp_path: Path) -> None:
    write_series(tmp_path, 3)
    data = td.load(tmp_path).data
    assert data.is_contiguous()
    assert data.data_ptr() % 64 == 0
