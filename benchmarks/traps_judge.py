"""Is what a reader gave what the builder wrote, and if not, how does it differ?

A volume is right where every voxel that was written is found, by the volume's own affine, where its
file says that it lies. So axes may come in any order and direction, as long as the affine knows it.
Without an affine a volume is slices along the normal, rows, columns. Of a series with several times
either each is a volume of its own, or all are one array of four axes, one of which is the times in
their order.
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
            of several, or some right times of all, and nothing says so.
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
    matched = [_pieces_of(case, volume) for volume in volumes]
    known = {piece for pieces in matched for piece in pieces}
    if all(matched) and _is_right(case, known):
        return Judgement("right")
    if all(matched):
        return _unless_said(case, answer, "picks", f"{', '.join(sorted(known))} alone")
    wrong = volumes[matched.index([])]
    how = "; ".join(_flaws(case, wrong))
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


def along_times(volume: Found) -> list[list[Found]]:
    """The volumes in an array of four axes, for each axis that may be the times."""
    return [
        [
            Found(values, volume.affine, None if volume.spacing is None else volume.spacing[-3:])
            for values in np.moveaxis(volume.values, axis, 0)
        ]
        for axis in range(4)
    ]


def short(text: str) -> str:
    """One line of bounded length, without what differs from run to run and machine to machine."""
    line = " ".join(_NOISE.sub("", text.replace("\0", "")).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 4] + " ..."


def _is_right(case: Case, known: set[str]) -> bool:
    """Is it the one volume, or where there are several, are all of them there, each on its own?"""
    wanted = (one for one in case.slices() if case.wanted in {None, one.part})
    return known >= {one.piece for one in wanted}


def _unless_said(case: Case, answer: Mapping[str, Any], status: str, how: str) -> Judgement:
    """The same, in better standing where the reader speaks of the matter."""
    printed = [_NOISE.sub("", line) for line in answer["printed"].splitlines()]
    for said, name in ((answer["warnings"], "warns"), (printed, "prints")):
        text = next((one for one in said if re.search(case.matter, one, re.IGNORECASE)), None)
        if text is not None:
            return Judgement(name, f"{how}; says: {short(text)}".removeprefix("; "))
    return Judgement(status, how or "without a word")


def _pieces_of(case: Case, volume: Found) -> list[str]:
    """The series that a volume is, whole and in place, or the times that it has in their order."""
    slices = case.slices()
    has_one = len({one.part for one in slices}) == 1
    if case.wanted is None and has_one and not (case.is_about_place and _is_bare(volume)):
        return []  # no volume is right
    if volume.values.ndim != 4 or all(one.t is None for one in slices):
        piece = _piece_of(case, volume)
        return [] if piece is None else [piece]
    times = list(dict.fromkeys(one.piece for one in sorted(slices, key=lambda one: one.t or 0)))
    is_right = any([_piece_of(case, one) for one in some] == times for some in along_times(volume))
    return times if is_right else []


def _piece_of(case: Case, volume: Found) -> str | None:
    """The series that a volume of three axes is, or the time of it."""
    slices = case.slices()
    for piece in dict.fromkeys(one.piece for one in slices):
        if _is_whole(case, [one for one in slices if one.piece == piece], volume):
            return piece
    return None


def _flaws(case: Case, volume: Found) -> list[str]:
    """How a volume differs; of several times, how the first one does that is wrong."""
    slices = case.slices()
    if volume.values.ndim != 4 or all(one.t is None for one in slices):
        return flaws(slices, volume, has_place=case.has_place)
    ways = along_times(volume)
    named = [[_piece_of(case, one) for one in some] for some in ways]
    if whole := next((names for names in named if None not in names), None):
        there = ", ".join(str(name).removeprefix("time ") for name in whole)
        return [f"times {there} in this order"]
    # The way that the axes are meant is the one whose volumes have the slices' shape.
    for some, names in zip(ways, named, strict=True):
        k = names.index(None)
        found = flaws(slices, some[k], has_place=case.has_place)
        if not found or not found[0].startswith("shape"):
            return [f"of time {k}: {one}" for one in found]
    return [f"shape {volume.values.shape}"]


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
