"""Luminance and chrominance to red, green and blue (PS3.3 C.7.6.3.1.2)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

# ITU-R BT.601: what red and blue weigh in the luminance, doubled without it.
_RED: Final = 1.402
_BLUE: Final = 1.772
_BLUE_IN_GREEN: Final = (-0.114 * 1.772) / 0.587
_RED_IN_GREEN: Final = (-0.299 * 1.402) / 0.587


def rgb_of_ybr(ybr: Array, bits: int) -> Array:
    """Stored values of YBR_FULL as RGB.

    Args:
        ybr (int64 of shape (rows, columns, 3)): Y, Cb and Cr.
        bits: BitsStored.

    Returns:
        int64 of the same shape, rounded half up, clipped to the range of the bits.
    """
    half = 1 << (bits - 1)
    y = ybr[..., 0].astype(np.float64)
    cb = ybr[..., 1].astype(np.float64) - half
    cr = ybr[..., 2].astype(np.float64) - half
    red = y + _RED * cr
    green = (y + _BLUE_IN_GREEN * cb) + _RED_IN_GREEN * cr
    blue = y + _BLUE * cb
    rgb = np.floor(np.stack([red, green, blue], axis=-1) + 0.5)
    clipped: Array = np.clip(rgb, 0, (1 << bits) - 1).astype(np.int64)
    return clipped
