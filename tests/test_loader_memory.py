"""Memory of batches is used again, never while somebody holds it; nothing grows."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import write_series
from compare import assert_same_bits
from helpers import WITH_TESTS
from loading import InPlace, Volumes
from torchdicom import _ext
from torchdicom._training._batch import new_tensor

if TYPE_CHECKING:
    from pathlib import Path

SHAPE = (1, 64, 128, 128)  # 4 MiB as float32


class Ones(InPlace):
    """Sample i is full of i, of some MiB, written in place."""

    def __init__(self, count: int) -> None:
        super().__init__(count, shapes=dict.fromkeys(range(count), SHAPE))


def begin_with_an_empty_pool() -> None:
    """Of memory that other tests left to the collector nothing comes back later."""
    gc.collect()
    td.empty_pool()


def test_memory_comes_from_the_pool_and_goes_back() -> None:
    begin_with_an_empty_pool()
    array = _ext.allocate(3 << 20)
    assert array.dtype == np.uint8
    assert (array.shape, array.flags.writeable) == ((3 << 20,), True)
    address, view = array.ctypes.data, array[5:7]
    assert address % (2 << 20) == 0
    array[:] = 9
    del array
    gc.collect()
    assert _ext.pooled_bytes() == 0
    assert view.tolist() == [9, 9]
    del view
    gc.collect()
    assert _ext.pooled_bytes() == 4 << 20
    assert _ext.allocate(3 << 20).ctypes.data == address
    assert _ext.allocate(0).shape == (0,)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.bool, torch.uint8])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3), (3, 1024, 1024)])
def test_new_tensors(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    tensor = new_tensor(shape, dtype)
    assert (tuple(tensor.shape), tensor.dtype, tensor.is_contiguous()) == (shape, dtype, True)
    assert tensor.fill_(1).sum().item() == np.prod(shape)


def test_batches_that_are_kept_stay_as_they_are() -> None:
    kept, views = [], []
    for k, batch in enumerate(td.Loader(Ones(40), 2, num_threads=3)):
        if k % 5 == 0:
            kept.append((k, batch))
        if k % 5 == 2:
            views.append((k, batch["image"][1, 0, 3, 4, 5:7]))  # all that is left of the batch
    gc.collect()
    for k, batch in kept:
        expected = torch.tensor([2.0 * k, 2 * k + 1]).view(2, 1, 1, 1, 1).expand(2, *SHAPE)
        assert_same_bits(batch["image"], expected.contiguous())
    for k, view in views:
        assert view.tolist() == [2 * k + 1] * 2


@pytest.mark.parametrize("prefetch", [1, 3])
def test_an_epoch_needs_few_buffers(prefetch: int) -> None:
    begin_with_an_empty_pool()
    addresses = set()
    for batch in td.Loader(Ones(60), 2, num_threads=2, prefetch=prefetch):
        addresses.add(batch["image"].data_ptr())
    # That of the program, those ready or in the making, and one that is begun while the program
    # still names the batch before.
    assert len(addresses) <= prefetch + 2


def test_idle_threads_hold_no_batch() -> None:
    begin_with_an_empty_pool()
    batches = iter(td.Loader(Ones(4), 2, num_threads=2))
    first, second = next(batches), next(batches)
    del first, second
    gc.collect()
    assert _ext.pooled_bytes() == 2 * 8 << 20
    assert next(batches, None) is None


# What the system says, of a child: 1,000 loads after some that warm up, equal volumes and padded.
CHILD = """
import gc, json, os, sys, threading
import torch, torchdicom as td
from loading import Volumes

def measure():
    gc.collect()
    pages = int(open("/proc/self/statm").read().split()[1])
    ours = [name for name in os.listdir("/dev/shm") if f"_{os.getpid()}_" in name]
    return {
        "bytes": pages * os.sysconf("SC_PAGE_SIZE"), "fds": len(os.listdir("/proc/self/fd")),
        "threads": threading.active_count(), "tasks": len(os.listdir("/proc/self/task")),
        "shm": len(ours),
    }

def measure_epochs(series, pad):
    loader = td.Loader(Volumes(series * 100), 4, num_threads=3, shuffle=True, pad=pad)
    for batch in loader:
        pass
    del batch
    before = measure()
    loaded, tasks = 0, set()
    while loaded < 1000:
        for batch in loader:
            loaded += len(batch["series"])
            tasks.add(len(os.listdir("/proc/self/task")))
    del batch
    return [before, measure() | {"most_tasks": max(tasks)}]

one, two = td.scan(sys.argv[1]).series
print(json.dumps([measure_epochs([one, one], None), measure_epochs([one, two], 0)]))
"""


def test_nothing_grows_over_a_thousand_loads(tmp_path: Path) -> None:
    for k in range(2):
        cells = [np.full((256, 256), k, np.int16)] * (3 + k)
        write_series(tmp_path / str(k), 3 + k, pixels=cells, SeriesInstanceUID=f"1.2.{k}")
    run = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env=WITH_TESTS | {"OMP_NUM_THREADS": "4"},
    )
    for before, after in json.loads(run.stdout):
        assert after["bytes"] - before["bytes"] < 20 << 20
        for name in ("fds", "threads", "tasks", "shm"):
            assert after[name] == before[name], name
        assert after["threads"] == 1
        # Torch starts none of its own three for a batch; those from before are of libraries, and
        # one that has just been joined may still be there for a moment.
        assert after["most_tasks"] - before["tasks"] in {3, 4}


def test_volumes_in_place_are_the_volumes(tmp_path: Path) -> None:
    cells = np.random.default_rng(0).integers(-9, 9, (5, 6, 200, 200), np.int16)
    for k in range(5):
        write_series(tmp_path / str(k), 6, pixels=list(cells[k]), SeriesInstanceUID=f"1.2.{k}")
    dataset = Volumes(td.scan(tmp_path).series)
    for epoch in td.Loader(dataset, 5), td.Loader(dataset, 5, num_threads=4):
        (batch,) = epoch
        assert_same_bits(batch["image"][:, 0], torch.from_numpy(cells.astype(np.float32) - 1024))
