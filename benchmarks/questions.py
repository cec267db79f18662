"""What is asked: the work, those who compete at it, and how often."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from benchmarks import datasets
from benchmarks.case import OURS, Case, Contender
from benchmarks.contenders import CONTENDERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# As many as keep the slowest contender below a few seconds.
_SLICES: Final = {"native": 300}
_OTHER_SLICES: Final = 30
_QUICK_SLICES: Final = 20
_INTERCEPT: Final = -1024


@dataclass(frozen=True)
class Question:
    """One table of the results page.

    Attributes:
        title: Its heading.
        text: What is measured, for the reader of the page.
        cases: Makes the work; True for the small form that CI has time for.
        mode: Warm or cold page cache, or memory instead of time.
        names: The contenders, or all of that work.
        rounds: How many in each pass at most.
        budget_s: Seconds for one contender at one case in each pass.
    """

    title: str
    text: str
    cases: Callable[[bool], list[Case]]
    mode: Literal["warm", "cold", "memory"] = "warm"
    names: tuple[str, ...] | None = None
    rounds: int = 2
    budget_s: float = 0.5

    def contenders(self, case: Case, *, is_quick: bool) -> list[Contender]:
        """Those who compete at a case."""
        chosen = [
            one
            for one in CONTENDERS[case.work]
            if (self.names is None and one.threads <= 2) or one.name in (self.names or ())
        ]
        return [one for one in chosen if one.name in _QUICK] if is_quick else chosen


# Those whose ratios are bars, and the fastest of the others.
_QUICK: Final = (
    OURS,
    "limit",
    "limit: walk, open, read",
    "pydicom loop",
    "pydicom",
    "dicomsdl",
    "fastdicom",
    "converted: .npy",
    "pydicom + imagecodecs",
)


def few_slices() -> Case:
    """A native series that takes no time and no memory to speak of."""
    return _series("native", 3)


def _volume(syntax: str, *, is_quick: bool = False) -> Case:
    slices = _SLICES.get(syntax, _OTHER_SLICES)
    return _series(syntax, _QUICK_SLICES if is_quick and syntax != "native" else slices)


def _series(syntax: str, slices: int) -> Case:
    folder = datasets.ct_series(slices=slices, syntax=syntax)
    return Case(
        name=syntax,
        work="volume",
        folder=str(folder),
        truth=str(folder.with_name(f"{folder.name}.npy")),
        transfer_syntax=datasets.CT_SYNTAXES[syntax],
        tolerance=datasets.LOSSY_TOLERANCE.get(syntax, (0.0, 0.0)),
    )


def _volumes(is_quick: bool) -> list[Case]:  # noqa: FBT001 - called through Question.cases
    names = ("native", "rle", "jpeg_lossless") if is_quick else tuple(datasets.CT_SYNTAXES)
    return [_volume(name, is_quick=is_quick) for name in names]


def _native(is_quick: bool) -> list[Case]:  # noqa: ARG001, FBT001
    return [_volume("native")]


def _native_and_lossless(is_quick: bool) -> list[Case]:  # noqa: FBT001
    return [_volume(name, is_quick=is_quick) for name in ("native", "jpeg_lossless")]


def _mammograms(is_quick: bool) -> list[Case]:  # noqa: FBT001
    names = ("native", "rle") if is_quick else tuple(datasets.MAMMOGRAM_SYNTAXES)
    uids = datasets.MAMMOGRAM_SYNTAXES
    return [_stored(name, datasets.mammogram(name), uids[name], 0) for name in names]


def _enhanced(is_quick: bool) -> list[Case]:  # noqa: FBT001
    names = ("native",) if is_quick else tuple(datasets.ENHANCED_SYNTAXES)
    uids = datasets.ENHANCED_SYNTAXES
    frames = {name: _SLICES.get(name, _OTHER_SLICES) for name in names}
    return [
        _stored(name, datasets.enhanced_ct(name, frames[name]), uids[name], _INTERCEPT)
        for name in names
    ]


def _stored(name: str, folder: Path, uid: str, intercept: int) -> Case:
    """A file whose stored values are wanted: the truth without the rescale."""
    path = folder.with_name(f"{folder.name}-stored.npy")
    if not path.is_file():
        partial = path.with_name(f"partial-{path.name}")
        np.save(partial, (datasets.truth(folder) - intercept).astype(np.int16))
        partial.rename(path)
    return Case(name, "frames", str(folder), str(path), uid, intercept=intercept)


def _tree(is_quick: bool) -> list[Case]:  # noqa: ARG001, FBT001
    """The header tree, with what pydicom finds in it by reading all of every header."""
    import pydicom  # noqa: PLC0415

    folder = datasets.header_tree()
    path = folder.with_name(f"{folder.name}.json")
    if not path.is_file():
        facts = {}
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                ds = pydicom.dcmread(file, stop_before_pixels=True)
                z = float(ds.ImagePositionPatient[2])
                facts[ds.SOPInstanceUID] = (ds.SeriesInstanceUID, z)
        path.write_text(json.dumps(facts), encoding="utf-8")
    return [Case("3000 files", "scan", str(folder), str(path), "1.2.840.10008.1.2.1")]


QUESTIONS: Final = {
    "volume": Question(
        "A volume from files",
        "A folder of 512x512 CT slices with shuffled names to one float32 volume in Hounsfield "
        "units, in slice order: 300 slices native, 30 in each of the other syntaxes. Generated, "
        "with noise that lossless codecs bring to about 2.5:1. Warm page cache; every process has "
        "loaded the series once before.",
        _volumes,
    ),
    "threads": Question(
        "Threads",
        "The same with 1, 2 and 4 threads on the processors named below.",
        _native_and_lossless,
        names=(
            *(OURS, "limit", "dicomsdl", "GDCM (C++)"),
            *("pydicom loop", "pydicom, threads", "pydicom + imagecodecs"),
        ),
    ),
    "cold": Question(
        "Cold page cache",
        "The same, with the files (or the converted file) dropped from the page cache before each "
        "load, so that they come from the disk.",
        _native_and_lossless,
        mode="cold",
        names=(
            *(OURS, "limit", "dicomsdl", "pydicom loop", "SimpleITK"),
            *("converted: .npy", "converted: .npy, mapped", "converted: .nii.gz"),
        ),
    ),
    "memory": Question(
        "Peak memory",
        "Growth of the resident memory of a process while it loads the native series, whose result "
        "takes 314.6 MB, after it has loaded three slices.",
        _native,
        mode="memory",
        names=(
            *(OURS, "dicomsdl", "highdicom", "SimpleITK"),
            *("MONAI ITKReader", "MONAI PydicomReader", "TorchIO"),
            *("pydicom loop", "pydicom, threads", "pydicom, DataLoader"),
            *("converted: .npy", "converted: .pt", "converted: .nii", "converted: .nii.gz"),
        ),
    ),
    "mammogram": Question(
        "One large image",
        "A 4096x3328 mammogram of 12 bits to its stored values as int16.",
        _mammograms,
    ),
    "enhanced": Question(
        "One enhanced multi-frame file",
        "All frames of an Enhanced CT file (300 native, 30 of the others) to their "
        "stored values as int16, in the order of the file. torchdicom does that with `decode`; "
        "`load` refuses multi-frame files so far.",
        _enhanced,
    ),
    "headers": Question(
        "Headers of a tree",
        "3,000 files in nested folders: SeriesInstanceUID, SOPInstanceUID and position of each, as "
        "Python objects. torchdicom's entry is what `load` does before it looks at pixels.",
        _tree,
    ),
}
