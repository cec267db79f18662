"""The work of the questions: each function makes the data, or finds it made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks import datasets
from benchmarks.case import Case
from benchmarks.contenders.indexes import make_index

if TYPE_CHECKING:
    from benchmarks.case import Work

# As many as keep the slowest contender below a few seconds.
_NATIVE_SLICES: Final = 300
_OTHER_SLICES: Final = 20
# Where only the fastest compete: all, but for the slowest codecs.
_MANY_SLICES: Final = {"jpeg_ls": 100, "jpeg_2000": 20, "htj2k": 100, "jpeg_12bit": 100}
# Of which two are counted, without what every call takes.
COUNTED_FRAMES: Final = 3
_INTERCEPT: Final = -1024
_EXPLICIT: Final = "1.2.840.10008.1.2.1"


def small(work: Work) -> Case:
    """One that takes no time and no memory to speak of."""
    return _files(datasets.FILES_A_SERIES) if work == "index" else _series("native", 3)


def _slices(syntax: str) -> int:
    return _NATIVE_SLICES if syntax == "native" else _OTHER_SLICES


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


def volumes(is_quick: bool) -> list[Case]:  # noqa: FBT001 - called through Question.cases
    """Series in each transfer syntax."""
    names = ("native", "rle", "jpeg_lossless") if is_quick else tuple(datasets.CT_SYNTAXES)
    return [_series(name, _slices(name)) for name in names]


def native(is_quick: bool) -> list[Case]:  # noqa: ARG001, FBT001
    """A series to be loaded."""
    return [_series("native", _slices("native"))]


def many_slices(is_quick: bool) -> list[Case]:  # noqa: FBT001
    """Series in each transfer syntax, long ones wherever there is time for it."""
    names = ("native", "rle", "jpeg_lossless") if is_quick else tuple(datasets.CT_SYNTAXES)
    return [_series(name, _MANY_SLICES.get(name, _NATIVE_SLICES)) for name in names]


def native_and_lossless(is_quick: bool) -> list[Case]:  # noqa: ARG001, FBT001
    """Where memory is the limit, and where the processor is."""
    return [_series(name, _slices(name)) for name in ("native", "jpeg_lossless")]


def codecs(is_quick: bool) -> list[Case]:  # noqa: FBT001
    """Frames of one size and the other in each compressed syntax."""
    names = ("rle", "jpeg_8bit") if is_quick else tuple(datasets.CODEC_SYNTAXES)
    pictures: tuple[datasets.Picture, ...] = ("CT",) if is_quick else ("CT", "MG")
    return [_frames(name, picture) for picture in pictures for name in names]


def counted(is_quick: bool) -> list[Case]:  # noqa: FBT001
    """A few frames in each syntax that a library decodes which can be called directly."""
    names = ("jpeg_8bit",) if is_quick else ("jpeg_8bit", "jpeg_2000", "htj2k")
    return [_frames(name, "CT", COUNTED_FRAMES) for name in names]


def first_frame(case: Case) -> Case:
    """The first frame of one of those, in a file of its own."""
    return _frames(case.name.removeprefix("CT "), "CT", 1)


def _frames(syntax: str, picture: datasets.Picture, frames: int | None = None) -> Case:
    folder = datasets.codec_frames(syntax, picture, frames)
    return Case(
        name=f"{picture} {syntax}",
        work="codec",
        folder=str(folder),
        truth=str(folder.with_name(f"{folder.name}.npy")),
        transfer_syntax=datasets.CODEC_SYNTAXES[syntax],
        tolerance=datasets.CODEC_TOLERANCE if syntax == "jpeg_8bit" else (0.0, 0.0),
    )


def enhanced(is_quick: bool) -> list[Case]:  # noqa: FBT001
    """Files of many frames."""
    names = ("native",) if is_quick else ("native", "jpeg_lossless")
    uids = datasets.ENHANCED_SYNTAXES
    return [
        _stored(name, datasets.enhanced_ct(name, _slices(name)), uids[name], _INTERCEPT)
        for name in names
    ]


def multiframe(is_quick: bool) -> list[Case]:  # noqa: FBT001
    """Files of many frames, each beside single files that have the same pixels."""
    names = ("native", "jpeg_lossless") if is_quick else tuple(datasets.ENHANCED_SYNTAXES)
    return [_beside(name, _MANY_SLICES.get(name, _NATIVE_SLICES)) for name in names]


def _beside(syntax: str, frames: int) -> Case:
    single = _series(syntax, frames)
    folder = str(datasets.enhanced_ct(syntax, frames))
    return replace(single, work="multiframe", folder=folder, single=single.folder)


def _stored(name: str, folder: Path, uid: str, intercept: int) -> Case:
    """A file whose stored values are wanted: the truth without the rescale."""
    path = folder.with_name(f"{folder.name}-stored.npy")
    if not path.is_file():
        partial = path.with_name(f"partial-{path.name}")
        np.save(partial, (datasets.truth(folder) - intercept).astype(np.int16))
        partial.rename(path)
    return Case(name, "frames", str(folder), str(path), uid, intercept=intercept)


def tree(is_quick: bool) -> list[Case]:  # noqa: ARG001, FBT001
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
    return [Case("3000 files", "scan", str(folder), str(path), _EXPLICIT)]


def many(is_quick: bool) -> list[Case]:  # noqa: FBT001
    """Trees of many files, the largest four times the smallest."""
    return [_files(count) for count in ((2500, 10_000) if is_quick else (50_000, 200_000))]


def _files(count: int) -> Case:
    """A tree, with how many series and frames are in it; its index is made too."""
    folder = datasets.many_files(count)
    make_index(folder)
    path = folder.with_name(f"{folder.name}.json")
    path.write_text(json.dumps([count // datasets.FILES_A_SERIES, count]), encoding="utf-8")
    return Case(f"{count:,} files", "index", str(folder), str(path), _EXPLICIT)


def indexed(is_quick: bool) -> list[Case]:  # noqa: FBT001
    """A series whose index is made too."""
    (case,) = native(is_quick)
    make_index(Path(case.folder))
    return [replace(case, work="indexed")]
