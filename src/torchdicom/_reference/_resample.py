"""Images of another size: linear interpolation that averages where it makes them smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

Array = np.ndarray[Any, np.dtype[Any]]


def resized(values: Array, size: tuple[int, int]) -> Array:
    """An image of another size, as torchvision resizes with ``antialias=True``.

    Args:
        values (float64 of shape (..., rows, columns)): The image.
        size: The new rows and columns.

    Returns:
        float64 of shape (..., *size): along x first, then along y, each a sum of products that are
        rounded one by one, in ascending order.
    """
    for axis in (-1, -2):
        if values.shape[axis] != size[axis]:
            values = _along(values, size[axis], axis)
    return values


def resized_mask(mask: Array, size: tuple[int, int]) -> Array:
    """Where every pixel that a new one is made of is True.

    Args:
        mask (bool of shape (rows, columns)): Of the image.
        size: The new rows and columns.
    """
    for axis in (-1, -2):
        old, new = mask.shape[axis], size[axis]
        if old != new:
            front = np.moveaxis(mask, axis, 0)
            parts = [
                np.logical_and.reduce([front[at] for at, _ in taps]) for taps in _taps(old, new)
            ]
            mask = np.moveaxis(np.stack(parts), 0, axis)
    return mask


def _along(values: Array, length: int, axis: int) -> Array:
    front = np.ascontiguousarray(np.moveaxis(values, axis, 0))
    sums = np.zeros((length, *front.shape[1:]))
    with np.errstate(over="ignore", invalid="ignore"):
        for i, taps in enumerate(_taps(len(front), length)):
            for at, weight in taps:
                sums[i] += front[at] * weight
    return np.moveaxis(sums, 0, axis)


def _taps(old: int, new: int) -> Iterator[list[tuple[int, float]]]:
    """For each new pixel the old ones that it is made of, with their weights.

    A triangle around the new pixel's centre, as wide as two pixels, new or old, whichever is wider.
    """
    scale = old / new
    reach = max(scale, 1.0)
    for i in range(new):
        center = (i + 0.5) * scale
        first = max(int(center - reach + 0.5), 0)
        last = min(int(center + reach + 0.5), old)
        heights = [max(0.0, 1.0 - abs((at - center + 0.5) / reach)) for at in range(first, last)]
        total = 0.0
        for height in heights:  # `sum` corrects its rounding errors in newer versions
            total += height
        weights = ((at, height / total) for at, height in enumerate(heights, first))
        yield [(at, weight) for at, weight in weights if weight]
