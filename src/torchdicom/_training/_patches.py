"""Which patches there are, in which order they come, and the buffer that mixes them."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from torchdicom._training._locks import ForkSafeLock
from torchdicom._training._spatial import centred

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Triple = tuple[int, int, int]
    Integers = NDArray[np.int64]

# Random numbers for one thing are no help to guess those for another.
_ORDER: Final = 1
_PLACES: Final = 2


def grid_starts(shape: Triple, size: Triple, overlap: Triple) -> Integers:
    """The first voxels of patches that cover a shape, z slowest, of shape (patches, 3).

    Neighbours have `overlap` voxels in common, the last along an axis as many as it takes to end
    where the shape does. Where a patch is longer than the shape, the shape is in its middle.
    """
    along = []
    for n, length, common in zip(shape, size, overlap, strict=True):
        if n <= length:
            along.append([centred(n, length)])
            continue
        starts = list(range(0, n - length, length - common))
        along.append([*starts, n - length])
    return np.array(list(itertools.product(*along)), np.int64)


def random_starts(shape: Triple, size: Triple, count: int, random: np.random.Generator) -> Integers:
    """Patches anywhere in a shape, of shape (count, 3)."""
    last = np.array(shape) - np.array(size)
    drawn = random.integers(0, np.maximum(last, 0), (count, 3), endpoint=True)
    return np.where(last < 0, -(-last // 2), drawn).astype(np.int64)


def foreground_starts(
    foreground: NDArray[np.bool_], size: Triple, count: int, random: np.random.Generator
) -> Integers:
    """Patches about voxels of the foreground, each as likely as the others, of shape (count, 3).

    Where the foreground is near the edge, the patch ends there. Without foreground they lie
    anywhere.
    """
    shape = (foreground.shape[0], foreground.shape[1], foreground.shape[2])
    voxels = np.flatnonzero(foreground)
    if not len(voxels):
        return random_starts(shape, size, count, random)
    picked = voxels[random.integers(0, len(voxels), count)]
    centres = np.stack(np.unravel_index(picked, shape), axis=1)
    last = np.array(shape) - np.array(size)
    starts = np.clip(centres - np.array(size) // 2, 0, np.maximum(last, 0))
    placed: Integers = np.where(last < 0, -(-last // 2), starts).astype(np.int64)
    return placed


def places_random(seed: int, epoch: int, volume: int) -> np.random.Generator:
    """Draws the patches of a volume."""
    return np.random.default_rng([_PLACES, seed, epoch, volume])


def shuffled(counts: Sequence[int], buffer: int, seed: int, epoch: int) -> Integers:
    """The order of the patches of an epoch, as (volume, patch), of shape (patches, 2).

    The volumes are shuffled, and dealt into groups of `buffer`; the patches of a group are
    shuffled among each other.

    Args:
        counts: How many patches each volume has.
        buffer: Volumes in a group.
        seed: Of the dataset.
        epoch: Another one, another order.
    """
    random = np.random.default_rng([_ORDER, seed, epoch])
    volumes = random.permutation(len(counts))
    groups = []
    for first in range(0, len(volumes), buffer):
        group = volumes[first : first + buffer]
        pairs = [(volume, patch) for volume in group for patch in range(counts[volume])]
        groups.append(np.array(pairs, np.int64)[random.permutation(len(pairs))])
    return np.concatenate(groups)


class _Entry:
    """The patches of one volume that were not asked for yet."""

    def __init__(self) -> None:
        self.lock = ForkSafeLock()
        self.samples: dict[int, Any] | None = None


class PatchBuffer:
    """Patches that were read along with others; safe for threads.

    Each patch is given away once. A volume is read by the first thread that needs it, and the
    others that need it wait.
    """

    def __init__(self, most_volumes: int) -> None:
        """For so many volumes: those that were asked for least recently go first."""
        self._most = most_volumes
        self._lock = ForkSafeLock()
        self._entries: OrderedDict[tuple[int, int], _Entry] = OrderedDict()

    def take(self, key: tuple[int, int], patch: int, read: Callable[[], dict[int, Any]]) -> Any:
        """A patch of a volume, None where it was given away before.

        Args:
            key: Epoch and volume.
            patch: Its number.
            read: Gives all patches of the volume by number.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
        try:
            with entry.lock:
                if entry.samples is None:
                    entry.samples = read()
                found = entry.samples.pop(patch, None)
                is_over = not entry.samples
        except BaseException:
            self._forget(key, entry)
            raise
        if is_over:
            self._forget(key, entry)
        return found

    def clear(self) -> None:
        """Give all memory back."""
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        """How many volumes there are patches of."""
        return len(self._entries)

    def _forget(self, key: tuple[int, int], entry: _Entry) -> None:
        with self._lock:
            if self._entries.get(key) is entry:
                del self._entries[key]

    def __reduce__(self) -> tuple[Any, ...]:
        """A worker starts with an empty one."""
        return PatchBuffer, (self._most,)
