"""An epoch: everything that a training loop gets from a loader, and whether it is right."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from benchmarks.datasets.training import moved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import torch

    from benchmarks.case import Case

PATCH: Final = (64, 64, 64)
INPUT: Final = (224, 224)
# Of ImageNet, as torchvision's weights want them.
MEAN: Final = (0.485, 0.456, 0.406)
STD: Final = (0.229, 0.224, 0.225)
BATCH: Final = 32


class Sample(NamedTuple):
    """What a loader gave.

    Attributes:
        number: Which series, or which image.
        position: z, y and x of a patch's first voxel, None of what is no patch.
        values: Without the dim of the batch, and z or y first.
    """

    number: int
    position: tuple[int, int, int] | None
    values: np.ndarray


class Epoch:
    """A loader, which is gone through when it is called; batches are dropped, as in training."""

    def __init__(
        self,
        loader: Iterable[Any],
        samples: Callable[[Any], Iterator[Sample]],
        stats: Callable[[], dict[str, float]] | None = None,
    ) -> None:
        """Nothing is read yet.

        Args:
            loader: Gives batches, each time it is iterated over.
            samples: What is in a batch.
            stats: Seconds of the last epoch by what they went to, where a loader knows.
        """
        self._loader, self._samples, self.stats = loader, samples, stats

    def __call__(self) -> None:
        """Go through all of it."""
        for _ in self._loader:
            pass

    def samples(self) -> Iterator[Sample]:
        """Go through all of it and look at every sample."""
        for batch in self._loader:
            yield from self._samples(batch)


def folders(case: Case) -> list[Path]:
    """Those of the series of a case, which are numbered in this order."""
    return sorted({path.parent for path in case.files})


def batch_size(case: Case) -> int:
    """Of how many samples the batches of a case are: so that there are two batches at least."""
    if case.epoch == "images":
        return min(BATCH, len(case.files) // 2)
    return max(case.patches, 1)


def network_input(values: torch.Tensor, window: tuple[float, float]) -> torch.Tensor:
    """From modality values (y, x) to what resnet18 gets: the work that all are given.

    torchvision's resize of tensors is this call of torch.
    """
    import torch  # noqa: PLC0415 - not in the process that starts the contenders
    from torch.nn import functional  # noqa: PLC0415

    center, width = window
    resized = functional.interpolate(
        values[None, None], INPUT, mode="bilinear", align_corners=False, antialias=True
    )
    gray = ((resized[0] - (center - width / 2)) / width).clamp(0, 1)
    mean, std = (torch.tensor(one)[:, None, None] for one in (MEAN, STD))
    return (gray - mean) / std


def epoch_difference(case: Case, found: Iterable[Sample]) -> str | None:
    """How an epoch differs from what it should be, or None where it is right."""
    truth = np.load(case.truth, mmap_mode="r")
    seen: Counter[int] = Counter()
    for one in found:
        seen[one.number] += 1
        expected = _expected(case, truth, one)
        if one.values.shape != expected.shape:
            return f"shape {one.values.shape} instead of {expected.shape}"
        off = _largest(one.values, expected)
        if case.epoch == "images":
            off *= min(STD)  # of the window, which is 1 wide
        if not off <= case.tolerance[1]:
            return f"values of sample {sum(seen.values())} off by up to {off:g}"
    count, each = _counts(case)
    wanted = Counter(dict.fromkeys(range(count), each))
    return None if seen == wanted else f"{dict(seen)} samples of each instead of {each}"


def _counts(case: Case) -> tuple[int, int]:
    """How many series or images there are, and how many samples of each."""
    if case.epoch == "images":
        return len(case.files), 1
    return len(folders(case)), max(case.patches, 1)


def _expected(case: Case, truth: np.ndarray, sample: Sample) -> np.ndarray:
    if case.epoch == "images":
        import torch  # noqa: PLC0415

        is_series = len(truth) > 1
        picture = truth[sample.number] if is_series else moved(truth[0], sample.number)
        return network_input(torch.from_numpy(np.array(picture)), case.window).numpy()
    if sample.position is None:
        return moved(truth, sample.number)
    (z, y, x), (depth, rows, columns) = sample.position, PATCH
    part = moved(truth[z : z + depth, y : y + rows], sample.number)
    return part[:, :, x : x + columns]


def _largest(found: np.ndarray, expected: np.ndarray) -> float:
    """Of the absolute differences, slice by slice to stay small."""
    pairs = zip(found, expected, strict=True)
    return max(float(np.abs(a.astype(np.float64) - b).max()) for a, b in pairs)
