"""What the others have in common: the list of the samples, and a Dataset in two workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from benchmarks.datasets.phantom import shuffled
from benchmarks.epoch import PATCH, Sample, batch_size, folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import torch

    from benchmarks.case import Case

_SEED: Final = 22


class Item(NamedTuple):
    """What a sample is made of.

    Attributes:
        number: Of the series or of the image.
        path: The folder of the series, or the file of the image.
        position: z, y and x of a patch's first voxel.
    """

    number: int
    path: Path
    position: tuple[int, int, int] | None = None


def items(case: Case) -> list[Item]:
    """The samples of an epoch."""
    if case.epoch == "images":
        files = case.files
        if files[0].name.startswith("DX"):
            return [Item(number, path) for number, path in enumerate(files)]
        heights = {name: height for height, name in enumerate(shuffled(len(files)))}
        return [Item(heights[int(path.stem[2:])], path) for path in files]
    series = list(enumerate(folders(case)))
    if case.epoch == "volumes":
        return [Item(number, path) for number, path in series]
    random = np.random.default_rng(_SEED)
    last = [n - k for n, k in zip(np.load(case.truth, mmap_mode="r").shape, PATCH, strict=True)]
    places = random.integers(0, last, (len(series) * case.patches, 3), endpoint=True).tolist()
    return [Item(*series[k // case.patches], (z, y, x)) for k, (z, y, x) in enumerate(places)]


def cut(volume: torch.Tensor, position: tuple[int, int, int] | None) -> torch.Tensor:
    """A patch in memory of its own, or the whole where there is no position."""
    if position is None:
        return volume
    where = tuple(slice(k, k + n) for k, n in zip(position, PATCH, strict=True))
    return volume[where].contiguous().clone()


class Items:
    """A Dataset as people write it: a list, and a function that reads one of it."""

    def __init__(self, made: Sequence[Item], read: Callable[[Item], torch.Tensor]) -> None:
        """Nothing is read yet."""
        self._items, self._read = made, read

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self._items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One of them."""
        return sample(self._items[index], self._read(self._items[index]))


def sample(item: Item, image: torch.Tensor) -> dict[str, Any]:
    """An image, and which it is."""
    import torch  # noqa: PLC0415 - not in the process that starts the contenders

    place = {} if item.position is None else {"position": torch.tensor(item.position)}
    return {"image": image, "number": item.number, **place}


def workers(case: Case, dataset: Any, kind: Any = None, **options: Any) -> Any:
    """A DataLoader with two workers, which stay from epoch to epoch."""
    import torch.utils.data  # noqa: PLC0415

    make = torch.utils.data.DataLoader if kind is None else kind
    return make(
        dataset, batch_size=batch_size(case), num_workers=2, persistent_workers=True, **options
    )


def samples_of(batch: dict[str, Any]) -> Iterator[Sample]:
    """What is in a batch of `Items`."""
    for k, image in enumerate(batch["image"].numpy()):
        position = tuple(batch["position"][k].tolist()) if "position" in batch else None
        yield Sample(int(batch["number"][k]), position, image)
