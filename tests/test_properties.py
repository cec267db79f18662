"""Random small series: whatever the builder wrote comes back, in any order, from both backends."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

import torchdicom as td
from builders import BIG, DEFLATED, EXPLICIT, IMPLICIT, RLE, Cells, Syntax, ct_slice
from builders_frames import encapsulated, rle_frame
from compare import assert_same_bits, assert_volumes_equal

AXES = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (-1, 0, 0), (0, -1, 0), (0, 0, -1)]
ORIENTATIONS = [r + c for r in AXES for c in AXES if np.cross(r, c).any()]
SYNTAXES = [EXPLICIT, IMPLICIT, BIG, DEFLATED, RLE]


def build(cells: Cells, syntax: Syntax, **attributes: Any) -> bytes:
    pixels = encapsulated([[rle_frame(cells)]]) if syntax == RLE else None
    return ct_slice(cells, syntax=syntax, pixel_element=pixels, **attributes)


@st.composite
def series(draw: st.DrawFn) -> tuple[list[bytes], Cells, tuple[float, ...], float]:
    """The files in slice order, their values, the orientation and the step."""
    dtype = draw(st.sampled_from([np.uint8, np.uint16, np.int16, np.int32]))
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9)))
    seed = draw(st.integers(0, 1 << 20))
    info = np.iinfo(dtype)  # type: ignore[type-var]
    cells = np.random.default_rng(seed).integers(info.min, info.max, shape, dtype, endpoint=True)
    orientation = draw(st.sampled_from(ORIENTATIONS))
    normal = np.cross(orientation[:3], orientation[3:])
    step = draw(st.sampled_from([0.3, 0.625, 1.0, 2.5, 7.25]))
    files = [
        build(
            frame,
            draw(st.sampled_from(SYNTAXES)),
            SOPInstanceUID=f"1.2.{k}",
            InstanceNumber=draw(st.integers(0, 99)),
            SliceThickness=step,
            ImageOrientationPatient=orientation,
            ImagePositionPatient=tuple((normal * step * k).tolist()),
        )
        for k, frame in enumerate(cells)
    ]
    return files, cells, orientation, step


@given(made=series(), random=st.randoms(use_true_random=False))
def test_written_series_comes_back(
    made: tuple[list[bytes], Cells, tuple[float, ...], float], random: Any
) -> None:
    files, cells, orientation, step = made
    shuffled = files.copy()
    random.shuffle(shuffled)
    native = td.load(shuffled, dtype=torch.float64)
    assert np.array_equal(native.data.numpy(), cells.astype(np.float64) - 1024)
    normal = np.cross(orientation[:3], orientation[3:])
    assert np.allclose(native.affine[:3, 0].numpy(), normal * step, rtol=0, atol=1e-9)
    reference = td.load(shuffled, dtype=torch.float64, backend="reference")
    assert_volumes_equal(native, reference)


@given(made=series(), data=st.data())
def test_order_of_sources_and_number_of_threads_change_no_bit(
    made: tuple[list[bytes], Cells, tuple[float, ...], float], data: st.DataObject
) -> None:
    files = made[0]
    expected = td.load(files).data
    shuffled = data.draw(st.permutations(files))
    threads = data.draw(st.sampled_from([1, 2, 4, 7]))
    out = torch.empty_like(expected) if data.draw(st.booleans()) else None
    assert_same_bits(td.load(shuffled, num_threads=threads, out=out).data, expected)


@given(made=series())
def test_flipping_the_rows_reverses_the_slices(
    made: tuple[list[bytes], Cells, tuple[float, ...], float],
) -> None:
    _, cells, orientation, step = made
    turned = tuple(-v for v in orientation[:3]) + orientation[3:]
    normal = np.cross(orientation[:3], orientation[3:])
    files = [
        ct_slice(
            frame,
            SOPInstanceUID=f"1.2.{k}",
            ImageOrientationPatient=turned,
            ImagePositionPatient=tuple((normal * step * k).tolist()),
        )
        for k, frame in enumerate(cells)
    ]
    volume = td.load(files, output="stored", dtype=torch.int64)
    assert np.array_equal(volume.data.numpy(), cells[::-1])
