"""`PatchDataset`: parts of volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from torchdicom._training._base import SeriesDataset, check_means
from torchdicom._training._checks import check_at_least
from torchdicom._training._labels import label_of
from torchdicom._training._patch_plan import make_plan
from torchdicom._training._patches import PatchBuffer, shuffled
from torchdicom._training._recipe import make_recipe
from torchdicom._training._samples import known_grid, read_box, read_boxes, sample_of
from torchdicom._training._sources import channels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from torchdicom._arguments import Output
    from torchdicom._policy import Policy
    from torchdicom._series import Series
    from torchdicom._training._labels import Label
    from torchdicom._training._patch_plan import Mode
    from torchdicom._training._recipe import LabelOf, OnError, Sample, Transform
    from torchdicom._training._samples import Values
    from torchdicom._training._sources import Sources
    from torchdicom._training._spatial import Box, Grid
    from torchdicom._window import Window


class PatchDataset(SeriesDataset):
    """A map-style dataset of patches of volumes, which reads no more than a patch needs.

    Of a volume only those slices are read that a patch needs, and of native slices only the rows.
    A sample is a dict as that of `VolumeDataset`, whose ``affine`` is that of the patch, with
    ``position`` (int64 Tensor of shape (3,)): z, y and x of its first voxel in the volume, after
    ``orientation`` and ``spacing_mm``. Where a volume is smaller than a patch, it is in the middle
    of it, with padding around; the position is negative then.

    Without ``buffer`` the samples are in the order of the series, and of each series its patches:
    number ``i`` is patch ``i % patches_per_volume`` of series ``i // patches_per_volume``. Each is
    read by itself, whichever way a sampler shuffles or weighs them.

    With ``buffer=n`` the patches of a volume come of one read, so that a decoded slice is used more
    than once, and the dataset brings the order along: the volumes are shuffled and dealt into
    groups of n, and the patches of a group are shuffled among each other. Samples are numbered in
    this order, so leave shuffling to the dataset: the patches that are not asked for yet are kept,
    those of 2 n volumes at most, and a random order would read most volumes anew for each patch.
    Each process has a buffer of its own. Patches of a grid stay in their order.

    Places and order depend on ``seed``, the epoch (`set_epoch`), and the number of the series
    alone: they are the same on every rank, in every worker, and for any number of threads.

    Args:
        source: As in `VolumeDataset`.
        patch_size: (slices, rows, columns) of a patch, of the result.
        patches_per_volume: How many patches each volume has in an epoch; not for a grid, which
            has as many as it takes.
        mode: ``"random"``: patches anywhere. ``"foreground"``: about voxels of the foreground, each
            as likely as the others; anywhere where a volume has none. ``"grid"``: the patches that
            cover a volume, the last along each axis moved back to end where the volume does.
        foreground: Called with ``label`` of a whole volume: gives a bool tensor of its shape; None
            is ``label > 0``.
        overlap: How many voxels the patches of a grid have in common with their neighbours, a
            number or three along z, y and x.
        buffer: How many volumes are mixed; None reads each patch by itself.
        target: As in `VolumeDataset`.
        label: As in `VolumeDataset`; asked once for each patch, with ``buffer`` once for a volume.
        transform: As in `VolumeDataset`.
        output: As in `VolumeDataset`.
        dtype: As in `VolumeDataset`.
        kinds: As in `VolumeDataset`.
        window: As in `VolumeDataset`.
        clip: As in `VolumeDataset`.
        mean: As in `VolumeDataset`.
        std: As in `VolumeDataset`.
        spacing_mm: As in `VolumeDataset`.
        orientation: As in `VolumeDataset`.
        mask: As in `VolumeDataset`.
        policy: As in `VolumeDataset`, but that nothing may be dropped when patches are read.
        on_error: As in `VolumeDataset`.
        seed: Of places and order, too.

    Raises:
        FileNotFoundError: If a path does not exist.
        SeriesError: If series have a defect that the policy raises, or there are none.
        TypeError: If an argument is of another type than it may be.
        ValueError: As in `VolumeDataset`, and if an option does not belong to the mode.

    Warns:
        DicomWarning: As in `VolumeDataset`.

    Example:
        >>> import torchdicom as td
        >>> patches = td.PatchDataset(
        ...     "tests/data/sts_002/ct", (16, 64, 64), patches_per_volume=8, window=(40, 400)
        ... )
        >>> len(patches), tuple(patches[0]["image"].shape)
        (8, (1, 16, 64, 64))
        >>> tiles = td.PatchDataset("tests/data/sts_002/ct", (16, 64, 64), mode="grid", overlap=8)
        >>> len(tiles), tiles[0]["position"].tolist(), tiles[-1]["position"].tolist()
        (45, [0, 0, 0], [32, 79, 97])
    """

    def __init__(  # noqa: PLR0913 - all but the first are keywords
        self,
        source: Sources,
        patch_size: tuple[int, int, int],
        *,
        patches_per_volume: int | None = None,
        mode: Mode = "random",
        foreground: Callable[[torch.Tensor], torch.Tensor] | None = None,
        overlap: int | tuple[int, int, int] = 0,
        buffer: int | None = None,
        target: Any = None,
        label: LabelOf | None = None,
        transform: Transform | Callable[..., Any] | None = None,
        output: Output | Window | str = "modality",
        dtype: torch.dtype | None = None,
        kinds: Sequence[str] = ("volume",),
        window: Window | tuple[float, float] | None = None,
        clip: tuple[float, float] | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        spacing_mm: float | Sequence[float] | None = None,
        orientation: str | None = None,
        mask: bool = False,
        policy: Policy | None = None,
        on_error: OnError = "raise",
        seed: int = 0,
    ) -> None:
        recipe = make_recipe(
            label=label,
            transform=transform,
            output=output,
            dtype=dtype,
            kinds=kinds,
            window=window,
            clip=clip,
            mean=mean,
            std=std,
            spacing_mm=spacing_mm,
            orientation=orientation,
            mask=mask,
            policy=policy,
            on_error=on_error,
            seed=seed,
        )
        self._plan = make_plan(
            patch_size=patch_size,
            patches_per_volume=patches_per_volume,
            mode=mode,
            foreground=foreground,
            overlap=overlap,
            seed=recipe.seed,
            has_label=recipe.label is not None,
        )
        self._buffer = (
            None if buffer is None else PatchBuffer(2 * check_at_least(1, "buffer", buffer))
        )
        self._in_group = buffer or 1
        super().__init__(source, recipe, target)
        self._grids = [self._grid_of(one) for one in self._series]
        for series in self._series:
            check_means(recipe, series.key, channels_of(series, recipe.output))
        self._counts = [self._plan.count_in(grid) for grid in self._grids]
        self._starts = np.cumsum([0, *self._counts])
        # Workers that live longer than an epoch see the next one through this.
        self._epoch = torch.zeros((), dtype=torch.int64)
        self._epoch.share_memory_()  # type: ignore[no-untyped-call]
        self._order: tuple[int, NDArray[np.int64]] | None = None

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch: another one has other random patches, in another order.

        Workers of a DataLoader that are running see it with their next sample.

        Args:
            epoch: 0 or more.
        """
        self._epoch.fill_(check_at_least(0, "epoch", epoch))
        if self._buffer is not None:
            self._buffer.clear()

    def __len__(self) -> int:
        """How many patches an epoch has."""
        return int(self._starts[-1])

    def image_shape(self, index: int) -> tuple[int, ...] | None:
        """The shape of ``image`` of a sample, see `SeriesDataset.image_shape`."""
        if self._recipe.transform is not None:
            return None
        return channels_of(self._series_of(index), self._recipe.output), *self._plan.size

    def _sample(self, i: int, out: torch.Tensor | None, num_threads: int | None) -> Sample:
        epoch = int(self._epoch)
        volume, patch = self._place(i, epoch)
        if self._buffer is not None:
            kept = self._buffer.take(
                (epoch, volume), patch, lambda: self._read_all(volume, epoch, num_threads)
            )
            if kept is not None:
                return cast("Sample", kept)
        series, grid = self._series[volume], self._grids[volume]
        label = self._label(series, grid)
        box = self._plan.box(series, grid, label, (epoch, volume), patch)
        values = read_box(series, self._recipe, grid, box, out=out, num_threads=num_threads)
        return self._made(series, grid, box, values, label)

    def _read_all(self, volume: int, epoch: int, num_threads: int | None) -> dict[int, Sample]:
        """All patches of a volume in an epoch, by number."""
        series, grid = self._series[volume], self._grids[volume]
        label = self._label(series, grid)
        boxes = self._plan.boxes(series, grid, label, (epoch, volume))
        found = read_boxes(series, self._recipe, grid, boxes, num_threads)
        pairs = zip(boxes, found, strict=True)
        made = (self._made(series, grid, box, values, label) for box, values in pairs)
        return dict(enumerate(made))

    def _made(
        self, series: Series, grid: Grid, box: Box, values: Values, label: Label | None
    ) -> Sample:
        sample = sample_of(series, grid, box, values.image)
        sample["position"] = torch.tensor([lo for lo, _ in box])
        if values.mask is not None:
            sample["mask"] = values.mask
        if label is not None:
            sample["label"] = label.at(grid, box)
        return sample

    def _label(self, series: Series, grid: Grid) -> Label | None:
        return label_of(series, self._recipe, grid)

    def _drawn_in(self) -> int:
        return int(self._epoch)

    def _place(self, i: int, epoch: int) -> tuple[int, int]:
        """The numbers of the volume and of the patch of a sample."""
        if self._buffer is None or self._plan.mode == "grid":
            volume = int(np.searchsorted(self._starts, i, side="right")) - 1
            return volume, i - int(self._starts[volume])
        known = self._order
        if known is None or known[0] != epoch:
            order = shuffled(self._counts, self._in_group, self._recipe.seed, epoch)
            known = self._order = (epoch, order)
        volume, patch = known[1][i].tolist()
        return volume, patch

    def _series_of(self, i: int) -> Series:
        return self._series[self._place(self._number(i), int(self._epoch))[0]]

    def _grid_of(self, series: Series) -> Grid:
        grid = known_grid(series, self._recipe)
        if grid is None:
            msg = (
                f"Patches of series {series.key} need its size, which headers do not tell: the "
                "policy drops slices when they turn out to be defective, or there are no Rows"
            )
            raise ValueError(msg)
        return grid
