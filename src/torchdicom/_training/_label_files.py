"""Files that are labels: NIfTI, DICOM segmentations and other DICOM volumes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from torchdicom._errors import SeriesError
from torchdicom._scan import scan
from torchdicom._training._segmentation import SOP_CLASSES, read_segmentation
from torchdicom._volume import SliceProvenance, Verdict, Volume, turned

if TYPE_CHECKING:
    from collections.abc import Mapping

FRAME_OF_REFERENCE: Final = "FrameOfReferenceUID"
_NIFTI: Final = (".nii", ".nii.gz")


def read_label(path: str) -> Volume:
    """The volume of a label file, or of a folder of DICOM files.

    Raises:
        DicomError: If it can't be read.
        FileNotFoundError: If there is none.
        ModuleNotFoundError: If what reads its format is missing.
        ValueError: If it is not one volume.
    """
    if path.lower().endswith(_NIFTI):
        return _read_nifti(path)
    found = scan(path, include_metadata=(FRAME_OF_REFERENCE,), progress=False)
    for bad in found.skipped:
        # Not even one of many: what it has would be missing from the label.
        msg = f"a file of the label can't be read: {bad.message}"
        raise SeriesError(msg, code=bad.code, path=bad.path)
    series = [one for one in found if one.kind != "localizer"]
    if not series:
        msg = (
            f"the label {path} has no images: a label is NIfTI, a DICOM segmentation or a DICOM "
            "volume, and contours (RTSTRUCT) must be made one first"
        )
        raise ValueError(msg)
    if len(series) > 1:
        msg = f"the label {path} is {len(series)} series, and must be one"
        raise ValueError(msg)
    (label,) = series
    if label.metadata.get("SOPClassUID") not in SOP_CLASSES:
        return label.load()
    if len(label.paths) > 1:
        msg = f"the label {path} is {len(label.paths)} segmentations, and must be one"
        raise ValueError(msg)
    data, affine, uid = read_segmentation(label.paths[0])
    return bare_volume(data, affine, {} if uid is None else {FRAME_OF_REFERENCE: uid})


def widened(data: torch.Tensor) -> torch.Tensor:
    """The same in a type that torch can compare and index, where its own is none."""
    wider = {torch.uint16: torch.int32, torch.uint32: torch.int64, torch.uint64: torch.int64}
    return data.to(wider.get(data.dtype, data.dtype))


def native_numbers(data: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Contiguous, in the byte order of this machine, in a type that torch indexes."""
    wider = {"uint16": np.int32, "uint32": np.int64, "uint64": np.int64}
    native = data.dtype.newbyteorder("=")
    return np.array(data, dtype=wider.get(native.name, native), order="C")


def _read_nifti(path: str) -> Volume:
    try:
        import nibabel  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        msg = f"{path} is NIfTI, which nibabel reads: pip install nibabel"
        raise ModuleNotFoundError(msg, name="nibabel") from None
    image = nibabel.load(path)
    data = np.asanyarray(image.dataobj)
    # To z, y, x with what is more than that in front, and from RAS to LPS.
    data = data.reshape(data.shape[:3] + (-1,) * (data.ndim > 3))
    order = (2, 1, 0) if data.ndim == 3 else (3, 2, 1, 0)
    affine = turned(torch.tensor(np.asarray(image.affine, np.float64)))
    tensor = torch.from_numpy(native_numbers(data.transpose(order)))
    return bare_volume(tensor, affine, {})


def bare_volume(
    data: torch.Tensor, affine: torch.Tensor | None, metadata: Mapping[str, object]
) -> Volume:
    """A volume of nothing but voxels and their place."""
    spacing = [math.nan] * 3 if affine is None else affine[:3, :3].norm(dim=0).tolist()
    nowhere = SliceProvenance("", 0, "", (0.0, 0.0, 0.0), 1.0, 0.0)
    return Volume(
        data=data,
        dims=("z", "y", "x") if data.ndim == 3 else ("c", "z", "y", "x"),
        affine=affine,
        space="LPS",
        spacing_mm=(spacing[0], spacing[1], spacing[2]),
        units=None,
        verdict=Verdict(ok=True),
        provenance=(nowhere,) * data.shape[-3],
        metadata=metadata,
    )
