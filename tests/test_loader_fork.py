"""Children that are forked in the middle of anything do not wait for threads that they lack."""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import DataLoader

import torchdicom as td
from builders import write_series
from loading import Numbers, Volumes, assert_same_batches
from torchdicom import _ext
from torchdicom._training._locks import ForkSafeLock
from training import write_volumes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def in_child(work: Callable[[], bool], seconds: int = 30) -> int:
    """The exit code of a forked child: 0 where the work is True, 3 where it is not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads are alive: that is the point
        child = os.fork()
    if child == 0:
        code = 2
        try:
            # A deadlock ends the child, not the test run, and says where it is.
            faulthandler.register(signal.SIGALRM, chain=True)
            signal.alarm(seconds)
            code = 0 if work() else 3  # 1 is a sanitizer's
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_child_iterates_anew() -> None:
    loader = td.Loader(Numbers(8), 2, num_threads=2)
    batches = iter(loader)
    next(batches)

    def work() -> bool:
        try:
            next(batches)
        except RuntimeError as error:
            words = "do not survive a fork" in str(error)
        else:
            words = False
        again = [batch["number"].tolist() for batch in td.Loader(Numbers(4), 2, num_threads=2)]
        loader.close()
        return words and again == [[0, 1], [2, 3]]

    assert in_child(work) == 0
    assert [batch["number"].tolist() for batch in batches] == [[2, 3], [4, 5], [6, 7]]


def test_a_fork_in_the_middle_of_a_property_of_a_series(tmp_path: Path) -> None:
    write_series(tmp_path, 2)
    (series,) = td.scan(tmp_path).series
    forked, inside = threading.Event(), threading.Event()
    class_of_verdict = type(series).__dict__["verdict"]
    work_out = class_of_verdict._work_out

    def slowly(one: td.Series) -> td.Verdict:
        inside.set()
        if threading.current_thread() is not threading.main_thread():
            forked.wait(20)
        return work_out(one)  # type: ignore[no-any-return]

    class_of_verdict._work_out = slowly
    other = threading.Thread(target=lambda: series.verdict)
    try:
        other.start()
        assert inside.wait(20)
        assert in_child(lambda: series.verdict.ok, seconds=10) == 0
    finally:
        class_of_verdict._work_out = work_out
        forked.set()
        other.join()


def test_a_lock_is_open_in_a_child_but_for_the_thread_that_forked() -> None:
    theirs, ours = ForkSafeLock(), ForkSafeLock()
    locked, forked = threading.Event(), threading.Event()

    def hold() -> None:
        with theirs:
            locked.set()
            forked.wait(30)

    def work() -> bool:
        with theirs:
            pass
        taken: list[int] = []

        def take() -> None:
            with ours:
                taken.append(1)

        other = threading.Thread(target=take)
        other.start()
        other.join(0.1)
        was_taken = bool(taken)
        ours.__exit__(None, None, None)
        other.join()
        return not was_taken and taken == [1]

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert locked.wait(30)
        with ours:
            assert in_child(work, seconds=10) == 0
    finally:
        forked.set()
        holder.join()


def test_a_fork_while_a_volume_is_read_for_a_buffer(tmp_path: Path) -> None:
    reading, forked = threading.Event(), threading.Event()

    def label(series: td.Series) -> torch.Tensor:
        if threading.current_thread() is not threading.main_thread():
            reading.set()
            forked.wait(30)
        return torch.ones(series.shape)

    dataset = td.PatchDataset(
        write_volumes(tmp_path, 1), (2, 2, 2), patches_per_volume=2, buffer=1, label=label
    )
    other = threading.Thread(target=lambda: dataset[0])
    try:
        other.start()
        assert reading.wait(30)
        assert in_child(lambda: dataset[0]["series"] == "1.2.3.1", seconds=10) == 0
    finally:
        forked.set()
        other.join()


def test_workers_that_are_forked_in_the_middle_of_a_pass(tmp_path: Path) -> None:
    folder = write_volumes(tmp_path, 3)
    dataset = td.PatchDataset(folder, (2, 2, 2), patches_per_volume=4, buffer=2)
    stock: DataLoader[Any] = DataLoader(
        dataset, 4, num_workers=2, multiprocessing_context="fork", collate_fn=td.collate
    )
    expected = list(td.Loader(dataset, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # as in_child has it
        loader = td.Loader(dataset, 4, num_threads=2)
        for batch, same in zip(loader, expected, strict=True):
            assert_same_batches([batch], [same])
            assert_same_batches(list(stock), expected)


def test_forks_while_other_threads_load_and_free(tmp_path: Path) -> None:
    cells = np.random.default_rng(3).integers(-1000, 1000, (4, 128, 128), np.int16)
    write_series(tmp_path, 4, pixels=list(cells))
    (series,) = td.scan(tmp_path).series
    expected = cells.astype(np.float32) - 1024
    done = threading.Event()

    def load_and_free() -> None:
        while not done.is_set():
            series.load(num_threads=2)
            _ext.allocate(3 << 20)
            td.empty_pool()

    patches = td.PatchDataset(
        [series], (2, 16, 16), patches_per_volume=4, buffer=1, on_error="quarantine"
    )

    def epochs(dataset: Any) -> None:
        loader = td.Loader(dataset, 2, num_threads=2)
        while not done.is_set():
            for batch in loader:
                del batch

    def work() -> bool:
        same = np.array_equal(series.load(num_threads=2).data.numpy(), expected)
        (batch,) = td.Loader(Volumes([series] * 2), 2, num_threads=2)
        same &= np.array_equal(batch["image"][1, 0].numpy(), expected)
        td.empty_pool()
        same &= len(list(td.Loader(patches, 2))) == 2
        return same

    busy = [
        threading.Thread(target=load_and_free),
        threading.Thread(target=epochs, args=(Volumes([series] * 6),)),
        threading.Thread(target=epochs, args=(patches,)),
    ]
    for one in busy:
        one.start()
    try:
        codes = [in_child(work) for _ in range(60)]
    finally:
        done.set()
        for one in busy:
            one.join()
    assert codes == [0] * 60
