"""What people do to a Loader that nobody thinks of: the answer is right, or a clear error."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import torch

import torchdicom as td
from loading import InPlace, Numbers, loader_threads, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """After a BaseException nobody waits for the threads, which end all the same."""
    yield
    deadline = time.monotonic() + 20
    while loader_threads() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert loader_threads() == []


@pytest.mark.parametrize("threads", [1, 3])
def test_a_batch_larger_than_the_dataset(threads: int) -> None:
    assert numbers(td.Loader(Numbers(3), 1000, num_threads=threads)) == [[0, 1, 2]]
    assert numbers(td.Loader(Numbers(3), 1000, num_threads=threads, drop_last=True)) == []


@pytest.mark.parametrize("kind", [Numbers, InPlace])
def test_a_very_large_batch(kind: type[Numbers]) -> None:
    (batch,) = td.Loader(kind(3000), 3000, num_threads=4, prefetch=1)
    assert batch["number"].tolist() == list(range(3000))
    assert batch["image"][:, 0, 1, 2].tolist() == list(range(3000))


def test_one_thread_and_one_batch_ahead() -> None:
    assert numbers(td.Loader(Numbers(5), 2, num_threads=1, prefetch=1)) == [[0, 1], [2, 3], [4]]
    assert numbers(td.Loader(Numbers(5), 2, num_threads=9, prefetch=100)) == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize("threads", [1, 3])
def test_what_is_no_exception_comes_where_its_sample_would(
    kind: type[BaseException], threads: int
) -> None:
    batches = iter(td.Loader(Numbers(9, errors={4: kind("four")}), 2, num_threads=threads))
    assert numbers([next(batches), next(batches)]) == [[0, 1], [2, 3]]
    with pytest.raises(kind, match="four"):
        next(batches)
    assert list(batches) == []


class Failing:
    """A sampler that fails in its first epoch."""

    def __init__(self) -> None:
        self.passes = 0
        self.epochs: list[int] = []

    def __len__(self) -> int:
        return 4

    def set_epoch(self, epoch: int) -> None:
        self.epochs.append(epoch)

    def __iter__(self) -> Iterator[int]:
        self.passes += 1
        yield from (3, 2)
        if self.passes == 1:
            msg = "no more weights"
            raise OSError(msg)
        yield from (1, 0)


def test_a_sampler_that_fails_costs_no_epoch() -> None:
    sampler = Failing()
    loader = td.Loader(Numbers(4), 2, sampler=sampler)
    loader.load_state_dict(loader.state_dict() | {"delivered": 2})
    with pytest.raises(OSError, match="no more weights"):
        iter(loader)
    assert numbers(loader) == [[1, 0]]
    assert numbers(loader) == [[3, 2], [1, 0]]
    assert sampler.epochs == [0, 0, 1]


def test_two_passes_at_once_are_refused() -> None:
    loader = td.Loader(Numbers(6), 2)
    with pytest.raises(RuntimeError, match="this pass over the Loader was ended: it was closed"):
        list(zip(loader, loader, strict=True))
    assert len(numbers(loader)) == 3


def test_a_pass_outlives_its_loader() -> None:
    batches = iter(td.Loader(Numbers(6), 2, prefetch=1))
    first = next(batches)
    assert numbers([first, *batches]) == [[0, 1], [2, 3], [4, 5]]


def test_a_loop_that_was_left_and_a_new_one() -> None:
    loader = td.Loader(Numbers(50), 2, num_threads=3)
    for batch in loader:
        assert batch["number"].tolist() == [0, 1]
        break
    for batch in loader:  # the next epoch, not the rest of the last
        assert batch["number"].tolist() == [0, 1]
        break
    assert loader.state_dict()["epoch"] == 1
    loader.close()


@pytest.mark.parametrize("batch_size", [1, 3])
def test_threads_of_the_program_share_a_pass(batch_size: int) -> None:
    for _ in range(10):
        loader = td.Loader(Numbers(60), batch_size, num_threads=2, prefetch=2)
        batches = iter(loader)
        found: list[list[list[int]]] = [[] for _ in range(5)]

        def take(into: list[list[int]], batches: Iterator[Any] = batches) -> None:
            into += numbers(batches)

        takers = [threading.Thread(target=take, args=(one,)) for one in found]
        for one in takers:
            one.start()
        for one in takers:
            one.join()
        assert all(part == sorted(part) for part in found)
        together = sorted(batch for part in found for batch in part)
        assert [i for batch in together for i in batch] == list(range(60))
        assert loader.state_dict()["epoch"] == 1


def test_another_thread_closes_the_pass_that_one_waits_for() -> None:
    loader = td.Loader(Numbers(4, seconds={0: 0.2}), 2, num_threads=1)
    batches = iter(loader)
    closer = threading.Timer(0.05, loader.close)
    closer.start()
    with pytest.raises(RuntimeError, match="was closed"):
        next(batches)
    closer.join()


class Nested(Numbers):
    """Reads each sample by a Loader of its own."""

    def __getitem__(self, i: int) -> Any:
        (batch,) = td.Loader(Numbers(3), 3, num_threads=2)
        return {"image": batch["image"].sum(0) + i, "number": i}


def test_a_loader_within_a_loader() -> None:
    (batch,) = td.Loader(Nested(4), 4, num_threads=2)
    assert batch["image"][:, 0, 0, 0].tolist() == [3, 4, 5, 6]


class Tangled(Numbers):
    """Starts the next pass in the middle of this one."""

    loader: td.Loader

    def __getitem__(self, i: int) -> Any:
        if i == 3:
            self.loader.close()
        return super().__getitem__(i)


def test_a_dataset_that_closes_its_loader() -> None:
    dataset = Tangled(8)
    dataset.loader = td.Loader(dataset, 2, num_threads=2, prefetch=1)
    with pytest.raises(RuntimeError, match="was closed"):
        numbers(dataset.loader)


@pytest.mark.parametrize(
    ("sample", "words"),
    [(None, "is NoneType, which cannot be stacked"), ({"image": None}, "is NoneType, which")],
)
def test_samples_that_cannot_be_stacked_are_named(sample: Any, words: str) -> None:
    with pytest.raises(TypeError, match="sample 1 " + words):
        list(td.Loader([{"image": 0}, sample, sample, sample], 1, sampler=[1]))


def test_samples_that_differ_in_kind_are_named() -> None:
    samples: list[Any] = [{"image": torch.zeros(1, 2)}, torch.zeros(1, 2)]
    with pytest.raises(TypeError, match="of sample 1 is Tensor, and that of sample 0 is a dict"):
        list(td.Loader(samples, 2))
