"""Random parts of a series: each is what the same part of the whole is, mask and affine too."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import torchdicom as td
from builders import RLE, ct_slice
from builders_frames import encapsulated, rle_frame
from helpers import Backend, affine_of

SHAPE = (6, 5, 4)
RANDOM = np.random.default_rng(3).integers(-900, 900, SHAPE, np.int16)
STEP = (0.5, 0.0, 2.5)


def slices_of(*, is_compressed: bool) -> list[bytes]:
    """Six random slices of a tilted series."""
    files = []
    for k, cells in enumerate(RANDOM):
        values: dict[str, Any] = {
            "SOPInstanceUID": f"1.2.{k}",
            "ImagePositionPatient": tuple(v * k for v in STEP),
            # From -900 to -700, as the 16 bits that they are stored in.
            "PixelPaddingValue": -900 & 0xFFFF,
            "PixelPaddingRangeLimit": -700 & 0xFFFF,
        }
        if is_compressed:
            values |= {"syntax": RLE, "pixel_element": encapsulated([[rle_frame(cells)]])}
        files.append(ct_slice(cells, **values))
    return files


@st.composite
def picks(draw: st.DrawFn) -> Any:
    """Slices as an int, a slice, a range or a list; never nothing."""
    number = st.integers(-SHAPE[0], SHAPE[0] - 1)
    kind = draw(st.sampled_from(["int", "slice", "list", "range", "all"]))
    if kind == "int":
        return draw(number)
    if kind == "list":
        return draw(st.lists(number, min_size=1, max_size=8))
    if kind == "all":
        return None
    end = st.none() | st.integers(-8, 8)
    part = slice(draw(end), draw(end), draw(st.sampled_from([None, 1, 2, -1, -3])))
    chosen = range(SHAPE[0])[part]
    if not chosen:
        return -1
    return part if kind == "slice" else chosen


def numbers_of(chosen: Any) -> list[int]:
    """What is picked, in plain numbers."""
    everything = range(SHAPE[0])
    if chosen is None:
        return list(everything)
    if isinstance(chosen, slice):
        return list(everything[chosen])
    return [everything[k] for k in ([chosen] if isinstance(chosen, int) else chosen)]


def ends(limit: int) -> st.SearchStrategy[tuple[int, int]]:
    """From and to of some pixels."""
    pairs = [(a, b) for a in range(limit) for b in range(a + 1, limit + 1)]
    return st.sampled_from(pairs)


@given(
    chosen=picks(),
    rows=ends(SHAPE[1]),
    columns=ends(SHAPE[2]),
    is_compressed=st.booleans(),
    backend=st.sampled_from(["native", "reference"]),
)
def test_part_of_a_volume(
    *,
    chosen: Any,
    rows: tuple[int, int],
    columns: tuple[int, int],
    is_compressed: bool,
    backend: Backend,
) -> None:
    files = slices_of(is_compressed=is_compressed)
    (y0, y1), (x0, x1) = rows, columns
    volume = td.load(files, slices=chosen, region=(y0, y1, x0, x1), mask=True, backend=backend)
    numbers = numbers_of(chosen)
    stored = RANDOM[numbers, y0:y1, x0:x1]
    assert volume.data.tolist() == (stored.astype(np.float32) - 1024).tolist()
    assert volume.valid_mask is not None
    assert volume.valid_mask.tolist() == ((stored < -900) | (stored > -700)).tolist()
    assert [one.sop_instance_uid for one in volume.provenance] == [f"1.2.{k}" for k in numbers]
    # The verdict is that of the whole series.
    assert [one.code for one in volume.verdict.defects] == ["gantry_tilt"]
    steps = {b - a for a, b in itertools.pairwise(numbers)} or {1}
    assert volume.spacing_mm[1:] == (0.5, 0.25)
    if len(steps) > 1 or 0 in steps:
        assert volume.affine is None
        assert np.isnan(volume.spacing_mm[0])
        return
    (step,) = steps
    first = numbers[0]
    expected = [
        [STEP[0] * step, 0.0, 0.25, STEP[0] * first + 0.25 * x0],
        [0.0, 0.5, 0.0, 0.5 * y0],
        [STEP[2] * step, 0.0, 0.0, STEP[2] * first],
        [0.0, 0.0, 0.0, 1.0],
    ]
    assert affine_of(volume).tolist() == expected
    assert volume.spacing_mm[0] == pytest.approx(abs(step) * np.hypot(STEP[0], STEP[2]))
