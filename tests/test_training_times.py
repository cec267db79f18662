"""Datasets of series over time, of enhanced files and of mosaics: times become channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

import torchdicom as td
from builders_enhanced import enhanced
from builders_multiframe import dose, mosaic, write_times

if TYPE_CHECKING:
    from pathlib import Path


def over_time(folder: Path) -> Path:
    """Three slices at two times; time t and slice z hold 100 * t + 10 * z."""
    write_times(folder, (30, 32, 34), 2, TemporalPositionIdentifier=[1, 2])
    return folder


def test_times_are_channels_of_a_volume(tmp_path: Path) -> None:
    dataset = td.VolumeDataset(over_time(tmp_path))
    image = dataset[0]["image"]
    assert image.shape == (2, 3, 3, 4)
    assert image[:, :, 0, 0].tolist() == [[0, 10, 20], [100, 110, 120]]
    (batch,) = td.Loader(dataset, 1)
    assert torch.equal(batch["image"][0], image)


def test_times_are_channels_of_a_patch(tmp_path: Path) -> None:
    dataset = td.PatchDataset(over_time(tmp_path), (2, 3, 4), mode="grid")
    assert dataset[0]["image"][:, :, 0, 0].tolist() == [[0, 10], [100, 110]]


def test_every_slice_of_every_time_is_an_image(tmp_path: Path) -> None:
    dataset = td.ImageDataset(over_time(tmp_path), kinds=("volume",), output="modality")
    assert [one["image"][0, 0, 0].item() for one in dataset] == [0, 10, 20, 100, 110, 120]
    assert [one["affine"][2, 3].item() for one in dataset] == [30, 32, 34] * 2
    (batch,) = td.Loader(dataset, 6)
    assert batch["image"][:, 0, 0, 0].tolist() == [0, 10, 20, 100, 110, 120]
    masked = td.ImageDataset(tmp_path, kinds=("volume",), output="modality", mask=True)
    assert [one["image"][0, 0, 0].item() for one in masked] == [0, 10, 20, 100, 110, 120]


def test_tiles_of_a_mosaic_are_images(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(mosaic(3))
    dataset = td.ImageDataset(tmp_path, kinds=("volume",), output="modality")
    assert len(dataset) == 3
    assert dataset[2]["image"].tolist() == [[[20, 21, 22], [23, 24, 25]]]
    (batch,) = td.Loader(dataset, 3)
    assert batch["image"][:, 0, 0, 0].tolist() == [0, 10, 20]


def test_frames_of_an_enhanced_file_are_images(tmp_path: Path) -> None:
    slopes = {"RescaleSlope": [1, 2, 3], "RescaleIntercept": [0, 0, 5]}
    (tmp_path / "a.dcm").write_bytes(enhanced(3, per_frame=slopes))
    dataset = td.ImageDataset(tmp_path, kinds=("volume",), output="modality")
    (batch,) = td.Loader(dataset, 3)
    assert batch["image"][:, 0, 0, 1].tolist() == [1, 202, 608]


def test_frames_of_a_cine_with_a_mask(tmp_path: Path) -> None:
    name = tmp_path / "a.dcm"
    nowhere = {"ImagePositionPatient": None, "ImageOrientationPatient": None}
    name.write_bytes(enhanced(3, Modality="US", shared=nowhere))
    dataset = td.ImageDataset(tmp_path, output="stored", mask=True)
    assert [one["image"][0, 0, 0].item() for one in dataset] == [0, 100, 200]


def test_a_dose_is_a_volume_of_its_own_kind(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(dose(3))
    dataset = td.VolumeDataset(tmp_path, kinds=("dose",))
    assert dataset[0]["image"].shape == (1, 3, 3, 4)
