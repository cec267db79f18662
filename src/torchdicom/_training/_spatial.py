"""Orientation, spacing, padding and cropping: which voxels a result has, and where they lie.

A result is a box of a `Grid`. The grid says which voxels of the series each of its voxels is made
of, so that a box needs no more of the series than `Grid.source_box` of it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    Triple = tuple[int, int, int]
    Interval = tuple[int, int]
    # From and up to, along z, y and x.
    Box = tuple[Interval, Interval, Interval]

_LONGEST: Final = 32_768
# Which axis of the patient a letter is about, and whether it grows that way.
_TOWARDS: Final = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "S": (2, 1), "I": (2, -1)}


@dataclass(frozen=True, slots=True)
class Halving:
    """How rows and columns are halved.

    Attributes:
        times: How often.
        levels: How often of these a wavelet left out a level: of two pixels that leaves the first
            where it is, and a mean lies between them.
    """

    times: int = 0
    levels: int = 0

    @property
    def step(self) -> int:
        """How far apart pixels are, in those that there were."""
        return 1 << self.times

    @property
    def first(self) -> float:
        """Where the first one lies, in those that there were."""
        return (self.step - (1 << self.levels)) / 2

    def shape(self, shape: Triple) -> Triple:
        """What becomes of slices, rows and columns."""
        slices, rows, columns = shape
        return slices, -(-rows // self.step), -(-columns // self.step)

    def affine(self, affine: torch.Tensor | None) -> torch.Tensor | None:
        """What becomes of an affine."""
        if affine is None or not self.times:
            return affine
        found = affine.clone()
        for axis in (1, 2):
            found[:3, 3] += affine[:3, axis] * self.first
            found[:3, axis] *= self.step
        return found

    def spacing_mm(self, spacing_mm: tuple[float, float, float]) -> tuple[float, float, float]:
        """What becomes of the distances."""
        z, y, x = spacing_mm
        return z, y * self.step, x * self.step

    def nearest(self, data: torch.Tensor) -> torch.Tensor:
        """The values of the pixels that are nearest to those that are left.

        Args:
            data (Tensor of shape (channels, slices, rows, columns)): Of all pixels.
        """
        if not self.times:
            return data
        for axis in (2, 3):
            n = data.shape[axis]
            at = torch.arange(-(-n // self.step)) * self.step + math.floor(self.first + 0.5)
            data = data.index_select(axis, at.clamp(max=n - 1))
        return data


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The voxels of a result, and those of the series that they are made of.

    Attributes:
        source_shape: Slices, rows and columns of the series.
        order: For each axis of the grid the one of the series that it runs along.
        flips: For each axis of the grid whether it runs the other way.
        steps: How far apart its voxels are along each axis, in voxels of the series.
        shape: How many voxels it has along each axis.
        affine: Float64 tensor of shape (4, 4), of the grid's index ``(z, y, x, 1)``; NaN where the
            place is unknown.
        spacing_mm: Distances along each axis, NaN where unknown.
        halved: How often, and in which way, the rows and columns of the series were halved before:
            the source is what that leaves.
    """

    source_shape: Triple
    order: Triple
    flips: tuple[bool, bool, bool]
    steps: tuple[float, float, float]
    shape: Triple
    affine: torch.Tensor
    spacing_mm: tuple[float, float, float]
    halved: Halving = Halving()

    @property
    def is_plain(self) -> bool:
        """Whether its voxels are those of the series, one by one."""
        return self.order == (0, 1, 2) and not any(self.flips) and self.steps == (1.0, 1.0, 1.0)

    @property
    def whole(self) -> Box:
        """All of it."""
        z, y, x = self.shape
        return (0, z), (0, y), (0, x)

    def inside(self, box: Box) -> Box:
        """The part of a box that lies in the grid."""
        z, y, x = (
            (min(max(lo, 0), n), max(min(hi, n), 0))
            for (lo, hi), n in zip(box, self.shape, strict=True)
        )
        return z, y, x

    def affine_of(self, box: Box) -> torch.Tensor:
        """The affine whose index starts at the first voxel of a box."""
        columns = self.affine.numpy()
        affine = columns.copy()
        for axis, (start, _) in enumerate(box):
            if start:
                affine[:3, 3] += columns[:3, axis] * start
        return torch.from_numpy(affine)

    def spacing_tensor(self) -> torch.Tensor:
        """`spacing_mm`, float64, in memory of its own."""
        return torch.from_numpy(np.array(self.spacing_mm, np.float64))

    def source_box(self, box: Box) -> Box:
        """What of the series a box is made of; the box lies in the grid."""
        found: list[Interval] = [(0, 0)] * 3
        for axis, interval in enumerate(box):
            n = self.source_shape[self.order[axis]]
            lo, hi = self._taken(axis, interval)
            found[self.order[axis]] = (n - hi, n - lo) if self.flips[axis] else (lo, hi)
        return found[0], found[1], found[2]

    def resampled(self, data: torch.Tensor, box: Box, *, nearest: bool) -> torch.Tensor:
        """The values of a box from those of its `source_box`.

        Args:
            data (Tensor of shape (channels, slices, rows, columns)): Of the source box alone.
            box: In the grid.
            nearest: Whether the nearest voxel is taken; else they are interpolated.

        Returns:
            Tensor of shape (channels, slices, rows, columns), contiguous.
        """
        turned = data.permute(0, *(1 + axis for axis in self.order))
        flipped = [1 + axis for axis, flips in enumerate(self.flips) if flips]
        if flipped:
            turned = turned.flip(flipped)
        for axis, interval in enumerate(box):
            if self.steps[axis] != 1:
                turned = self._along(turned, axis, interval, nearest=nearest)
        return turned.contiguous()

    def _along(
        self, data: torch.Tensor, axis: int, interval: Interval, *, nearest: bool
    ) -> torch.Tensor:
        """One axis resampled; data starts where `_taken` does."""
        n, start = self.source_shape[self.order[axis]], self._taken(axis, interval)[0]
        at = (torch.arange(*interval, dtype=torch.float64) + 0.5) * self.steps[axis]
        if nearest:
            index = at.floor().clamp(0, n - 1).long() - start
            return data.index_select(1 + axis, index)
        at = (at - 0.5).clamp(0, n - 1)
        below = at.floor()
        weight = (at - below).to(data.dtype).reshape([-1 if d == axis else 1 for d in range(3)])
        lower = data.index_select(1 + axis, below.long() - start)
        upper = data.index_select(1 + axis, at.ceil().long() - start)
        return torch.lerp(lower, upper, weight)

    def _taken(self, axis: int, interval: Interval) -> Interval:
        """The voxels along an axis, turned and not yet resampled, that an interval needs."""
        (lo, hi), step = interval, self.steps[axis]
        if step == 1:
            return lo, hi
        last = self.source_shape[self.order[axis]] - 1
        first_at = min(max((lo + 0.5) * step - 0.5, 0.0), last)
        last_at = min(max((hi - 0.5) * step - 0.5, 0.0), last)
        return math.floor(first_at), math.ceil(last_at) + 1


def copied(part: torch.Tensor) -> torch.Tensor:
    """A contiguous copy by this thread alone: torch would wait for threads of its own."""
    is_bfloat16 = part.dtype == torch.bfloat16  # which NumPy does not have
    plain = part.view(torch.int16) if is_bfloat16 else part
    made = torch.from_numpy(np.array(plain.numpy(), order="C"))
    return made.view(torch.bfloat16) if is_bfloat16 else made


def grid_of(
    shape: Triple,
    affine: torch.Tensor | None,
    spacing_mm: tuple[float, float, float],
    *,
    orientation: str | None = None,
    wanted_mm: tuple[float, float, float] | None = None,
    rows_and_columns: tuple[int, int] | None = None,
    halved: Halving | None = None,
) -> Grid:
    """The grid of a series, turned and resampled as wanted.

    Args:
        shape: Slices, rows and columns.
        affine: Of the series.
        spacing_mm: Of the series, along z, y and x.
        halved: What happens to the rows and columns of the series before.
        orientation: Where x, y and z of the grid are to point to; needs an affine.
        wanted_mm: The distances that the grid is to have along its z, y and x; the outer corner of
            its first voxel is that of the turned series.
        rows_and_columns: Instead, how many rows and columns it is to have.
    """
    halved = halved or Halving()
    shape, spacing_mm = halved.shape(shape), halved.spacing_mm(spacing_mm)
    affine = halved.affine(affine)
    placed = torch.full((4, 4), math.nan, dtype=torch.float64) if affine is None else affine
    order: Triple = (0, 1, 2)
    flips = (False, False, False)
    if orientation is not None:
        order, flips = _turn(placed, orientation)
    turned = _turned(placed, order, flips, shape)
    z, y, x = (shape[axis] for axis in order)
    old_mm = tuple(spacing_mm[axis] for axis in order)
    steps = (1.0, 1.0, 1.0)
    if wanted_mm is not None:
        steps = _triple([new / old for new, old in zip(wanted_mm, old_mm, strict=True)])
        z, y, x = (
            max(1, math.floor(n / step + 0.5)) for n, step in zip((z, y, x), steps, strict=True)
        )
        if max(z, y, x) > _LONGEST:
            msg = (
                f"spacing_mm={wanted_mm} makes {z} slices of {y} x {x}, above {_LONGEST} along an "
                f"axis, of {shape} that lie {spacing_mm} mm apart"
            )
            raise ValueError(msg)
    elif rows_and_columns is not None:
        rows, columns = rows_and_columns
        steps = (1.0, y / rows, x / columns)
        y, x = rows, columns
    for axis, step in enumerate(steps):
        if step != 1:
            turned[:3, 3] += turned[:3, axis] * ((step - 1) / 2)
            turned[:3, axis] *= step
    found_mm = wanted_mm or _triple([mm * step for mm, step in zip(old_mm, steps, strict=True)])
    return Grid(shape, order, flips, steps, (z, y, x), turned, found_mm, halved)


def halving_of(
    times: int, affine: torch.Tensor | None, start: tuple[int, float], loaded: torch.Tensor | None
) -> Halving:
    """How a load has halved rows and columns, which the pixels of its files tell and no header.

    Args:
        times: How often.
        affine: Of the series.
        start: The first slice and row that were loaded, of those that are left.
        loaded: The affine that came with them.
    """
    plain = Halving(times)
    if not times or affine is None or loaded is None:
        return plain
    z, y = start
    down = affine[:3, 1]
    moved = loaded[:3, 3] - affine[:3, 3] - affine[:3, 0] * z
    first = float(moved @ down / (down @ down)) - y * plain.step
    return Halving(times, round(math.log2(max(plain.step - 2 * first, 1.0))))


def centre_box(shape: Triple, size: Triple) -> Box:
    """A box of a size about the middle of a shape."""
    z, y, x = (centred(n, wanted) for n, wanted in zip(shape, size, strict=True))
    return box_at((z, y, x), size)


def centred(n: int, wanted: int) -> int:
    """Where so many voxels start that lie in the middle of n, or n in the middle of them.

    The odd one stays, or stands, at the end.
    """
    return (n - wanted) // 2 if n >= wanted else -((wanted - n) // 2)


def box_at(start: Sequence[int], size: Triple) -> Box:
    """A box by its first voxel and size."""
    z, y, x = ((lo, lo + n) for lo, n in zip(start, size, strict=True))
    return z, y, x


def shape_of(box: Box) -> Triple:
    """How many voxels a box has along each axis."""
    z, y, x = (hi - lo for lo, hi in box)
    return z, y, x


def slices_in(part: Box, box: Box) -> tuple[slice, slice, slice]:
    """Where a part of a box lies in it."""
    z, y, x = (
        slice(lo - start, hi - start) for (lo, hi), (start, _) in zip(part, box, strict=True)
    )
    return z, y, x


def _turn(affine: torch.Tensor, orientation: str) -> tuple[Triple, tuple[bool, bool, bool]]:
    """The order and flips that come closest to an orientation."""
    columns = affine[:3, :3]
    cosines = (columns / columns.norm(dim=0)).tolist()
    # x, y and z are named, and the tensor has z, y and x.
    wanted = [_TOWARDS[letter] for letter in reversed(orientation)]

    def fit(order: Sequence[int]) -> float:
        return math.fsum(
            abs(cosines[row][axis]) for (row, _), axis in zip(wanted, order, strict=True)
        )

    best = max(itertools.permutations(range(3)), key=fit)
    flips = [cosines[row][axis] * sign < 0 for (row, sign), axis in zip(wanted, best, strict=True)]
    return (best[0], best[1], best[2]), (flips[0], flips[1], flips[2])


def _turned(
    affine: torch.Tensor, order: Triple, flips: tuple[bool, bool, bool], shape: Triple
) -> torch.Tensor:
    """The affine of the turned voxels."""
    turned = affine[:, [*order, 3]].clone()
    for axis, is_flipped in enumerate(flips):
        if is_flipped:
            turned[:3, 3] += turned[:3, axis] * (shape[order[axis]] - 1)
            turned[:3, axis] *= -1
    return turned


def _triple(values: Sequence[float]) -> tuple[float, float, float]:
    return values[0], values[1], values[2]
