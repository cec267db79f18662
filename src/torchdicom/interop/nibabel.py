"""A volume as an image of nibabel, to be kept as NIfTI."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from torchdicom.interop._extras import needs
from torchdicom.interop._placed import (
    array_of,
    check_space,
    in_order,
    is_sheared,
    plain_metadata,
    seconds_between_times,
)

with needs("nibabel"):
    import nibabel

if TYPE_CHECKING:
    from torchdicom._volume import Volume


def to_nibabel(volume: Volume) -> nibabel.Nifti1Image:
    """The image that NIfTI has of a volume: axes x, y, z and t, millimetres in RAS.

    The affine is `Volume.to_ras_xyz`'s, in double in ``image.affine``; a file keeps floats. It is
    the sform, and the qform too unless it has the shear of a tilted gantry, which a qform cannot
    have; the code of both is 1 (scanner). Without an affine both codes are 0, with the spacing
    that is known, and ``image.affine`` is None; what reads the file makes up one.

    Metadata, units and verdict are in a header extension, as JSON in a comment. The step of time
    is in the header where it is even; other coordinates, provenance and valid_mask are not carried.

    Args:
        volume: Of any kind. Colours must be uint8, the RGB of NIfTI.

    Returns:
        An image over the memory of ``volume.data``. Bool becomes uint8, float16 and bfloat16
        become float32, and colours are interleaved: the last two are copies.

    Raises:
        ValueError: If colours are not uint8, or places not those of the patient.

    Example:
        >>> import torchdicom as td
        >>> from torchdicom.interop.nibabel import to_nibabel
        >>> to_nibabel(td.load("tests/data/sts_002/ct")).shape
        (161, 143, 48)
    """
    check_space(volume, "NIfTI")
    array = _xyz(volume)
    affine = None if volume.affine is None else volume.to_ras_xyz()[1]
    # The header is made before the image: what an image does to its header it does to its affine.
    header = nibabel.Nifti1Header()
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    seconds = seconds_between_times(volume)
    spacing = [1.0 if math.isnan(mm) else mm for mm in reversed(volume.spacing_mm)]
    header.set_zooms([*spacing, *([seconds or 0.0] if "t" in volume.dims else [])])
    header.set_xyzt_units("mm", "sec" if seconds else 0)
    if affine is not None:
        header.set_sform(affine.numpy(), code=1)
        placed = not is_sheared(affine)
        header.set_qform(affine.numpy() if placed else None, code=int(placed))
    told = json.dumps(plain_metadata(volume)).encode()
    header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", told))
    # nibabel refuses int64 that is not asked for by name.
    return nibabel.Nifti1Image(
        array, None if affine is None else affine.numpy(), header, dtype=array.dtype
    )


def _xyz(volume: Volume) -> np.ndarray[Any, Any]:
    """The voxels in NIfTI's order of dims; of colours one record each."""
    array = array_of(in_order(volume, "xyztc"), has_bool=False)
    if "c" not in volume.dims:
        return array
    if array.dtype != np.uint8:
        msg = (
            f"colours are {array.dtype}, and the RGB of NIfTI is uint8: scale them to 0..255, or "
            "export one channel at a time"
        )
        raise ValueError(msg)
    rgb = np.dtype([(name, np.uint8) for name in "RGB"])
    colours: np.ndarray[Any, Any] = np.ascontiguousarray(array).view(rgb)[..., 0]
    return colours
