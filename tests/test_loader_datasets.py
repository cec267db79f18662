"""The package's own datasets give the same batches by Loader, by DataLoader, and one by one."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from torch.utils.data import DataLoader

import torchdicom as td
from builders import write_series
from loading import DATASETS, assert_same_batches, one_by_one
from torchdicom._training import _batch
from training import write_six

if TYPE_CHECKING:
    from pathlib import Path

    import torch


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> td.Index:
    """Six CTs of 8 slices of 40 x 36."""
    return write_six(tmp_path_factory.mktemp("six"))


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("threads", [1, 3])
def test_loader(index: td.Index, name: str, threads: int) -> None:
    make, _ = DATASETS[name]
    assert_same_batches(
        list(td.Loader(make(index), 4, num_threads=threads)), one_by_one(make(index), 4)
    )


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("name", DATASETS)
def test_stock_loader(index: td.Index, name: str, workers: int) -> None:
    make, _ = DATASETS[name]
    stock: DataLoader[Any] = DataLoader(
        make(index),
        batch_size=4,
        num_workers=workers,
        multiprocessing_context="fork" if workers else None,
        collate_fn=td.collate,
    )
    assert_same_batches(list(stock), one_by_one(make(index), 4))


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("way", ["Loader", "DataLoader"])
def test_images_are_copied_only_where_they_must_be(
    index: td.Index, name: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, in_place = DATASETS[name]
    dataset = make(index)
    copied: list[tuple[int, ...]] = []

    def note(place: torch.Tensor, image: torch.Tensor) -> None:
        copied.append(tuple(image.shape))
        place.copy_(image)

    monkeypatch.setattr(_batch, "copy_into", note)
    batches = (
        td.Loader(dataset, 4)
        if way == "Loader"
        else DataLoader(dataset, batch_size=4, collate_fn=td.collate)
    )
    shapes = [tuple(batch["image"].shape[1:]) for batch in batches]
    assert len(copied) == (0 if in_place else len(dataset))
    assert set(copied) <= set(shapes)


def test_patches_differ_from_epoch_to_epoch(index: td.Index) -> None:
    loader = td.Loader(td.PatchDataset(index, (4, 16, 16), patches_per_volume=3), 18)
    (first,), (second,) = list(loader), list(loader)
    loader.set_epoch(0)
    (again,) = list(loader)
    assert (first["position"] != second["position"]).any()
    assert_same_batches([again], [first])


def test_series_that_differ_are_padded(tmp_path: Path) -> None:
    for k in range(3):
        cells = [np.full((6, 5), 10 * k, np.int16)] * (2 + k)
        write_series(tmp_path / str(k), 2 + k, pixels=cells, SeriesInstanceUID=f"1.2.{k}")
    dataset = td.VolumeDataset(tmp_path, mask=True)
    with pytest.raises(ValueError, match=r"sample 0 \(series 1.2.0\).*sample 1 \(series 1.2.1\)"):
        list(td.Loader(dataset, 3))
    (batch,) = td.Loader(dataset, 3, pad=-5000)
    assert batch["image"].shape == (3, 1, 4, 6, 5)
    # Of modality values, whose intercept is -1024 in the builder.
    assert batch["image"][:, 0, :, 0, 0].tolist() == [
        [-1024, -1024, -5000, -5000],
        [-1014, -1014, -1014, -5000],
        [-1004] * 4,
    ]
    assert batch["mask"].sum((1, 2, 3, 4)).tolist() == [60, 90, 120]
    stock: DataLoader[Any] = DataLoader(
        dataset, batch_size=3, num_workers=2, collate_fn=functools.partial(td.collate, pad=-5000)
    )
    assert_same_batches(list(stock), [batch])


@pytest.mark.parametrize("threads", [1, 3])
def test_quarantine_keeps_the_length_of_an_epoch(tmp_path: Path, threads: int) -> None:
    for k in range(6):
        cells = [np.full((6, 5), k, np.int16)] * 3
        write_series(tmp_path / str(k), 3, pixels=cells, SeriesInstanceUID=f"1.2.{k}")
    index = td.scan(tmp_path)
    lost = tmp_path / "2" / "0001.dcm"
    lost.write_bytes(lost.read_bytes()[:-8])
    with pytest.warns(td.DicomWarning, match=r"1\.2\.2 can't be read"):
        expected = one_by_one(td.VolumeDataset(index, on_error="quarantine"), 4)
    with pytest.warns(td.DicomWarning, match=r"1\.2\.2 can't be read"):
        batches = list(
            td.Loader(td.VolumeDataset(index, on_error="quarantine"), 4, num_threads=threads)
        )
    assert_same_batches(batches, expected)
    series = [key for batch in batches for key in batch["series"]]
    assert len(series) == 6
    assert "1.2.2" not in series
    with pytest.raises(td.ParseError, match=r"1\.2\.2 can't be read") as caught:
        list(td.Loader(td.VolumeDataset(index), 4, num_threads=threads))
    assert caught.value.path == str(lost)
