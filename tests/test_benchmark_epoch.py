"""Epochs: the data, what judges them, what they cost, and what the bars and pages make of it."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest

from benchmarks import datasets, epoch_costs, epoch_page, epoch_profile
from benchmarks.bars import BARS
from benchmarks.case import Case, difference
from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.training_items import items
from benchmarks.datasets import cache
from benchmarks.epoch import Epoch, Sample

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.case import Contender

_UID = "1.2.840.10008.1.2.1"
_FASTEST = ("torchdicom", "torchdicom, buffer", "torchdicom, whole volumes")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "CACHE", tmp_path / "datasets")


def made(epoch: str, slices: int = 3, size: int = 16, patches: int = 0) -> Case:
    folder = datasets.ct_cohort(1 if epoch == "images" else 2, slices, "native", size)
    truth = str(folder.with_name(f"{folder.name}.npy"))
    tolerance = (1e-4, 1e-4) if epoch == "images" else (0.0, 0.0)
    case = Case("native", "epoch", str(folder), truth, _UID, tolerance, epoch=epoch)
    return replace(case, patches=patches, window=(40.0, 400.0))


def test_the_series_of_a_cohort_are_moved_from_one_to_the_next() -> None:
    folder = datasets.ct_cohort(2, 3, "jpeg_lossless", 64)
    truth = datasets.truth(folder)
    for number in (0, 1):
        slices = [pydicom.dcmread(path) for path in (folder / f"series{number}").iterdir()]
        slices.sort(key=lambda ds: float(ds.ImagePositionPatient[2]))
        found = np.stack([ds.pixel_array - 1024.0 for ds in slices])
        assert np.array_equal(found, np.roll(truth, 37 * number, axis=2))
    assert not np.array_equal(truth, np.roll(truth, 37, axis=2))


def test_radiographs_are_images_of_their_own() -> None:
    folder = datasets.radiographs(2, 1024)
    first, second = (pydicom.dcmread(path) for path in sorted(folder.iterdir()))
    assert np.array_equal(second.pixel_array, np.roll(first.pixel_array, 37, axis=1))
    assert first.SeriesInstanceUID != second.SeriesInstanceUID
    assert (first.Modality, first.BitsStored) == ("DX", 12)


@pytest.mark.parametrize(
    ("epoch", "size", "patches"), [("volumes", 16, 0), ("images", 16, 0), ("patches", 64, 2)]
)
@pytest.mark.parametrize("name", _FASTEST)
def test_epochs_of_ours_are_right(name: str, epoch: str, size: int, patches: int) -> None:
    case = made(epoch, 66 if patches else 4, size, patches)
    contender: Contender = next(one for one in CONTENDERS["epoch"] if one.name == name)
    if epoch != "patches" and name != "torchdicom":
        with pytest.raises(NotImplementedError):
            contender.prepare(case)
        return
    loader: Any = contender.prepare(case)
    assert difference(case, loader.samples()) is None


@pytest.mark.parametrize(
    ("epoch", "size", "patches"), [("volumes", 16, 0), ("images", 16, 0), ("patches", 64, 2)]
)
@pytest.mark.parametrize("name", ["MONAI", "TorchIO"])
@pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")  # itk's, once imported
@pytest.mark.filterwarnings("ignore:NvImgCodecPydicomReader:UserWarning")  # no GPU
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_epochs_of_libraries_with_torchdicom_inside(
    name: str, epoch: str, size: int, patches: int
) -> None:
    pytest.importorskip(name.lower())
    case = made(epoch, 66 if patches else 4, size, patches)
    contender = next(one for one in CONTENDERS["epoch"] if one.name == f"{name} + torchdicom")
    loader: Any = contender.prepare(case)
    assert difference(case, loader.samples()) is None


def samples(case: Case) -> list[Sample]:
    truth = np.load(case.truth)
    return [Sample(k, None, np.roll(truth, 37 * k, axis=2)) for k in (0, 1)]


def test_a_wrong_epoch_is_found() -> None:
    case = made("volumes")
    right = samples(case)
    assert difference(case, right) is None
    assert difference(case, right[:1]) == "{0: 1} samples of each instead of 1"
    off = right[1]._replace(values=right[1].values + np.float32(0.5))
    assert difference(case, [right[0], off]) == "values of sample 2 off by up to 0.5"
    swapped = [right[0]._replace(number=1), right[1]._replace(number=0)]
    assert str(difference(case, swapped)).startswith("values of sample 1 off by up to ")
    flat = right[0]._replace(values=right[0].values[:2])
    assert difference(case, [flat]) == "shape (2, 16, 16) instead of (3, 16, 16)"


def test_the_list_of_images_knows_their_order() -> None:
    case = made("images", 5)
    heights = {
        item.number: float(pydicom.dcmread(item.path).ImagePositionPatient[2])
        for item in items(case)
    }
    assert heights == {k: 1.25 * k for k in range(5)}


def test_costs_count_processor_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    # A contender is a copy, and counts what it is a copy of; here that has other tests below it.
    monkeypatch.setattr("os.getppid", os.getpid)
    held, spent_s = [], []

    def work() -> Any:
        start_s = time.process_time()
        held.append(np.ones(32_000_000))  # 256 MB, which are touched
        time.sleep(0.05)
        spent_s.append(time.process_time() - start_s)
        yield 0
        held.clear()

    class Loader:
        def __iter__(self) -> Any:
            return work()

    start = epoch_costs.family_bytes()
    found = epoch_costs.measured(Epoch(Loader(), lambda _: iter(())), start)
    # Pages that are shared with other tests' processes count for more or less as those come and go.
    assert 200e6 < found["peak_bytes"] < 400e6
    # All that this process took, but for what the watching did, and freeing what was held.
    assert 0 < found["cpu_s"] < sum(spent_s) / len(spent_s) + 0.3
    assert set(found) == {"cpu_s", "peak_bytes"}
    assert start > 10_000_000


def test_samples_of_perf_are_counted_by_library() -> None:
    script = """
        7f00 ([unknown])
        7f01 (/x/torchdicom/_ext.cpython-311-x86_64-linux-gnu.so)
        7f02 (/x/torchdicom/_ext.cpython-311-x86_64-linux-gnu.so)
        ffff ([kernel.kallsyms])
    """
    expected = {"core": 0.5, "kernel": 0.25, "other": 0.25}
    assert epoch_profile.by_part(script, least=4) == expected
    assert epoch_profile.by_part(script * 25) == expected
    assert epoch_profile.by_part(script * 24) == {}


def row(case: str, contender: str, ratio: float, **more: Any) -> dict[str, Any]:
    facts = {"case": case, "contender": contender, "threads": 2, "wrong": None, "refused": None}
    return {**facts, "ms": 10 * ratio, "ratio": ratio, **more}


PARTS = {"read": 1.0, "decode": 2.0, "transform": 0.5, "place": 0.25, "idle": 0.25, "samples": 10}
ROWS = [
    row("native, 64 slices", "torchdicom", 1, cpu_s=0.05, peak_mb=300, parts=PARTS),
    row("native, 64 slices", "pydicom Dataset", 19.0, cpu_s=1.25, peak_mb=439.4),
    row("native, 64 slices", "converted: .npy", 1.5),
]


def test_bars_take_the_numbers_that_they_name() -> None:
    verdicts = [
        bar.verdict(ROWS, 1.0)
        for bar in BARS
        if bar.question == "epoch_volumes" and bar.is_asked(ROWS)
    ]
    assert [(one["measured"], one["holds"]) for one in verdicts] == [
        *((19, False), (1.5, True)),
        (0, True),
    ]


def test_tables_say_what_was_measured() -> None:
    costs = epoch_page.costs(ROWS).splitlines()
    assert costs[2:] == [
        "| torchdicom | 0.05 s, 300 MB |",
        "| pydicom Dataset | 1.25 s, 439 MB |",
        "| converted: .npy |  |",
    ]
    profile = epoch_page.profile(ROWS).splitlines()
    assert profile[2:] == ["| native, 64 slices | 25% | 50% | 12% | 6% | 6% | 375 | decode |"]
    readme = epoch_page.readme({"volumes": {"rows": ROWS}}).splitlines()
    assert readme[-1] == ("| volumes: native, 64 slices | 10 ms | 19x |  |  |  | 1.5x |  |")
