"""What a Loader says about its time, and what to change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import pytest
import torch

import torchdicom as td
from builders import JPEG_2000, ct_slice, write_series
from builders_frames import encapsulated, even
from helpers import ROOT
from loading import Numbers, Volumes
from torchdicom import _ext
from torchdicom._threads import usable_cpus
from torchdicom._training._stats import LoaderStats

if TYPE_CHECKING:
    from pathlib import Path

BUSY = {"samples": 10, "batches": 5, "elapsed": 10.0, "threads": 1, "num_threads": 1}


def advice(**seconds: float) -> str:
    return LoaderStats(**BUSY | seconds).advice  # type: ignore[arg-type]


def test_advice_names_the_bottleneck_and_what_to_change() -> None:
    assert LoaderStats().advice == "No batch was handed over yet."
    assert advice(wait=0.9, decode=9) == (
        "Loading keeps up: 9% of the time was spent waiting for batches. What the program does "
        "with them is the bottleneck; more threads would not help."
    )
    said = advice(wait=8, read=6, decode=2, place=1, transform=1)
    assert said.startswith(
        "80% of the time was spent waiting for batches. The bottleneck is reading the files "
        "(60% of the work): put them on a faster disk; or raise num_threads"
    )
    said = advice(wait=8, transform=9, decode=1)
    assert "is what the dataset does in Python (90% of the work)" in said
    assert "window, clip, mean, std and size" in said
    said = advice(wait=8, place=3, decode=1)
    assert "is making batches of samples (75% of the work): give the dataset size=" in said
    said = advice(wait=8, decode=1, idle=2)
    assert "raise prefetch" in said


def test_advice_about_decoding_knows_the_cpus() -> None:
    few = LoaderStats(**BUSY | {"wait": 8.0, "decode": 8.0, "num_threads": 0}).advice  # type: ignore[arg-type]
    assert f"is decoding (100% of the work): raise num_threads from 0 to {usable_cpus()}" in few
    assert few.endswith(
        "CPUs there are; or decode less: a smaller size, PatchDataset for patches "
        "of large volumes, or files in a faster transfer syntax."
    )
    all_ = LoaderStats(**BUSY | {"wait": 8.0, "decode": 8.0, "num_threads": 4096}).advice  # type: ignore[arg-type]
    assert f"and all {usable_cpus()} CPUs are at it: decode less" in all_


def test_waiting_of_the_program_and_of_the_threads() -> None:
    slow = td.Loader(Numbers(6, seconds=dict.fromkeys(range(6), 0.02)), 2, num_threads=1)
    list(slow)
    stats = slow.stats()
    assert (stats.samples, stats.batches, stats.threads, stats.num_threads) == (6, 3, 1, 1)
    assert stats.transform >= 6 * 0.02  # Python's own time; nothing of it is the core's
    assert stats.wait >= 5 * 0.02
    assert stats.elapsed >= stats.wait
    assert stats.read == stats.decode == 0
    assert "what the dataset does in Python" in stats.advice
    fast = td.Loader(Numbers(20), 2, num_threads=1)
    for _ in fast:
        time.sleep(0.02)
    stats = fast.stats()
    assert stats.idle >= 5 * 0.02
    assert stats.wait < 0.1 * stats.elapsed
    assert "Loading keeps up" in stats.advice


def test_nothing_before_the_first_pass_and_anew_with_each() -> None:
    loader = td.Loader(Numbers(4), 2)
    assert loader.stats() == LoaderStats()
    for _ in range(2):
        list(loader)
        assert loader.stats().samples == 4
    ended = loader.stats()
    time.sleep(0.01)
    assert loader.stats() == ended  # time goes on, the pass does not


def test_time_of_the_core_is_told_apart(tmp_path: Path) -> None:
    cells = np.random.default_rng(0).integers(0, 4096, (256, 256), np.uint16)
    stream = bytes(imagecodecs.jpeg2k_encode(cells, codecformat="j2k", reversible=True, level=0))
    pixels = encapsulated([[even(stream)]])
    for k in range(6):
        place: dict[str, Any] = {"ImagePositionPatient": (0, 0, k), "SOPInstanceUID": f"1.2.3.{k}"}
        data = ct_slice(cells, syntax=JPEG_2000, pixel_element=pixels, **place)
        (tmp_path / f"{k}.dcm").write_bytes(data)
    loader = td.Loader(Volumes(list(td.scan(tmp_path).series) * 4), 2, num_threads=1)
    list(loader)
    stats = loader.stats()
    assert stats.decode > 5 * (stats.read + stats.transform + stats.place)
    assert 0 < stats.read < stats.decode
    assert stats.read + stats.decode + stats.transform + stats.place <= stats.elapsed
    assert "The bottleneck is decoding" in stats.advice


def test_copies_are_placing() -> None:
    class Large(Numbers):
        image = torch.zeros(1, 64, 512, 512)

        def __getitem__(self, i: int) -> Any:
            return {"image": self.image}

    loader = td.Loader(Large(8), 2, num_threads=1)
    list(loader)
    stats = loader.stats()
    assert stats.place > 10 * stats.transform
    assert "making batches of samples" in stats.advice


def test_seconds_of_a_thread_add_up(tmp_path: Path) -> None:
    write_series(tmp_path, 20, pixels=[np.zeros((256, 256), np.int16)] * 20)
    (series,) = td.scan(tmp_path).series
    before = _ext.thread_seconds()
    start = time.perf_counter()
    for _ in range(3):
        series.load(num_threads=2)
    took = time.perf_counter() - start
    read, all_ = (b - a for a, b in zip(before, _ext.thread_seconds(), strict=True))
    assert 0 < read < all_ <= took


@pytest.mark.parametrize("name", ["read", "decode", "transform", "place", "wait", "idle"])
def test_seconds_are_never_negative(name: str) -> None:
    loader = td.Loader(Volumes(td.scan(ROOT / "tests/data/sts_002/ct").series), 1)
    list(loader)
    assert getattr(loader.stats(), name) >= 0
