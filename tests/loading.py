"""Datasets for the tests of Loader and DataLoader: they live in a module, for workers."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Dataset, get_worker_info

import torchdicom as td
from compare import assert_same_bits
from torchdicom._training._batch import read_together
from training import Times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

THREADS = "torchdicom-loader"
Sample = dict[str, Any]


def loader_threads() -> list[threading.Thread]:
    """Those that a Loader started, and that are alive."""
    return [one for one in threading.enumerate() if one.name.startswith(THREADS)]


def numbers(batches: Iterable[Any]) -> list[list[int]]:
    """The samples of each batch of `Numbers`."""
    return [batch["number"].tolist() for batch in batches]


class Numbers(Dataset[Sample]):
    """Sample i is an image full of i; any map-style dataset is like this."""

    def __init__(
        self,
        count: int,
        *,
        shapes: Mapping[int, tuple[int, ...]] | None = None,
        errors: Mapping[int, BaseException] | None = None,
        seconds: Mapping[int, float] | None = None,
    ) -> None:
        self.count = count
        self.shapes = dict(shapes or {})
        self.errors = dict(errors or {})
        self.seconds = dict(seconds or {})
        self.started: list[int] = []
        self.epochs: list[int] = []

    def __len__(self) -> int:
        return self.count

    def shape(self, i: int) -> tuple[int, ...]:
        return self.shapes.get(i, (1, 2, 3))

    def wait(self, i: int) -> None:
        self.started.append(i)
        time.sleep(self.seconds.get(i, 0))
        if i in self.errors:
            raise self.errors[i]

    def __getitem__(self, i: int) -> Sample:
        self.wait(i)
        return {"image": torch.full(self.shape(i), float(i)), "number": i, "series": f"1.2.{i}"}

    def set_epoch(self, epoch: int) -> None:
        self.epochs.append(epoch)


class InPlace(Numbers):
    """The same by the protocol of the Loader; notes where it was told to write, by sample."""

    image_dtype = torch.float32

    def __init__(self, count: int, **options: Any) -> None:
        super().__init__(count, **options)
        self.given: dict[int, int | None] = {}
        self.threads: list[int] = []

    def image_shape(self, i: int) -> tuple[int, ...] | None:
        return self.shape(i)

    def read(self, i: int, *, out: torch.Tensor | None, num_threads: int) -> Sample:
        self.given[i] = None if out is None else out.data_ptr()
        self.threads.append(num_threads)
        sample = super().__getitem__(i)
        if out is None:
            return sample
        out.copy_(sample["image"])
        return {**sample, "image": out}

    def __getitem__(self, i: int) -> Sample:
        return self.read(i, out=None, num_threads=1)


class Volumes(Dataset[Sample]):
    """Series of an index, with a known shape; reads in place, in workers too."""

    image_dtype = torch.float32

    def __init__(self, series: Sequence[td.Series]) -> None:
        self.series = list(series)

    def __len__(self) -> int:
        return len(self.series)

    def image_shape(self, i: int) -> tuple[int, ...] | None:
        return (1, *self.series[i].shape)

    def read(self, i: int, *, out: torch.Tensor | None, num_threads: int) -> Sample:
        one = self.series[i]
        volume = one.load(out=None if out is None else out[0], num_threads=num_threads)
        image = volume.data[None] if out is None else out
        return {"image": image, "affine": volume.affine, "series": one.key, "target": i}

    def __getitem__(self, i: int) -> Sample:
        return self.read(i, out=None, num_threads=td.get_num_threads())

    def __getitems__(self, indices: Sequence[int]) -> list[Sample]:
        return read_together(self, indices)


def odd(series: td.Series) -> torch.Tensor:
    """A label of the grid of a series of 8 slices of 40 x 36."""
    return torch.arange(8 * 40 * 36).reshape(8, 40, 36) % (2 + int(series.key[-1]))


class Parts(Dataset[Any]):
    """Datasets by name; samples of one batch are of one of them.

    Workers that take seconds to start serve all of them then.
    """

    def __init__(self, parts: Mapping[str, Any]) -> None:
        self.parts = dict(parts)

    def __len__(self) -> int:
        return sum(map(len, self.parts.values()))

    def batches(self, sizes: Mapping[str, int]) -> list[list[tuple[str, int]]]:
        """What each batch is made of, part by part."""
        return [
            [(name, i) for i in range(first, min(first + size, len(self.parts[name])))]
            for name, size in sizes.items()
            for first in range(0, len(self.parts[name]), size)
        ]

    def __getitems__(self, indices: Sequence[tuple[str, int]]) -> tuple[str, list[Any]]:
        ((name, *_), numbers) = zip(*indices, strict=True)
        return name, self.parts[name].__getitems__(numbers)


class CollateParts:
    """`td.collate` with the options of each part; adds what only the worker sees of the batch."""

    def __init__(self, pads: Mapping[str, float]) -> None:
        self.pads = dict(pads)

    def __call__(self, named: Any) -> tuple[str, Sample, Sample]:
        name, samples = named  # what __getitems__ of Parts gives; torch's types know only lists
        batch = td.collate(samples, pad=self.pads.get(name))
        seen = {
            "read": [sample["image"].data_ptr() for sample in samples],
            "batch": [image.data_ptr() for image in batch["image"]],
            "is_shared": batch["image"].is_shared(),
            "is_worker": get_worker_info() is not None,
        }
        return name, batch, seen


# Each as (what makes it, whether its images are decoded right into the batch).
DATASETS: dict[str, tuple[Callable[[td.Index], Any], bool]] = {
    "volumes": (td.VolumeDataset, True),
    "volumes with all": (
        lambda index: td.VolumeDataset(
            index,
            target=dict.fromkeys((one.key for one in index.series), 0.5),
            label=odd,
            window=(0, 500),
            mean=0.5,
            std=0.2,
            size=(10, 36, 36),
            mask=True,
        ),
        True,
    ),
    "bfloat16": (lambda index: td.VolumeDataset(index, dtype=torch.bfloat16), True),
    "resampled": (lambda index: td.VolumeDataset(index, spacing_mm=1.0), True),
    "transformed": (lambda index: td.VolumeDataset(index, transform=Times(2)), False),
    "images": (
        lambda index: td.ImageDataset(
            index, kinds=("volume",), output="modality", size=(20, 18), channels=3
        ),
        True,
    ),
    "patches": (lambda index: td.PatchDataset(index, (4, 16, 16), patches_per_volume=3), True),
    "patches of a grid": (lambda index: td.PatchDataset(index, (8, 20, 20), mode="grid"), True),
    "patches about labels": (
        lambda index: td.PatchDataset(
            index, (4, 16, 16), patches_per_volume=3, mode="foreground", label=odd
        ),
        True,
    ),
    "patches of a buffer": (
        lambda index: td.PatchDataset(index, (4, 16, 16), patches_per_volume=4, buffer=2),
        True,
    ),
}


def one_by_one(dataset: Any, size: int, **options: Any) -> list[Any]:
    """Batches of the samples in order."""
    samples = [dataset[i] for i in range(len(dataset))]
    return [td.collate(samples[k : k + size], **options) for k in range(0, len(samples), size)]


def assert_same_batches(actual: list[Any], expected: list[Any]) -> None:
    assert len(actual) == len(expected)
    for one, other in zip(actual, expected, strict=True):
        assert sorted(one) == sorted(other)
        for key, value in other.items():
            if isinstance(value, torch.Tensor) and value.dtype == torch.float64:
                torch.testing.assert_close(one[key], value, rtol=0, atol=0, equal_nan=True)
            elif isinstance(value, torch.Tensor):
                assert_same_bits(one[key], value)
            else:
                assert one[key] == value
