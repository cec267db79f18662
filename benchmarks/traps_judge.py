"""Is what a reader gave what the builder wrote, and if not, how does it differ?

A volume is right where every voxel that was written is found, by the volume's own affine, where its
file says that it lies. So axes may come in any order and direction, as long as the affine knows it.
Without an affine a volume is slices along the normal, rows, columns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from benchmarks.traps_readers import Found
from benchmarks.traps_shape import flaws

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.traps_case import Case, Slice

_LONGEST: Final = 140
# Where ITK was compiled, and which object speaks.
_NOISE: Final = re.compile(r"^WARNING: In .*$|/\S+/(?=itk)|\w+ \(0x[0-9a-f]+\): ")


class Judgement(NamedTuple):
    """What an answer is worth.

    Attributes:
        status: right, refuses, crashes; warns, prints or wrong where the volume is wrong and a
            Python warning, a printed line or nothing says so; picks where it is one right series
            of several, and nothing says so.
        how: The measured difference, or the message.
    """

    status: str
    how: str = ""


def judge(case: Case, answer: Mapping[str, Any]) -> Judgement:
    """What the answer of a child is worth."""
    if answer.get("crashed"):
        return Judgement("crashes", answer["crashed"])
    if answer["refused"] is not None:
        kind, _, message = answer["refused"].partition(": ")
        return Judgement("refuses", short(f"{answer.get('code') or kind}: {message}"))
    volumes = [as_found(volume) for volume in answer["volumes"]]
    parts = list(dict.fromkeys(one.part for one in case.slices()))
    matched = [_part_of(case, volume, parts) for volume in volumes]
    known = {part for part in matched if part is not None}
    if None not in matched and _is_right(case, known, len(parts)):
        return Judgement("right")
    if None not in matched:
        return _unless_said(case, answer, "picks", f"{', '.join(sorted(known))} alone")
    wrong = volumes[matched.index(None)]
    how = "; ".join(flaws(case.slices(), wrong, has_place=case.has_place))
    if not how and not case.has_place and wrong.affine is not None:
        how = "an affine, of which the files say nothing"
    if len(volumes) > 1:
        how = f"{len(volumes)} volumes, {len(known)} right; of another: {how}"
    return _unless_said(case, answer, "wrong", how)


def is_proper(case: Case, judgement: Judgement, code: str | None) -> bool:
    """What torchdicom has to be: right, or a refusal of its own, or a warning where none is."""
    if judgement.status == "refuses":
        return code in case.codes
    return judgement.status == "right" or (case.wanted is None and judgement.status == "warns")


def as_found(volume: Mapping[str, Any]) -> Found:
    """From JSON; an image is a volume of one slice."""
    values = np.asarray(volume["values"], dtype=np.float64)
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
    values = values[..., None] if values.ndim == 2 else values
    affine, spacing = (
        None if volume[name] is None else np.asarray(volume[name], dtype=np.float64)
        for name in ("affine", "spacing")
    )
    if affine is not None and affine.shape == (3, 3):  # of an image that has two axes
        affine = np.block([[affine[:2, :2], np.zeros((2, 1)), affine[:2, 2:]], [np.eye(4)[2:]]])
    return Found(values, affine, spacing)


def short(text: str) -> str:
    """One line of bounded length, without what differs from run to run and machine to machine."""
    line = " ".join(_NOISE.sub("", text.replace("\0", "")).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 4] + " ..."


def _is_right(case: Case, known: set[str], parts: int) -> bool:
    """Is it the one volume, or where there are several, are all of them there, each on its own?"""
    return case.wanted in known if case.wanted is not None else len(known) == parts


def _unless_said(case: Case, answer: Mapping[str, Any], status: str, how: str) -> Judgement:
    """The same, in better standing where the reader speaks of the matter."""
    printed = [_NOISE.sub("", line) for line in answer["printed"].splitlines()]
    for said, name in ((answer["warnings"], "warns"), (printed, "prints")):
        text = next((one for one in said if re.search(case.matter, one, re.IGNORECASE)), None)
        if text is not None:
            return Judgement(name, f"{how}; says: {short(text)}".removeprefix("; "))
    return Judgement(status, how or "without a word")


def _part_of(case: Case, volume: Found, parts: Sequence[str]) -> str | None:
    """The series that a volume is, whole and in place."""
    if case.wanted is None and len(parts) == 1 and not (case.is_about_place and _is_bare(volume)):
        return None  # no volume is right
    for part in parts:
        slices = [one for one in case.slices() if one.part == part]
        if _is_whole(case, slices, volume):
            return part
    return None


def _is_bare(volume: Found) -> bool:
    """Values alone say nothing of places, so nothing wrong either."""
    return volume.affine is None and volume.spacing is None


def _is_whole(case: Case, slices: Sequence[Slice], volume: Found) -> bool:
    values = volume.values
    if values.ndim != 3 or values.size != sum(one.values.size for one in slices):
        return False
    if not case.has_place:
        return not flaws(slices, volume, has_place=False)
    if volume.affine is None:
        ordered = np.stack([one.values for one in sorted(slices, key=lambda one: one.height)])
        return values.shape == ordered.shape and bool(np.allclose(values, ordered, atol=1e-3))
    if abs(np.linalg.det(volume.affine)) < 1e-9:
        return False
    return all(_is_in_place(one, values, volume.affine, case.tolerance_mm) for one in slices)


def _is_in_place(one: Slice, values: np.ndarray, affine: np.ndarray, tolerance: float) -> bool:
    """Is every voxel of a slice found where it lies?"""
    y, x = np.indices(one.values.shape)[..., None]
    points = one.origin + y * one.down + x * one.across
    inverse = np.linalg.inv(affine)
    index = np.rint(points @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
    if (index < 0).any() or (index >= values.shape).any():
        return False
    off = index @ affine[:3, :3].T + affine[:3, 3] - points
    if np.linalg.norm(off, axis=-1).max() > tolerance:
        return False
    return bool(np.allclose(values[tuple(np.moveaxis(index, -1, 0))], one.values, atol=1e-3))
