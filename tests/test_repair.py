"""Missing slices are filled: places, values, mask, provenance, affine (`Policy`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import axial, write_series
from builders_forms import COLOUR, modality_lut, native_file, palette, real_world, real_world_item
from builders_parts import flat
from helpers import Backend, affine_of, codes, expect_error, firsts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILL = td.Policy(missing_slices="fill")
NOWHERE = (math.nan, math.nan)


def write(folder: Path, heights: Sequence[float] = (0, 2, 6, 8), **attributes: Any) -> list[Path]:
    """Slices that hold 0, 100, 200 ... and have no gap but those between the heights."""
    cells = [flat(100 * k) for k in range(len(heights))]
    places = axial(*heights)
    return write_series(
        folder, len(heights), pixels=cells, ImagePositionPatient=places, **attributes
    )


def filled(source: Any, backend: Backend, value: float | None = None, **options: Any) -> td.Volume:
    policy = td.Policy(missing_slices="fill", fill_value=value)
    return td.load(source, policy=policy, backend=backend, **options)


def valid(volume: td.Volume) -> list[bool]:
    """Of each slice, where all its voxels are alike."""
    assert volume.valid_mask is not None
    assert volume.valid_mask.shape == volume.data.shape[-3:]
    flags = volume.valid_mask.flatten(1)
    assert bool((flags.all(1) == flags.any(1)).all())
    return flags.any(1).tolist()


def test_one_slice(tmp_path: Path, backend: Backend) -> None:
    paths = write(tmp_path)
    volume = filled(tmp_path, backend)
    assert firsts(volume) == [-1024, -924, -1024, -824, -724]
    assert valid(volume) == [True, True, False, True, True]
    assert affine_of(volume).tolist() == [
        [0.0, 0.0, 0.25, 0.0],
        [0.0, 0.5, 0.0, 0.0],
        [2.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
    assert volume.spacing_mm == (2.0, 0.5, 0.25)
    assert volume.units == "HU"
    assert repr(volume.provenance[2]) == repr(
        td.load(paths[0])
        .provenance[0]
        ._replace(
            path="",
            frame=-1,
            sop_instance_uid="",
            position_mm=(0.0, 0.0, 4.0),
            slope=math.nan,
            intercept=math.nan,
        )
    )
    others = [volume.provenance[i].path for i in (0, 1, 3, 4)]
    assert others == list(map(str, paths))


def test_several_slices(tmp_path: Path, backend: Backend) -> None:
    write(tmp_path, (0, 2, 6, 8, 10, 16))
    volume = filled(tmp_path, backend, value=-1.5)
    assert firsts(volume) == [-1024, -924, -1.5, -824, -724, -624, -1.5, -1.5, -524]
    assert valid(volume) == [True, True, False, True, True, True, False, False, True]
    heights = [one.position_mm[2] for one in volume.provenance]
    assert heights == [0, 2, 4, 6, 8, 10, 12, 14, 16]
    assert [i for i, one in enumerate(volume.provenance) if one.frame < 0] == [2, 6, 7]


def test_the_verdict_and_the_index_are_of_the_files(tmp_path: Path, backend: Backend) -> None:
    paths = write(tmp_path)
    volume = filled(tmp_path, backend)
    assert codes(volume) == ["missing_slices"]
    assert volume.verdict.ok is False
    (defect,) = volume.verdict.defects
    assert (defect.slices, defect.files) == ((1,), (str(paths[1]),))
    (series,) = td.scan(tmp_path, progress=False).series
    assert series.shape == (4, 3, 4)
    assert torch.equal(series.load(policy=FILL).data, volume.data)


def test_the_mean_step_is_kept(tmp_path: Path, backend: Backend) -> None:
    """The gaps jitter within the tolerance; the filled slice lies on the grid of the affine."""
    write(tmp_path, (0, 2, 4, 8.05, 10.0, 12.0, 14.07))
    volume = filled(tmp_path, backend)
    assert volume.data.shape[0] == 8
    assert affine_of(volume)[2, 0].item() == pytest.approx(14.07 / 7, abs=1e-12)
    assert volume.provenance[3].position_mm[2] == pytest.approx(3 * 14.07 / 7, abs=1e-12)
    assert volume.provenance[4].position_mm == (0.0, 0.0, 8.05)


def test_nothing_is_made_without_the_defect(tmp_path: Path, backend: Backend) -> None:
    write(tmp_path, (0, 2, 4))
    everything = td.Policy(
        missing_slices="fill", uneven_spacing="resample", gantry_tilt="resample", fill_value=3.0
    )
    volume = td.load(tmp_path, policy=everything, output="stored", backend=backend)
    assert (volume.data.dtype, firsts(volume)) == (torch.int16, [0, 100, 200])
    assert volume.valid_mask is None


# --- the value


@pytest.mark.parametrize(
    ("output", "expected"),
    # The slice before the gap has 7; the one behind it another.
    [("modality", 7 * 2 - 1000), ("stored", 7), (td.Window(0, 10), 0)],
)
def test_padding_of_the_slice_before(
    tmp_path: Path, backend: Backend, output: Any, expected: float
) -> None:
    padded: dict[str, Any] = {"PixelPaddingValue": [5, 7, 9, 11], "PixelPaddingRangeLimit": 3}
    write(tmp_path, RescaleSlope=2, RescaleIntercept=-1000, **padded)
    volume = filled(tmp_path, backend, output=output)
    assert firsts(volume)[2] == expected
    assert valid(volume) == [True, True, False, True, True]
    assert set(volume.data[2].flatten().tolist()) == {float(expected)}


def test_padding_with_a_sign(tmp_path: Path, backend: Backend) -> None:
    write(tmp_path, PixelPaddingValue=0x10000 - 2000)
    assert firsts(filled(tmp_path, backend))[2] == -2000 - 1024


def test_padding_in_a_table(tmp_path: Path, backend: Backend) -> None:
    lut = modality_lut([40, 50, 60], unit="HU")
    write(
        tmp_path, extra=[[lut]] * 4, PixelPaddingValue=1, RescaleSlope=None, RescaleIntercept=None
    )
    assert firsts(filled(tmp_path, backend)) == [40, 60, 50, 60, 60]


@pytest.mark.parametrize(("table", "expected"), [(None, 7 * 3 + 1.0), ([4.5, 5.5, 6.5], 5.5)])
def test_padding_in_a_real_world_map(
    tmp_path: Path, backend: Backend, table: Any, expected: float
) -> None:
    linear: dict[str, Any] = {"slope": 3, "intercept": 1}
    form = linear if table is None else {"values": table}
    last = 32767 if table is None else 8
    maps = real_world(real_world_item(first=6, last=last, label="m", **form))
    write(tmp_path, extra=[[maps]] * 4, PixelPaddingValue=7)
    assert firsts(filled(tmp_path, backend, output="real_world"))[2] == expected


@pytest.mark.parametrize(
    ("attributes", "options", "expected"),
    [
        ({}, {}, -1024),
        ({"Modality": "MR"}, {}, 0),
        ({}, {"output": "stored"}, 0),
        ({}, {"output": td.Window(-900, 100)}, 0),
        ({"PhotometricInterpretation": "MONOCHROME1"}, {"output": td.Window(-900, 100)}, 0),
        ({"WindowCenter": 40, "WindowWidth": 400}, {"output": "window"}, 0),
        ({}, {"dtype": torch.float16}, -1024),
    ],
)
def test_value_without_padding(
    tmp_path: Path,
    backend: Backend,
    attributes: dict[str, Any],
    options: dict[str, Any],
    expected: float,
) -> None:
    write(tmp_path, **attributes)
    assert set(filled(tmp_path, backend, **options).data[2].flatten().tolist()) == {expected}


@pytest.mark.parametrize(
    ("value", "options"),
    [
        (-3000.25, {}),
        (0.5, {"output": td.Window(0, 10)}),
        (-2.0, {"output": td.Window(0, 10)}),
        (-32768, {"output": "stored"}),
        (255, {"output": "stored", "dtype": torch.int64}),
        (-1.0, {"output": "real_world"}),
    ],
)
def test_value_of_the_policy(
    tmp_path: Path, backend: Backend, value: float, options: dict[str, Any]
) -> None:
    maps = real_world(real_world_item(first=0, last=999, label="m", slope=1, intercept=0))
    write(tmp_path, PixelPaddingValue=7, extra=[[maps]] * 4)
    volume = filled(tmp_path, backend, value, **options)
    assert set(volume.data[2].flatten().tolist()) == {value}


@pytest.mark.parametrize(
    ("value", "options"),
    [
        (0.5, {"output": "stored"}),
        (32768, {"output": "stored"}),
        (-1, {"output": "stored", "dtype": torch.uint16}),
        (None, {"dtype": torch.uint8, "slices": [2]}),
    ],
)
def test_value_that_the_dtype_does_not_hold(
    tmp_path: Path, backend: Backend, value: float | None, options: dict[str, Any]
) -> None:
    write(tmp_path, RescaleIntercept=0)
    with pytest.raises(ValueError, match="fill_value"):
        filled(tmp_path, backend, value, **options)


# --- colours


def write_colours(folder: Path, extra: list[Any] | None = None, **form: Any) -> None:
    folder.mkdir(exist_ok=True)
    for k, z in enumerate((0, 2, 6, 8)):
        raw = np.full((2, 2, 1 if extra else 3), k + 1, np.uint8).tobytes()
        own = {"SOPInstanceUID": f"1.{k}", "ImagePositionPatient": (0, 0, z)}
        options: dict[str, Any] = {"extra": extra or [], **form, **own}
        data = native_file(raw, (2, 2), allocated=8, **options)
        (folder / f"{k}.dcm").write_bytes(data)


@pytest.mark.parametrize(("value", "expected"), [(None, 0), (9, 9)])
def test_colours(tmp_path: Path, backend: Backend, value: float | None, expected: int) -> None:
    write_colours(tmp_path, **COLOUR)
    volume = filled(tmp_path, backend, value)
    assert (volume.dims, volume.data.dtype) == (("c", "z", "y", "x"), torch.uint8)
    assert volume.data[:, :, 1, 0].tolist() == [[1, 2, expected, 3, 4]] * 3
    assert valid(volume) == [True, True, False, True, True]


@pytest.mark.parametrize("output", ["modality", "stored"])
def test_palette(tmp_path: Path, backend: Backend, output: Any) -> None:
    tables = palette([[9, 10, 20, 30, 40]] * 3, bits=8)
    form = {"PhotometricInterpretation": "PALETTE COLOR", "PixelPaddingValue": 99}
    write_colours(tmp_path, tables, RescaleSlope=None, RescaleIntercept=None, **form)
    volume = filled(tmp_path, backend, output=output)
    expected = [1, 2, 0, 3, 4] if output == "stored" else [10, 20, 0, 30, 40]
    assert volume.data.reshape(-1, 5, 2, 2)[0, :, 0, 0].tolist() == expected


# --- limits and damage


def test_slices_without_end(tmp_path: Path, backend: Backend) -> None:
    paths = write(tmp_path, (0, 0.1, 0.2, 200_000))
    with expect_error("limit_frames", path=paths[2], element="ImagePositionPatient"):
        filled(tmp_path, backend)


def test_a_dropped_slice_is_filled(tmp_path: Path, backend: Backend) -> None:
    paths = write(tmp_path, (0, 2, 4, 6, 8))
    paths[2].write_bytes(paths[2].read_bytes()[:-3])
    policy = td.Policy(missing_slices="fill", truncated_pixels="drop")
    volume = td.load(tmp_path, policy=policy, backend=backend)
    assert firsts(volume) == [-1024, -924, -1024, -724, -624]
    assert codes(volume) == ["truncated_pixels", "missing_slices"]
