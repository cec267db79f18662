"""`PatchPlan`: where the patches of a volume lie, by options that are checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch

from torchdicom._training._checks import check_at_least, check_callable, check_triple
from torchdicom._training._patches import (
    foreground_starts,
    grid_starts,
    places_random,
    random_starts,
)
from torchdicom._training._spatial import box_at

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from torchdicom._series import Series
    from torchdicom._training._labels import Label
    from torchdicom._training._patches import Integers
    from torchdicom._training._spatial import Box, Grid, Triple

Mode = Literal["random", "grid", "foreground"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchPlan:
    """Where patches lie.

    Attributes:
        size: Slices, rows and columns of a patch.
        count: Patches of each volume, None where they are a grid.
        mode: Where they are.
        foreground: Gives the foreground of a label, None is above 0.
        overlap: What neighbours of a grid have in common, along z, y and x.
        seed: Of random places.
    """

    size: Triple
    count: int | None
    mode: Mode
    foreground: Callable[[torch.Tensor], Any] | None
    overlap: Triple
    seed: int

    def count_in(self, grid: Grid) -> int:
        """How many patches a volume has."""
        if self.count is not None:
            return self.count
        return len(grid_starts(grid.shape, self.size, self.overlap))

    def boxes(
        self, series: Series, grid: Grid, label: Label | None, draw: tuple[int, int]
    ) -> list[Box]:
        """The patches of a volume.

        Args:
            series: The volume, for errors to name.
            grid: Its grid.
            label: Its label, which foreground is found in.
            draw: The epoch, and the number of the volume: others have other random places.
        """
        starts = self._starts(series, grid, label, draw).tolist()
        return [box_at((z, y, x), self.size) for z, y, x in starts]

    def box(
        self, series: Series, grid: Grid, label: Label | None, draw: tuple[int, int], patch: int
    ) -> Box:
        """One of them, by its number."""
        z, y, x = self._starts(series, grid, label, draw)[patch].tolist()
        return box_at((z, y, x), self.size)

    def _starts(
        self, series: Series, grid: Grid, label: Label | None, draw: tuple[int, int]
    ) -> Integers:
        """Where they start, of shape (patches, 3)."""
        if self.count is None:
            starts = grid_starts(grid.shape, self.size, self.overlap)
        else:
            random = places_random(self.seed, *draw)
            if self.mode == "foreground" and label is not None:
                found = self._foreground_of(label.at(grid, grid.whole), series)
                starts = foreground_starts(found, self.size, self.count, random)
            else:
                starts = random_starts(grid.shape, self.size, self.count, random)
        return starts

    def _foreground_of(self, label: torch.Tensor, series: Series) -> NDArray[np.bool_]:
        """Of shape (slices, rows, columns)."""
        found = label > 0 if self.foreground is None else self.foreground(label)
        if not isinstance(found, torch.Tensor) or found.dtype != torch.bool:
            kind = found.dtype if isinstance(found, torch.Tensor) else type(found).__name__
            msg = f"foreground must give a bool tensor, and for series {series.key} gave {kind}"
            raise TypeError(msg)
        if found.shape not in {label.shape, label.shape[1:]}:
            msg = (
                f"foreground must give a tensor of the shape of the label, {tuple(label.shape)}, "
                f"and for series {series.key} gave {tuple(found.shape)}"
            )
            raise ValueError(msg)
        flat: NDArray[np.bool_] = (found.any(0) if found.ndim == 4 else found).numpy()
        return flat


def make_plan(
    *,
    patch_size: object,
    patches_per_volume: object,
    mode: object,
    foreground: object,
    overlap: object,
    seed: int,
    has_label: bool,
) -> PatchPlan:
    """The options of a `PatchDataset`, checked: also that the mode has a use for each.

    Raises:
        TypeError: If an option is of another type than it may be.
        ValueError: If its value is none of the allowed ones, or does not belong to the mode.
    """
    if mode not in ("random", "grid", "foreground"):
        msg = f"mode must be 'random', 'grid' or 'foreground', not {mode!r}"
        raise ValueError(msg)
    is_grid = mode == "grid"
    if is_grid and patches_per_volume is not None:
        msg = "patches_per_volume is not for mode='grid', which has as many as it takes"
        raise ValueError(msg)
    if not is_grid and patches_per_volume is None:
        msg = f"mode={mode!r} needs patches_per_volume"
        raise ValueError(msg)
    size = check_triple("patch_size", patch_size)
    common = _overlap(overlap, size)
    if not is_grid and any(common):
        msg = f"overlap is for mode='grid', not for mode={mode!r}"
        raise ValueError(msg)
    if mode == "foreground" and not has_label:
        msg = "mode='foreground' needs label"
        raise ValueError(msg)
    if mode != "foreground" and foreground is not None:
        msg = f"foreground is for mode='foreground', not for mode={mode!r}"
        raise ValueError(msg)
    return PatchPlan(
        size=size,
        count=None if is_grid else check_at_least(1, "patches_per_volume", patches_per_volume),
        mode=mode,
        foreground=check_callable("foreground", foreground),
        overlap=common,
        seed=seed,
    )


def _overlap(overlap: object, size: Triple) -> Triple:
    given = [overlap] * 3 if isinstance(overlap, int) else overlap
    common = check_triple("overlap", given, least=0)
    for voxels, length in zip(common, size, strict=True):
        if voxels >= length:
            msg = f"overlap must be below patch_size along each axis, not {common} for {size}"
            raise ValueError(msg)
    return common
