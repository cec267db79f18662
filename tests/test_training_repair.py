"""Datasets of series that their policy repairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import axial
from compare import assert_same_bits
from training import SHAPE, ramp, write_volume

if TYPE_CHECKING:
    from pathlib import Path

ALL = td.Policy(missing_slices="fill", uneven_spacing="resample", gantry_tilt="resample")
# What 8 slices of 10 x 12 become.
PLACES: dict[str, tuple[list[tuple[float, float, float]], tuple[int, int, int]]] = {
    "missing": (axial(0, 2, 6, 8, 10, 12, 14, 16), (9, 10, 12)),
    "uneven": (axial(0, 2, 4, 6.6, 8, 10, 12, 14), (8, 10, 12)),
    "tilted": ([(0.1 * k, -0.7 * k, 2 * k) for k in range(8)], (8, 20, 15)),
    "sound": (axial(0, 2, 4, 6, 8, 10, 12, 14), SHAPE),
}


def write(folder: Path, name: str) -> Path:
    return write_volume(folder, ImagePositionPatient=PLACES[name][0])


@pytest.mark.parametrize("reduce", [0, 1])
@pytest.mark.parametrize("name", PLACES)
def test_a_sample_is_the_repaired_volume(tmp_path: Path, name: str, reduce: int) -> None:
    write(tmp_path, name)
    volume = td.load(tmp_path, policy=ALL, reduce=reduce)
    if not reduce:
        assert tuple(volume.data.shape) == PLACES[name][1]
    dataset = td.VolumeDataset(tmp_path, policy=ALL, reduce=reduce)
    assert dataset.image_shape(0) == (1, *volume.data.shape)
    sample = dataset[0]
    assert list(sample) == ["image", "affine", "spacing_mm", "series"]
    assert_same_bits(sample["image"][0], volume.data)
    assert volume.affine is not None
    assert torch.equal(sample["affine"], volume.affine)
    assert sample["spacing_mm"].tolist() == list(volume.spacing_mm)
    masked = td.VolumeDataset(tmp_path, policy=ALL, reduce=reduce, mask=True)[0]
    expected = td.load(tmp_path, policy=ALL, reduce=reduce, mask=True).valid_mask
    assert expected is not None
    assert torch.equal(masked["mask"][0], expected)


@pytest.mark.parametrize("name", ["missing", "tilted"])
def test_a_read_failure_leaves_a_gap_that_is_filled(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    policy = td.Policy(missing_slices="fill", gantry_tilt="resample", truncated_pixels="drop")
    dataset = td.VolumeDataset(tmp_path, policy=policy)
    assert dataset.image_shape(0) is None  # only reading tells
    assert tuple(dataset[0]["image"].shape[1:]) == PLACES[name][1]


def test_filled_values_are_finished_like_others(tmp_path: Path) -> None:
    write(tmp_path, "missing")
    options: dict[str, Any] = {"policy": ALL, "mean": 100.0, "std": 4.0}
    plain = td.VolumeDataset(tmp_path, **options)[0]["image"]
    assert set(plain[0, 2].flatten().tolist()) == {(-1024 - 100) / 4}
    clipped = td.VolumeDataset(tmp_path, clip=(-200, 300), **options)[0]["image"]
    assert set(clipped[0, 2].flatten().tolist()) == {-75}
    windowed = td.VolumeDataset(tmp_path, window=(40, 400), **options)[0]["image"]
    assert set(windowed[0, 2].flatten().tolist()) == {-25}


@pytest.mark.parametrize("name", PLACES)
def test_patches_are_parts_of_the_repaired_volume(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    volume = td.load(tmp_path, policy=ALL)
    for buffer in (None, 1):
        patches = td.PatchDataset(
            tmp_path, (3, 5, 5), patches_per_volume=6, policy=ALL, buffer=buffer
        )
        for sample in (patches[i] for i in range(6)):
            z, y, x = sample["position"].tolist()
            part = volume.data[z : z + 3, y : y + 5, x : x + 5]
            assert_same_bits(sample["image"][0], part.contiguous())


@pytest.mark.parametrize("reduce", [0, 1])
def test_a_label_has_the_voxels_of_the_repaired_stack(tmp_path: Path, reduce: int) -> None:
    write(tmp_path, "tilted")
    # Around images that are halved there is a whole number of pixels, each of two.
    whole = (8, 20, 16) if reduce else PLACES["tilted"][1]
    label = torch.arange(int(np.prod(whole))).reshape(whole)
    dataset = td.VolumeDataset(tmp_path, policy=ALL, reduce=reduce, label=lambda _: label)
    sample = dataset[0]
    assert sample["label"].shape == sample["image"].shape
    first = 0 if not reduce else whole[2] + 1
    assert sample["label"][0, 0, 0, 0].item() == first
    with pytest.raises(ValueError, match="label"):
        td.VolumeDataset(tmp_path, policy=ALL, label=lambda _: torch.from_numpy(ramp()))[0]


@pytest.mark.parametrize(
    "policy",
    [
        td.Policy(missing_slices="fill"),
        td.Policy(uneven_spacing="resample"),
        td.Policy(gantry_tilt="resample"),
    ],
)
def test_frames_are_those_of_files(tmp_path: Path, policy: td.Policy) -> None:
    write(tmp_path, "missing")
    with pytest.raises(ValueError, match="ImageDataset"):
        td.ImageDataset(tmp_path, kinds=("volume",), size=(8, 8), policy=policy)
