"""The threads of a Loader: as many as were asked for, and gone when nobody needs them."""

from __future__ import annotations

import gc
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import torchdicom as td
from builders import write_series
from loading import InPlace, Numbers, loader_threads
from torchdicom import _ext
from torchdicom._training._workers import share_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import torch


@pytest.fixture(scope="module", autouse=True)
def _quick_collections() -> Iterator[None]:
    """What was there before is never garbage here: to look through all of torch takes 0.3 s."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _no_thread_before() -> None:
    """Passes that failed tests left behind would be counted."""
    gc.collect()
    assert loader_threads() == []


class Counting(InPlace):
    """Notes how many samples are read at a time, and what td.load would use there."""

    def __init__(self, count: int) -> None:
        super().__init__(count, seconds=dict.fromkeys(range(count), 0.005))
        self.lock = threading.Lock()
        self.now = self.most = 0
        self.defaults: set[int] = set()

    def read(self, i: int, *, out: torch.Tensor | None, num_threads: int) -> dict[str, Any]:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.defaults.add(td.get_num_threads())
        try:
            return super().read(i, out=out, num_threads=num_threads)
        finally:
            with self.lock:
                self.now -= 1


@pytest.mark.parametrize(
    ("num_threads", "batch_size", "at_a_time", "each"),
    [(1, 4, 1, {1}), (3, 4, 3, {1}), (6, 1, 2, {3}), (5, 1, 2, {2, 3})],
)
def test_samples_share_the_threads(
    num_threads: int, batch_size: int, at_a_time: int, each: set[int]
) -> None:
    dataset = Counting(24)
    list(td.Loader(dataset, batch_size, num_threads=num_threads, prefetch=2))
    assert dataset.most == at_a_time
    assert set(dataset.threads) == dataset.defaults == each
    assert td.get_num_threads() == default_of_other_threads()


def default_of_other_threads() -> int:
    """What it is in a thread of no Loader."""
    found: list[int] = []
    one = threading.Thread(target=lambda: found.append(td.get_num_threads()))
    one.start()
    one.join()
    return found[0]


@pytest.mark.parametrize("num_threads", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("samples", [1, 2, 5, 32])
def test_no_thread_more_and_none_less(num_threads: int, samples: int) -> None:
    shares = share_threads(num_threads, samples)
    assert sum(shares) == num_threads
    assert len(shares) == min(num_threads, samples)
    assert max(shares) - min(shares) <= 1


def exhausted() -> None:
    list(td.Loader(Numbers(5), 2, num_threads=3))


def dropped() -> None:
    for _ in td.Loader(Numbers(50), 2, num_threads=3):
        break


def closed() -> None:
    loader = td.Loader(Numbers(50), 2, num_threads=3)
    batches = iter(loader)
    next(batches)
    assert len(loader_threads()) == 3
    loader.close()
    assert loader_threads() == []
    with pytest.raises(RuntimeError, match="was closed, or iterated over anew"):
        next(batches)
    assert list(batches) == []
    assert next(iter(loader))["number"].tolist() == [0, 1]


def failed() -> None:
    with pytest.raises(OSError, match="lost"):
        list(td.Loader(Numbers(50, errors={3: OSError("lost")}), 2, num_threads=3))


def iterated_anew() -> None:
    loader = td.Loader(Numbers(50), 2, num_threads=3)
    first = iter(loader)
    next(first)
    second = iter(loader)
    assert len(loader_threads()) == 3
    with pytest.raises(RuntimeError, match="iterated over anew"):
        next(first)
    assert next(second)["number"].tolist() == [0, 1]


def never_started() -> None:
    td.Loader(Numbers(50), 2, num_threads=3)


@pytest.mark.parametrize("use", [exhausted, dropped, closed, failed, iterated_anew, never_started])
def test_no_thread_is_left(use: Callable[[], None]) -> None:
    use()
    assert loader_threads() == []


def test_a_pass_may_be_dropped_by_the_collector_in_one_of_its_threads() -> None:
    class Collecting(Numbers):
        def __getitem__(self, i: int) -> Any:
            gc.collect()
            return super().__getitem__(i)

    for _ in range(20):
        batches = iter(td.Loader(Collecting(200), 2, num_threads=3))
        next(batches)
        circle: list[Any] = [batches]
        circle.append(circle)  # nothing but the collector frees it
        del batches, circle
    # One collection at a time: this one does nothing where one of those threads is in its own.
    deadline = time.monotonic() + 10
    while loader_threads() and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    assert loader_threads() == []


def test_a_call_that_was_told_to_stop(tmp_path: Path) -> None:
    cells = np.zeros((600, 256, 256), np.int16)
    write_series(tmp_path, 600, pixels=list(cells))
    (series,) = td.scan(tmp_path).series
    stop = _ext.Stop()
    outcome: list[BaseException | None] = []

    def load() -> None:
        _ext.heed(stop)
        try:
            while True:
                series.load(num_threads=1)
        except RuntimeError as error:
            outcome.append(error)

    one = threading.Thread(target=load)
    one.start()
    time.sleep(0.1)
    assert not outcome
    stop.tell()
    one.join(timeout=5)
    assert [str(error) for error in outcome] == [
        "the call was stopped: nobody waits for its result"
    ]
    assert series.load().data.shape == (600, 256, 256)  # of another thread
