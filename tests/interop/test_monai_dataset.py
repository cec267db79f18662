"""Samples of our datasets in MONAI's dictionary transforms, there and back."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from monai.data import CacheDataset, DataLoader, MetaTensor
from monai.transforms import Compose, Invertd, Orientationd, RandFlipd, Spacingd, SpatialPadd

import torchdicom as td
from builders import write_series
from builders_parts import DX_IMAGE
from landmarks import INDEX, RAS_MM, SHAPE, VALUE, brightest, place, write_landmark
from torchdicom.interop.monai import DictDataset

if TYPE_CHECKING:
    from pathlib import Path

    from torchdicom import Series

KEYS = ("image", "label")
TO_RAS = Orientationd("image", "RAS", labels=None)
BOTH = {"mode": ("bilinear", "nearest"), "align_corners": True}


def label(_: Series) -> torch.Tensor:
    made = torch.zeros(SHAPE, dtype=torch.uint8)
    made[INDEX] = 3
    return made


def with_label(folder: Path, transform: Any = None) -> DictDataset:
    volumes = td.VolumeDataset(write_landmark(folder), label=label, mask=True, target=lambda _: 7)
    return DictDataset(volumes, transform)


def test_samples(tmp_path: Path) -> None:
    sample = with_label(tmp_path)[0]
    assert set(sample) == {"image", "label", "mask", "series", "target"}
    assert (sample["series"], sample["target"]) == ("1.2.3.4", 7)
    for key in ("image", "label"):
        assert isinstance(sample[key], MetaTensor)
        assert tuple(sample[key].shape) == (1, 6, 5, 4)
        assert place(sample[key].affine, brightest(sample[key])[1:]) == RAS_MM
    assert (sample["image"].max(), sample["label"].max()) == (VALUE, 3)
    assert (sample["label"].dtype, sample["mask"].dtype) == (torch.uint8, torch.bool)


def test_there_and_back(tmp_path: Path) -> None:
    plain = with_label(tmp_path)[0]
    steps = Compose(
        [
            Spacingd(KEYS, (0.25, 0.25, 1.0), **BOTH),
            Orientationd(KEYS, "RAS", labels=None),
            RandFlipd(KEYS, prob=1.0, spatial_axis=0),
            SpatialPadd(KEYS, (24, 24, 24)),
        ]
    )
    made = with_label(tmp_path, steps)[0]
    assert tuple(made["image"].shape) == (1, 24, 24, 24)
    peak = brightest(made["image"])
    for key, value in zip(KEYS, (VALUE, 3), strict=True):
        assert place(made[key].affine, peak[1:]) == RAS_MM
        assert made[key][peak] == pytest.approx(value, rel=1e-5)
    back = Invertd(KEYS, steps, orig_keys=KEYS, nearest_interp=False)(made)
    for key in KEYS:
        assert tuple(back[key].shape) == (1, 6, 5, 4)
        np.testing.assert_allclose(back[key].affine, plain[key].affine, atol=1e-9)
        assert place(back[key].affine, brightest(back[key])[1:]) == RAS_MM
    assert torch.equal(back["label"].as_tensor(), plain["label"].float().as_tensor())


def test_patches_lie_where_they_were_cut_out(tmp_path: Path) -> None:
    patches = td.PatchDataset(
        write_landmark(tmp_path), (2, 3, 3), mode="foreground", label=label, patches_per_volume=4
    )
    dataset = DictDataset(patches)
    for n in range(4):
        sample = dataset[n]
        assert tuple(sample["image"].shape) == (1, 3, 3, 2)
        for key in KEYS:
            assert place(sample[key].affine, brightest(sample[key])[1:]) == RAS_MM


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_workers(tmp_path: Path) -> None:
    folder = write_landmark(tmp_path / "a")
    write_landmark(tmp_path / "b", SeriesInstanceUID="1.2.9")
    dataset = DictDataset(td.VolumeDataset([folder, tmp_path / "b"]), [TO_RAS])
    dataset = pickle.loads(pickle.dumps(dataset))
    loader = DataLoader(dataset, batch_size=2, num_workers=1, multiprocessing_context="fork")
    (batch,) = loader
    assert tuple(batch["image"].shape) == (2, 1, 4, 6, 5)
    for one, affine in zip(batch["image"], batch["image"].meta["affine"], strict=True):
        assert place(affine, brightest(one)[1:]) == RAS_MM


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize(
    "workers",
    [
        {},
        {"num_workers": 1, "multiprocessing_context": "fork"},
        {"num_workers": 1, "multiprocessing_context": "fork", "persistent_workers": True},
    ],
    ids=["none", "fork", "fork kept"],
)
def test_random_patches_of_each_epoch(tmp_path: Path, workers: dict[str, Any]) -> None:
    patches = td.PatchDataset(write_landmark(tmp_path), (2, 2, 2), patches_per_volume=6)
    dataset = DictDataset(patches)
    loader = DataLoader(dataset, batch_size=6, **workers)
    found = []
    for epoch in (0, 1, 2, 0):
        dataset.set_epoch(epoch)
        (batch,) = loader
        found.append([place(affine, (0, 0, 0)) for affine in batch["image"].affine])
    first, second, third, again = found
    assert first == again
    assert first != second != third != first


def with_place(sample: dict[str, Any]) -> dict[str, Any]:
    """The sample, with the affine where every loader keeps it."""
    return sample | {"series": str(sample["image"].affine.tolist())}


def test_loader_of_ours_sets_the_epoch(tmp_path: Path) -> None:
    folder = write_landmark(tmp_path)
    patches = td.PatchDataset(folder, (2, 2, 2), patches_per_volume=6)
    loader = td.Loader(DictDataset(patches, with_place), batch_size=6)
    assert len({str(batch["series"]) for _ in range(3) for batch in loader}) == 3
    volumes = DictDataset(td.VolumeDataset(folder))
    assert [len(list(td.Loader(volumes, batch_size=1))) for _ in range(2)] == [1, 1]
    with pytest.raises(AttributeError, match="'VolumeDataset' object has no attribute 'set_epoch'"):
        volumes.set_epoch(1)


def test_cached(tmp_path: Path) -> None:
    dataset = with_label(tmp_path)
    cached = CacheDataset(dataset, [Orientationd(KEYS, "RAS", labels=None)], progress=False)
    for file in tmp_path.iterdir():
        file.unlink()
    assert place(cached[0]["image"].affine, brightest(cached[0]["image"])[1:]) == RAS_MM
    assert len(dataset[:1]) == 1


def test_what_has_no_place_is_refused(tmp_path: Path) -> None:
    nowhere: dict[str, Any] = {"ImagePositionPatient": None, "ImageOrientationPatient": None}
    write_series(tmp_path, 1, SOPClassUID=DX_IMAGE, Modality="DX", **nowhere)
    volumes = td.VolumeDataset(tmp_path, kinds=("image",))
    with pytest.raises(ValueError, match=r"series 1\.2\.3\.4 has no place in the patient"):
        DictDataset(volumes)[0]
    images: Any = td.ImageDataset(tmp_path, kinds=("image",))
    with pytest.raises(TypeError, match="a VolumeDataset or a PatchDataset, not ImageDataset"):
        DictDataset(images)
