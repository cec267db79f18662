"""Parts of repaired stacks, any of them from both backends, and what else loads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import torchdicom as td
from builders import ct_slice, write_series
from builders_flaws import ORIENTATIONS
from compare import assert_same_bits, assert_volumes_equal
from helpers import Backend, affine_of, codes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ALL = td.Policy(missing_slices="fill", uneven_spacing="resample", gantry_tilt="resample")
# 6 rows of 8 pixels each; what is repaired, and how large the result is.
SERIES: dict[str, tuple[list[tuple[float, float, float]], tuple[int, int, int]]] = {
    "missing": ([(0, 0, 5 * k) for k in (0, 1, 2, 4, 6, 7)], (8, 6, 8)),
    "uneven": ([(0, 0, 5 * k) for k in (0, 1, 2.4, 3, 4)], (5, 6, 8)),
    "tilted": ([(-0.3 * k, 1.1 * k, 5 * k) for k in range(4)], (4, 13, 12)),
    "both": ([(-0.3 * k, 1.1 * k, 5 * k) for k in (0, 1, 2.4, 3, 4)], (5, 15, 13)),
}


def write(folder: Path, name: str) -> Path:
    places, _ = SERIES[name]
    cells = np.random.default_rng(1).integers(-500, 500, (len(places), 6, 8)).astype(np.int16)
    write_series(folder, len(places), pixels=list(cells), ImagePositionPatient=places)
    return folder


def mask_of(volume: td.Volume) -> torch.Tensor:
    assert volume.valid_mask is not None
    return volume.valid_mask


@pytest.mark.parametrize("name", SERIES)
def test_size(tmp_path: Path, backend: Backend, name: str) -> None:
    volume = td.load(write(tmp_path, name), policy=ALL, backend=backend)
    assert tuple(volume.data.shape) == mask_of(volume).shape == SERIES[name][1]
    assert len(volume.provenance) == SERIES[name][1][0]


@pytest.mark.parametrize("reduce", [0, 1])
@pytest.mark.parametrize("name", SERIES)
def test_a_part_is_one_of_the_repaired_stack(
    tmp_path: Path, backend: Backend, name: str, reduce: int
) -> None:
    write(tmp_path, name)
    options: dict[str, Any] = {"policy": ALL, "reduce": reduce, "backend": backend}
    whole = td.load(tmp_path, **options)
    step, region = 1 << reduce, (2, 6, 0, 4)
    y0, y1, x0, x1 = (edge // step for edge in region)
    for slices, picks in ((slice(1, None, 2), slice(1, None, 2)), ([-1, 3, 0], [-1, 3, 0])):
        part = td.load(tmp_path, slices=slices, region=region, **options)
        assert_same_bits(part.data, whole.data[picks, y0:y1, x0:x1].contiguous())
        assert torch.equal(mask_of(part), mask_of(whole)[picks, y0:y1, x0:x1])
        if isinstance(slices, slice):
            moved = affine_of(whole) @ torch.tensor([1.0, y0, x0, 1]).double()
            assert (affine_of(part)[:, 3] - moved).abs().max() < 1e-9
            assert affine_of(part)[:3, 0].tolist() == (affine_of(whole)[:3, 0] * 2).tolist()
            assert repr(part.provenance) == repr(whole.provenance[slices])
        else:
            assert part.affine is None
            assert np.isnan(part.spacing_mm[0])
            assert part.spacing_mm[1:] == whole.spacing_mm[1:]


def test_a_slice_that_is_not_there(tmp_path: Path, backend: Backend) -> None:
    write(tmp_path, "missing")
    with pytest.raises(IndexError, match="8"):
        td.load(tmp_path, policy=ALL, slices=8, backend=backend)
    one = td.load(tmp_path, policy=ALL, slices=3, backend=backend)
    assert set(one.data.flatten().tolist()) == {-1024}
    assert one.provenance[0].position_mm == (0.0, 0.0, 15.0)


def test_a_region_is_one_of_the_canvas(tmp_path: Path, backend: Backend) -> None:
    write(tmp_path, "tilted")
    last = td.load(tmp_path, policy=ALL, region=(12, 13, 0, 12), backend=backend)
    assert tuple(last.data.shape) == (4, 1, 12)
    with pytest.raises(ValueError, match="13 rows"):
        td.load(tmp_path, policy=ALL, region=(12, 14, 0, 12), backend=backend)


@pytest.mark.parametrize("name", SERIES)
def test_out(tmp_path: Path, backend: Backend, name: str) -> None:
    write(tmp_path, name)
    expected = td.load(tmp_path, policy=ALL, backend=backend)
    out = torch.full(SERIES[name][1], 7.0)
    volume = td.load(tmp_path, policy=ALL, out=out, backend=backend)
    assert volume.data is out
    assert_same_bits(out, expected.data)
    with pytest.raises(ValueError, match="out"):
        td.load(tmp_path, policy=ALL, out=out[1:], backend=backend)


@pytest.mark.parametrize("name", SERIES)
def test_the_number_of_threads_changes_no_bit(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    expected = td.load(tmp_path, policy=ALL, num_threads=1)
    assert_volumes_equal(td.load(tmp_path, policy=ALL, num_threads=5), expected)


def test_series_of_an_index(tmp_path: Path, backend: Backend) -> None:
    write(tmp_path, "both")
    (series,) = td.scan(tmp_path, progress=False).series
    expected = td.load(tmp_path, policy=ALL, backend=backend)
    assert_volumes_equal(td.load(series, policy=ALL, backend=backend), expected)
    assert_volumes_equal(series.load(policy=ALL), expected)
    assert series.shape == (5, 6, 8)
    assert series.affine is not None
    assert series.affine[1, 0].item() == 1.1


# --- several times


@pytest.mark.parametrize("name", SERIES)
def test_each_time_is_repaired_like_the_first(tmp_path: Path, backend: Backend, name: str) -> None:
    places, shape = SERIES[name]
    n = len(places)
    cells = np.random.default_rng(2).integers(-500, 500, (2 * n, 6, 8)).astype(np.int16)
    paths = write_series(
        tmp_path,
        2 * n,
        pixels=list(cells),
        ImagePositionPatient=places * 2,
        TemporalPositionIdentifier=[1] * n + [2] * n,
        PixelPaddingValue=[7] * n + [9] * n,
    )
    alone = [td.load(part, policy=ALL, backend=backend) for part in (paths[:n], paths[n:])]
    volume = td.load(tmp_path, policy=ALL, backend=backend)
    assert tuple(volume.data.shape) == mask_of(volume).shape == (2, *shape)
    for k, one in enumerate(alone):
        assert_same_bits(volume.data[k].contiguous(), one.data)
        assert torch.equal(mask_of(volume)[k], mask_of(one))
        part = volume.provenance[k * shape[0] : (k + 1) * shape[0]]
        assert repr(part) == repr(one.provenance)
    assert torch.equal(affine_of(volume), affine_of(alone[0]))
    assert volume.coords["t"]["TemporalPositionIdentifier"].tolist() == [1, 2]
    options: dict[str, Any] = {"policy": ALL, "slices": [-1, 2], "region": (1, 3, 2, 6)}
    few = td.load(tmp_path, t=[1], backend=backend, **options)
    assert_same_bits(few.data, volume.data[1:, [-1, 2], 1:3, 2:6].contiguous())
    assert_volumes_equal(few, td.load(tmp_path, t=1, backend="reference", **options))


# --- both backends


@st.composite
def defective(draw: st.DrawFn) -> list[bytes]:
    """A stack with a gap or jitter, or a shear, or both."""
    orientation = draw(st.sampled_from(ORIENTATIONS))
    row, column = np.array(orientation[:3], float), np.array(orientation[3:], float)
    normal = np.cross(row, column)
    heights = draw(
        st.lists(
            st.integers(0, 9).map(float) | st.floats(0, 9).map(lambda z: round(z, 3)),
            min_size=2,
            max_size=7,
            unique=True,
        )
    )
    down, right = (draw(st.sampled_from([0.0, 0.0, 0.1, 0.25, -0.5, 0.7])) for _ in range(2))
    rows, columns = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    seed = draw(st.integers(0, 1 << 20))
    cells = np.random.default_rng(seed).integers(-9, 9, (len(heights), rows, columns), np.int16)
    padding = draw(st.sampled_from([None, 0, 3]))
    slope = draw(st.sampled_from([None, "1", "0.3"]))
    return [
        ct_slice(
            one,
            SOPInstanceUID=f"1.2.{k}",
            InstanceNumber=k,
            ImageOrientationPatient=orientation,
            ImagePositionPatient=tuple((h * (normal + down * column + right * row)).tolist()),
            PixelPaddingValue=padding,
            RescaleSlope=slope,
        )
        for k, (h, one) in enumerate(zip(heights, cells, strict=True))
    ]


OPTIONS: Sequence[dict[str, Any]] = [
    {},
    {"reduce": 1},
    {"reduce": 2, "mask": True},
    {"output": "stored", "dtype": torch.float64},
    {"dtype": torch.bfloat16},
    {"dtype": torch.float16, "slices": slice(None, None, -1)},
    {"output": td.Window(-1020, 10)},
    {"slices": [0, -1, 0]},
    {"region": (0, 1, 0, 1)},
    {"region": (0, 1, 0, 1), "slices": slice(1, None, 2)},
]


@settings(max_examples=200)
@given(files=defective(), options=st.sampled_from(OPTIONS), value=st.sampled_from([None, 2.5]))
def test_both_backends_repair_alike(
    files: list[bytes], options: dict[str, Any], value: float | None
) -> None:
    policy = td.Policy(
        missing_slices="fill",
        uneven_spacing="resample",
        gantry_tilt="resample",
        duplicate_positions="drop",
        fill_value=value,
    )

    def outcome(backend: Backend) -> Any:
        try:
            return td.load(files, policy=policy, backend=backend, **options)
        except td.DicomError as error:
            return error.code
        except ValueError as error:
            return "none" if "slices selects none" in str(error) else str(error)

    native, reference = outcome("native"), outcome("reference")
    if isinstance(native, td.Volume):
        assert_volumes_equal(native, reference)
        repaired = {"missing_slices", "uneven_spacing", "gantry_tilt"} & set(codes(native))
        assert (native.valid_mask is not None) is bool(repaired or options.get("mask"))
    else:
        assert native == reference


# --- real files


@pytest.mark.data
def test_tilted_ct(data_dir: Path, backend: Backend) -> None:
    """14 degrees: slices 5 mm apart along the table lie 5 cos 14 = 4.85 mm apart in their stack."""
    folder = data_dir / "dicom2nifti/tests/data/failing/gantrytilting"
    volume = td.load(folder, policy=ALL, backend=backend)
    # Each goes 5 sin 14 = 1.21 mm up, rows of 0.418 mm: 2.9 pixels, 8.7 in all.
    assert tuple(volume.data.shape) == (4, 521, 512)
    assert volume.spacing_mm[0] == pytest.approx(5 * np.cos(np.radians(14)), abs=1e-3)
    columns = affine_of(volume)[:3, :3]
    assert abs(float(columns[:, 0] @ columns[:, 1])) < 1e-9
    plain = td.load(folder, backend=backend)
    first, last = mask_of(volume)[0], mask_of(volume)[3]
    assert first.sum().item() == 512 * 512
    assert last.sum().item() == 511 * 512
    assert_same_bits(volume.data[0][first], plain.data[0].flatten())
    assert set(volume.data[~mask_of(volume)].tolist()) == {-1024}
