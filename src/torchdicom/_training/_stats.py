"""What a Loader's time goes to, and what to do about it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from torchdicom._threads import usable_cpus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Below this share of the time nobody notices the waiting.
_NOTICED: Final = 0.1


@dataclass(frozen=True, slots=True)
class LoaderStats:
    """What the time of one pass over a `Loader` went to.

    Attributes:
        samples: Samples that were read.
        batches: Batches that were handed over.
        elapsed: Seconds since the pass began, until it ended.
        wait: Seconds that the program waited for batches.
        read: Seconds of the Loader's threads, together, in which files were read.
        decode: The same in which pixels were decoded, rescaled and put into their places, and all
            else that the core does.
        transform: The same for what the dataset does in Python: its ``transform`` above all.
        place: The same for copies into the batch, and all that makes a batch of samples.
        idle: The same for waiting for the program to take a batch.
        threads: How many samples are read at a time.
        num_threads: How many threads read and decode altogether.
    """

    samples: int = 0
    batches: int = 0
    elapsed: float = 0.0
    wait: float = 0.0
    read: float = 0.0
    decode: float = 0.0
    transform: float = 0.0
    place: float = 0.0
    idle: float = 0.0
    threads: int = 0
    num_threads: int = 0

    @property
    def advice(self) -> str:
        """What the bottleneck is, and what to change, in words."""
        if self.batches == 0:
            return "No batch was handed over yet."
        waited = self.wait / max(self.elapsed, 1e-9)
        if waited < _NOTICED:
            return (
                f"Loading keeps up: {waited:.0%} of the time was spent waiting for batches. What "
                "the program does with them is the bottleneck; more threads would not help."
            )
        parts = {name: getattr(self, name) for name in ("read", "decode", "transform", "place")}
        largest = max(parts, key=lambda name: parts[name])
        busy = sum(parts.values())
        share = parts[largest] / max(busy, 1e-9)
        said = f"{waited:.0%} of the time was spent waiting for batches. "
        if self.idle > busy:
            return said + (
                "The threads waited even longer for batches to be taken: the program takes them in "
                "bursts, so raise prefetch."
            )
        return f"{said}The bottleneck is {_WORDS[largest]} ({share:.0%} of the work)" + (
            self._more_threads() if largest == "decode" else _REMEDIES[largest]
        )

    def _more_threads(self) -> str:
        cpus = usable_cpus()
        less = (
            "decode less: a smaller size, PatchDataset for patches of large volumes, or files in a "
            "faster transfer syntax"
        )
        if self.num_threads < cpus:
            more = f"raise num_threads from {self.num_threads} to {cpus}, the CPUs there are"
            return f": {more}; or {less}."
        return f" and all {cpus} CPUs are at it: {less}."


_WORDS: Final = {
    "read": "reading the files",
    "decode": "decoding",
    "transform": "what the dataset does in Python",
    "place": "making batches of samples",
}
_REMEDIES: Final = {
    "read": (
        ": put them on a faster disk; or raise num_threads above the number of CPUs, since a "
        "thread that waits for a disk takes none."
    ),
    "transform": (
        ", where one thread runs at a time: leave window, clip, mean, std and size to the dataset, "
        "for the core does them; make transform, label and spacing_mm cheaper, such as by files "
        "that are resampled already; or use torch's DataLoader, whose workers are processes."
    ),
    "place": (
        ": give the dataset size=, so that all samples have one shape and are decoded right into "
        "the batch; a transform, and pad=, mean a copy of each sample."
    ),
}


class _Own(threading.local):
    """The sums of one thread."""

    def __init__(self) -> None:
        """For each thread that looks at it."""
        self.sums: dict[str, float] | None = None


class Clock:
    """Adds up what the threads report; without a lock, which a fork might find locked."""

    def __init__(self, shares: Sequence[int]) -> None:
        """Start to count.

        Args:
            shares: How many threads each sample in the making has.
        """
        self.shares = shares
        self._start = time.perf_counter()
        self._end: float | None = None
        self._own = _Own()
        self._all: list[dict[str, float]] = []

    def add(self, **amounts: float) -> None:
        """Add to some of the sums of `LoaderStats`."""
        sums = self._own.sums
        if sums is None:
            sums = self._own.sums = {}
            self._all.append(sums)
        for name, amount in amounts.items():
            sums[name] = sums.get(name, 0) + amount

    def waiting(self, call: Callable[[], Any]) -> Any:
        """Call, and count how long it takes as waiting."""
        start = time.perf_counter()
        try:
            return call()
        finally:
            self.add(wait=time.perf_counter() - start)

    def stop(self) -> None:
        """The pass is over; only the first call counts."""
        if self._end is None:
            self._end = time.perf_counter()

    def stats(self) -> LoaderStats:
        """What was counted so far."""
        end = time.perf_counter() if self._end is None else self._end
        sums: dict[str, float] = {}
        for part in self._all.copy():
            for name, amount in part.copy().items():
                sums[name] = sums.get(name, 0) + amount
        return LoaderStats(
            samples=int(sums.pop("samples", 0)),
            batches=int(sums.pop("batches", 0)),
            elapsed=end - self._start,
            threads=len(self.shares),
            num_threads=sum(self.shares),
            **sums,
        )
