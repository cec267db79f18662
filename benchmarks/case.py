"""A piece of work, those who compete at it, and whether what they give is right."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from benchmarks.epoch import epoch_difference

# volume: a folder of slices to float32 modality values (z, y, x).
# indexed: the same, where the folder has a saved index.
# multiframe: the same of one file of many frames, beside single files.
# frames: one file to its stored values (n, y, x), in the order of the file.
# codec: the same on one thread, whoever has more.
# scan: a tree to {SOPInstanceUID: (SeriesInstanceUID, z of the position)}.
# index: a tree to the number of its series and of its frames.
# epoch: a folder to all samples that a training loop gets of it, see `epoch.py`.
Work: TypeAlias = Literal[
    "volume", "indexed", "multiframe", "frames", "codec", "scan", "index", "epoch"
]
Load: TypeAlias = Callable[[], Any]

OURS: Final = "torchdicom"


@dataclass(frozen=True)
class Case:
    """One piece of work.

    Attributes:
        name: What it is called on the page, such as the transfer syntax.
        work: What is asked for.
        folder: Where the DICOM files are.
        truth: A .npy of the right values, made by the generator and not by a decoder; a .json for
            a scan or an index.
        transfer_syntax: Its UID.
        tolerance: Mean and largest absolute difference that a right answer may have: zeros for
            all syntaxes but the lossy ones.
        intercept: Where stored values are wanted, what a reader adds that can't but rescale.
        single: Where the same values are as single files, for a file of many frames.
        epoch: Of which samples an epoch is: "volumes", "images" or "patches".
        patches: How many patches each volume has in an epoch.
        window: Center and width, of images.
    """

    name: str
    work: Work
    folder: str
    truth: str
    transfer_syntax: str
    tolerance: tuple[float, float] = (0.0, 0.0)
    intercept: float = 0.0
    single: str = ""
    epoch: str = ""
    patches: int = 0
    window: tuple[float, float] = (0.0, 1.0)

    @property
    def our_threads(self) -> int:
        """Of the contender whose times the others' are divided by."""
        return 1 if self.work == "codec" else 2

    @property
    def files(self) -> list[Path]:
        """All files of the folder, sorted by path."""
        return sorted(path for path in Path(self.folder).rglob("*") if path.is_file())


@dataclass(frozen=True)
class Contender:
    """One way to do the work.

    Attributes:
        name: What it is called on the page.
        prepare: Does what is not timed, such as imports, and returns what is.
        threads: How many it uses at once, worker processes included.
        values: From what was returned to an array as `Case.work` says. Not timed; axes may be
            turned where the library's own convention differs and its affine says so.
        modules: What `prepare` imports, for the process to have before it is copied.
        reads: The files that it reads, where it is not the folder's.
    """

    name: str
    prepare: Callable[[Case], Load]
    threads: int = 1
    values: Callable[[Any], Any] = np.asarray
    modules: tuple[str, ...] = ()
    reads: Callable[[Case], Sequence[Path]] = lambda case: case.files

    @property
    def key(self) -> str:
        """Its name and threads."""
        return f"{self.name} [{self.threads}]"


def difference(case: Case, found: Any) -> str | None:
    """How an answer differs from the truth, or None where it is right."""
    if case.work == "scan":
        return _scan_difference(case, found)
    if case.work == "epoch":
        return epoch_difference(case, found)
    if case.work == "index":
        return _index_difference(case, found)
    return _array_difference(case, found)


def _array_difference(case: Case, found: Any) -> str | None:
    truth = np.load(case.truth, mmap_mode="r")
    found = np.asarray(found)
    if found.shape != truth.shape:
        return f"shape {found.shape} instead of {truth.shape}"
    if all(map(np.array_equal, found, truth)):
        return None
    mean, largest = _distance(found, truth)
    if mean <= case.tolerance[0] and largest <= case.tolerance[1]:
        return None
    if _is_same(found[::-1], truth, case):
        return "slices in reverse order"
    wrong = sum(not _is_same(a, b, case) for a, b in zip(found, truth, strict=True))
    return f"values off by up to {largest:g} (mean {mean:.3g}) in {wrong} of {len(truth)} slices"


def _distance(found: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Mean and largest absolute difference, slice by slice to stay small."""
    means, largest = [], []
    for a, b in zip(found, truth, strict=True):
        off = np.abs(a.astype(np.float64) - b)
        means.append(float(off.mean()))
        largest.append(float(off.max()))
    return float(np.mean(means)), max(largest)


def _is_same(found: np.ndarray, truth: np.ndarray, case: Case) -> bool:
    off = np.abs(found.astype(np.float64) - truth)
    return bool(off.mean() <= case.tolerance[0] and off.max() <= case.tolerance[1])


def _index_difference(case: Case, found: tuple[int, int]) -> str | None:
    expected = tuple(json.loads(Path(case.truth).read_text(encoding="utf-8")))
    return None if found == expected else f"(series, frames) are {found} instead of {expected}"


def _scan_difference(case: Case, found: int | dict[str, tuple[str, float]]) -> str | None:
    truth = {
        uid: tuple(facts)
        for uid, facts in json.loads(Path(case.truth).read_text(encoding="utf-8")).items()
    }
    if isinstance(found, int):  # the limit only counts files
        return None if found == len(truth) else f"{found} files instead of {len(truth)}"
    if found == truth:
        return None
    missing = len(truth.keys() - found.keys())
    wrong = sum(uid in truth and truth[uid] != facts for uid, facts in found.items())
    return f"{missing} of {len(truth)} files not found, {wrong} with other attributes"
