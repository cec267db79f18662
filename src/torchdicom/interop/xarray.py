"""A volume as an array of xarray, with coordinates in millimetres."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from torchdicom.interop._extras import needs
from torchdicom.interop._placed import array_of, plain_metadata

with needs("xarray"):
    import xarray

if TYPE_CHECKING:
    from torchdicom._volume import Volume


def to_xarray(volume: Volume) -> xarray.DataArray:
    """The array of a volume, with dims of the same names.

    Coordinates ``z``, ``y`` and ``x`` are millimetres along their axis from the first voxel of the
    volume, and stay so when the array is cut; an axis of unknown spacing has none. ``c`` is R, G,
    B. Coordinates of t and z have the DICOM keyword as their name, each part of
    DiffusionGradientOrientation one of its own (``..._x``, ``_y``, ``_z``); ``valid_mask`` is one
    where there is one.

    Attributes are text and numbers, which any file format keeps: the metadata, ``units``,
    ``space``, ``verdict``, ``spacing_mm``, and ``affine_of_coords``: sixteen numbers, row by row,
    of the matrix that takes ``(z, y, x, 1)``, coordinates and not indices, to millimetres in
    ``space``. It is left out where the volume has no affine. Provenance is not carried.

    Args:
        volume: Of any kind.

    Returns:
        An array over the memory of ``volume.data``; float16 and bfloat16 become float32, a copy.

    Example:
        >>> import torchdicom as td
        >>> from torchdicom.interop.xarray import to_xarray
        >>> array = to_xarray(td.load("tests/data/sts_002/ct"))
        >>> array.dims, round(float(array.z[-1]), 2)
        (('z', 'y', 'x'), 153.69)
    """
    coords: dict[str, Any] = {}
    steps = dict(zip("zyx", volume.spacing_mm, strict=True))
    for dim, length in zip(volume.dims, volume.data.shape, strict=True):
        if dim in steps and not math.isnan(steps[dim]):
            coords[dim] = (dim, np.arange(length) * steps[dim], {"units": "mm"})
    if "c" in volume.dims:
        coords["c"] = ("c", list("RGB"))
    for dim, values in volume.coords.items():
        for name, value in values.items():
            if value.ndim == 1:
                coords[name] = (dim, array_of(value))
                continue
            for axis, part in zip("xyz", value.T, strict=True):
                coords[f"{name}_{axis}"] = (dim, array_of(part))
    if volume.valid_mask is not None:
        spatial = tuple(dim for dim in volume.dims if dim != "c")
        coords["valid_mask"] = (spatial, array_of(volume.valid_mask))
    attributes: dict[str, Any] = {**plain_metadata(volume), "spacing_mm": list(volume.spacing_mm)}
    if volume.affine is not None:
        affine = volume.affine.numpy().copy()
        affine[:3, :3] /= np.linalg.norm(affine[:3, :3], axis=0)
        attributes["affine_of_coords"] = affine.flatten().tolist()
    return xarray.DataArray(
        array_of(volume.data), coords, volume.dims, name="image", attrs=attributes
    )
