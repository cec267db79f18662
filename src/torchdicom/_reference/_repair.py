"""What a policy wants repaired of a stack of slices: which slices it has then, and where.

Everything is in double, in one fixed order: the C++ core has to give the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from torchdicom._errors import LimitError
from torchdicom._policy import REPAIRS
from torchdicom._reference._spacing import dot, position

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._policy import Policy
    from torchdicom._reference._findings import Finding
    from torchdicom._reference._geometry import Affine
    from torchdicom._reference._header import FileHeader
    from torchdicom._reference._judge import Judged
    from torchdicom._reference._spacing import Vector

_SAME: Final = 1e-6  # of a step or a pixel: what lies closer is a copy
_MOST_SLICES: Final = 1_000_000
_LONGEST: Final = 32_768  # as rows and columns of files are


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice of the repaired stack.

    Attributes:
        before: The slice of the files that it is, or that it follows.
        weight: Of the next one, where it lies between these; else None.
        is_filled: There is nothing to make it of.
        place: Of its first voxel, in the stack as the files have it.
        offset: How far it has gone along y and x, in pixels of the file.
    """

    before: int
    place: Vector
    weight: float | None = None
    is_filled: bool = False
    offset: tuple[float, float] = (0.0, 0.0)

    @property
    def is_made(self) -> bool:
        """No file has it."""
        return self.is_filled or self.weight is not None


@dataclass(frozen=True, slots=True)
class Repair:
    """The stack that is wanted.

    Attributes:
        slices: All of them, in order.
        affine: Of the stack, before it is straightened.
        normal: Of unit length.
        is_even: The slices are resampled along the normal.
        is_straight: They are shifted in their planes.
        place: Path and element that errors about that name.
    """

    slices: tuple[Slice, ...]
    affine: Affine
    normal: Vector
    is_even: bool = False
    is_straight: bool = False
    place: tuple[str | None, str | None] = (None, None)

    @property
    def interpolates(self) -> bool:
        """Values are made of several others."""
        return self.is_even or self.is_straight


def repair_of(judged: Judged, policy: Policy) -> Repair | None:
    """What is to be done about the defects of a part; None where nothing is.

    Raises:
        LimitError: ``limit_frames``.
    """
    if judged.affine is None:
        return None
    wanted = {
        finding.code: finding
        for finding in judged.findings
        if finding.code in REPAIRS and policy.action(finding.code) == REPAIRS[finding.code]
    }
    if not wanted:
        return None
    # The slices of all times lie alike.
    files = judged.files[: len(judged.files) // judged.num_times]
    normal, affine = judged.normal, judged.affine
    if (missing := wanted.get("missing_slices")) is not None:
        repair = _filled(files, normal, affine, missing)
    elif (uneven := wanted.get("uneven_spacing")) is not None:
        repair = _evened(files, normal, affine, uneven)
    else:
        slices = tuple(Slice(i, position(file)) for i, file in enumerate(files))
        repair = Repair(slices, affine, normal)
    tilt = wanted.get("gantry_tilt")
    return repair if tilt is None else _measured(repair, files, tilt)


def _with_step(affine: Affine, step: Sequence[float]) -> Affine:
    rows = [[z, *rest] for z, (_, *rest) in zip(step, affine[:3], strict=True)]
    return [*rows, affine[3]]


def _along(start: Vector, step: Sequence[float], count: float) -> Vector:
    x, y, z = (a + b * count for a, b in zip(start, step, strict=True))
    return x, y, z


def _check_count(count: float, finding: Finding) -> None:
    if count > _MOST_SLICES:
        msg = f"The repaired series would have more than {_MOST_SLICES} slices"
        error = finding.error
        raise LimitError(msg, code="limit_frames", path=error.path, element=error.element)


def _filled(
    files: Sequence[FileHeader], normal: Vector, affine: Affine, finding: Finding
) -> Repair:
    """A gap of k steps gets k - 1 slices."""
    step = finding.measured["step_mm"]
    heights = [dot(position(file), normal) for file in files]
    # Halves up: the gaps that are missing slices are near whole numbers of steps.
    counts = [
        math.floor(ratio) + (ratio % 1.0 >= 0.5)
        for ratio in ((above - below) / step for below, above in pairwise(heights))
    ]
    total = float(sum(counts))
    _check_count(total + 1, finding)
    first, last = position(files[0]), position(files[-1])
    column = [(b - a) / total for a, b in zip(first, last, strict=True)]
    slices: list[Slice] = []
    for i, (file, count) in enumerate(zip(files, [*counts, 1], strict=True)):
        slices.append(Slice(i, position(file)))
        for _ in range(count - 1):
            place = _along(first, column, len(slices))
            slices.append(Slice(i, place, is_filled=True))
    return Repair(tuple(slices), _with_step(affine, column), normal)


def _evened(
    files: Sequence[FileHeader], normal: Vector, affine: Affine, finding: Finding
) -> Repair:
    """Slices at first + k * step, as far as there are any."""
    step = finding.measured["step_mm"]
    heights = [dot(position(file), normal) for file in files]
    length = heights[-1] - heights[0]
    steps = math.floor(length / step + _SAME)
    _check_count(float(steps) + 1, finding)
    first, last = position(files[0]), position(files[-1])
    column = [(b - a) / length * step for a, b in zip(first, last, strict=True)]
    slices = []
    at = 0
    for k in range(steps + 1):
        z = heights[0] + k * step
        while at + 1 < len(heights) and heights[at + 1] <= z:
            at += 1
        if at + 1 == len(heights) or abs(z - heights[at]) <= _SAME * step:
            slices.append(Slice(at, position(files[at])))
        elif abs(z - heights[at + 1]) <= _SAME * step:
            slices.append(Slice(at + 1, position(files[at + 1])))
        else:
            weight = (z - heights[at]) / (heights[at + 1] - heights[at])
            slices.append(Slice(at, _along(first, column, k), weight))
    return Repair(tuple(slices), _with_step(affine, column), normal, is_even=True)


def _measured(repair: Repair, files: Sequence[FileHeader], finding: Finding) -> Repair:
    """How far each slice lies beside the first, by the columns of the affine."""
    columns: list[Vector] = [
        (repair.affine[0][i], repair.affine[1][i], repair.affine[2][i]) for i in (1, 2)
    ]
    first = position(files[0])
    slices = []
    for one in repair.slices:
        if one.is_filled:
            slices.append(one)
            continue
        at = position(files[one.before])
        if one.weight is not None:
            w, behind = one.weight, position(files[one.before + 1])
            p0, p1, p2 = (a * (1 - w) + b * w for a, b in zip(at, behind, strict=True))
            at = p0, p1, p2
        v = at[0] - first[0], at[1] - first[1], at[2] - first[2]
        down, right = (dot(v, column) / dot(column, column) for column in columns)
        slices.append(replace(one, offset=(down, right)))
    place = finding.error.path, finding.error.element
    return replace(repair, slices=tuple(slices), is_straight=True, place=place)


@dataclass(frozen=True, slots=True)
class Canvas:
    """What a straightened stack is drawn on.

    Attributes:
        top: Rows before those of the first slice.
        left: Columns before.
        size: Rows and columns of the canvas.
    """

    top: int
    left: int
    size: tuple[int, int]


def offset_of(one: Slice, halvings: int) -> tuple[float, float]:
    """The offset in pixels of images that were halved so often."""
    down, right = (_snapped(offset / (1 << halvings)) for offset in one.offset)
    return down, right


def _snapped(offset: float) -> float:
    whole = float(math.floor(offset + 0.5))
    return whole if abs(offset - whole) <= _SAME else offset


def canvas_of(repair: Repair, size: tuple[int, int], halvings: int) -> Canvas:
    """The canvas for images of a size, which were halved so often.

    Raises:
        LimitError: ``limit_rows``, ``limit_columns``.
    """
    if not repair.is_straight:
        return Canvas(0, 0, size)
    offsets = [offset_of(one, halvings) for one in repair.slices]
    before, whole = [], []
    for axis, code in enumerate(("limit_rows", "limit_columns")):
        # The first slice is among them, with an offset of 0.
        least = min(0.0, *(offset[axis] for offset in offsets))
        most = max(0.0, *(offset[axis] for offset in offsets))
        before.append(math.ceil(-least))
        whole.append(before[-1] + size[axis] + math.ceil(most))
        if whole[-1] > _LONGEST:
            msg = f"The slices are shifted so far that straightened they exceed {_LONGEST} pixels"
            path, element = repair.place
            raise LimitError(msg, code=code, path=path, element=element)
    return Canvas(before[0], before[1], (whole[0], whole[1]))


def affine_of(repair: Repair, canvas: Canvas, halvings: int) -> Affine:
    """The affine of the repaired stack, in pixels that were not halved."""
    if not repair.is_straight:
        return repair.affine
    (z0, y0, x0, o0), (z1, y1, x1, o1), (z2, y2, x2, o2) = repair.affine[:3]
    step = dot((z0, z1, z2), repair.normal)
    origin: Vector = (o0, o1, o2)
    for count, column in ((canvas.top, (y0, y1, y2)), (canvas.left, (x0, x1, x2))):
        if count:
            origin = _along(origin, column, -(count << halvings))
    n0, n1, n2 = repair.normal
    return [
        [n0 * step, y0, x0, origin[0]],
        [n1 * step, y1, x1, origin[1]],
        [n2 * step, y2, x2, origin[2]],
        repair.affine[3],
    ]
