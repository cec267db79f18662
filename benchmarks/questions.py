"""What is asked: the work, those who compete at it, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from benchmarks import cases, epoch_cases
from benchmarks.case import OURS, Case, Contender
from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.compiled import DIRECTLY

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Question:
    """One table of the results page.

    Attributes:
        title: Its heading.
        text: What is measured, for the reader of the page.
        cases: Makes the work; True for the small form that CI has time for.
        mode: Warm or cold page cache, or memory or instructions instead of time; epoch: warm, with
            processor and memory besides.
        names: The contenders, or all of that work.
        most_threads: The most that one of them has.
        rounds: How many in each pass at most.
        budget_s: Seconds for one contender at one case in each pass.
    """

    title: str
    text: str
    cases: Callable[[bool], list[Case]]
    mode: Literal["warm", "cold", "memory", "instructions", "epoch"] = "warm"
    names: tuple[str, ...] | None = None
    most_threads: int = 4
    rounds: int = 4
    budget_s: float = 1.0

    def contenders(self, case: Case, *, is_quick: bool) -> list[Contender]:
        """Those who compete at a case."""
        most = min(self.most_threads, 2) if self.names is None else self.most_threads
        chosen = [
            one
            for one in CONTENDERS[case.work]
            if one.threads <= most and (self.names is None or one.name in self.names)
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
    DIRECTLY,
    "torchdicom.scan",
    "torchdicom.open_index",
    "torchdicom, refresh",
    "torchdicom, from an index",
    "torchdicom, single files",
    "torchdicom, DataLoader",
    "torchdicom, buffer",
    "torchdicom, whole volumes",
    "pydicom Dataset",
)

QUESTIONS: Final = {
    "volume": Question(
        "A volume from files",
        "A folder of 512x512 CT slices with shuffled names to one float32 volume in Hounsfield "
        "units, in slice order: 300 slices native, 20 in each of the other syntaxes. Generated, "
        "with noise that lossless codecs bring to about 2.5:1. Warm page cache; every process has "
        "loaded the series once before.",
        cases.volumes,
    ),
    "threads": Question(
        "Threads",
        "300 slices in each syntax (100 of JPEG-LS, HTJ2K and 12-bit JPEG, 20 of JPEG 2000), with "
        "1 and 2 threads on the processors named below: torchdicom, and the fastest others.",
        cases.many_slices,
        names=(OURS, "limit", "dicomsdl", "GDCM (C++)", "pydicom + imagecodecs"),
        most_threads=2,
    ),
    "cold": Question(
        "Cold page cache",
        "The same, with the files (or the converted file) dropped from the page cache before each "
        "load, so that they come from the disk.",
        cases.native_and_lossless,
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
        cases.native,
        mode="memory",
        names=(
            *(OURS, "dicomsdl", "highdicom", "SimpleITK"),
            *("MONAI ITKReader", "MONAI PydicomReader", "TorchIO"),
            *("pydicom loop", "pydicom, threads", "pydicom, DataLoader"),
            *("converted: .npy", "converted: .pt", "converted: .nii", "converted: .nii.gz"),
        ),
    ),
    "codecs": Question(
        "Decoders, on one core",
        "One file of 20 CT frames of 512x512 (16 bits; 8-bit JPEG: 8), and one of a mammogram of "
        "4096x3328 (12 bits; 8), to their stored values, on one thread: next to no header, no "
        'rescale, no order. "The same library, directly" reads the file and calls libjpeg-turbo or '
        "OpenJPEG from C++, the very library that torchdicom is linked with.",
        cases.codecs,
    ),
    "instructions": Question(
        "Instructions of a frame",
        "What callgrind counts for one more frame of 512x512 in a file, to its stored values on "
        "one thread: of three frames, less those of the first, halved. Seconds drift with the "
        "machine; this does not.",
        cases.counted,
        mode="instructions",
        names=(OURS, DIRECTLY),
    ),
    "enhanced": Question(
        "One enhanced multi-frame file",
        "All frames of an Enhanced CT file (300 native, 20 of the others) to their "
        "stored values as int16, in the order of the file. torchdicom does that with `decode`.",
        cases.enhanced,
    ),
    "multiframe": Question(
        "An enhanced file beside single files",
        "An Enhanced CT file and single files with the same pixels, each to one float32 volume in "
        "Hounsfield units with `load`: 300 frames, 100 of JPEG-LS and HTJ2K, 20 of JPEG 2000. Both "
        "answers are checked against what the generator wrote.",
        cases.multiframe,
    ),
    "headers": Question(
        "Headers of a tree",
        "3,000 files in nested folders: SeriesInstanceUID, SOPInstanceUID and position of each, as "
        "Python objects. torchdicom's entry is what `load` does before it looks at pixels; `scan` "
        "gives an `Index`, with every series judged.",
        cases.tree,
    ),
    "index": Question(
        "An index of many files",
        "Files of 4 KB in nested folders, 100 to a series: to an `Index` by `scan`, from its saved "
        "file by `open_index`, and by `refresh` where nothing has changed. Nobody else has one.",
        cases.many,
        rounds=1,
    ),
    "indexed": Question(
        "A volume through an index",
        "The 300 native slices by path, and by a `Series` of a saved index.",
        cases.indexed,
        rounds=7,
        budget_s=2,
    ),
    "index_memory": Question(
        "Peak memory of an index",
        "Growth of the resident memory of a process that scans, opens or refreshes, after it has "
        "done so with 100 files.",
        cases.many,
        mode="memory",
    ),
    "epoch_volumes": Question(
        "An epoch of volumes",
        "All series of a folder as float32 volumes in Hounsfield units, batch 1, to a loop that "
        "drops each batch when it gets the next: 8 series of 64 slices of 512x512 and 2 of 300 "
        "native, 2 of 64 in lossless JPEG, 2 of 32 in JPEG 2000.",
        epoch_cases.volumes,
        mode="epoch",
    ),
    "epoch_images": Question(
        "An epoch of images",
        "What torchvision's resnet18 is trained with: each image windowed, resized to 224x224 with "
        "antialiasing, three channels less the weights' mean and over their standard deviation. CT "
        "slices of 512x512 in batches of 32, 300 of them, of JPEG 2000 64; 32 radiographs of "
        "2048x2048 in batches of 16.",
        epoch_cases.images,
        mode="epoch",
    ),
    "epoch_patches": Question(
        "An epoch of patches",
        "Random patches of 64x64x64 of 2 series of 300 slices of 512x512, in Hounsfield units: 2 "
        "of each series, of JPEG 2000 1. torchdicom reads each patch by itself, with a buffer all "
        'of a series at once; "whole volumes" loads the series with `td.load` and cuts the patch '
        "out of it.",
        epoch_cases.patches,
        mode="epoch",
    ),
}
