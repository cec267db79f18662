"""A volume as one of highdicom, from which it makes segmentations and parametric maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from torchdicom.interop._extras import needs
from torchdicom.interop._placed import array_of, check_no_shear, in_order, place_of

with needs("highdicom", "highdicom", "pydicom"):
    import highdicom

if TYPE_CHECKING:
    from torchdicom._volume import Volume

_TARGET: Final = "a volume of highdicom"


def to_highdicom(volume: Volume) -> highdicom.Volume:
    """The `highdicom.Volume` of a volume, with slices in its order.

    highdicom has slices, rows and columns as we do, but as a right-handed system: z is flipped,
    and the affine says so. Dims t and c are its channels: t by the first of its coordinates that
    tells all times apart, else by their number. FrameOfReferenceUID is carried where
    ``scan(..., include_metadata=["FrameOfReferenceUID"])`` asked for it. Other metadata, units,
    verdict, provenance and valid_mask are not carried.

    Args:
        volume: With a place in the patient.

    Returns:
        A volume over the same memory; float16 and bfloat16 become float32, a copy.

    Raises:
        ValueError: If the volume has no affine, or one that highdicom does not take: a shear, or
            places of a transducer.

    Example:
        >>> import torchdicom as td
        >>> from torchdicom.interop.highdicom import to_highdicom
        >>> to_highdicom(td.load("tests/data/sts_002/ct")).spatial_shape
        (48, 143, 161)
    """
    placed = place_of(volume, _TARGET, "Give it one: dataclasses.replace(volume, affine=...)")
    # highdicom asks for right angles more closely than others.
    check_no_shear(placed, _TARGET, tolerance=1e-4)
    affine = placed.numpy()
    array = array_of(in_order(volume, "zyxtc"))
    flipped = affine.copy()
    flipped[:3, 3] += (len(array) - 1) * affine[:3, 0]
    flipped[:3, 0] = -affine[:3, 0]
    uid = volume.metadata.get("FrameOfReferenceUID")
    return highdicom.Volume(
        array[::-1],
        flipped,
        "PATIENT",
        frame_of_reference_uid=None if uid is None else str(uid),
        channels=_channels(volume),
    )


def _channels(volume: Volume) -> dict[Any, list[Any]]:
    channels: dict[Any, list[Any]] = {}
    if "t" in volume.dims:
        descriptor, values = _times(volume)
        channels[descriptor] = values
    if "c" in volume.dims:
        channels[highdicom.RGB_COLOR_CHANNEL_DESCRIPTOR] = list("RGB")
    return channels


def _times(volume: Volume) -> tuple[Any, list[Any]]:
    """What the dim t is about."""
    for keyword, values in volume.coords.get("t", {}).items():
        if values.ndim > 1 or len(set(values.tolist())) < len(values):
            continue
        descriptor = highdicom.ChannelDescriptor(keyword)
        if descriptor.value_type in {int, float}:
            return descriptor, [descriptor.value_type(value) for value in values.tolist()]
    descriptor = highdicom.ChannelDescriptor("TimePoint", is_custom=True, value_type=int)
    return descriptor, list(range(volume.data.shape[volume.dims.index("t")]))
