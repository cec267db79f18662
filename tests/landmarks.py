"""A series with one bright voxel whose place in the patient is known, for every bridge to find.

Oblique coronal slices with as many slices, rows and columns as nothing else has: an affine that
is transposed, flipped or of the wrong space puts the voxel elsewhere. All numbers are decimals
that DICOM's text holds exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from builders import ct_slice

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

SHAPE = (4, 5, 6)  # slices, rows, columns
INDEX = (2, 1, 4)  # z, y, x of the bright voxel
VALUE = 2000.0  # in HU; all others are -1000
BACKGROUND = -1000.0
SPACING_MM = (2.0, 0.5, 0.25)  # z, y, x
# First slice's (-10, 20, 30), and from there 4 columns of 0.25 mm along (0.6, 0.8, 0), 1 row of
# 0.5 mm along (0, 0, -1), and 2 slices of 2 mm along (-0.8, 0.6, 0), row direction times column's.
LPS_MM = (-12.6, 23.2, 29.5)
RAS_MM = (12.6, -23.2, 29.5)


def slice_bytes(z: int, *, cells: npt.NDArray[Any] | None = None, **attributes: Any) -> bytes:
    """Slice z along the normal; its InstanceNumber runs the other way."""
    if cells is None:
        cells = np.full(SHAPE[1:], 24, np.int16)
        if z == INDEX[0]:
            cells[INDEX[1:]] = 3024
    values: dict[str, Any] = {
        "ImageOrientationPatient": (0.6, 0.8, 0, 0, 0, -1),
        "ImagePositionPatient": (round(-10 - 1.6 * z, 1), round(20 + 1.2 * z, 1), 30),
        "PixelSpacing": SPACING_MM[1:],
        "RescaleIntercept": -1024,
        "SliceThickness": SPACING_MM[0],
        "SOPInstanceUID": f"1.2.3.4.{z + 1}",
        "InstanceNumber": SHAPE[0] - z,
    }
    return ct_slice(cells, **values | attributes)


def write_landmark(folder: Path, **attributes: Any) -> Path:
    """The series in a folder; names are in no order of the slices."""
    folder.mkdir(parents=True, exist_ok=True)
    for z in range(SHAPE[0]):
        (folder / f"{(z * 3 + 1) % SHAPE[0]}.dcm").write_bytes(slice_bytes(z, **attributes))
    return folder


def place(affine: Any, index: Any) -> tuple[float, ...]:
    """Where a voxel is by an affine of anybody's, in hundredths of a millimetre."""
    point = np.asarray(affine, dtype=float) @ np.array([*map(float, index), 1.0])
    return tuple(round(float(value), 2) for value in point[:3])


def brightest(data: Any) -> tuple[int, ...]:
    """The index of the largest value of an array."""
    array = np.asarray(data)
    return tuple(int(i) for i in np.unravel_index(int(array.argmax()), array.shape))
