"""Uneven and tilted stacks are resampled onto a straight and even grid (`Policy`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import axial, write_series
from builders_forms import COLOUR, native_file, palette
from builders_parts import flat
from helpers import Backend, affine_of, codes, expect_error, firsts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from builders import Cells

EVEN = td.Policy(uneven_spacing="resample")
STRAIGHT = td.Policy(gantry_tilt="resample")
ALL = td.Policy(missing_slices="fill", uneven_spacing="resample", gantry_tilt="resample")


def write(
    folder: Path, places: Sequence[tuple[float, ...]], cells: Sequence[Cells], **attributes: Any
) -> list[Path]:
    """Slices whose modality values are the cells; 0.5 mm between rows, 0.25 between columns."""
    return write_series(
        folder,
        len(places),
        pixels=cells,
        ImagePositionPatient=list(places),
        RescaleIntercept=0,
        **attributes,
    )


def mask_of(volume: td.Volume) -> Any:
    assert volume.valid_mask is not None
    return volume.valid_mask.int().tolist()


# --- along the normal

UNEVEN = (0, 2, 4.5, 6, 8)  # the median gap is 2


def write_uneven(folder: Path, heights: Sequence[float] = UNEVEN, **more: Any) -> list[Path]:
    """A ramp: each slice has 100 times its height."""
    cells = [flat(round(100 * z)) for z in heights]
    return write(folder, axial(*heights), cells, **more)


def test_a_ramp_stays_one(tmp_path: Path, backend: Backend) -> None:
    paths = write_uneven(tmp_path)
    volume = td.load(tmp_path, policy=EVEN, backend=backend)
    assert firsts(volume) == [0, 200, 400, 600, 800]
    assert codes(volume) == ["uneven_spacing"]
    assert volume.spacing_mm == (2.0, 0.5, 0.25)
    assert affine_of(volume)[:3, 3].tolist() == [0, 0, 0]
    assert bool(volume.valid_mask is not None and volume.valid_mask.all())
    one = volume.provenance[2]
    assert (one.path, one.frame, one.sop_instance_uid) == ("", -1, "")
    assert one.position_mm == (0.0, 0.0, 4.0)
    assert math.isnan(one.slope)
    assert math.isnan(one.intercept)
    assert [volume.provenance[i].path for i in (0, 1, 3, 4)] == [
        str(paths[i]) for i in (0, 1, 3, 4)
    ]


def test_the_grid_ends_before_the_last_slice(tmp_path: Path, backend: Backend) -> None:
    write_uneven(tmp_path, (0, 2, 4.5, 6, 8, 9.5))
    volume = td.load(tmp_path, policy=EVEN, dtype=torch.float64, backend=backend)
    assert firsts(volume) == pytest.approx([0, 200, 400, 600, 800], abs=1e-9)
    assert volume.spacing_mm[0] == pytest.approx(2, abs=1e-12)


@pytest.mark.parametrize(("off", "made"), [(1e-6, False), (4e-6, True)])
def test_a_slice_as_good_as_there_is_copied(
    tmp_path: Path, backend: Backend, off: float, *, made: bool
) -> None:
    heights = (0, 2, 4 + off, 6.9, 8, 10)
    write(tmp_path, axial(*heights), [flat(100 * k) for k in range(6)])
    volume = td.load(tmp_path, policy=EVEN, dtype=torch.float64, backend=backend)
    assert (volume.provenance[2].frame < 0) is made
    assert (volume.data[2, 0, 0].item() == 200) is not made


def test_a_voxel_between_is_valid_where_both_are(tmp_path: Path, backend: Backend) -> None:
    cells = [flat(100 * k) for k in range(5)]
    cells[1][0, 1] = cells[2][0, 2] = cells[3][0, 3] = -7
    write(tmp_path, axial(*UNEVEN), cells, PixelPaddingValue=0x10000 - 7)
    volume = td.load(tmp_path, policy=EVEN, backend=backend)
    assert [one[0] for one in mask_of(volume)] == [
        [1, 1, 1, 1],
        [1, 0, 1, 1],
        [1, 0, 0, 1],
        [1, 1, 1, 0],
        [1, 1, 1, 1],
    ]


def test_rounded_once_to_a_short_float(tmp_path: Path, backend: Backend) -> None:
    cells = [flat(value) for value in (0, 1, 4098, 3, 4)]
    write(tmp_path, axial(0, 2, 5, 6, 8), cells)
    # At 4 it is two thirds of the way from 1 to 4098.
    for dtype, expected in ((torch.float32, 2732.333251953125), (torch.bfloat16, 2736.0)):
        volume = td.load(tmp_path, policy=EVEN, dtype=dtype, backend=backend)
        assert (volume.data.dtype, volume.data[2, 0, 0].item()) == (dtype, expected)


# --- in the plane

BOX = np.arange(1, 13, dtype=np.int16).reshape(3, 4)


def write_tilted(folder: Path, down: float, right: float, n: int = 3, **more: Any) -> list[Path]:
    """The same image in slices that go sideways by so many pixels each."""
    places = [(0.25 * right * k, 0.5 * down * k, 5.0 * k) for k in range(n)]
    return write(folder, places, [BOX + np.int16(100 * k) for k in range(n)], **more)


def test_whole_pixels_down(tmp_path: Path, backend: Backend) -> None:
    paths = write_tilted(tmp_path, 2, 0)
    volume = td.load(tmp_path, policy=STRAIGHT, backend=backend)
    air = [-1024.0] * 4
    assert volume.data.tolist() == [
        [*BOX.tolist(), air, air, air, air],
        [air, air, *(BOX + 100).tolist(), air, air],
        [air, air, air, air, *(BOX + 200).tolist()],
    ]
    assert mask_of(volume) == (volume.data != -1024).int().tolist()
    assert affine_of(volume).tolist() == [
        [0.0, 0.0, 0.25, 0.0],
        [0.0, 0.5, 0.0, 0.0],
        [5.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
    assert codes(volume) == ["gantry_tilt"]
    assert [one.path for one in volume.provenance] == list(map(str, paths))
    assert volume.provenance[1].position_mm == (0.0, 1.0, 5.0)


def test_whole_pixels_up_and_left(tmp_path: Path, backend: Backend) -> None:
    write_tilted(tmp_path, -1, -1, 2)
    policy = td.Policy(gantry_tilt="resample", fill_value=0.0)
    volume = td.load(tmp_path, policy=policy, backend=backend)
    assert volume.data.tolist() == [
        [[0, 0, 0, 0, 0], [0, 1, 2, 3, 4], [0, 5, 6, 7, 8], [0, 9, 10, 11, 12]],
        [[101, 102, 103, 104, 0], [105, 106, 107, 108, 0], [109, 110, 111, 112, 0], [0] * 5],
    ]
    assert affine_of(volume)[:3, 3].tolist() == [-0.25, -0.5, 0.0]


def test_half_pixels(tmp_path: Path, backend: Backend) -> None:
    """What is not between pixels of the slice is no value of it."""
    write_tilted(tmp_path, 0.5, -0.5, 2)
    volume = td.load(tmp_path, policy=STRAIGHT, backend=backend)
    air = -1024
    assert volume.data.tolist() == [
        [[air, 1, 2, 3, 4], [air, 5, 6, 7, 8], [air, 9, 10, 11, 12], [air] * 5],
        [[air] * 5, *[[air, 103.5 + k, 104.5 + k, 105.5 + k, air] for k in (0, 4)], [air] * 5],
    ]
    assert mask_of(volume)[1] == [[0] * 5, [0, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0] * 5]


def test_a_pixel_of_padding_spreads(tmp_path: Path, backend: Backend) -> None:
    write_tilted(tmp_path, 0.5, 0, 2, PixelPaddingValue=106)
    volume = td.load(tmp_path, policy=STRAIGHT, backend=backend)
    assert mask_of(volume)[0][:3] == [[1] * 4] * 3
    assert mask_of(volume)[1] == [[0] * 4, [1, 0, 1, 1], [1, 0, 1, 1], [0] * 4]
    # Padding is rescaled like any other value, and stands outside too.
    assert volume.data[1, :, 0].tolist() == [106, 103, 107, 106]


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 0, -1), (0, 1, 0, 0, 0, -1)])
@pytest.mark.parametrize("gaps", [(1, 1, 1), (1, 1.4, 0.6), (1, 2, 1)], ids=str)
def test_a_ramp_in_the_patient_stays_one(
    tmp_path: Path, backend: Backend, orientation: tuple[int, ...], gaps: tuple[float, ...]
) -> None:
    """A voxel has what the place has that the affine gives it, however the stack was cut."""
    row, column = np.array(orientation[:3], float), np.array(orientation[3:], float)
    normal = np.cross(row, column)
    heights = np.cumsum([0, *gaps])
    origins = [h * (2 * normal + 0.3 * row - 0.45 * column) for h in heights]
    slope = np.array([3.0, -5.0, 7.0])
    y, x = np.indices((8, 12))
    cells = []
    for origin in origins:
        places = origin + y[..., None] * 0.5 * column + x[..., None] * 0.25 * row
        cells.append(np.rint(1000 * (places @ slope)).astype(np.int32))
    places = [tuple(np.round(origin, 9).tolist()) for origin in origins]
    form = {"ImageOrientationPatient": orientation, "RescaleSlope": "0.001"}
    write(tmp_path, places, cells, **form)
    volume = td.load(tmp_path, policy=ALL, dtype=torch.float64, backend=backend)
    affine = affine_of(volume)
    across = torch.tensor(np.stack([row, column]))
    assert (across @ affine[:3, 0]).abs().max() < 1e-9
    assert volume.valid_mask is not None
    index = torch.nonzero(volume.valid_mask)
    assert len(index) > 150
    at = index.double() @ affine[:3, :3].T + affine[:3, 3]
    found = volume.data[volume.valid_mask]
    assert (found - at @ torch.tensor(slope)).abs().max() < 0.0025  # the cells are rounded


def test_filled_and_straightened(tmp_path: Path, backend: Backend) -> None:
    places = [(0.0, 0.5 * k, 5.0 * k) for k in (0, 1, 3)]
    write(tmp_path, places, [flat(k) for k in (1, 2, 3)])
    # The median of two gaps, 5 and 10, is none of them.
    places.append((0.0, 2.0, 20.0))
    write(tmp_path, places, [flat(k) for k in (1, 2, 3, 4)])
    volume = td.load(tmp_path, policy=ALL, backend=backend)
    assert codes(volume) == ["missing_slices", "gantry_tilt"]
    assert volume.data[:, :, 0].tolist() == [
        [1, 1, 1, -1024, -1024, -1024, -1024],
        [-1024, 2, 2, 2, -1024, -1024, -1024],
        [-1024] * 7,
        [-1024, -1024, -1024, 3, 3, 3, -1024],
        [-1024, -1024, -1024, -1024, 4, 4, 4],
    ]
    assert mask_of(volume)[2] == [[0] * 4] * 7
    assert volume.provenance[2].position_mm == (0.0, 1.0, 10.0)
    assert volume.spacing_mm == (5.0, 0.5, 0.25)


# --- what cannot be interpolated


@pytest.mark.parametrize(
    ("policy", "code"), [(EVEN, "uneven_spacing"), (STRAIGHT, "gantry_tilt")], ids=str
)
@pytest.mark.parametrize(
    "options", [{"dtype": torch.int16}, {"output": "stored"}, {"dtype": torch.uint8}], ids=str
)
def test_integers(
    tmp_path: Path, backend: Backend, policy: td.Policy, code: str, options: dict[str, Any]
) -> None:
    if code == "gantry_tilt":
        write_tilted(tmp_path, 1, 1)
    else:
        write_uneven(tmp_path)
    with pytest.raises(ValueError, match=rf"{code}='resample'.*dtype"):
        td.load(tmp_path, policy=policy, backend=backend, **options)
    floats = td.load(tmp_path, policy=policy, output="stored", dtype=torch.float32, backend=backend)
    assert floats.data.dtype == torch.float32


@pytest.mark.parametrize("form", ["RGB", "PALETTE COLOR"])
def test_colours(tmp_path: Path, backend: Backend, form: str) -> None:
    for k, z in enumerate(UNEVEN):
        raw = bytes(4 if form == "PALETTE COLOR" else 12)
        options: dict[str, Any] = {**COLOUR, "PhotometricInterpretation": form}
        if form == "PALETTE COLOR":
            options |= {"SamplesPerPixel": 1, "extra": palette([[1, 2]] * 3, bits=8)}
        options |= {"SOPInstanceUID": f"1.{k}", "ImagePositionPatient": (0, 0, z)}
        (tmp_path / f"{k}.dcm").write_bytes(native_file(raw, (2, 2), allocated=8, **options))
    for output in ("modality", "stored"):
        with expect_error(
            "unsupported_pixel_format",
            path=tmp_path / "0.dcm",
            element="PhotometricInterpretation",
        ):
            td.load(tmp_path, policy=EVEN, output=output, dtype=torch.float32, backend=backend)


def test_a_canvas_without_end(tmp_path: Path, backend: Backend) -> None:
    places = [(0.0, 4000.0 * k, 5000.0 * k) for k in range(6)]
    paths = write(tmp_path, places, [flat(k) for k in range(6)])
    with expect_error("limit_rows", path=paths[-1], element="ImagePositionPatient"):
        td.load(tmp_path, policy=STRAIGHT, backend=backend)
