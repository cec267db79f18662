"""Other libraries that read DICOM without pydicom, and highdicom."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.case import Case, Contender, Load
from benchmarks.contenders.pydicom_ways import as_frames, volume_of

if TYPE_CHECKING:
    from collections.abc import Callable


def _height(orientation: Any, position: Any) -> float:
    values = [float(value) for value in orientation]
    normal = np.cross(values[:3], values[3:])
    return float(np.dot(normal, [float(value) for value in position]))


def _dicomsdl_volume(threads: int) -> Callable[[Case], Load]:
    def prepare(case: Case) -> Load:
        import dicomsdl  # noqa: PLC0415

        def read(path: Path) -> tuple[float, np.ndarray]:
            ds = dicomsdl.open(str(path))
            values = ds.pixelData().astype(np.float32, copy=False)
            return _height(ds.ImageOrientationPatient, ds.ImagePositionPatient), values

        return volume_of(case, read, threads)

    return prepare


def _dicomsdl_frames(case: Case) -> Load:
    import dicomsdl  # noqa: PLC0415

    path = str(case.files[0])

    def load() -> np.ndarray:
        ds = dicomsdl.open(path)
        count = int(ds.NumberOfFrames or 1)
        return np.stack([ds.pixelData(index, storedvalue=True) for index in range(count)])

    return load


def _fastdicom_volume(case: Case) -> Load:
    import fastdicom  # noqa: PLC0415

    def read(path: Path) -> tuple[float, np.ndarray]:
        ds = fastdicom.dcmread(str(path))
        slope, intercept = float(ds.RescaleSlope), float(ds.RescaleIntercept)
        values = (ds.pixel_array * slope + intercept).astype(np.float32)
        return _height(ds.ImageOrientationPatient, ds.ImagePositionPatient), values

    return volume_of(case, read, 1)


def _fastdicom_frames(case: Case) -> Load:
    import fastdicom  # noqa: PLC0415

    path = str(case.files[0])
    return lambda: fastdicom.dcmread(path).pixel_array


def _highdicom_volume(case: Case) -> Load:
    import highdicom  # noqa: PLC0415
    import pydicom  # noqa: PLC0415

    def load() -> np.ndarray:
        volume = highdicom.get_volume_from_series([pydicom.dcmread(path) for path in case.files])
        values: np.ndarray = volume.array.astype(np.float32)
        return values

    return load


def _highdicom_frames(case: Case) -> Load:
    import highdicom  # noqa: PLC0415

    path = case.files[0]

    def load() -> np.ndarray:
        image = highdicom.imread(path)
        values: np.ndarray = image.get_frames(dtype=np.int16, apply_modality_transform=False)
        return values

    return load


def _dcm2niix(case: Case) -> Load:
    """Converts, uncompressed, and reads what came of it."""
    import dcm2niix  # noqa: PLC0415
    import nibabel  # noqa: PLC0415

    def load() -> np.ndarray:
        with tempfile.TemporaryDirectory() as target:
            command = [dcm2niix.bin, "-z", "n", "-o", target, case.folder]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            path = next(Path(target).glob("*.nii"), None)
            if done.returncode or path is None:
                msg = f"exit status {done.returncode}: {done.stdout.strip().splitlines()[-1]}"
                raise RuntimeError(msg)
            image: Any = nibabel.load(path)
            values: np.ndarray = image.get_fdata(dtype=np.float32)
            return values

    return load


def _down_from_top(volume: np.ndarray) -> np.ndarray:
    """Turn what highdicom stacks against the normal, as its affine says."""
    return volume[::-1]


def _from_nifti(volume: np.ndarray) -> np.ndarray:
    """Turn what dcm2niix stores as x, y, z with y upwards, as its affine says."""
    return volume.T[:, ::-1]


VOLUME: Final = (
    *(Contender("dicomsdl", _dicomsdl_volume(n), n, modules=("dicomsdl",)) for n in (1, 2)),
    Contender("fastdicom", _fastdicom_volume, modules=("fastdicom",)),
    Contender("highdicom", _highdicom_volume, 1, _down_from_top, ("highdicom",)),
    Contender("dcm2niix, nibabel", _dcm2niix, 1, _from_nifti, ("dcm2niix", "nibabel")),
)
FRAMES: Final = (
    Contender("dicomsdl", _dicomsdl_frames, modules=("dicomsdl",)),
    Contender("fastdicom", _fastdicom_frames, 1, as_frames, ("fastdicom",)),
    Contender("highdicom", _highdicom_frames, modules=("highdicom",)),
)
