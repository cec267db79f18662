"""Transforms of torchvision v2, with and without it being imported."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

import torchdicom as td
from helpers import ROOT
from training import SHAPE, ramp, write_volume

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_volume(tmp_path)


class Spy(v2.Transform):  # type: ignore[misc]
    """Says what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, type] = {}

    def forward(self, sample: dict[str, Any]) -> dict[str, Any]:
        self.seen = {name: type(value) for name, value in sample.items()}
        return sample


def marks_of(series: td.Series) -> torch.Tensor:
    return torch.arange(8 * 10 * 12).reshape(series.shape)


def test_transform_is_told_what_is_what(folder: Path) -> None:
    spy = Spy()
    dataset = td.ImageDataset(
        folder,
        kinds=("volume",),
        output="modality",
        label=marks_of,
        mask=True,
        target=lambda _: 5,
        transform=spy,
    )
    sample = dataset[3]
    assert spy.seen == {
        "image": tv_tensors.Image,
        "label": tv_tensors.Mask,
        "mask": tv_tensors.Mask,
        "affine": torch.Tensor,
        "spacing_mm": torch.Tensor,
        "target": torch.Tensor,
        "series": str,
        "frame": int,
    }
    assert {type(value) for value in sample.values()} == {torch.Tensor, str, int}


def test_image_and_label_are_turned_together(folder: Path) -> None:
    options: dict[str, Any] = {"kinds": ("volume",), "output": "modality", "label": marks_of}
    flip = v2.Compose([v2.RandomHorizontalFlip(p=1), v2.RandomVerticalFlip(p=1)])
    plain = td.ImageDataset(folder, **options)[3]
    turned = td.ImageDataset(folder, **options, transform=flip)[3]
    for name in ("image", "label"):
        assert turned[name].tolist() == plain[name].flip((1, 2)).tolist()
    for name in ("affine", "spacing_mm"):
        assert turned[name].tolist() == plain[name].tolist()


def test_labels_are_resized_by_nearest_neighbour(folder: Path) -> None:
    dataset = td.ImageDataset(
        folder,
        kinds=("volume",),
        output="modality",
        label=marks_of,
        transform=v2.Resize((5, 7), antialias=True),
    )
    sample = dataset[0]
    assert sample["image"].shape == sample["label"].shape == (1, 5, 7)
    assert set(sample["label"].flatten().tolist()) <= set(range(120))
    assert sample["label"].dtype == torch.int64


def test_volumes(folder: Path) -> None:
    flip = v2.RandomHorizontalFlip(p=1)
    image = td.VolumeDataset(folder, transform=flip)[0]["image"]
    assert image[0].tolist() == ramp()[:, :, ::-1].tolist()
    assert image.shape == (1, *SHAPE)


def test_resize_in_the_dataset_is_that_of_torchvision(folder: Path) -> None:
    plain = td.ImageDataset(folder, kinds=("volume",), output="modality", dtype=torch.float64)
    for size in [(5, 6), (7, 5), (3, 24), (20, 11), (1, 1), (10, 12)]:
        mine = td.ImageDataset(folder, kinds=("volume",), output="modality", size=size)[4]["image"]
        theirs = v2.functional.resize(plain[4]["image"], list(size), antialias=True)
        spread = float(ramp()[4].max() - ramp()[4].min())
        assert (mine.double() - theirs).abs().max() < 1e-4 * spread


CHILD = """
import sys
import torchdicom as td
sample = td.VolumeDataset(sys.argv[1], transform=lambda sample: sample)[0]
assert "torchvision" not in sys.modules
print(sorted(sample))
"""


def test_torchvision_need_not_be_there(folder: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert run.stdout == "['affine', 'image', 'series', 'spacing_mm']\n", run.stderr
