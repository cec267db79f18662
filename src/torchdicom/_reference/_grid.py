"""Where the voxels of a result lie: spacing, and what a selection does to the affine."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

from torchdicom._reference._pixels import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._reference._geometry import Affine
    from torchdicom._reference._judge import Judged

Spacing: TypeAlias = tuple[float, float, float]
Region: TypeAlias = tuple[int, int, int, int]

_MOST_HALVINGS: Final = 8


def picked(wanted: slice | Sequence[int] | None, count: int, what: str = "Slice") -> list[int]:
    """The positions that a selection of slices or times names, from 0 on.

    Args:
        wanted: Positions, negative ones from the end; None for all.
        count: How many there are.
        what: What is selected, for errors.

    Raises:
        IndexError: If one is not there.
        ValueError: If the selection is empty.
    """
    if wanted is None:
        return list(range(count))
    picks = list(range(count))[wanted] if isinstance(wanted, slice) else [*wanted]
    for pick in picks:
        if not -count <= pick < count:
            msg = f"{what} {pick} does not exist: the series has {count}"
            raise IndexError(msg)
    if not picks:
        name = "slices" if what == "Slice" else "t"
        msg = f"{name} selects none of the {count} {what.lower()}s"
        raise ValueError(msg)
    return [pick % count for pick in picks]


def checked_window(region: Region | None, reduce: int, rows: int, columns: int) -> Window:
    """Which pixels are wanted, if they lie inside the images.

    Raises:
        ValueError: If they do not, or do not lie on the pixels of the smaller image.
    """
    if not 0 <= reduce <= _MOST_HALVINGS:
        msg = f"reduce is {reduce}, and 0 to {_MOST_HALVINGS} are possible"
        raise ValueError(msg)
    if region is None:
        return Window((0, rows, 0, columns), reduce)
    y0, y1, x0, x1 = region
    if not (0 <= y0 < y1 <= rows and 0 <= x0 < x1 <= columns):
        msg = (
            f"region {region} is none of the images, which have {rows} rows and {columns} columns: "
            "it takes (y0, y1, x0, x1), the ends not included"
        )
        raise ValueError(msg)
    step = 1 << reduce
    for edge, length in ((y0, rows), (y1, rows), (x0, columns), (x1, columns)):
        if edge % step and edge != length:
            msg = f"region {region} ends at {edge}, and reduce={reduce} needs multiples of {step}"
            raise ValueError(msg)
    return Window(region, reduce)


def selected_affine(
    affine: Affine | None,
    picks: Sequence[int] | None,
    window: Window,
    shift: float,
    scales: tuple[float, float],
) -> Affine | None:
    """The affine of the selected slices and pixels.

    Args:
        affine: Of the whole series, row by row.
        picks: Positions of slices, or None for all.
        window: Which pixels.
        shift: By how many pixels the first one has moved, where the images are made smaller.
        scales: How many of those rows and columns become one then, where they are resized.

    Returns:
        None where the slices are not evenly spaced picks.
    """
    if affine is None:
        return None
    stride = 1
    if picks is not None and len(picks) > 1:
        strides = {b - a for a, b in pairwise(picks)}
        if len(strides) > 1 or 0 in strides:
            return None
        (stride,) = strides
    top, _, left, _ = window.region
    step = 1 << window.reduce
    rows = []
    for z, y, x, o in affine[:3]:
        origin = o
        # Nothing is added where nothing moves: -0.0 + 0.0 would be 0.0.
        for column, moved in ((z, picks[0] if picks is not None else 0), (y, top), (x, left)):
            origin = origin + column * moved if moved else origin
        if window.reduce:
            origin = (origin + y * shift) + x * shift
        columns = []
        for column, scale in zip((y * step, x * step), scales, strict=True):
            # The outer edge of the first pixel stays where it is.
            origin = origin + column * ((scale - 1) / 2) if scale != 1 else origin
            columns.append(column * scale)
        rows.append([z * stride, *columns, origin])
    return [*rows, affine[3]]


def spacing_of(affine: Affine) -> Spacing:
    """The lengths of an affine's columns: millimetres along z, y, x."""
    columns = ([row[i] for row in affine[:3]] for i in range(3))
    z, y, x = (math.sqrt(a * a + b * b + c * c) for a, b, c in columns)
    return z, y, x


def stated_spacing(judged: Judged) -> tuple[Spacing, str]:
    """Distances between pixels where there is no affine, and what gives them.

    Returns:
        The spacing along z (NaN), y and x, NaN where none is positive; and its keyword for images
        and cine, whose pixels may be those of the detector (PS3.3 10.7.1.3).
    """
    first = judged.files[0]
    is_projection = judged.part.kind in {"image", "cine"}
    for keyword, spacing in (
        ("PixelSpacing", first.header.pixel_spacing),
        ("ImagerPixelSpacing", first.imager_pixel_spacing if is_projection else ()),
    ):
        if spacing and all(distance > 0 for distance in spacing):
            between_rows, between_columns = spacing
            source = keyword if is_projection else ""
            return (math.nan, between_rows, between_columns), source
    return (math.nan, math.nan, math.nan), ""
