"""A volume as an image of SimpleITK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from torchdicom.interop._extras import needs
from torchdicom.interop._placed import (
    array_of,
    check_no_shear,
    in_order,
    place_of,
    plain_metadata,
    seconds_between_times,
)

with needs("simpleitk", "SimpleITK"):
    import SimpleITK as sitk

if TYPE_CHECKING:
    from torchdicom._volume import Volume


def to_sitk(volume: Volume) -> sitk.Image:
    """The image that SimpleITK has of a volume: axes x, y, z and t, millimetres in LPS.

    Origin, spacing and direction are the affine's. Colours are vectors. A dim t makes an image of
    four dims, whose fourth spacing is in seconds where the step of time is known and even, else 1.
    Metadata, units, space and verdict are metadata of the image, as text, by DICOM keyword; other
    coordinates, provenance and valid_mask are not carried.

    Args:
        volume: With a place in the patient.

    Returns:
        An image of its own memory, as SimpleITK has no other: a copy. Bool becomes uint8, float16
        and bfloat16 become float32.

    Raises:
        ValueError: If the volume has no affine, or one that an image of ITK does not have: a
            shear, or places of a transducer.

    Example:
        >>> import torchdicom as td
        >>> from torchdicom.interop.simpleitk import to_sitk
        >>> to_sitk(td.load("tests/data/sts_002/ct")).GetSize()
        (161, 143, 48)
    """
    affine = place_of(
        volume,
        "an image of SimpleITK",
        "sitk.GetImageFromArray(volume.data.numpy()) is one that nobody relies on",
    )
    check_no_shear(affine, "an image of SimpleITK")
    array = array_of(in_order(volume, "tzyxc"), has_bool=False)
    image = sitk.GetImageFromArray(array, isVector="c" in volume.dims)
    axes = affine[:3, [2, 1, 0]]
    spacing = axes.norm(dim=0)
    n = image.GetDimension()
    direction = torch.eye(n, dtype=torch.float64)
    direction[:3, :3] = axes / spacing
    more = [seconds_between_times(volume) or 1.0] * (n - 3)
    image.SetSpacing([*spacing.tolist(), *more])
    image.SetOrigin([*affine[:3, 3].tolist(), *[0.0] * (n - 3)])
    image.SetDirection(direction.flatten().tolist())
    for name, value in plain_metadata(volume).items():
        image.SetMetaData(name, str(value))
    return image
