"""How a volume differs from the slices that were written: measured, in a few words."""

from __future__ import annotations

from itertools import pairwise, product
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.traps_case import Slice
    from benchmarks.traps_readers import Found

_DEGREES: Final = 0.2  # a direction that is further off is another one
_LENGTH: Final = 0.002  # likewise a length, relatively
_ROUNDING_MM: Final = 0.05
_TURNS: Final = tuple(product((False, True), (1, -1), (1, -1)))


class Layout(NamedTuple):
    """What lies where in a volume.

    Attributes:
        slices: The slice that each plane shows; None where it shows none.
        axes: The axes of the volume along slices, rows and columns.
        signs: The directions of rows and columns.
        planes: The planes as the slices have them.
    """

    slices: list[Slice | None]
    axes: tuple[int, int, int]
    signs: tuple[int, int]
    planes: np.ndarray


def flaws(slices: Sequence[Slice], found: Found, *, has_place: bool) -> list[str]:
    """What is wrong, the gravest first; nothing where only the place of single slices is."""
    layouts = _layouts(slices, found.values) if found.values.ndim == 3 else []
    layout = max(layouts, key=_known, default=None)
    if layout is None:
        return [f"shape {found.values.shape}"]
    if _known(layout) < len(layout.slices):
        return [_values(slices, layout)]
    shown = [one for one in layout.slices if one is not None]
    if not has_place:
        return _contents(slices, shown) or _image_spacing(shown[0], found, layout)
    wrong = _contents(slices, shown) + _order(shown)
    if wrong:
        return wrong
    if found.affine is not None:
        return _geometry(shown, found.affine, layout)
    return ["order reversed"] if shown[0].height > shown[-1].height else []


def _layouts(slices: Sequence[Slice], values: np.ndarray) -> list[Layout]:
    """All ways to see a volume as planes of the slices' shape."""
    shapes = {one.values.shape for one in slices}
    found = []
    for axis, (is_turned, down, across) in product(range(3), _TURNS):
        rest = [k for k in range(3) if k != axis]
        rows, columns = rest[::-1] if is_turned else rest
        planes = values.transpose(axis, rows, columns)[:, ::down, ::across]
        if planes.shape[1:] in shapes:
            shown = [_shown(slices, plane) for plane in planes]
            found.append(Layout(shown, (axis, rows, columns), (down, across), planes))
    return found


def _known(layout: Layout) -> int:
    return sum(one is not None for one in layout.slices)


def _shown(slices: Sequence[Slice], plane: np.ndarray) -> Slice | None:
    return next(
        (
            one
            for one in slices
            if one.values.shape == plane.shape and np.allclose(one.values, plane, atol=1e-3)
        ),
        None,
    )


def _values(slices: Sequence[Slice], layout: Layout) -> str:
    """How the planes that show no slice differ from the nearest one."""
    strange = [p for p, one in zip(layout.planes, layout.slices, strict=True) if one is None]
    where = f"in {len(strange)} of {len(layout.planes)} slices"
    off, truncated = [], []
    for plane in strange:
        near = [one.values for one in slices if one.values.shape == plane.shape]
        off.append(min(float(np.abs(one - plane).max()) for one in near))
        truncated.append(any(np.array_equal(round_(v), plane) for v in near for round_ in _ROUND))
    if all(truncated):
        return f"values truncated to integers {where}"
    return f"values off by up to {max(off):.4g} {where}"


_ROUND: Final = (np.trunc, np.floor, np.rint)


def _contents(slices: Sequence[Slice], shown: Sequence[Slice]) -> list[str]:
    """Too many, too few, or of several series."""
    known = {one.piece for one in shown}
    parts = [part for part in dict.fromkeys(one.piece for one in slices) if part in known]
    if len(parts) > 1:
        changes = sum(a.piece != b.piece for a, b in pairwise(shown))
        verb = "interleaved" if changes > len(parts) - 1 else "in one volume"
        many = "series" if shown[0].t is None else "times"
        names = " and ".join(parts) if len(parts) < 4 else f"{len(parts)} {many}"
        return [f"{names} {verb}"]
    wanted = [one for one in slices if one.piece == parts[0]]
    wrong = []
    different = len({id(one) for one in shown})
    if different < len(wanted):
        wrong.append(f"{different} of {len(wanted)} slices")
    if different < len(shown):
        wrong.append(f"{len(shown) - different} of {len(shown)} slices there twice")
    return wrong


def _order(shown: Sequence[Slice]) -> list[str]:
    heights = [one.height for one in shown]
    steps = np.diff(heights)
    if np.all(steps >= 0) or np.all(steps <= 0):
        return []
    order = " ".join(str(sorted(heights).index(height)) for height in heights)
    return [f"slices in the order {order}"]


def _image_spacing(one: Slice, found: Found, layout: Layout) -> list[str]:
    """An image that has no place: distances of its rows and columns."""
    lengths = found.spacing
    if lengths is None or not np.isfinite(lengths[list(layout.axes[1:])]).all():
        if found.affine is None:
            return []
        lengths = np.linalg.norm(found.affine[:3, :3], axis=0)
    wanted = (np.linalg.norm(one.down), np.linalg.norm(one.across))
    return [
        f"{lengths[axis]:.4g} mm between {name} instead of {length:.4g}"
        for axis, length, name in zip(layout.axes[1:], wanted, ("rows", "columns"), strict=True)
        if abs(lengths[axis] - length) > _LENGTH * length
    ]


def _geometry(shown: Sequence[Slice], affine: np.ndarray, layout: Layout) -> list[str]:
    """The columns of the affine beside the steps that were written, and the first voxel."""
    first, last = shown[0], shown[-1]
    down, across = (
        sign * step for sign, step in zip(layout.signs, (first.down, first.across), strict=True)
    )
    wrong = []
    if len(shown) > 1:
        step = (last.origin - first.origin) / (len(shown) - 1)
        even = first.origin + np.arange(len(shown))[:, None] * step
        off = even - np.array([one.origin for one in shown])
        column = affine[:3, layout.axes[0]]
        # Where the slices lie at no even distance, none is right, and `_places` tells by how much.
        if np.abs(off).max() < _ROUNDING_MM or np.dot(step, column) < 0:
            wrong += _vector("slices", step, column)
    wrong += _vector("rows", down, affine[:3, layout.axes[1]])
    wrong += _vector("columns", across, affine[:3, layout.axes[2]])
    corner = first.origin
    for sign, step, count in zip(
        layout.signs, (first.down, first.across), first.values.shape, strict=True
    ):
        corner = corner + (step * (count - 1) if sign < 0 else 0)
    off = float(np.linalg.norm(affine[:3, 3] - corner))
    if not wrong and off > 0.025:
        wrong.append(f"first voxel off by {off:.3g} mm")
    return wrong or _places(shown, affine, layout, corner)


def _vector(name: str, wanted: np.ndarray, found: np.ndarray) -> list[str]:
    """How a step differs."""
    length, right = float(np.linalg.norm(found)), float(np.linalg.norm(wanted))
    if length < 1e-9 or right < 1e-9:
        return [f"{name} {length:.4g} mm apart instead of {right:.4g}"]
    cosine = float(np.clip(np.dot(found, wanted) / (length * right), -1, 1))
    degrees = float(np.degrees(np.arccos(cosine)))
    wrong = []
    if degrees > 180 - _DEGREES:
        wrong.append(f"order of {name} reversed against the affine")
    elif degrees > _DEGREES:
        wrong.append(f"direction of {name} off by {degrees:.3g} degrees")
    if abs(length - right) > _LENGTH * right:
        wrong.append(f"{name} {length:.4g} mm apart instead of {right:.4g}")
    return wrong


def _places(
    shown: Sequence[Slice], affine: np.ndarray, layout: Layout, corner: np.ndarray
) -> list[str]:
    """Single slices that lie elsewhere than an even grid has them."""
    step = affine[:3, layout.axes[0]]
    shift = corner - shown[0].origin
    off = max(
        float(np.linalg.norm(affine[:3, 3] + k * step - one.origin - shift))
        for k, one in enumerate(shown)
    )
    return [f"slices up to {off:.2g} mm from their places"] if off > 0.025 else []
