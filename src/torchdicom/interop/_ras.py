"""A volume in the order of MONAI and TorchIO: channels, x, y, z, and an affine to RAS."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import torch

from torchdicom._arguments import check_backend, check_series, load_options
from torchdicom._errors import DicomWarning
from torchdicom._volume import turned
from torchdicom.interop._placed import in_order, is_sheared

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from torchdicom._volume import Volume

# Slices that are turned at a time: their rows fit the cache, which makes it four times as fast.
_SLICES_AT_ONCE: Final = 16


class Placed(NamedTuple):
    """An affine, and what it leads to.

    Attributes:
        affine (float64 array of shape (4, 4)): Index ``(x, y, z, 1)`` to millimetres.
        space: ``"RAS"``, or ``"VOLUME"`` where it does not lead into the patient.
    """

    affine: NDArray[np.float64]
    space: str


def channels_xyz(volume: Volume) -> torch.Tensor:
    """A view of the data of shape (channels, columns, rows, slices).

    Channels are times or colours, one where there is neither; of colours at several times the
    first three are the colours of the first time.
    """
    data = in_order(volume, "tcxyz")
    return data.reshape(-1, *data.shape[-3:])


def contiguous_xyz(data: torch.Tensor) -> torch.Tensor:
    """What `channels_xyz` gives, in memory of its own and in the order of its dims."""
    made = torch.empty(data.shape, dtype=data.dtype)
    for z in range(0, data.shape[-1], _SLICES_AT_ONCE):
        part = slice(z, z + _SLICES_AT_ONCE)
        made[..., part] = data[..., part]
    return made


def placed(volume: Volume) -> Placed:
    """The affine to RAS, or the next best, with a warning."""
    what = volume.metadata.get("SeriesInstanceUID", "the series")
    if volume.affine is None:
        _warn(
            f"{what} has no place in the patient: its affine has the spacing alone, the first "
            "voxel at 0, and rows and columns as if they ran to the left and to the back"
        )
        x, y, z = (1.0 if math.isnan(value) else value for value in volume.spacing_mm[::-1])
        return Placed(np.diag([-x, -y, z, 1.0]), "RAS")
    if volume.space == "LPS":
        return Placed(ras_of_zyx(volume.affine), "RAS")
    _warn(f"the affine of {what} leads to the transducer's axes, not into the patient")
    return Placed(volume.affine.numpy()[:, [2, 1, 0, 3]], volume.space)


def warn_of_shear(affine: NDArray[np.float64], what: str) -> None:
    """Say what TorchIO loses of a tilted gantry: it writes NIfTI by a quaternion, without a word.

    Args:
        affine: Of the image that it is going to have.
        what: Whose that is.
    """
    if is_sheared(torch.from_numpy(affine)):
        _warn(
            f"the slices of {what} are sheared (a tilted gantry): TorchIO keeps that in its "
            "transforms and in .mha and .nrrd files, but not in NIfTI, where what it saves lies "
            'elsewhere. Load it with policy=torchdicom.Policy(gantry_tilt="resample"), or write '
            "the volume by torchdicom.interop.nibabel.to_nibabel"
        )


def ras_of_zyx(affine: torch.Tensor) -> NDArray[np.float64]:
    """The affine from x, y and z to RAS of one from z, y and x to LPS."""
    made: NDArray[np.float64] = turned(affine).numpy()
    return made


def bridge_options(options: dict[str, Any], because: dict[str, str]) -> dict[str, Any]:
    """Options of `load` that a bridge passes on, checked before anything is read.

    All that is wrong is a ValueError: of a reader that it is to construct by its name, MONAI takes
    a TypeError to mean that it has no options, and goes on without them.

    Args:
        options: By name.
        because: Those that the bridge has no use for, with the reason.
    """
    for name in options:
        if name in because:
            msg = f"{name} cannot be given here: {because[name]}"
            raise ValueError(msg)
    own = dict(options)
    try:
        check_series(own.pop("series", None))
        check_backend(own.pop("backend", "native"))
        load_options(**own)
    except TypeError as error:
        told = str(error).replace("frame_options()", "torchdicom.load()")
        raise ValueError(told) from error
    return options


def _warn(what: str) -> None:
    warnings.warn(what, DicomWarning, stacklevel=3)
