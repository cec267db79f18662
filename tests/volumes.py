"""Volumes without files, for what bridges do with dims and places that few series have."""

from __future__ import annotations

import math
from typing import Any

import torch

import torchdicom as td

# Slices of 3 mm, rows of 2 mm and columns of 1 mm, straight, from (-4, 5, 6) in LPS.
STRAIGHT = torch.tensor(
    [[0.0, 0, 1, -4], [0, 2, 0, 5], [3, 0, 0, 6], [0, 0, 0, 1]], dtype=torch.float64
)


def volume_of(data: torch.Tensor, dims: str = "zyx", **changes: Any) -> td.Volume:
    """A straight volume, unless something else is said."""
    spatial = dict(zip(dims, data.shape, strict=True))
    nowhere = td.SliceProvenance("", 0, "", (0.0, 0.0, 0.0), 1.0, 0.0)
    parts: dict[str, Any] = {
        "affine": STRAIGHT.clone(),
        "space": "LPS",
        "spacing_mm": (3.0, 2.0, 1.0),
        "units": None,
        "verdict": td.Verdict(ok=True),
        "provenance": (nowhere,) * (spatial.get("t", 1) * spatial["z"]),
        "metadata": {},
    }
    if changes.get("affine", parts["affine"]) is None:
        parts["spacing_mm"] = (math.nan, 2.0, 1.0)
    return td.Volume(data=data, dims=tuple(dims), **parts | changes)


def counted(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Every voxel another value."""
    return torch.arange(math.prod(shape)).reshape(shape).to(dtype)


def sheared() -> torch.Tensor:
    """Slices move by 1 mm along y."""
    affine = STRAIGHT.clone()
    affine[1, 0] = 1.0
    return affine
