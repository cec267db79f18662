"""How each reader is asked for a folder, as its documentation does, and where it puts voxels."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from benchmarks.case import OURS

_RAS_TO_LPS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])


class Found(NamedTuple):
    """A volume that a reader gave.

    Attributes:
        values: Axes in any order.
        affine: From an index of `values` to LPS in mm; None where the reader has none.
        spacing: Distances along the axes of `values`, where that is all that the reader says.
    """

    values: np.ndarray
    affine: np.ndarray | None = None
    spacing: np.ndarray | None = None


Read: TypeAlias = Callable[[Path], list[Found]]


def _ours(folder: Path) -> list[Found]:
    import torchdicom as td  # noqa: PLC0415

    volume = td.load(folder)
    affine = None if volume.affine is None else volume.affine.numpy()
    return [Found(volume.data.numpy(), affine, np.array(volume.spacing_mm))]


def _monai(reader: str) -> Read:
    def read(folder: Path) -> list[Found]:
        from monai.transforms import LoadImage  # noqa: PLC0415

        image: Any = LoadImage(reader=reader, image_only=True)(folder)
        return [Found(np.asarray(image), _RAS_TO_LPS @ image.affine.numpy())]

    return read


def _torchio(folder: Path) -> list[Found]:
    import torchio  # noqa: PLC0415

    image = torchio.ScalarImage(folder)
    return [Found(values, _RAS_TO_LPS @ image.affine) for values in image.data.numpy()]


def _simpleitk(folder: Path) -> list[Found]:
    import SimpleITK as sitk  # noqa: PLC0415 - its own documentation's name

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    affine = np.eye(4)
    directions = np.array(image.GetDirection()).reshape(image.GetDimension(), -1)
    # One file of many frames is an image of four axes, the last of length 1.
    affine[:3, :3] = (directions * image.GetSpacing())[:3, :3]
    affine[:3, 3] = image.GetOrigin()[:3]
    return [Found(sitk.GetArrayFromImage(image).T, affine)]


def _highdicom(folder: Path) -> list[Found]:
    import highdicom  # noqa: PLC0415
    import pydicom  # noqa: PLC0415

    paths = sorted(folder.iterdir())
    series = [pydicom.dcmread(path) for path in paths]
    if len(paths) == 1 and "NumberOfFrames" in series[0]:
        volume = highdicom.imread(paths[0]).get_volume()
    else:
        volume = highdicom.get_volume_from_series(series)
    return [Found(volume.array, volume.affine)]


def _dicomsdl(folder: Path) -> list[Found]:
    """It reads files; the loop over them is the one of pydicom."""
    import dicomsdl  # noqa: PLC0415

    def height(ds: Any) -> float:
        axes = np.array(ds.ImageOrientationPatient, float)
        position = np.array(ds.ImagePositionPatient, float)
        return float(np.dot(np.cross(axes[:3], axes[3:]), position))

    slices = [dicomsdl.open(str(path)) for path in sorted(folder.iterdir())]
    slices.sort(key=height)
    frames = [(ds, k) for ds in slices for k in range(int(ds.NumberOfFrames or 1))]
    return [Found(np.stack([ds.pixelData(k) for ds, k in frames]))]


def _dcm2niix(folder: Path) -> list[Found]:
    """Converts; every volume that it wrote is an answer."""
    import dcm2niix  # noqa: PLC0415
    import nibabel  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as target:
        command = [dcm2niix.bin, "-z", "n", "-o", target, str(folder)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        print(done.stdout, done.stderr)
        images: list[Any] = [nibabel.load(path) for path in sorted(Path(target).glob("*.nii"))]
        if not images:
            said = [line for line in done.stdout.splitlines() if "rror" in line] or ["no volume"]
            msg = f"exit status {done.returncode}, {said[0]}"
            raise RuntimeError(msg)
        return [Found(image.get_fdata(), _RAS_TO_LPS @ image.affine) for image in images]


def _loop(folder: Path) -> list[Found]:
    from benchmarks.contenders.pydicom_loop import pydicom_loop  # noqa: PLC0415

    return [Found(pydicom_loop(folder))]


READERS: Final[dict[str, Read]] = {
    OURS: _ours,
    "MONAI ITKReader": _monai("ITKReader"),
    "MONAI PydicomReader": _monai("PydicomReader"),
    "TorchIO": _torchio,
    "SimpleITK": _simpleitk,
    "highdicom": _highdicom,
    "dicomsdl": _dicomsdl,
    "dcm2niix": _dcm2niix,
    "pydicom loop": _loop,
}
