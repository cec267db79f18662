"""What bridges need of a volume: a place in the patient, arrays, steps of time, plain metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch

if TYPE_CHECKING:
    import numpy as np

    from torchdicom._volume import Volume

# Cosine of the angle between two axes: 0.06 degrees. Orientations are written with few decimals.
_RIGHT_ANGLE: Final = 1e-3
# Attributes of the dim t that are times, and how many seconds one of their units is.
_SECONDS: Final = {
    "FrameTime": 1e-3,
    "FrameReferenceTime": 1e-3,
    "TriggerTime": 1e-3,
    "AcquisitionTime": 1.0,
}
# Times of the same rate differ by the digits that they are written with.
_EVEN: Final = 0.01


def place_of(volume: Volume, target: str, otherwise: str) -> torch.Tensor:
    """The affine, where it leads to the patient.

    Args:
        volume: Of any kind.
        target: What has to have a place.
        otherwise: What to do where there is none.

    Raises:
        ValueError: If there is none.
    """
    if volume.affine is None:
        msg = (
            f"the volume has no affine, so that its place in the patient is unknown, and {target} "
            f"would have to claim one. {otherwise}"
        )
        raise ValueError(msg)
    check_space(volume, target)
    return volume.affine


def check_space(volume: Volume, target: str) -> None:
    """Refuse millimetres that are of a transducer.

    Raises:
        ValueError: If they are.
    """
    if volume.affine is not None and volume.space != "LPS":
        msg = (
            f"the places of the volume are those of its transducer (space {volume.space!r}), and "
            f"{target} has places in the patient. Drop them: "
            "dataclasses.replace(volume, affine=None)"
        )
        raise ValueError(msg)


def is_sheared(affine: torch.Tensor, tolerance: float = _RIGHT_ANGLE) -> bool:
    """Whether axes are not at right angles, as those of a tilted gantry."""
    axes = affine[:3, :3] / affine[:3, :3].norm(dim=0)
    cosines = axes.T @ axes - torch.eye(3, dtype=axes.dtype)
    return bool((cosines.abs() > tolerance).any())


def check_no_shear(affine: torch.Tensor, target: str, *, tolerance: float = _RIGHT_ANGLE) -> None:
    """Refuse an affine whose axes are not at right angles.

    Raises:
        ValueError: If they are not.
    """
    if is_sheared(affine, tolerance):
        msg = (
            f"the slices of the volume are sheared (a tilted gantry), which {target} cannot carry. "
            'Load it with policy=torchdicom.Policy(gantry_tilt="resample")'
        )
        raise ValueError(msg)


def in_order(volume: Volume, dims: str) -> torch.Tensor:
    """A view of the data with its dims in this order, of which it may lack some."""
    return volume.data.permute([volume.dims.index(dim) for dim in dims if dim in volume.dims])


def array_of(data: torch.Tensor, *, has_bool: bool = True) -> np.ndarray[Any, Any]:
    """The values as an array over the same memory.

    Types that NumPy, or files, do not have are copied to the next one that holds all their values:
    bfloat16 and float16 to float32, and bool to uint8 unless the target has it.
    """
    data = data.detach().cpu()
    if data.dtype in {torch.bfloat16, torch.float16}:
        data = data.float()
    if data.dtype == torch.bool and not has_bool:
        data = data.view(torch.uint8)
    array: np.ndarray[Any, Any] = data.numpy()
    return array


def seconds_between_times(volume: Volume) -> float | None:
    """The step of the dim t, where an attribute says that it is even."""
    for keyword, seconds in _SECONDS.items():
        values = volume.coords.get("t", {}).get(keyword)
        if values is None or len(values) < 2:
            continue
        steps = values.diff()
        mean = float(steps.mean())
        if mean > 0 and float((steps - mean).abs().max()) <= _EVEN * mean:
            return mean * seconds
    return None


def plain_metadata(volume: Volume) -> dict[str, str | int | float]:
    """Metadata, space, units and verdict as text and numbers, which every target can keep."""
    plain: dict[str, str | int | float] = {
        name: value if isinstance(value, (str, int, float)) else str(value)
        for name, value in volume.metadata.items()
    }
    plain |= {"space": volume.space, "verdict": str(volume.verdict)}
    if volume.units is not None:
        plain["units"] = volume.units
    return plain
