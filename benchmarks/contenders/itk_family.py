"""SimpleITK, and the readers of MONAI and TorchIO over ITK or pydicom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.case import Case, Contender, Load

if TYPE_CHECKING:
    from collections.abc import Callable

_SIMPLEITK: Final = ("SimpleITK",)
_MONAI: Final = ("monai.transforms", "monai.data")


def _simpleitk_series(case: Case) -> Load:
    import SimpleITK as sitk  # noqa: PLC0415 - its own documentation's name

    def load() -> np.ndarray:
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(case.folder))
        image = reader.Execute()
        values: np.ndarray = sitk.GetArrayViewFromImage(image).astype(np.float32)
        return values

    return load


def _simpleitk_image(case: Case) -> Load:
    import SimpleITK as sitk  # noqa: PLC0415

    path = str(case.files[0])
    return lambda: (sitk.GetArrayFromImage(sitk.ReadImage(path)), case.intercept)


def _monai(reader: str) -> Callable[[Case], Load]:
    def prepare(case: Case) -> Load:
        from monai.transforms import LoadImage  # noqa: PLC0415

        read: Any = LoadImage(reader=reader, image_only=True)
        return lambda: read(case.folder)

    return prepare


def _torchio(case: Case) -> Load:
    import torchio  # noqa: PLC0415

    def load() -> Any:
        return torchio.ScalarImage(case.folder).data.float()

    return load


def _without_rescale(answer: tuple[np.ndarray, float]) -> np.ndarray:
    """ITK can't but rescale; the comparison is with stored values."""
    values, intercept = answer
    return values - intercept


def _from_xyz(image: Any) -> np.ndarray:
    """MONAI's and TorchIO's axes are x, y, z, after a channel in TorchIO."""
    values = np.asarray(image)
    return values[0].T if values.ndim == 4 else values.T


VOLUME: Final = (
    Contender("SimpleITK", _simpleitk_series, modules=_SIMPLEITK),
    Contender("MONAI ITKReader", _monai("ITKReader"), 1, _from_xyz, (*_MONAI, "itk")),
    Contender("MONAI PydicomReader", _monai("PydicomReader"), 1, _from_xyz, _MONAI),
    Contender("TorchIO", _torchio, values=_from_xyz, modules=("torchio",)),
)
FRAMES: Final = (Contender("SimpleITK", _simpleitk_image, 1, _without_rescale, _SIMPLEITK),)
