"""What people run today, written as they would write it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom


def pydicom_loop(folder: str | Path) -> np.ndarray:
    """Read a folder of slices into a float32 array (slices, rows, columns), in slice order."""
    slices = [pydicom.dcmread(path) for path in Path(folder).rglob("*.dcm")]
    orientation = np.array(slices[0].ImageOrientationPatient, dtype=float)
    normal = np.cross(orientation[:3], orientation[3:])
    slices.sort(key=lambda s: np.dot(normal, np.array(s.ImagePositionPatient, dtype=float)))
    volume = []
    for s in slices:
        slope, intercept = float(s.get("RescaleSlope", 1)), float(s.get("RescaleIntercept", 0))
        volume.append((s.pixel_array * slope + intercept).astype(np.float32))
    return np.stack(volume)
