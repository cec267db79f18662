"""Torch's own DataLoader gives what the Loader gives, from workers of either kind."""

from __future__ import annotations

import gc
import itertools
import multiprocessing
import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from torch.utils.data import DataLoader

import torchdicom as td
from builders import write_series
from compare import assert_same_bits
from loading import DATASETS, CollateParts, Parts, Volumes, assert_same_batches, one_by_one
from training import write_six

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def equal(tmp_path_factory: pytest.TempPathFactory) -> td.Index:
    """Seven series of one shape."""
    folder = tmp_path_factory.mktemp("equal")
    cells = np.random.default_rng(1).integers(-1000, 1000, (7, 4, 96, 80), np.int16)
    for k in range(7):
        write_series(folder / str(k), 4, pixels=list(cells[k]), SeriesInstanceUID=f"1.2.{k}")
    return td.scan(folder)


@pytest.fixture(scope="module")
def unequal(tmp_path_factory: pytest.TempPathFactory) -> td.Index:
    """Five series of 2 to 6 slices, of two sizes."""
    folder = tmp_path_factory.mktemp("unequal")
    rng = np.random.default_rng(2)
    for k in range(5):
        cells = list(rng.integers(-1000, 1000, (2 + k, 40 + k % 2, 30), np.int16))
        write_series(folder / str(k), len(cells), pixels=cells, SeriesInstanceUID=f"1.2.{k}")
    return td.scan(folder)


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> td.Index:
    """For the package's own datasets: six CTs of 8 slices of 40 x 36."""
    return write_six(tmp_path_factory.mktemp("six"))


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> td.Index:
    """Two series; a file of the second was cut off since they were found."""
    folder = tmp_path_factory.mktemp("lost")
    for k in range(2):
        write_series(folder / str(k), 2, SeriesInstanceUID=f"1.2.{k}")
    index = td.scan(folder)
    path = folder / "1" / "0001.dcm"
    path.write_bytes(path.read_bytes()[:-5])
    return index


# Torch warns where there are more workers than CPUs.
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")

OWN = ["volumes with all", "transformed", "images", "patches"]
SIZES = {"equal": 3, "padded": 2, "unequal": 2, "lost": 1} | dict.fromkeys(OWN, 4)


class Stock:
    """Torch's DataLoader with workers that live on, and what it gave in two epochs, by part.

    Attributes:
        workers: How many there are.
        loader: The DataLoader.
        epochs: For each epoch and part its batches; an error where it came in place of one.
        seen: What the workers saw of each batch, by part.
    """

    def __init__(self, dataset: Parts, workers: int, start: str | None) -> None:
        self.workers = workers
        self.batches = dataset.batches(SIZES)
        self.loader: DataLoader[Any] = DataLoader(
            dataset,
            batch_sampler=self.batches,
            num_workers=workers,
            multiprocessing_context=start,
            persistent_workers=workers > 0,
            collate_fn=CollateParts({"padded": -1024}),
        )
        self.seen: dict[str, list[Any]] = {name: [] for name in SIZES}
        self.epochs = [self.epoch() for _ in range(2)]

    def epoch(self) -> dict[str, list[Any]]:
        """One more; errors do not end it."""
        found: dict[str, list[Any]] = {name: [] for name in SIZES}
        batches = iter(self.loader)
        for name, _ in (batch[0] for batch in self.batches):
            found[name].append(self._next(batches, name))
        assert next(batches, None) is None
        return found

    def _next(self, batches: Iterator[Any], name: str) -> Any:
        try:
            told, batch, seen = next(batches)
        except ValueError as error:
            # Without its frames, which hold on to the iterator: torch takes 5 seconds a worker to
            # end one that the collector finds.
            return error.with_traceback(None)
        assert told == name
        self.seen[name].append(seen)
        return batch


@pytest.fixture(
    scope="module",
    params=[(0, None), (2, "fork"), (2, "spawn"), (4, "fork"), (4, "spawn")],
    ids=lambda param: f"{param[0]} {param[1]}",
)
def stock(
    request: pytest.FixtureRequest,
    equal: td.Index,
    unequal: td.Index,
    lost: td.Index,
    six: td.Index,
) -> Stock:
    workers, start = request.param
    dataset = Parts(
        {
            "equal": Volumes(equal.series),
            "padded": Volumes(unequal.series),
            "unequal": Volumes(unequal.series),
            "lost": Volumes(lost.series),
            **{name: DATASETS[name][0](six) for name in OWN},
        }
    )
    return Stock(dataset, workers, start)


def test_workers_give_what_the_loader_gives(stock: Stock, equal: td.Index) -> None:
    expected = list(td.Loader(Volumes(equal.series), 3))
    assert [batch["target"].tolist() for batch in expected] == [[0, 1, 2], [3, 4, 5], [6]]
    for epoch in stock.epochs:  # of the same workers
        assert_same_batches(epoch["equal"], expected)


def test_padding_with_a_mask(stock: Stock, unequal: td.Index) -> None:
    expected = list(td.Loader(Volumes(unequal.series), 2, pad=-1024))
    assert [tuple(batch["image"].shape) for batch in expected] == [
        (2, 1, 3, 41, 30),
        (2, 1, 5, 41, 30),
        (1, 1, 6, 40, 30),
    ]
    assert [batch["mask"].sum().item() for batch in expected] == [
        2 * 40 * 30 + 3 * 41 * 30,
        4 * 40 * 30 + 5 * 41 * 30,
        6 * 40 * 30,
    ]
    for epoch in stock.epochs:
        assert_same_batches(epoch["padded"], expected)


@pytest.mark.parametrize("name", OWN)
def test_the_packages_own_datasets(stock: Stock, six: td.Index, name: str) -> None:
    expected = list(td.Loader(DATASETS[name][0](six), 4))
    assert_same_batches(expected, one_by_one(DATASETS[name][0](six), 4))
    for epoch in stock.epochs:
        assert_same_batches(epoch[name], expected)


def test_errors_come_where_their_batch_would(stock: Stock) -> None:
    for epoch in stock.epochs:
        first, second, third = epoch["unequal"]
        assert "sample 0 of the batch (series 1.2.0), " in str(first)
        assert "sample 1 of the batch (series 1.2.1)" in str(first)
        assert "series 1.2.3" in str(second)
        assert third["series"] == ["1.2.4"]
        read, error = epoch["lost"]
        assert read["series"] == ["1.2.0"]
        assert isinstance(error, td.ParseError)
        assert "0001.dcm" in str(error)


def test_workers_decode_right_into_the_batch_in_shared_memory(stock: Stock) -> None:
    for name in ("equal", "volumes with all", "images", "patches"):
        for seen in stock.seen[name]:
            assert seen["read"] == seen["batch"]
    for seen in itertools.chain(*stock.seen.values()):
        assert seen["is_shared"] == seen["is_worker"] == (stock.workers > 0)


def test_epochs_leave_nothing_behind(stock: Stock) -> None:
    def measure() -> tuple[int, int]:
        """Open files, and files in shared memory of this process and its workers."""
        gc.collect()
        pids = [os.getpid(), *(one.pid for one in multiprocessing.active_children())]
        names = os.listdir("/dev/shm")  # noqa: PTH208
        ours = [name for name in names for pid in pids if f"_{pid}_" in name]
        return len(os.listdir("/proc/self/fd")), len(ours)  # noqa: PTH208

    def measures(seconds: float) -> Iterator[tuple[int, int]]:
        """Torch gives files of batches back a little after the batches."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            yield measure()
            time.sleep(0.05)

    before = min(measures(0.3))
    for _ in range(4):
        stock.epoch()
    assert any(fds <= before[0] and shm <= before[1] for fds, shm in measures(20))


def test_default_collate_works_as_well(equal: td.Index) -> None:
    stock: DataLoader[Any] = DataLoader(Volumes(equal.series), batch_size=7)
    (batch,) = stock
    (expected,) = td.Loader(Volumes(equal.series), 7)
    assert_same_bits(batch["image"], expected["image"])


def test_single_samples_of_a_worker_are_shared(equal: td.Index) -> None:
    stock: DataLoader[Any] = DataLoader(Volumes(equal.series), batch_size=None, num_workers=1)
    samples = list(stock)
    assert [sample["target"] for sample in samples] == list(range(7))
    assert all(sample["image"].is_shared() for sample in samples)
