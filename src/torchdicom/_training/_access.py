"""How samples of a dataset are read: in place where it knows how, else as it gives them."""

from __future__ import annotations

import os
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Protocol

from torch.utils.data import ConcatDataset, IterableDataset, Subset

from torchdicom._index import Index

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

_PROTOCOL = ("read", "image_shape", "image_dtype")


class Access(Protocol):
    """Reads samples."""

    at_once: int
    """How many samples to give `read_batch` at a time; 1 where it reads one after the other."""

    def form(self, i: int) -> tuple[tuple[int, ...], torch.dtype] | None:
        """Shape and type of the image of sample i, where that is known without reading."""

    def read(self, i: int, out: torch.Tensor | None, num_threads: int) -> Any:
        """Sample i; where `out` is given, its image is written there."""

    def read_batch(self, indices: Sequence[int], out: torch.Tensor, num_threads: int) -> list[Any]:
        """As many samples as `out` has places for their images."""

    def set_epoch(self, epoch: int) -> None:
        """What patches are random, for one, depends on it."""


def access(dataset: Any) -> Access:
    """How to read from the dataset.

    Raises:
        TypeError: If it has no samples by number.
    """
    if isinstance(dataset, (str, os.PathLike, Index)):
        msg = (
            f"dataset must be a dataset, not {type(dataset).__name__}: make one of it, such as "
            "torchdicom.VolumeDataset(...)"
        )
        raise TypeError(msg)
    if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__getitem__"):
        msg = (
            f"dataset must be map-style, with __getitem__ and __len__: {type(dataset).__name__} "
            "has no samples by number"
        )
        raise TypeError(msg)
    # Not those of other classes that derive from them: they may do something else.
    if type(dataset) is Subset:
        return _OfSubset(access(dataset.dataset), dataset.indices)
    if type(dataset) is ConcatDataset:
        return _OfConcat([access(one) for one in dataset.datasets], dataset.cumulative_sizes)
    if all(hasattr(dataset, name) for name in _PROTOCOL):
        return _InPlace(dataset)
    return _AsGiven(dataset)


class _AsGiven:
    """Any map-style dataset."""

    at_once = 1

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def form(self, i: int) -> None:  # noqa: ARG002 - nothing is known of any
        return None

    def read(self, i: int, out: torch.Tensor | None, num_threads: int) -> Any:  # noqa: ARG002
        return self._dataset[i]

    def read_batch(self, indices: Sequence[int], out: torch.Tensor, num_threads: int) -> list[Any]:
        places = zip(indices, out.unbind(), strict=True)
        return [self.read(i, place, num_threads) for i, place in places]

    def set_epoch(self, epoch: int) -> None:
        if hasattr(self._dataset, "set_epoch"):
            self._dataset.set_epoch(epoch)


class _InPlace(_AsGiven):
    """A dataset of this package, or one that does as they do."""

    def __init__(self, dataset: Any) -> None:
        super().__init__(dataset)
        self.at_once = getattr(dataset, "samples_at_once", 1)

    def form(self, i: int) -> tuple[tuple[int, ...], torch.dtype] | None:  # type: ignore[override]
        shape = self._dataset.image_shape(i)
        return None if shape is None else (tuple(shape), self._dataset.image_dtype)

    def read(self, i: int, out: torch.Tensor | None, num_threads: int) -> Any:
        return self._dataset.read(i, out=out, num_threads=num_threads)

    def read_batch(self, indices: Sequence[int], out: torch.Tensor, num_threads: int) -> list[Any]:
        made: list[Any] = self._dataset.read_batch(indices, out=out, num_threads=num_threads)
        return made


class _OfSubset:
    def __init__(self, whole: Access, indices: Sequence[int]) -> None:
        self._whole = whole
        self.at_once = whole.at_once
        self._indices = indices

    def form(self, i: int) -> tuple[tuple[int, ...], torch.dtype] | None:
        return self._whole.form(self._indices[i])

    def read(self, i: int, out: torch.Tensor | None, num_threads: int) -> Any:
        return self._whole.read(self._indices[i], out, num_threads)

    def read_batch(self, indices: Sequence[int], out: torch.Tensor, num_threads: int) -> list[Any]:
        return self._whole.read_batch([self._indices[i] for i in indices], out, num_threads)

    def set_epoch(self, epoch: int) -> None:
        self._whole.set_epoch(epoch)


class _OfConcat:
    def __init__(self, parts: Sequence[Access], ends: Sequence[int]) -> None:
        self._parts = parts
        self.at_once = min(part.at_once for part in parts)
        self._ends = ends

    def _find(self, i: int) -> tuple[Access, int]:
        number = i + self._ends[-1] if i < 0 else i
        part = bisect_right(self._ends, number)
        if number < 0 or part == len(self._parts):
            msg = f"there is no sample {i}: the dataset has {self._ends[-1]}"
            raise IndexError(msg)
        return self._parts[part], number - (self._ends[part - 1] if part else 0)

    def form(self, i: int) -> tuple[tuple[int, ...], torch.dtype] | None:
        part, number = self._find(i)
        return part.form(number)

    def read(self, i: int, out: torch.Tensor | None, num_threads: int) -> Any:
        part, number = self._find(i)
        return part.read(number, out, num_threads)

    def read_batch(self, indices: Sequence[int], out: torch.Tensor, num_threads: int) -> list[Any]:
        found = [self._find(i) for i in indices]
        if len({id(part) for part, _ in found}) == 1:
            return found[0][0].read_batch([number for _, number in found], out, num_threads)
        places = zip(found, out.unbind(), strict=True)
        return [part.read(number, place, num_threads) for (part, number), place in places]

    def set_epoch(self, epoch: int) -> None:
        for part in self._parts:
            part.set_epoch(epoch)
