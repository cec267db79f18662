"""Size, spacing and orientation of volumes: every voxel is where the affine says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch
import torch.nn.functional as F

import torchdicom as td
from builders import ct_slice, write_series
from training import (
    ULTRASOUND,
    image_of,
    place,
    ramp,
    ramp_at,
    write_volume,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_volume(tmp_path / "ct")


# --- size


def test_crop_is_about_the_middle(folder: Path) -> None:
    sample = td.VolumeDataset(folder, size=(3, 4, 5))[0]
    assert sample["image"][0].tolist() == ramp()[2:5, 3:7, 3:8].tolist()
    assert place(sample, (0, 0, 0)) == [-10 + 3 * 0.25, -20 + 3 * 0.5, 30 + 2 * 2.5]


def test_padding_is_air(folder: Path) -> None:
    sample = td.VolumeDataset(folder, size=(10, 10, 15))[0]
    image = sample["image"][0]
    # Of an odd number of voxels the last one stands at the end.
    assert image[1:9, :, 1:13].tolist() == ramp().tolist()
    outside = torch.ones_like(image, dtype=torch.bool)
    outside[1:9, :, 1:13] = False
    assert image[outside].unique().tolist() == [-1024]
    assert place(sample, (1, 0, 1)) == [-10, -20, 30]


@pytest.mark.parametrize(
    ("options", "padding"),
    [
        ({}, -1024),
        ({"output": "stored"}, 0),
        ({"window": (0, 4096)}, 0.25),
        ({"clip": (-100, 50)}, -100),
        ({"mean": 1.0, "std": 2.0}, -512.5),
        ({"window": (0, 4096), "mean": 0.5, "std": 0.5}, -0.5),
        ({"output": "stored", "dtype": torch.int16}, 0),
        ({"dtype": torch.int16}, -1024),
    ],
)
def test_padding_is_finished_like_a_value(
    folder: Path, options: dict[str, Any], padding: float
) -> None:
    image = image_of(folder, size=(9, 10, 12), **options)
    assert set(image[0, -1].flatten().tolist()) == {padding}


def test_padding_of_other_units_is_0(tmp_path: Path) -> None:
    folder = write_volume(tmp_path, Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4")
    assert image_of(folder, size=(9, 10, 12))[0, -1].eq(0).all()


# --- spacing and orientation


@pytest.mark.parametrize("orientation", [None, "LPS", "RAS", "LAI", "PSL", "IRA", "SLP"])
@pytest.mark.parametrize(
    "spacing",
    [None, 1.0, 0.7, (1.25, 0.25, 0.125), (5.0, 1.0, 0.5), (2.5, 0.5, 0.25), (100, 100, 100)],
)
def test_every_voxel_is_where_the_affine_says(
    folder: Path, orientation: str | None, spacing: Any
) -> None:
    sample = td.VolumeDataset(folder, orientation=orientation, spacing_mm=spacing)[0]
    image = sample["image"][0]
    expected = ramp_at(sample["affine"], image.shape)
    assert (image.double() - expected).abs().max() < 1e-3
    if spacing is not None:
        mm = (spacing,) * 3 if isinstance(spacing, float) else spacing
        assert sample["spacing_mm"].tolist() == list(mm)
        assert torch.allclose(
            sample["affine"][:3, :3].norm(dim=0), sample["spacing_mm"], rtol=1e-12
        )


@pytest.mark.parametrize(
    ("orientation", "towards", "shape"),
    [
        # The columns of the affine are the steps of z, y and x.
        ("LPS", [[0, 0, 1], [0, 1, 0], [1, 0, 0]], (8, 10, 12)),
        ("RAS", [[0, 0, -1], [0, -1, 0], [1, 0, 0]], (8, 10, 12)),
        ("RAI", [[0, 0, -1], [0, -1, 0], [-1, 0, 0]], (8, 10, 12)),
        ("SPL", [[1, 0, 0], [0, 1, 0], [0, 0, 1]], (12, 10, 8)),
        ("PSR", [[-1, 0, 0], [0, 0, 1], [0, 1, 0]], (12, 8, 10)),
    ],
)
def test_letters_say_where_x_y_and_z_point_to(
    folder: Path, orientation: str, towards: list[list[int]], shape: tuple[int, ...]
) -> None:
    sample = td.VolumeDataset(folder, orientation=orientation)[0]
    assert tuple(sample["image"].shape[1:]) == shape
    assert sample["affine"][:3, :3].sign().tolist() == towards
    assert td.VolumeDataset(folder, orientation=orientation).image_shape(0) == (1, *shape)


def test_closest_axes_of_an_oblique_series(tmp_path: Path) -> None:
    tilt = math.radians(20)
    cos, sin = math.cos(tilt), math.sin(tilt)
    # A sagittal series that is tilted about the axis from left to right.
    positions = [(3.0 * i, 0, 0) for i in range(4)]
    write_series(
        tmp_path,
        4,
        pixels=list(ramp((4, 5, 6))),
        ImageOrientationPatient=(0, cos, sin, 0, sin, -cos),
        ImagePositionPatient=positions,
        PixelSpacing=(2, 1),
        RescaleIntercept=0,
    )
    plain, turned = (td.VolumeDataset(tmp_path, orientation=one)[0] for one in (None, "LPS"))
    assert tuple(turned["image"].shape) == (1, 5, 6, 4)
    assert turned["spacing_mm"].tolist() == pytest.approx([2, 1, 3])
    steps = turned["affine"][:3, :3]
    # Each voxel is where it was.
    assert steps[:, 2].tolist() == pytest.approx([3, 0, 0])
    assert steps[:, 1].tolist() == pytest.approx([0, cos, sin])
    assert steps[:, 0].tolist() == pytest.approx([0, -2 * sin, 2 * cos])
    for voxel in [(0, 0, 0), (4, 5, 3), (1, 2, 2)]:
        value = turned["image"][(0, *voxel)]
        (found,) = (plain["image"][0] == value).nonzero().tolist()
        assert place(plain, tuple(found)) == pytest.approx(place(turned, voxel))


def test_spacing_of_whole_ratios_is_that_of_torch(folder: Path) -> None:
    image = image_of(folder, spacing_mm=(1.25, 1.0, 0.125))
    plain = image_of(folder)
    expected = F.interpolate(plain[None], size=(16, 5, 24), mode="trilinear", align_corners=False)
    assert image.shape == (1, 16, 5, 24)
    assert (image - expected[0]).abs().max() < 1e-3


def test_spacing_keeps_the_outer_corner(folder: Path) -> None:
    corner = [-10 - 0.125, -20 - 0.25, 30 - 1.25]
    sizes = {(0.9, 0.3, 0.2): [22, 17, 15], (6.0, 2.0, 1.0): [3, 3, 3]}
    for spacing, size in sizes.items():
        sample = td.VolumeDataset(folder, spacing_mm=spacing)[0]
        assert list(sample["image"].shape[1:]) == size
        first = [a - b / 2 for a, b in zip(place(sample, (0, 0, 0)), spacing[::-1], strict=True)]
        assert first == pytest.approx(corner)


def test_mask_is_false_where_padding_has_a_part(tmp_path: Path) -> None:
    folder = write_volume(tmp_path, PixelPaddingValue=345)  # z 3, y 4, x 5
    sample = td.VolumeDataset(folder, mask=True, spacing_mm=(1.25, 0.5, 0.25))[0]
    # Half the step: voxels 5 to 8 lie less than a voxel from the third slice.
    assert (~sample["mask"]).nonzero().tolist() == [[0, z, 4, 5] for z in (5, 6, 7, 8)]


def test_place_must_be_known(tmp_path: Path) -> None:
    folder = write_volume(tmp_path)
    dx = ct_slice(
        **ULTRASOUND | {"Modality": "DX", "SeriesInstanceUID": "7", "SOPInstanceUID": "7.1"}
    )
    (folder / "dx").write_bytes(dx)
    kinds = ("volume", "image")
    both: list[dict[str, Any]] = [{"spacing_mm": 1.0}, {"orientation": "LPS"}]
    for options in both:
        with pytest.raises(td.SeriesError, match="which is not known") as caught:
            td.VolumeDataset(folder, kinds=kinds, **options)
        assert caught.value.code == "no_position"
    with pytest.warns(td.DicomWarning, match="quarantine"):
        dataset = td.VolumeDataset(folder, kinds=kinds, spacing_mm=1.0, on_error="quarantine")
    assert len(dataset) == 1
