"""The Loader: batches from one process, whose threads decode right into them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from torchdicom._threads import check_num_threads, get_num_threads
from torchdicom._training._access import access
from torchdicom._training._collate import check_pad
from torchdicom._training._making import Making
from torchdicom._training._options import (
    check_flag,
    check_index,
    check_sampler,
    check_whole,
    memory_of_batches,
)
from torchdicom._training._pass import Pass, chunks
from torchdicom._training._state import Progress, Resume, from_dict, to_dict
from torchdicom._training._stats import Clock, LoaderStats
from torchdicom._training._workers import share_threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchdicom._training._access import Access


class Loader:
    """Batches of a dataset, read ahead by threads of this process.

    Samples of `VolumeDataset`, `ImageDataset` and `PatchDataset` decode right into their slots of
    the batch: no worker process, no pickling, no copy. Any other map-style dataset works too (its
    samples are copied into the batch), and so do ``Subset`` and ``ConcatDataset`` of torch.

    Batches, and their order, depend on neither threads nor time; only a transform that draws from
    a global random generator gives other values from run to run. Threads live as long as a pass:
    until it is exhausted, dropped or closed, or the interpreter exits. Only one pass at a time is
    live: a new one ends the one before. Several threads may take batches of it, each of which goes
    to one of them. An exception in a sample is raised where its batch is due, and ends the pass.

    Attributes:
        dataset: The dataset.
        batch_size: Samples in a batch.
        sampler: The sampler, or None.
        drop_last: Whether a last batch of fewer samples is left out.
        batch_sampler: None: it makes batches itself. Lightning asks any loader with a sampler.

    Example:
        >>> import torch
        >>> import torchdicom as td
        >>> paths = [f"tests/data/sts_002/ct/{k:06}.dcm" for k in range(4)]
        >>> class Slices(torch.utils.data.Dataset):
        ...     def __len__(self):
        ...         return len(paths)
        ...
        ...     def __getitem__(self, i):
        ...         return {"image": td.decode(paths[i], output="modality")}
        >>> for batch in td.Loader(Slices(), batch_size=2, shuffle=True):
        ...     print(tuple(batch["image"].shape))
        (2, 1, 143, 161)
        (2, 1, 143, 161)
    """

    batch_sampler = None

    def __init__(
        self,
        dataset: Any,
        batch_size: int,
        *,
        shuffle: bool = False,
        sampler: Iterable[int] | None = None,
        drop_last: bool = False,
        num_threads: int | None = None,
        prefetch: int = 2,
        pin_memory: bool = False,
        pad: float | None = None,
        seed: int = 0,
    ) -> None:
        """Check the options; no thread is started before the first pass.

        Args:
            dataset: A map-style dataset.
            batch_size: Samples in a batch; the last one may have fewer.
            shuffle: Whether each epoch has an order of its own, which ``seed`` and the number of
                the epoch determine.
            sampler: Gives the samples of an epoch in order, and has a length: torch's samplers, a
                ``DistributedSampler`` among them, or a list. Where it has a ``set_epoch``, that is
                called.
            drop_last: Whether to leave a last batch of fewer samples out.
            num_threads: Threads altogether; None is `get_num_threads`. As many samples are read at
                a time, each by one of them; fewer samples share them.
            prefetch: Batches that are ready or in the making while the program has one.
            pin_memory: Whether batches are in memory that a device copies from directly.
            pad: Value around images that are smaller than others of their batch, see `collate`;
                None: their shapes must be equal.
            seed: For ``shuffle``.

        Raises:
            TypeError: If an argument is of another type than it may be.
            ValueError: If its value is none of the allowed ones, or ``pin_memory`` is asked for
                where there is no accelerator.
        """
        self._source: Access = access(dataset)
        self.dataset = dataset
        self.batch_size = check_whole("batch_size", batch_size, 1)
        self.sampler = check_sampler(sampler, shuffle=check_flag("shuffle", shuffle))
        self.drop_last = check_flag("drop_last", drop_last)
        self._is_shuffled = shuffle
        self._num_threads = None if num_threads is None else check_num_threads(num_threads)
        self._prefetch = check_whole("prefetch", prefetch, 1)
        self._new = memory_of_batches(pin_memory=check_flag("pin_memory", pin_memory))
        self._pad = check_pad(pad)
        self._seed = check_whole("seed", seed, 0)
        self._epoch = 0
        self._resume: Resume | None = None
        self._progress: Progress | None = None
        self._clock: Clock | None = None
        self._pass: weakref.ref[Pass] | None = None

    def __len__(self) -> int:
        """The batches of a whole epoch."""
        samples = len(self.dataset if self.sampler is None else self.sampler)
        return samples // self.batch_size if self.drop_last else -(-samples // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        """Begin the next epoch, or go on with the one that `load_state_dict` told of."""
        self.close()
        progress = self._begin(self._epoch)
        num_threads = self._num_threads or get_num_threads()
        clock = Clock(share_threads(num_threads, self.batch_size * self._prefetch))
        # Neither function nor generator of the pass itself: it would hold on to the pass, which the
        # program may drop.
        source, pad, new = self._source, self._pad, self._new
        # Fewer calls cost less; but so that all threads have something to do until the end.
        at_once = max(1, min(source.at_once, self.batch_size // (2 * len(clock.shares))))
        batches = (
            Making(source, indices, pad=pad, new=new, clock=clock, at_once=at_once)
            for indices in chunks(progress, self.batch_size, drop_last=self.drop_last)
        )
        one = Pass(batches, progress, clock, prefetch=self._prefetch)
        # Only now: what fails before, the sampler for one, leaves the epoch where it was.
        self._epoch, self._resume = progress.epoch + 1, None
        self._progress, self._clock, self._pass = progress, clock, weakref.ref(one)
        return one

    def _begin(self, epoch: int) -> Progress:
        """Which samples the epoch has, and how many of them the program got already."""
        self._source.set_epoch(epoch)
        resume = self._resume
        if resume is None or resume.epoch != epoch:
            resume = Resume(epoch)
        order = self._order(epoch) if resume.order is None else resume.order
        return Progress(epoch, order, delivered=resume.delivered)

    def _order(self, epoch: int) -> list[int]:
        """The samples of an epoch."""
        if self.sampler is not None:
            if hasattr(self.sampler, "set_epoch"):
                self.sampler.set_epoch(epoch)
            return [check_index(i) for i in self.sampler]
        count = len(self.dataset)
        if not self._is_shuffled:
            return list(range(count))
        order: list[int] = np.random.default_rng((self._seed, epoch)).permutation(count).tolist()
        return order

    def set_epoch(self, epoch: int) -> None:
        """Set the number of the epoch that is iterated over next; by itself it grows by one.

        What was loaded by `load_state_dict` for this very epoch stays.

        Args:
            epoch: At least 0.
        """
        self._epoch = check_whole("epoch", epoch, 0)

    def state_dict(self) -> dict[str, Any]:
        """Where the Loader is: numbers and lists, to be saved with a model.

        In the middle of an epoch it tells how many samples the program has got, and, of a sampler
        without ``set_epoch``, which are still to come.
        """
        keeps_order = self.sampler is not None and not hasattr(self.sampler, "set_epoch")
        return to_dict(self._progress, self._epoch, self._told(), keeps_order=keeps_order)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where another Loader was: the next pass is the rest of its epoch.

        Args:
            state: What `state_dict` returned; ``batch_size`` may be another now.

        Raises:
            TypeError: If it is no dict.
            ValueError: If it is of a Loader that gives other samples.
        """
        resume = from_dict(state, self._told())
        self.close()
        self._resume, self._epoch, self._progress = resume, resume.epoch, None

    def _told(self) -> dict[str, Any]:
        """What a state is only good for."""
        samples = len(self.dataset if self.sampler is None else self.sampler)
        seed = self._seed if self._is_shuffled else None
        return {"samples": samples, "shuffle": self._is_shuffled, "seed": seed}

    def stats(self) -> LoaderStats:
        """What the time of the current or last pass went to; ``advice`` says it in words."""
        return LoaderStats() if self._clock is None else self._clock.stats()

    def close(self) -> None:
        """End the pass, if there is one, and its threads; a new one may begin afterwards."""
        one = None if self._pass is None else self._pass()
        if one is not None:
            one.close()

    def __repr__(self) -> str:
        """What it loads, and how."""
        name = type(self.dataset).__name__
        return f"Loader({name}, {len(self)} batches of {self.batch_size}, epoch={self._epoch})"
