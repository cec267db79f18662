"""More for ``torch.utils.data``: splits by patient, samplers of ranks, samples as a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np
import torch
import torch.distributed
from torch.utils.data import IterableDataset, Sampler, get_worker_info

from torchdicom._training._access import access
from torchdicom._training._options import check_flag, check_whole
from torchdicom.interop._splits import split

if TYPE_CHECKING:
    from collections.abc import Iterator, Sized

    from torchdicom._training._recipe import Sample

__all__ = ["ShardSampler", "StreamingDataset", "split"]

Uneven = Literal["repeat", "drop", "keep"]
_UNEVEN: Final[tuple[str, ...]] = get_args(Uneven)


def check_uneven(uneven: Uneven) -> Uneven:
    """The same, where it is one of the three."""
    if uneven not in _UNEVEN:
        msg = f"uneven must be one of {_UNEVEN}, not {uneven!r}"
        raise ValueError(msg)
    return uneven


def _is_distributed() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()


class ShardSampler(Sampler[int]):
    """Which samples this rank gets, so that no rank waits for one that has no more.

    The ranks take turns in one order of all samples. Where these do not come out even, ranks would
    take different numbers of steps, and the last step of DistributedDataParallel would wait for
    ever: ``uneven`` says what to do about it.

    Example:
        >>> list(ShardSampler(range(5), rank=1, num_replicas=2))
        [1, 3, 0]
        >>> list(ShardSampler(range(5), rank=1, num_replicas=2, uneven="drop"))
        [1, 3]
    """

    def __init__(
        self,
        dataset: Sized,
        *,
        rank: int | None = None,
        num_replicas: int | None = None,
        shuffle: bool = False,
        uneven: Uneven = "repeat",
        own: bool = False,
        seed: int = 0,
    ) -> None:
        """Nothing is asked of other ranks, unless ``own`` is.

        Args:
            dataset: What there are samples of.
            rank: Of this process; None asks ``torch.distributed``, 0 where that is not used.
            num_replicas: How many ranks there are; None likewise, 1 where it is not used.
            shuffle: Whether each epoch has an order of its own, which ``seed`` and the number of
                the epoch determine: the same on all ranks.
            uneven: ``"repeat"``: some samples are given twice, so that all ranks have as many.
                ``"drop"``: a few are given to nobody, others in each epoch that is shuffled.
                ``"keep"``: each is given once, for evaluation, or inside of
                ``DistributedDataParallel.join``; ranks have different numbers.
            own: Whether the dataset holds what this rank has, a shard that others do not see, and
                not what all of them share. Shards may differ in length: ``"repeat"`` goes on until
                the longest is through, ``"drop"`` stops with the shortest. All ranks must make
                their sampler then, since they tell each other how long they are.
            seed: For ``shuffle``.

        Raises:
            TypeError: If an argument is of another type than it may be.
            ValueError: If its value is none of the allowed ones.
        """
        check_uneven(uneven)
        known = (0, 1)
        if _is_distributed():
            known = (torch.distributed.get_rank(), torch.distributed.get_world_size())
        rank = known[0] if rank is None else check_whole("rank", rank, 0)
        if num_replicas is None:
            num_replicas = known[1]
        check_whole("num_replicas", num_replicas, 1)
        if rank >= num_replicas:
            msg = f"rank is {rank}, and there are {num_replicas} ranks, from 0 on"
            raise ValueError(msg)
        self._count = len(dataset)
        self._is_shuffled = check_flag("shuffle", shuffle)
        self._seed = check_whole("seed", seed, 0)
        self._epoch = 0
        self._uneven = uneven
        # Of its own samples a rank takes all.
        self._step, self._first = (1, 0) if check_flag("own", own) else (num_replicas, rank)
        self._length = self._agreed(own=own)
        if self._length and not self._count:
            msg = "this rank has no samples, and others have: give it some, or uneven='drop'"
            raise ValueError(msg)

    def _agreed(self, *, own: bool) -> int:
        """How many samples an epoch has on this rank."""
        mine = len(range(self._first, self._count, self._step))
        if self._uneven == "keep":
            return mine
        if not own:
            whole = self._count // self._step
            return whole if self._uneven == "drop" else -(-self._count // self._step)
        if not _is_distributed():
            return mine
        kind = torch.distributed.ReduceOp
        is_nccl = torch.distributed.get_backend() == "nccl"
        told = torch.tensor([mine], device="cuda" if is_nccl else "cpu")
        torch.distributed.all_reduce(told, kind.MIN if self._uneven == "drop" else kind.MAX)
        return int(told)

    def set_epoch(self, epoch: int) -> None:
        """The number of the epoch that is iterated over next; a `Loader` says it by itself."""
        self._epoch = check_whole("epoch", epoch, 0)

    def __len__(self) -> int:
        """How many samples this rank gets in an epoch."""
        return self._length

    def __iter__(self) -> Iterator[int]:
        """The numbers of the samples."""
        order = np.arange(self._count)
        if self._is_shuffled:
            order = np.random.default_rng((self._seed, self._epoch)).permutation(self._count)
        for k in range(self._length):
            # Past the end it begins anew, as other ranks are not there yet.
            yield int(order[(self._first + k * self._step) % self._count])


class StreamingDataset(IterableDataset["Sample"]):
    """The samples of a dataset as a stream, each read when it is asked for.

    For what takes an ``IterableDataset``: torch's ``DataLoader`` shares the stream out among its
    workers and the ranks of ``torch.distributed``; each sample is given once, or as ``uneven``
    says. It has no length, since a batch of each worker may have fewer samples.

    Example:
        >>> import torchdicom as td
        >>> volumes = td.VolumeDataset("tests/data/sts_002/ct", size=(16, 32, 32))
        >>> loader = torch.utils.data.DataLoader(StreamingDataset(volumes), collate_fn=td.collate)
        >>> [tuple(batch["image"].shape) for batch in loader]
        [(1, 1, 16, 32, 32)]
    """

    def __init__(
        self,
        dataset: Any,
        *,
        rank: int | None = None,
        num_replicas: int | None = None,
        shuffle: bool = False,
        uneven: Uneven = "repeat",
        own: bool = False,
        seed: int = 0,
    ) -> None:
        """Nothing is read yet.

        Args:
            dataset: A map-style dataset, such as `torchdicom.VolumeDataset`.
            rank: As in `ShardSampler`, and so are all others.
            num_replicas: How many ranks there are.
            shuffle: Whether each epoch has an order of its own.
            uneven: What to do where ranks would get different numbers of samples.
            own: Whether the dataset is the shard of this rank alone.
            seed: For ``shuffle``.

        Raises:
            TypeError: If the dataset has no samples by number, or an argument is of another type
                than it may be.
            ValueError: If its value is none of the allowed ones.
        """
        self._source = access(dataset)
        self._dataset = dataset
        self._sampler = ShardSampler(
            dataset,
            rank=rank,
            num_replicas=num_replicas,
            shuffle=shuffle,
            uneven=uneven,
            own=own,
            seed=seed,
        )
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The number of the epoch that is iterated over next.

        Workers that a ``DataLoader`` keeps (``persistent_workers``) do not hear of it.
        """
        self._epoch = check_whole("epoch", epoch, 0)

    def __iter__(self) -> Iterator[Sample]:
        """The samples of this rank; in a worker, every n-th of them."""
        self._sampler.set_epoch(self._epoch)
        self._source.set_epoch(self._epoch)
        worker = get_worker_info()
        first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for k, number in enumerate(self._sampler):
            if k % step == first:
                yield self._dataset[number]
