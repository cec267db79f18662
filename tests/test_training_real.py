"""The datasets on real files."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import torchdicom as td
from compare import assert_same_bits
from training import place

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.data
STS = "mirp/test/data/sts_images"


def test_ct(data_dir: Path) -> None:
    folder = data_dir / "tcia-cmb-crc"
    dataset = td.VolumeDataset(folder)
    volume = td.load(folder)
    sample = dataset[0]
    assert_same_bits(sample["image"][0], volume.data)
    assert volume.affine is not None
    assert torch.equal(sample["affine"], volume.affine)
    out = torch.empty(dataset.image_shape(0) or ())
    assert dataset.read(0, out=out)["image"] is out
    assert_same_bits(out[0], volume.data)
    patches = td.PatchDataset(folder, (32, 64, 64), patches_per_volume=4, buffer=1)
    for patch in patches:
        z, y, x = patch["position"].tolist()
        assert_same_bits(patch["image"][0], volume.data[z : z + 32, y : y + 64, x : x + 64])
    slices = td.ImageDataset(folder, kinds=("volume",), output="modality")
    assert len(slices) == len(volume.data)
    assert_same_bits(slices[50]["image"][0], volume.data[50])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"orientation": "RAS"},
        {"orientation": "SPL"},
        {"size": (40, 160, 100)},
        {"orientation": "PIR", "size": (100, 40, 200)},
    ],
)
def test_nifti_of_another_converter_is_the_same_image(
    data_dir: Path, options: dict[str, Any]
) -> None:
    folder, nifti = (data_dir / STS / "STS_002/CT" / name / "image" for name in ("dicom", "nifti"))
    sample = td.VolumeDataset(folder, label=lambda _: nifti / "image.nii.gz", **options)[0]
    inside = sample["image"] != -1024
    assert inside.any()
    # Both are whole numbers; where they pad and crop they do so alike.
    assert (sample["image"][inside] - sample["label"][inside]).abs().max() <= 0.5


def test_labelled_pet(data_dir: Path) -> None:
    folder = data_dir / STS / "STS_001/PET"
    path = folder / "nifti/mask/mask.nii.gz"
    mask = nib.load(path)
    voxels = np.argwhere(np.asanyarray(mask.dataobj) > 0)
    centre_ras = (mask.affine @ [*voxels.mean(0), 1])[:3]
    options: dict[str, Any] = {"label": lambda _: path}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", td.DicomWarning)
        sample = td.VolumeDataset(folder / "dicom/image", **options)[0]
        even = td.VolumeDataset(
            folder / "dicom/image", **options, spacing_mm=2.0, orientation="RAI"
        )[0]
        tumour = td.PatchDataset(
            folder / "dicom/image", (8, 8, 8), patches_per_volume=5, mode="foreground", **options
        )
        assert all(patch["label"].any() for patch in tumour)
    for one in (sample, even):
        marks = one["label"][0] > 0
        centre = marks.nonzero().double().mean(0)
        lps = place(one, tuple(centre.tolist()))
        assert [-lps[0], -lps[1], lps[2]] == pytest.approx(list(centre_ras), abs=0.5)
        # The tumour takes up more than what is around it.
        assert one["image"][0][marks].mean() > 2 * one["image"][0][~marks].mean()
    assert int((sample["label"] > 0).sum()) == len(voxels)


def test_radiographs_and_ultrasound(data_dir: Path) -> None:
    """All of them at one size, as a classifier is fed; those without a window are told."""
    folders = [
        data_dir / name for name in ("highdicom", "pydicom", "pydicom-data", "dicom-test-files")
    ]
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        dataset = td.ImageDataset(
            folders,
            channels=3,
            size=(64, 64),
            on_error="quarantine",
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
        )
        loader: DataLoader[Any] = DataLoader(dataset, batch_size=8)
        seen = 0
        for batch in loader:
            assert batch["image"].shape[1:] == (3, 64, 64)
            assert -1 <= batch["image"].min() <= batch["image"].max() <= 1
            seen += len(batch["image"])
    assert seen == len(dataset) > 20
    assert {one.code for one in dataset.failures.values()} <= {"no_window"}
