"""`label=`: a tensor, a volume or a file, on the grid of the image, by nearest neighbour."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from torchdicom._scan import scan
from torchdicom._training._label_files import (
    FRAME_OF_REFERENCE,
    native_numbers,
    read_label,
    widened,
)
from torchdicom._training._spatial import Grid, copied, shape_of, slices_in
from torchdicom._training._stacks import stack_of
from torchdicom._training._targets import call_naming
from torchdicom._volume import Volume

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torchdicom._series import Series
    from torchdicom._training._recipe import Recipe
    from torchdicom._training._spatial import Box, Triple

# A thousandth of a voxel at the far end is rounding, and no rotation.
_ALIGNED: Final = 1e-3
# Where two voxels are equally near, rounding must not choose.
_TIE: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """The label of a series.

    Attributes:
        data (Tensor of shape (channels, slices, rows, columns)): As it was given.
        affine: Of a grid of its own; None where it has the voxels of the series.
    """

    data: torch.Tensor
    affine: torch.Tensor | None

    def at(self, grid: Grid, box: Box) -> torch.Tensor:
        """The label of a box of the image's grid: 0 where the label or the image does not reach."""
        inner = grid.inside(box)
        if self.affine is None:
            (z0, z1), (y0, y1), (x0, x1) = grid.source_box(inner)
            part = grid.halved.nearest(self.data)[:, z0:z1, y0:y1, x0:x1]
            part = grid.resampled(part, inner, nearest=True)
        else:
            part = nearest(self.data, self.affine, grid.affine_of(inner), shape_of(inner))
        if part.untyped_storage().data_ptr() == self.data.untyped_storage().data_ptr():
            part = copied(part)  # what label= gave may be kept there, and need not travel along
        if inner == box:
            return part
        padded = part.new_zeros((len(part), *shape_of(box)))
        padded[(slice(None), *slices_in(inner, box))] = part
        return padded


def label_of(series: Series, recipe: Recipe, grid: Grid) -> Label | None:
    """What `label=` gives for a series; None where there is none.

    Raises:
        RuntimeError: If the callable failed.
        TypeError: If it gave nothing that is a label.
        ValueError: If what it gave does not fit the image: another shape without a place of its
            own, or another frame of reference.
    """
    if recipe.label is None:
        return None
    given = call_naming("label", recipe.label, series)
    if isinstance(given, (str, os.PathLike)):
        given = read_label(os.fspath(given))
    if isinstance(given, np.ndarray):
        given = torch.from_numpy(native_numbers(given))
    if isinstance(given, torch.Tensor):
        return Label(_on_series(widened(given.detach().cpu()), grid, series, recipe), None)
    if not isinstance(given, Volume):
        msg = (
            f"label= gave {type(given).__name__} for series {series.key}: it must give a tensor, "
            "a torchdicom.Volume, or the path of a NIfTI or DICOM file"
        )
        raise TypeError(msg)
    _check_frames_of_reference(given, series)
    data = _channels_first(given)
    if given.affine is not None and not bool(grid.affine.isnan().any()):
        return Label(data, given.affine)
    # One of the two has no place in the patient: all that is left is that they are alike.
    return Label(_on_series(data, grid, series, recipe), None)


def nearest(
    data: torch.Tensor, data_affine: torch.Tensor, affine: torch.Tensor, shape: Triple
) -> torch.Tensor:
    """The values of the voxels of one grid that lie nearest to those of another.

    Args:
        data (Tensor of shape (channels, slices, rows, columns)): Values on the one grid.
        data_affine: Its affine.
        affine: Of the other grid.
        shape: Slices, rows and columns of the other grid.

    Returns:
        Tensor of shape (channels, slices, rows, columns), 0 outside of the first grid.
    """
    to_data = torch.linalg.solve(data_affine, affine)[:3]
    extent = torch.tensor(shape, dtype=torch.float64)
    reaches = to_data[:, :3].abs() * extent
    largest = reaches.argmax(dim=1).tolist()
    others = reaches.clone()
    others[range(3), largest] = 0
    if sorted(largest) == [0, 1, 2] and bool((others.sum(dim=1) < _ALIGNED).all()):
        return _nearest_aligned(data, to_data, largest, shape)
    result = data.new_zeros((len(data), *shape))
    rows, columns = (torch.arange(n, dtype=torch.float64) for n in shape[1:])
    for z in range(shape[0]):
        at = to_data[:, 3] + to_data[:, 0] * z
        at = at + rows[:, None, None] * to_data[:, 1] + columns[None, :, None] * to_data[:, 2]
        index = (at + (0.5 + _TIE)).floor().long()
        inside = torch.ones(shape[1:], dtype=torch.bool)
        for axis, n in enumerate(data.shape[1:]):
            inside &= (index[..., axis] >= 0) & (index[..., axis] < n)
            index[..., axis].clamp_(0, n - 1)
        found = data[:, index[..., 0], index[..., 1], index[..., 2]]
        result[:, z] = torch.where(inside, found, torch.zeros_like(found))
    return result


def _nearest_aligned(
    data: torch.Tensor, to_data: torch.Tensor, along: list[int], shape: Triple
) -> torch.Tensor:
    """The same where each axis of the data runs along one of the other grid."""
    inside = []
    for axis, other in enumerate(along):
        at = torch.arange(shape[other], dtype=torch.float64) * to_data[axis, other]
        index = (at + to_data[axis, 3] + (0.5 + _TIE)).floor().long()
        n = data.shape[1 + axis]
        inside.append((index >= 0) & (index < n))
        data = data.index_select(1 + axis, index.clamp(0, n - 1))
    for axis, is_inside in enumerate(inside):
        if not bool(is_inside.all()):
            data.index_fill_(1 + axis, (~is_inside).nonzero()[:, 0], 0)
    return data.permute(0, *(1 + along.index(other) for other in range(3))).contiguous()


def _on_series(data: torch.Tensor, grid: Grid, series: Series, recipe: Recipe) -> torch.Tensor:
    """A tensor with the voxels of the series before any are halved, channels first."""
    shape = grid.source_shape
    if series.shape[-1]:
        _, rows, columns = stack_of(series, recipe).shape
        shape = (shape[0], rows, columns)
    found = tuple(data.shape)
    for wanted in (shape, *([shape[1:]] if shape[0] == 1 else [])):
        if found == tuple(wanted):
            return data.reshape(1, *shape)
    if len(found) == 4 and found[1:] == tuple(shape):
        return data
    msg = (
        f"label= gave a label of shape {found} for series {series.key}, whose images are "
        f"{tuple(shape)}. A torchdicom.Volume or NIfTI with an affine may have other voxels"
    )
    raise ValueError(msg)


def _channels_first(volume: Volume) -> torch.Tensor:
    spatial = [volume.dims.index(dim) for dim in ("z", "y", "x")]
    others = [i for i in range(len(volume.dims)) if i not in spatial]
    data = volume.data.permute(*others, *spatial)
    return widened(data.reshape(-1, *data.shape[-3:]))


def _check_frames_of_reference(label: Volume, series: Series) -> None:
    # A plane that was made up is of no file, nor is any of NIfTI.
    path = next((plane.path for plane in label.provenance if plane.path), None)
    theirs = _frame_of_reference(label.metadata, path)
    if theirs is None:
        return
    ours = _frame_of_reference(series.metadata, series.paths[0])
    if ours is None or theirs == ours:
        return
    msg = (
        f"The label of series {series.key} has another frame of reference than its images, "
        f"{theirs} and {ours}: their millimetres are not of the same origin. Register them first"
    )
    raise ValueError(msg)


def _frame_of_reference(metadata: Mapping[str, object], path: str | None) -> object:
    """FrameOfReferenceUID (0020,0052), which metadata has where a scan was asked for it.

    Else the file says it; None where there is none, or no such file any more.
    """
    known = metadata.get(FRAME_OF_REFERENCE)
    if known is not None or path is None:
        return known
    try:
        return _frame_of_reference_in(path, Path(path).stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=4096)  # patches ask once more for each
def _frame_of_reference_in(path: str, _mtime_ns: int) -> object:
    found = scan(path, include_metadata=(FRAME_OF_REFERENCE,), progress=False)
    return found[0].metadata.get(FRAME_OF_REFERENCE) if len(found) else None
