"""Help for tests of segmentations as labels: where their planes are, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import torchdicom as td
from training import ORIGIN, SHAPE, STEP

if TYPE_CHECKING:
    from pathlib import Path

    import torch


X, Y, Z = ORIGIN
# Of `builders`: the plane of slice z of the images.
PLANES = [(X, Y, Z + STEP * z) for z in range(SHAPE[0])]


def blank(frames: int, shape: tuple[int, int] = SHAPE[1:]) -> np.ndarray[Any, Any]:
    return np.zeros((frames, *shape), np.uint8)


def label_of(folder: Path, data: bytes, **options: Any) -> torch.Tensor:
    path = folder.parent / "label.dcm"
    path.write_bytes(data)
    label: torch.Tensor = td.VolumeDataset(folder, label=lambda _: path, **options)[0]["label"]
    return label


def marks(label: torch.Tensor) -> list[list[int]]:
    """(z, y, x, value) of all that is no background."""
    return [[*at, int(label[0][tuple(at)])] for at in label[0].nonzero().tolist()]
