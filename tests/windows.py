"""Small images, and what they become in their window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import torchdicom as td
from builders import ct_slice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helpers import Backend

PLAIN: dict[str, Any] = {"RescaleSlope": 1, "RescaleIntercept": 0}


def image(values: Sequence[int], **attributes: Any) -> bytes:
    """One row of signed words, whose modality values are what is stored."""
    return ct_slice(np.array([values], np.int16), **(PLAIN | attributes))


def only_value(values: torch.Tensor | td.Volume) -> float:
    """What all of them are."""
    data = values.data
    assert (data == data.flatten()[0]).all()
    return float(data.flatten()[0])


def shown(data: bytes, backend: Backend, **options: Any) -> list[float]:
    """What the first row becomes in the window of the file, in double."""
    chosen: dict[str, Any] = {"output": "window", "dtype": torch.float64, **options}
    row = td.decode(data, backend=backend, **chosen).flatten()
    return [float(value) for value in row]
