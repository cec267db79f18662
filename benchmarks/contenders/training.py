"""torchdicom's datasets, in its own Loader and in the DataLoader of torch."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from benchmarks.case import OURS, Case, Contender
from benchmarks.contenders.training_items import Items, cut, items, samples_of, workers
from benchmarks.epoch import INPUT, MEAN, PATCH, STD, Epoch, Sample, batch_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch

    from benchmarks.contenders.training_items import Item

_MODULES: Final = ("torch.utils.data", "torchdicom", "pyarrow.parquet")
BUFFER: Final = 2


def _dataset(case: Case, buffer: int | None = None) -> Any:
    import torchdicom as td  # noqa: PLC0415

    index = td.scan(case.folder, progress=False)
    if case.epoch == "volumes":
        return td.VolumeDataset(index)
    if case.epoch == "patches":
        return td.PatchDataset(index, PATCH, patches_per_volume=case.patches, buffer=buffer)
    return td.ImageDataset(
        index,
        kinds=("image", "volume"),
        output=td.Window(*case.window),
        size=INPUT,
        channels=3,
        mean=MEAN,
        std=STD,
    )


def _loader(case: Case) -> Epoch:
    return _in_loader(case, _dataset(case))


def _buffer(case: Case) -> Epoch:
    """The patches of a volume of one read."""
    if case.epoch != "patches":
        raise NotImplementedError
    return _in_loader(case, _dataset(case, BUFFER))


def _in_loader(case: Case, dataset: Any) -> Epoch:
    import torchdicom as td  # noqa: PLC0415

    loader = td.Loader(dataset, batch_size(case), num_threads=2)
    return Epoch(_Again(loader), _samples, lambda: asdict(loader.stats()))


class _Again:
    """The same epoch each time, as torch's DataLoader has it: with the same random patches."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __iter__(self) -> Iterator[Any]:
        self._loader.set_epoch(0)
        return iter(self._loader)


def _data_loader(case: Case) -> Epoch:
    import torchdicom as td  # noqa: PLC0415

    return Epoch(workers(case, _dataset(case), collate_fn=td.collate), _samples)


def _samples(batch: dict[str, Any]) -> Iterator[Sample]:
    """The frame is what tells the slices of a series, and the end of the UID what tells series."""
    for k, image in enumerate(batch["image"].numpy()):
        number = int(batch["series"][k].rpartition(".")[2])
        if "frame" in batch:
            number += int(batch["frame"][k])  # one of the two is 0
            yield Sample(number, None, image)
        else:
            position = tuple(batch["position"][k].tolist()) if "position" in batch else None
            yield Sample(number, position, image[0])


def _whole(case: Case) -> Epoch:
    """Patches cut out of volumes that are loaded whole, in the Loader too."""
    if case.epoch != "patches":
        raise NotImplementedError
    import torchdicom as td  # noqa: PLC0415

    def read(item: Item) -> torch.Tensor:
        return cut(td.load(series[item.number]).data, item.position)

    index = td.scan(case.folder, progress=False)
    series = {int(one.key.rpartition(".")[2]): one for one in index}
    made = items(case)
    loader = td.Loader(Items(made, read), batch_size(case), num_threads=2)
    return Epoch(loader, samples_of)


_PREPARES: Final[dict[str, Callable[[Case], Epoch]]] = {
    OURS: _loader,
    "torchdicom, DataLoader": _data_loader,
    "torchdicom, buffer": _buffer,
    "torchdicom, whole volumes": _whole,
}
EPOCH: Final = tuple(
    Contender(name, prepare, 2, modules=_MODULES) for name, prepare in _PREPARES.items()
)
