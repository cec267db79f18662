"""How long does a series of uncompressed slices take, next to the loop that people have?"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

import torchdicom as td
from benchmarks.contenders import pydicom_loop
from benchmarks.datasets import ct_series
from benchmarks.report import Answer, spread

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS: Final = 7
_BAR: Final = 20.0


def ask() -> Answer:
    """300 slices of 512x512, native int16 to float32 HU, warm, interleaved rounds.

    Warm: the files are in the page cache, and a first load has been made and its tensor released,
    as between two series of a training run.
    """
    folder = str(ct_series())
    threads = td.get_num_threads()
    counts = sorted({1, 2, threads})

    expected = pydicom_loop(folder)
    for count in counts:
        _require_equal(expected, td.load(folder, num_threads=count).data.numpy())
    del expected

    contenders: dict[str, Callable[[], object]] = {
        f"torchdicom, threads={count}": partial(td.load, folder, num_threads=count)
        for count in counts
    }
    contenders["pydicom loop"] = partial(pydicom_loop, folder)
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(_ROUNDS):
        for name, load in contenders.items():
            seconds[name].append(_time(load))

    spreads = {name: spread(times) for name, times in seconds.items()}
    loop = spreads["pydicom loop"]["ms"]
    rows = [
        {"contender": name, **times, "times_the_loop": round(loop / times["ms"], 1)}
        for name, times in spreads.items()
    ]
    ratio = loop / spreads[f"torchdicom, threads={threads}"]["ms"]
    bar = f"{threads} threads (the default) at least {_BAR:g} times as fast as the loop"
    return Answer("native_volume", bar, ratio >= _BAR, rows)


def _time(load: Callable[[], object]) -> float:
    start = time.perf_counter()
    result = load()
    elapsed = time.perf_counter() - start
    del result  # released outside the clock, for every contender
    return elapsed


def _require_equal(expected: np.ndarray, found: np.ndarray) -> None:
    if expected.dtype != found.dtype or not np.array_equal(expected, found):
        msg = "torchdicom and the pydicom loop give different values: no time is worth anything"
        raise AssertionError(msg)
