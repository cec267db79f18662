"""Are the slices where an affine says they are? Repeats, gaps, jitter and tilt, in millimetres.

The C++ core has to give the same bits, so every formula is written out in one fixed order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

from torchdicom._reference._findings import Finding, refusal, series_error
from torchdicom._reference._repeats import in_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._policy import Policy
    from torchdicom._reference._header import FileHeader

Vector: TypeAlias = tuple[float, float, float]

_SAME_POSITION: Final = 0.05  # of the step: a real CT has two slices 0.005 mm apart
_SAME_PIXEL: Final = 0.01  # of a pixel: a step below it is rounding
_TILT: Final = 1e-3  # shift for each millimetre; the rounding of cosines stays below
_MAX_TILT_DEGREES: Final = 45.0  # gantries tilt up to 30

_POSITION: Final = "ImagePositionPatient"


def dot(a: Vector, b: Vector) -> float:
    """The scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def position(file: FileHeader) -> Vector:
    """Where the centre of the first voxel is."""
    x, y, z = file.header.image_position_patient
    return x, y, z


@dataclass(frozen=True, slots=True)
class Repeats:
    """What the slices of one place are to each other.

    Attributes:
        times: The slices of each time, in order; of repeats that are none the first alone.
        aside: The others, in order.
        findings: What is to be said of them.
    """

    times: list[list[FileHeader]]
    aside: list[FileHeader]
    findings: list[Finding]


def sort_repeats(files: Sequence[FileHeader], normal: Vector, policy: Policy) -> Repeats:
    """Find the axis of time, or keep one slice of each position.

    That is the one of the lowest InstanceNumber, then of the first path.

    Args:
        files: At least two, in order along the normal.
        normal: Of unit length.
        policy: For its tolerances.
    """
    groups = _positions(files, normal, policy)
    if (ordered := in_time(groups)) is not None:
        return Repeats([list(time) for time in zip(*ordered, strict=True)], [], [])
    kept = [min(group, key=_by_instance) for group in groups]
    aside = [
        file for group, one in zip(groups, kept, strict=True) for file in group if file is not one
    ]
    return Repeats([kept], aside, [_about_repeats(groups, aside)] if aside else [])


def _positions(
    files: Sequence[FileHeader], normal: Vector, policy: Policy
) -> list[list[FileHeader]]:
    """The slices of each position."""
    gaps = _gaps(files, normal)
    step = _typical_gap(gaps, policy)
    pixel = _SAME_PIXEL * min(files[0].header.pixel_spacing)
    # Rounding alone moves positions by less than that pixel: then the step is none.
    limit = pixel if step < pixel else _SAME_POSITION * step
    groups = [[files[0]]]
    for file, gap in zip(files[1:], gaps, strict=True):
        if gap < limit or gap == 0.0:  # a limit may round to 0
            groups[-1].append(file)
        else:
            groups.append([file])
    return groups


def _about_repeats(groups: Sequence[Sequence[FileHeader]], aside: Sequence[FileHeader]) -> Finding:
    where = tuple(i for i, group in enumerate(groups) if len(group) > 1)
    measured = {"repeats": float(len(aside))}
    sizes = [len(group) for group in groups]
    if min(sizes) == max(sizes):
        text = f"{len(aside)} slice(s) lie where another one does; load the files of one repeat"
    else:
        text = (
            f"{len(aside)} slice(s) lie where another one does, and the repeats are incomplete: "
            f"there are {min(sizes)} to {max(sizes)} at a position; load the files of one repeat"
        )
        measured |= {"least": float(min(sizes)), "most": float(max(sizes))}
    error = series_error("duplicate_positions", text, aside[0], _POSITION)
    paths = tuple(file.path for file in aside)
    return Finding("duplicate_positions", error, where, paths, measured)


def judge_spacing(files: Sequence[FileHeader], normal: Vector, policy: Policy) -> list[Finding]:
    """What keeps files from being evenly spaced along their normal.

    Args:
        files: At least two, in order, without repeats.
        normal: Of unit length.
        policy: For its tolerances.
    """
    gaps = _gaps(files, normal)
    step = _typical_gap(gaps, policy)
    tolerance = max(policy.spacing_tolerance * step, policy.position_tolerance_mm)
    uneven = _missing(files, gaps, step, tolerance) or _uneven(files, step, tolerance)
    return [*uneven, *_tilt(files, normal, policy)]


def _by_instance(file: FileHeader) -> tuple[bool, int, object]:
    number = file.header.instance_number
    return number is None, number or 0, file.order


def _gaps(files: Sequence[FileHeader], normal: Vector) -> list[float]:
    distances = [dot(position(file), normal) for file in files]
    return [b - a for a, b in pairwise(distances)]


def _typical_gap(gaps: Sequence[float], policy: Policy) -> float:
    """The median of the gaps that are more than repeats of a position."""
    least = _SAME_POSITION * max(gaps)
    steps = sorted(gap for gap in gaps if gap > policy.position_tolerance_mm or gap >= least)
    middle = len(steps) // 2
    return steps[middle] if len(steps) % 2 == 1 else (steps[middle - 1] + steps[middle]) / 2


def _whole(ratio: float) -> float:
    """The nearest whole number, halves up."""
    if ratio >= 2**52:
        return ratio  # it has no fraction; infinity comes here too
    return float(math.floor(ratio) + (ratio % 1.0 >= 0.5))


def _missing(
    files: Sequence[FileHeader], gaps: Sequence[float], step: float, tolerance: float
) -> list[Finding]:
    """Every gap is a whole multiple of the step, and one is more than once."""
    multiples = [_whole(gap / step) for gap in gaps]
    for gap, multiple in zip(gaps, multiples, strict=True):
        if multiple < 1 or abs(gap - multiple * step) > tolerance:
            return []  # uneven, and not merely missing
    lost = [(i, multiple - 1) for i, multiple in enumerate(multiples) if multiple > 1]
    if not lost:
        return []
    where = ", ".join(f"{count:.0f} after slice {i}" for i, count in lost)
    text = f"Slices are missing ({where}); the others are {step:.6g} mm apart"
    before = tuple(i for i, _ in lost)
    error = series_error("missing_slices", text, files[before[0]], _POSITION)
    paths = tuple(files[i].path for i in before)
    measured = {"missing": math.fsum(count for _, count in lost), "step_mm": step}
    return [Finding("missing_slices", error, before, paths, measured)]


def _uneven(files: Sequence[FileHeader], step: float, tolerance: float) -> list[Finding]:
    """A slice lies off the even steps from the first to the last."""
    first, last = position(files[0]), position(files[-1])
    steps = len(files) - 1
    distances = []
    for i, file in enumerate(files):
        o0, o1, o2 = (
            p - (a + (b - a) * (i / steps))
            for p, a, b in zip(position(file), first, last, strict=True)
        )
        distances.append(math.sqrt(o0 * o0 + o1 * o1 + o2 * o2))
    largest = max(distances)
    if largest <= tolerance:
        return []
    worst = distances.index(largest)
    text = (
        f"The slices are not evenly spaced: slice {worst} lies {largest:.6g} mm from its place "
        f"in even steps, and {tolerance:.6g} mm is tolerated"
    )
    error = series_error("uneven_spacing", text, files[worst], _POSITION)
    where = tuple(i for i, distance in enumerate(distances) if distance > tolerance)
    paths = tuple(files[i].path for i in where)
    measured = {"largest_mm": largest, "tolerance_mm": tolerance, "step_mm": step}
    return [Finding("uneven_spacing", error, where, paths, measured)]


def _tilt(files: Sequence[FileHeader], normal: Vector, policy: Policy) -> list[Finding]:
    """A stack that does not rise along the normal: the gantry was tilted, and the affine shears."""
    first, last = position(files[0]), position(files[-1])
    v = last[0] - first[0], last[1] - first[1], last[2] - first[2]
    along = dot(v, normal)
    across = v[0] - along * normal[0], v[1] - along * normal[1], v[2] - along * normal[2]
    shift = math.sqrt(dot(across, across))
    if shift <= policy.position_tolerance_mm or shift <= _TILT * abs(along):
        return []
    angle = math.degrees(math.atan2(shift, abs(along)))
    if angle > _MAX_TILT_DEGREES:
        text = "The slices are shifted sideways by more than they are apart; load them apart"
        error = series_error("invalid_geometry", text, files[-1], _POSITION)
        return [refusal(error, [files[-1]])]
    text = f"The slices are stacked at {angle:.3g} degrees to their normal; the affine shears"
    error = series_error("gantry_tilt", text, files[-1], _POSITION)
    return [Finding("gantry_tilt", error, measured={"angle_degrees": angle})]
