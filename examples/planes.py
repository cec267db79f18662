"""The three middle planes of a volume as one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    import torchdicom as td

_CT_WINDOW: Final = (40.0, 400.0)  # centre and width in HU: soft tissue
_HEIGHT: Final = 400  # pixels of the picture
_GAP: Final = 8


def middle_planes(volume: td.Volume, path: Path) -> Path:
    """Write the middle plane across each axis side by side, at one scale in millimetres.

    CT is shown with the soft-tissue window, everything else between its 1st and 99th percentile.

    Args:
        volume: Any volume with an affine.
        path: The PNG to write; its folder is made.

    Returns:
        The path.

    Raises:
        ValueError: If the volume has no affine.
    """
    if volume.affine is None:
        msg = "the volume has no affine, so that its planes have no scale"
        raise ValueError(msg)
    data = volume.data.numpy()
    low, high = _window(data, is_hounsfield=volume.units == "HU")
    depth, height, width = (size // 2 for size in data.shape)
    z, y, x = volume.spacing_mm
    # Slices ascend towards the head where the first column points there; pictures start at the top.
    upright = -1 if float(volume.affine[2, 0]) > 0 else 1
    planes = [
        (data[depth], y, x),
        (data[::upright, height], z, x),
        (data[::upright, :, width], z, y),
    ]
    tallest_mm = max(plane.shape[0] * row_mm for plane, row_mm, _ in planes)
    scale = _HEIGHT / tallest_mm
    images = []
    for plane, row_mm, column_mm in planes:
        gray = np.clip((plane - low) / (high - low), 0, 1) * 255
        size = (plane.shape[1] * column_mm * scale, plane.shape[0] * row_mm * scale)
        image = Image.fromarray(np.ascontiguousarray(gray.astype(np.uint8)))
        images.append(image.resize((max(1, round(size[0])), max(1, round(size[1])))))
    path.parent.mkdir(parents=True, exist_ok=True)
    _beside(images).save(path)
    return path


def _window(data: np.ndarray, *, is_hounsfield: bool) -> tuple[float, float]:
    if is_hounsfield:
        center, width = _CT_WINDOW
        return center - width / 2, center + width / 2
    # Every 7th value is enough for a percentile, and much faster.
    low, high = np.percentile(data.ravel()[::7], [1, 99]).tolist()
    return low, max(high, low + 1e-6)


def _beside(images: list[Image.Image]) -> Image.Image:
    width = sum(image.width for image in images) + _GAP * (len(images) - 1)
    canvas = Image.new("L", (width, max(image.height for image in images)))
    left = 0
    for image in images:
        canvas.paste(image, (left, (canvas.height - image.height) // 2))
        left += image.width + _GAP
    return canvas
