"""Threads change the time, never the bits; the interpreter stays free and Ctrl-C works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
import pytest
from torch.utils.data import DataLoader

import torchdicom as td
from builders import JPEG_2000, RLE, ct_slice, write_series
from builders_frames import encapsulated, even, rle_frame
from compare import assert_same_bits
from helpers import ThreadsDataset, expect_error, first_number
from torchdicom import _ext

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 slices of 256 x 256: a load of some tens of milliseconds."""
    made = tmp_path_factory.mktemp("threads")
    cells = np.random.default_rng(2).integers(-500, 500, (300, 256, 256), np.int16)
    write_series(made, 300, pixels=list(cells))
    return made


@pytest.mark.parametrize("threads", [1, 2, 4, 7, 300])
def test_any_number_of_threads_gives_the_same_bits(folder: Path, threads: int) -> None:
    expected = td.load(folder, num_threads=1)
    loaded = td.load(folder, num_threads=threads)
    assert_same_bits(loaded.data, expected.data)
    assert 1 <= _ext.last_load_stats()["threads"] <= threads


def test_interpreter_runs_during_a_load(folder: Path) -> None:
    # A thread notes the time at each turn it gets; with the lock held it gets none inside the load.
    turns: list[float] = []
    done = threading.Event()

    def note() -> None:
        while not done.wait(0.0002):
            turns.append(time.perf_counter())

    noting = threading.Thread(target=note)
    noting.start()
    try:
        start = time.perf_counter()
        td.load(folder, num_threads=1)
        end = time.perf_counter()
    finally:
        done.set()
        noting.join()
    quarter = (end - start) / 4
    inside = [turn for turn in turns if start + quarter < turn < end - quarter]
    assert len(inside) >= 3, f"{len(inside)} turns in the middle of {end - start:.3f} s"


def test_loads_in_several_python_threads_at_once(folder: Path) -> None:
    expected = td.load(folder).data
    results: list[td.Volume] = []

    def load() -> None:
        results.append(td.load(folder, num_threads=2))

    loading = [threading.Thread(target=load) for _ in range(4)]
    for one in loading:
        one.start()
    for one in loading:
        one.join()
    assert len(results) == 4
    for volume in results:
        assert_same_bits(volume.data, expected)


INTERRUPTED = """
import sys, time
import torchdicom as td
td.decode(sys.argv[2], frames=[0])
print("ready", flush=True)
try:
    while True:
        {call}
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
"""


@pytest.mark.parametrize(
    "call",
    [
        "td.load(sys.argv[1])",
        "td.decode(sys.argv[2], frames=[0] * 300, num_threads=1)",
        "td.decode(sys.argv[2], frames=[0] * 300, num_threads=2)",
    ],
    ids=["short loads", "one long call", "two threads"],
)
def test_ctrl_c(folder: Path, tmp_path: Path, call: str) -> None:
    # Noise is slow to decode: 300 frames of it take many seconds.
    cells = np.random.default_rng(0).integers(0, 4096, (256, 256), np.uint16)
    stream = bytes(imagecodecs.jpeg2k_encode(cells, codecformat="j2k", reversible=True, level=0))
    slow = tmp_path / "slow.dcm"
    pixels = encapsulated([[even(stream)]])
    slow.write_bytes(ct_slice(cells, syntax=JPEG_2000, pixel_element=pixels))
    code = INTERRUPTED.format(call=call)
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(slow)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.3)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        try:
            word, at = child.stdout.readline().split()
            code_of_child = child.wait(timeout=10)
        finally:
            child.kill()
    assert (word, code_of_child) == ("interrupted", 0)
    assert float(at) - sent < 0.5


@pytest.mark.parametrize("threads", [1, 2, 4, 7])
def test_error_of_the_lowest_slice_wins(tmp_path: Path, threads: int) -> None:
    good = [[rle_frame(np.zeros((64, 64), np.int16))]]
    pixels = [encapsulated([[bytes(64)]] if k in {11, 17, 30} else good) for k in range(40)]
    cells = [np.zeros((64, 64), np.int16)] * 40
    paths = write_series(tmp_path, 40, pixels=cells, syntax=RLE, pixel_element=pixels)
    for _ in range(10):
        with pytest.raises(td.DecodeError) as caught:
            td.load(tmp_path, num_threads=threads)
        assert caught.value.path == str(paths[11])


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2", True, 4097, 1 << 70, np.float64(2)])
def test_number_of_threads_is_checked(wrong: object) -> None:
    before = td.get_num_threads()
    with pytest.raises((TypeError, ValueError), match="threads"):
        td.set_num_threads(wrong)  # type: ignore[arg-type]
    assert td.get_num_threads() == before
    with pytest.raises((TypeError, ValueError), match="threads"):
        td.load(ct_slice(), num_threads=wrong)  # type: ignore[arg-type]


def test_default_number_of_threads(folder: Path) -> None:
    before = td.get_num_threads()
    assert 1 <= before <= (os.cpu_count() or 1)
    try:
        td.set_num_threads(3)
        assert td.get_num_threads() == 3
        td.load(folder)
        assert _ext.last_load_stats()["threads"] == 3
    finally:
        td.set_num_threads(None)
    assert td.get_num_threads() == before


def test_default_is_shared_by_the_processes_of_a_node() -> None:
    code = "import torchdicom as td; print(td.get_num_threads())"
    alone, shared = (
        int(
            subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, "LOCAL_WORLD_SIZE": size},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for size in ("1", "2")
    )
    assert shared == max(1, alone // 2)


def test_default_is_shared_by_the_workers_of_a_loader() -> None:
    loader = DataLoader(
        ThreadsDataset(), num_workers=2, collate_fn=first_number, multiprocessing_context="spawn"
    )
    assert list(loader) == [max(1, td.get_num_threads() // 2)]


def test_threads_and_errors_leave_the_next_load_alone(folder: Path) -> None:
    expected = td.load(folder).data
    with expect_error("not_dicom"):
        td.load([*sorted(folder.iterdir()), b"no DICOM at all" * 20])
    assert_same_bits(td.load(folder).data, expected)
