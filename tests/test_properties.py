"""Random small series: whatever the builder wrote comes back, in any order, from both backends."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import torchdicom as td
from builders import BIG, DEFLATED, EXPLICIT, IMPLICIT, RLE, Cells, Syntax, ct_slice
from builders_flaws import ORIENTATIONS, flawed_series, policies
from builders_frames import encapsulated, rle_frame
from builders_parts import keys_in
from compare import assert_same_bits, assert_volumes_equal
from helpers import Backend, affine_of

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    assert np.allclose(affine_of(native)[:3, 0].numpy(), normal * step, rtol=0, atol=1e-9)
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


# --- series with flaws

Outcome = td.Volume | tuple[str | None, str | None, str | None, list[str]]


def outcome(paths: Sequence[Path], **options: Any) -> tuple[Outcome, int]:
    """The volume, or what the error says without its words; and how many warnings came along."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result: Outcome = td.load(list(paths), **options)
        except td.DicomError as error:
            result = (error.code, error.path, error.element, keys_in(error))
    assert {one.category for one in caught} <= {td.DicomWarning}
    return result, len(caught)


def assert_same_outcome(actual: tuple[Outcome, int], expected: tuple[Outcome, int]) -> None:
    (result, said), (wanted, wanted_said) = actual, expected
    if isinstance(result, td.Volume) and isinstance(wanted, td.Volume):
        assert_volumes_equal(result, wanted)
    else:
        assert result == wanted
    assert said == wanted_said


BACKENDS: tuple[Backend, Backend] = ("native", "reference")


@settings(max_examples=150)
@given(files=flawed_series(), actions=policies(), data=st.data())
def test_order_threads_and_backend_change_no_verdict(
    files: dict[str, bytes], actions: dict[str, Any], data: st.DataObject
) -> None:
    threads = data.draw(st.sampled_from([2, 4, 7]))
    policy = td.Policy(**actions)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in files]
        for path, content in zip(paths, files.values(), strict=True):
            path.write_bytes(content)
        shuffled = data.draw(st.permutations(paths))
        expected = outcome(paths, policy=policy, num_threads=1)
        keys = [] if isinstance(expected[0], td.Volume) else expected[0][3]
        for key in [None, *keys]:
            expected = outcome(paths, policy=policy, series=key, num_threads=1)
            for backend in BACKENDS:
                actual = outcome(
                    shuffled, policy=policy, series=key, num_threads=threads, backend=backend
                )
                assert_same_outcome(actual, expected)
