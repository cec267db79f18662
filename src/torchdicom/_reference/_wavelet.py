"""The lower resolutions of a lossless JPEG 2000 image, made again from the whole one.

The reversible transforms of ISO 15444-1 lose nothing, so that what is decoded can be transformed
once more: this is for images that the library which decodes lower resolutions does not read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def lower_level(
    samples: Array, halvings: int, tile: tuple[int, int], *, is_transformed: bool
) -> Array:
    """The image that a decoder gives at a lower resolution, not yet cut to its range.

    Args:
        samples (Array of shape (rows, columns) or (rows, columns, 3)): The whole image.
        halvings: How many resolutions it is lower.
        tile: Rows and columns of a tile, multiples of 2^halvings or all there are.
        is_transformed: The codestream holds the colours after the reversible transform.
    """
    planes = samples.astype(np.int64)
    if is_transformed:  # G.2.1
        red, green, blue = np.moveaxis(planes, -1, 0)
        planes = np.stack([(red + 2 * green + blue) >> 2, blue - green, red - green], axis=-1)
    for _ in range(halvings):
        for axis in (0, 1):
            edges = range(tile[axis], planes.shape[axis], tile[axis])
            parts = np.split(planes, list(edges), axis)
            planes = np.concatenate([_low_half(part, axis) for part in parts], axis)
        tile = -(-tile[0] // 2), -(-tile[1] // 2)
    if is_transformed:  # G.2.2
        luminance, first, second = np.moveaxis(planes, -1, 0)
        green = luminance - ((first + second) >> 2)
        planes = np.stack([second + green, green, first + green], axis=-1)
    return planes


def _low_half(samples: Array, axis: int) -> Array:
    """The low-pass samples of the 5-3 filter along an axis (F.4.8.1), mirrored at the ends."""
    moved = np.moveaxis(samples, axis, 0)
    even, odd = moved[0::2], moved[1::2]
    if not len(odd):
        return samples
    behind = np.concatenate([even[1:], even[-1:]])[: len(odd)]
    high = odd - ((even[: len(odd)] + behind) >> 1)
    before = np.concatenate([high[:1], high])[: len(even)]
    after = np.concatenate([high, high[-1:]])[: len(even)]
    return np.moveaxis(even + ((before + after + 2) >> 2), 0, axis)
