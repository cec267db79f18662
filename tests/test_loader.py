"""A Loader gives the samples of a dataset in order, whatever its threads do."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.utils.data import (
    ConcatDataset,
    DistributedSampler,
    Subset,
    WeightedRandomSampler,
)

import torchdicom as td
from builders import write_series
from compare import assert_same_bits
from loading import InPlace, Numbers, Volumes, numbers

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", [Numbers, InPlace])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_samples_come_in_order(kind: type[Numbers], threads: int) -> None:
    slow = {i: random.Random(i).random() / 200 for i in range(11)}
    loader = td.Loader(kind(11, seconds=slow), 4, num_threads=threads, prefetch=3)
    batches = list(loader)
    assert [batch["number"].tolist() for batch in batches] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 10],
    ]
    for batch in batches:
        assert batch["image"].shape == (len(batch["number"]), 1, 2, 3)
        assert batch["image"][:, 0, 1, 2].tolist() == batch["number"].tolist()
        assert batch["series"] == [f"1.2.{i}" for i in batch["number"]]


def test_last_batch_may_be_left_out() -> None:
    assert numbers(td.Loader(Numbers(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert numbers(td.Loader(Numbers(7), 3, drop_last=True)) == [[0, 1, 2], [3, 4, 5]]
    assert [len(td.Loader(Numbers(n), 3)) for n in (0, 1, 3, 4)] == [0, 1, 1, 2]
    assert [len(td.Loader(Numbers(n), 3, drop_last=True)) for n in (0, 1, 3, 4)] == [0, 0, 1, 1]
    assert numbers(td.Loader(Numbers(0), 3)) == []


def test_samples_are_read_into_the_batch() -> None:
    dataset = InPlace(6)
    for batch in td.Loader(dataset, 3, num_threads=2):
        places = [image.data_ptr() for image in batch["image"]]
        assert places == [dataset.given[i] for i in batch["number"].tolist()]


def test_volumes_of_a_folder(tmp_path: Path) -> None:
    cells = np.random.default_rng(1).integers(-1000, 1000, (3, 4, 80, 70), np.int16)
    for k in range(3):
        write_series(tmp_path / str(k), 4, pixels=list(cells[k]), SeriesInstanceUID=f"1.2.{k}")
    dataset = Volumes(td.scan(tmp_path).series)
    (first, second) = td.Loader(dataset, 2)
    assert first["image"].shape == (2, 1, 4, 80, 70)
    expected = torch.from_numpy(cells.astype(np.float32) - 1024)  # the intercept of the builder
    assert_same_bits(first["image"][:, 0], expected[:2])
    assert_same_bits(second["image"][:, 0], expected[2:])
    assert first["series"] == ["1.2.0", "1.2.1"]
    assert first["target"].tolist() == [0, 1]
    assert first["affine"].shape == (2, 4, 4)


def test_any_dataset_will_do() -> None:
    pairs = [(np.full((2, 2), i, np.int16), "ab"[i % 2]) for i in range(4)]
    (first, second) = td.Loader(pairs, 2)
    assert first[0].tolist() == [[[0, 0], [0, 0]], [[1, 1], [1, 1]]]
    assert first[0].dtype == torch.int16
    assert (first[1], second[1]) == (["a", "b"], ["a", "b"])


# What np.random.default_rng((0, epoch)).permutation(6) gives for the epochs 0 and 1.
ORDERS = [[3, 2, 5, 4, 0, 1], [1, 4, 3, 0, 2, 5]]


@pytest.mark.parametrize("threads", [1, 4])
def test_shuffle_is_by_seed_and_epoch(threads: int) -> None:
    loader = td.Loader(Numbers(6), 6, shuffle=True, num_threads=threads)
    epochs = [numbers(loader)[0] for _ in range(2)]
    assert epochs == ORDERS
    loader.set_epoch(0)
    assert numbers(loader)[0] == epochs[0]
    assert numbers(td.Loader(Numbers(6), 6, shuffle=True, seed=1))[0] not in epochs


def test_epochs_are_told_to_dataset_and_sampler() -> None:
    dataset = Numbers(4)
    sampler: DistributedSampler[Any] = DistributedSampler(dataset, 1, 0, seed=5)
    loader = td.Loader(dataset, 4, sampler=sampler)
    by_hand = []
    for epoch in (0, 1, 7):
        sampler.set_epoch(epoch)
        by_hand.append([list(sampler)])
    assert [numbers(loader), numbers(loader)] == by_hand[:2]
    loader.set_epoch(7)
    assert numbers(loader) == by_hand[2]
    assert dataset.epochs == [0, 1, 7]


def test_samplers_of_torch() -> None:
    dataset = Numbers(10)
    ranks = [
        numbers(td.Loader(dataset, 2, sampler=DistributedSampler(dataset, 2, rank, shuffle=False)))
        for rank in range(2)
    ]
    assert ranks == [[[0, 2], [4, 6], [8]], [[1, 3], [5, 7], [9]]]
    weights = [0.0] * 10
    weights[3] = 1.0
    heavy = td.Loader(dataset, 2, sampler=WeightedRandomSampler(weights, 4))
    assert (numbers(heavy), len(heavy)) == ([[3, 3], [3, 3]], 2)
    mixed: list[Any] = [7, 1, torch.tensor(4), np.int64(0)]
    assert numbers(td.Loader(dataset, 2, sampler=mixed)) == [[7, 1], [4, 0]]


def test_only_so_many_batches_are_read_ahead() -> None:
    for prefetch in (1, 3):
        dataset = Numbers(40)
        batches = iter(td.Loader(dataset, 2, num_threads=3, prefetch=prefetch))
        for taken in range(3):
            wanted = 2 * (taken + prefetch)
            deadline = time.monotonic() + 10
            while len(dataset.started) < wanted and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(0.05)  # would be enough for many more
            assert sorted(dataset.started) == list(range(wanted))
            next(batches)


def test_subsets_and_sums_read_in_place_too() -> None:
    one, two = InPlace(3), InPlace(4)
    both: ConcatDataset[Any] = ConcatDataset([one, Subset(two, [3, 1])])
    assert numbers(td.Loader(both, 5)) == [[0, 1, 2, 3, 1]]
    assert None not in {*one.given.values(), *two.given.values()}
    assert sorted(two.given) == [1, 3]
    assert (one.epochs, two.epochs) == ([0], [0])
    assert numbers(td.Loader(both, 2, sampler=[-1, -3])) == [[1, 2]]
    with pytest.raises(IndexError, match="no sample 5"):
        numbers(td.Loader(both, 2, sampler=[5]))


class Doubled(Subset[Any]):
    """What derives from torch's own may do something else."""

    def __getitem__(self, index: Any) -> Any:
        sample: Any = self.dataset[self.indices[index]]
        return {**sample, "image": sample["image"] * 2}

    def __getitems__(self, indices: list[int]) -> list[Any]:
        return [self[i] for i in indices]


def test_a_class_that_derives_from_subset_keeps_its_say() -> None:
    (batch,) = td.Loader(Doubled(InPlace(3), [1, 2]), 2)
    assert batch["image"][:, 0, 0, 0].tolist() == [2, 4]


class Augmented(InPlace):
    """Gives another image than the memory that it was told to fill."""

    def read(self, i: int, *, out: torch.Tensor | None, num_threads: int) -> dict[str, Any]:
        sample = super().read(i, out=out, num_threads=num_threads)
        image = sample["image"]
        image[0, 0, 1] = -1
        return {**sample, "image": image.flip(-1) if i % 2 else image.transpose(-1, -2)}


def test_images_that_are_elsewhere_are_copied() -> None:
    square = dict.fromkeys(range(4), (1, 2, 2))
    (batch,) = td.Loader(Augmented(4, shapes=square), 4)
    assert batch["image"][:, 0].tolist() == [
        [[0, 0], [-1, 0]],
        [[-1, 1], [1, 1]],
        [[2, 2], [-1, 2]],
        [[-1, 3], [3, 3]],
    ]
