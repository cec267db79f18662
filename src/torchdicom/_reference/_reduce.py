"""Images made smaller: the mean of each block of pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def block_mean(values: Array, halvings: int) -> Array:
    """The mean of every block of 2^n x 2^n pixels, of those that exist at the far edges.

    Args:
        values (Array of shape (..., rows, columns)): Integers, or doubles, which are summed one
            after the other, row by row.
        halvings: n, at least 1.

    Returns:
        float64 of shape (..., ceil(rows / 2^n), ceil(columns / 2^n)).
    """
    step = 1 << halvings
    *front, rows, columns = values.shape
    size = -(-rows // step), -(-columns // step)
    exact = values.astype(np.int64) if values.dtype.kind != "f" else values.astype(np.float64)
    sums = np.zeros((*front, *size), dtype=exact.dtype)
    counts = np.zeros(size, dtype=np.int64)
    for y in range(min(step, rows)):
        for x in range(min(step, columns)):
            one = exact[..., y::step, x::step]
            sums[..., : one.shape[-2], : one.shape[-1]] += one
            counts[: one.shape[-2], : one.shape[-1]] += 1
    means: Array = sums.astype(np.float64) / counts
    return means


def block_all(mask: Array, halvings: int) -> Array:
    """Whether every pixel of a block is True."""
    step = 1 << halvings
    rows, columns = mask.shape
    padded = np.ones((-(-rows // step) * step, -(-columns // step) * step), dtype=bool)
    padded[:rows, :columns] = mask
    return np.asarray(padded.reshape(len(padded) // step, step, -1, step).all(axis=(1, 3)))
