"""`ImageDataset`: a frame a sample."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from torchdicom._errors import DicomError
from torchdicom._training._base import SeriesDataset, check_means
from torchdicom._training._checks import check_channels
from torchdicom._training._labels import label_of
from torchdicom._training._recipe import make_recipe
from torchdicom._training._sources import attribute, is_colour
from torchdicom._training._spatial import Halving, grid_of, halving_of
from torchdicom._training._stacks import repairs_of
from torchdicom._training._values import (
    decode_finished,
    decode_together,
    load_finished,
    options_of_frames,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from torchdicom._arguments import Output
    from torchdicom._policy import Policy
    from torchdicom._series import Series
    from torchdicom._training._recipe import LabelOf, OnError, Sample, Transform
    from torchdicom._training._sources import Sources
    from torchdicom._training._spatial import Grid, Triple
    from torchdicom._window import Window

# Enough to make little of what a call costs besides decoding.
_AT_ONCE = 8


class ImageDataset(SeriesDataset):
    """A map-style dataset of single images, for 2D networks.

    Radiographs and the like are a sample each, a cine has one for each frame, and where ``kinds``
    has ``"volume"``, a CT or MR one for each slice. A sample is a dict as that of `VolumeDataset`,
    with ``image`` (Tensor of shape (channels, rows, columns)), ``mask`` and ``label`` likewise, and
    ``frame``: the position of the slice in its volume, or the frame of the cine. The affine is that
    of the one slice, and follows ``size``.

    The order of things: ``reduce``, rescale, resize, ``window`` or ``clip``, ``mean`` and ``std``,
    ``transform``.

    Args:
        source: As in `VolumeDataset`.
        target: As in `VolumeDataset`: one for all frames of a series.
        label: As in `VolumeDataset`, asked once for each frame; a tensor has the shape of the
            series, (frames, rows, columns), or (rows, columns) where it is one frame.
        transform: As in `VolumeDataset`.
        output: ``"window"``: the window of the file, 0 to 1, of a volume that of its middle slice;
            of colours their whole range. Or as in `VolumeDataset`.
        dtype: As in `VolumeDataset`.
        kinds: As in `VolumeDataset`.
        channels: 1, or 3, which repeats gray images.
        window: As in `VolumeDataset`; ``output`` must be another than ``"window"`` then.
        clip: Likewise.
        mean: As in `VolumeDataset`.
        std: As in `VolumeDataset`.
        size: (rows, columns) to resize to, bilinear with antialiasing, as torchvision does.
        reduce: How often to halve rows and columns, 0 to 8, as in `load`: JPEG 2000, HTJ2K and
            lossy JPEG decode less for it. It comes first, and ``size`` resizes what it leaves: not
            what ``size`` alone gives, since codecs halve with other filters.
        mask: As in `VolumeDataset`. A cine is decoded whole for it.
        policy: As in `VolumeDataset`, but that it may repair nothing: frames are those of files.
        on_error: As in `VolumeDataset`.
        seed: As in `VolumeDataset`.

    Raises:
        FileNotFoundError: If a path does not exist.
        SeriesError: If series have a defect that the policy raises, or there are none.
        TypeError: If an argument is of another type than it may be.
        ValueError: As in `VolumeDataset`, and if there are colours and ``channels`` is 1.

    Warns:
        DicomWarning: As in `VolumeDataset`.

    Example:
        >>> import torchdicom as td
        >>> slices = td.ImageDataset(
        ...     "tests/data/sts_002/ct",
        ...     kinds=("volume",),
        ...     output=td.Window(40, 400),
        ...     channels=3,
        ...     size=(224, 224),
        ...     mean=(0.485, 0.456, 0.406),
        ...     std=(0.229, 0.224, 0.225),
        ... )
        >>> len(slices), tuple(slices[10]["image"].shape), slices[10]["frame"]
        (48, (3, 224, 224), 10)
    """

    def __init__(  # noqa: PLR0913 - all but the first are keywords
        self,
        source: Sources,
        *,
        target: Any = None,
        label: LabelOf | None = None,
        transform: Transform | Callable[..., Any] | None = None,
        output: Output | Window | str = "window",
        dtype: torch.dtype | None = None,
        kinds: Sequence[str] = ("image", "cine"),
        channels: int = 1,
        window: Window | tuple[float, float] | None = None,
        clip: tuple[float, float] | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        size: tuple[int, int] | None = None,
        reduce: int = 0,
        mask: bool = False,
        policy: Policy | None = None,
        on_error: OnError = "raise",
        seed: int = 0,
    ) -> None:
        channels = check_channels(channels)
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
            mask=mask,
            policy=policy,
            on_error=on_error,
            seed=seed,
            resize=size,
            reduce=reduce,
            channels=channels,
        )
        _check_frames_stay(recipe.policy)
        super().__init__(source, recipe, target)
        self._channels = channels
        self._rows_and_columns = None if recipe.finish is None else recipe.finish.size
        self._check_colours()
        for series in self._series:
            check_means(recipe, series.key, channels)
        # What is the same for all frames of a series: each is asked for so many times an epoch.
        self._starts = [0, *itertools.accumulate(map(_frames, self._series))]
        self._shapes = [self._image_shape(series) for series in self._series]
        self._decoding = options_of_frames(recipe)
        is_plain = recipe.transform is None and recipe.label is None and not recipe.mask
        is_by_frame = is_plain and not any(map(self._needs_series, self._series))
        self._at_once = _AT_ONCE if is_by_frame else 1
        self._grids: dict[str, Grid] = {}

    def __len__(self) -> int:
        """How many frames there are."""
        return self._starts[-1]

    def image_shape(self, index: int) -> tuple[int, ...] | None:
        """The shape of ``image`` of a sample, see `SeriesDataset.image_shape`."""
        return self._shapes[self._place(index)[0]]

    def _image_shape(self, series: Series) -> tuple[int, ...] | None:
        left = Halving(self._recipe.reduce).shape(self._shape(series))
        rows_and_columns = self._rows_and_columns or left[1:]
        if self._recipe.transform is not None or 0 in rows_and_columns:
            return None
        return self._channels, *rows_and_columns

    @property
    def samples_at_once(self) -> int:
        """How many samples to give `read_batch` at a time, see `SeriesDataset`."""
        return self._at_once

    def read_batch(
        self, indices: Sequence[int], *, out: torch.Tensor, num_threads: int | None = None
    ) -> list[Sample]:
        """Several samples, see `SeriesDataset.read_batch`; the core decodes them in one call."""
        if self._at_once == 1:
            return super().read_batch(indices, out=out, num_threads=num_threads)
        self._check_places(indices, out)
        numbers, places = [self._number(i) for i in indices], out.unbind()
        for i, place in zip(numbers, places, strict=True):
            self._check_out(place, self.image_shape(i))
        frames = [(self._series[number], frame) for number, frame in map(self._place, numbers)]
        are_there = self._decode_together(frames, out, num_threads)
        epoch = self._drawn_in()
        samples = []
        for i, frame, place, is_there in zip(numbers, frames, places, are_there, strict=True):
            if is_there and not self._failures.has(i, epoch):
                made = self._sample_of(*frame, place, None, Halving(self._recipe.reduce))
                samples.append(self._targeted(i, made))
            else:  # which says why, or takes another
                samples.append(self.read(i, out=place, num_threads=num_threads))
        return samples

    def _decode_together(
        self, frames: Sequence[tuple[Series, int]], out: torch.Tensor, num_threads: int | None
    ) -> list[bool]:
        """Which frames are in their places then."""
        try:
            return decode_together(frames, self._decoding, out=out, num_threads=num_threads)
        except DicomError:  # the index is damaged, as one of the frames will tell
            return [False] * len(frames)

    def _sample(self, i: int, out: torch.Tensor | None, num_threads: int | None) -> Sample:
        number, frame = self._place(i)
        series = self._series[number]
        image, mask, halved = self._values(series, frame, out, num_threads)
        return self._sample_of(series, frame, image, mask, halved)

    def _sample_of(
        self,
        series: Series,
        frame: int,
        image: torch.Tensor,
        mask: torch.Tensor | None,
        halved: Halving,
    ) -> Sample:
        """What goes with an image."""
        grid = self._grid(series, halved)
        rows, columns = grid.shape[1:]
        z = frame % grid.shape[0]  # at whatever time
        box = (z, z + 1), (0, rows), (0, columns)
        sample = {
            "image": image,
            "affine": grid.affine_of(box),
            "spacing_mm": grid.spacing_tensor(),
            "series": series.key,
            "frame": frame,
        }
        if mask is not None:
            sample["mask"] = mask
        label = label_of(series, self._recipe, grid)
        if label is not None:
            sample["label"] = label.at(grid, box)[:, 0]
        return sample

    def _values(
        self, series: Series, frame: int, out: torch.Tensor | None, num_threads: int | None
    ) -> tuple[torch.Tensor, torch.Tensor | None, Halving]:
        """One frame of shape (channels, rows, columns), its mask, and how it was halved."""
        recipe = self._recipe
        halved = Halving(recipe.reduce)
        if not (recipe.mask or self._needs_series(series)):
            image = decode_finished(series, frame, self._decoding, out=out, num_threads=num_threads)
            return image, None, halved
        time, z = divmod(frame, series.shape[-3])
        options: dict[str, Any] = {"slices": z}
        if "t" in series.dims:
            options["t"] = time
        if out is not None:
            out = out[:, None] if self._has_colour_dim(series) else out
            out = out[None] if "t" in series.dims else out
        volume = load_finished(series, recipe, out=out, num_threads=num_threads, **options)
        rows_and_columns = volume.data.shape[-2:]
        image = volume.data.reshape(-1, *rows_and_columns)
        mask = volume.valid_mask
        if recipe.reduce:
            # Where the first row lies that a resize makes, of those that halving leaves.
            above = (halved.shape(self._shape(series))[1] / image.shape[1] - 1) / 2
            halved = halving_of(recipe.reduce, series.affine, (z, above), volume.affine)
        return image, None if mask is None else mask.reshape(1, *rows_and_columns), halved

    def _needs_series(self, series: Series) -> bool:
        """Whether a frame is not made of its own file alone.

        The window is another slice's, SUV take what all slices tell, the slice is a tile of its
        file's frame, or only a load says where pixels lie that were halved.
        """
        if self._recipe.output == "suv" or attribute(series, "frame_rows"):
            return True
        if self._recipe.reduce and series.affine is not None:
            return True
        finish = self._recipe.finish
        return series.kind == "volume" and finish is not None and finish.window == "file"

    def _has_colour_dim(self, series: Series) -> bool:
        """Whether what is loaded has a dim of colours."""
        return self._channels == 3 or is_colour(series, self._recipe.output)

    def _grid(self, series: Series, halved: Halving) -> Grid:
        """All slices of a series, or frames of a cine, one upon the other."""
        known = self._grids.get(series.key)
        if known is None or known.halved != halved:
            known = self._grids[series.key] = grid_of(
                self._shape(series),
                series.affine,
                series.spacing_mm,
                rows_and_columns=self._rows_and_columns,
                halved=halved,
            )
        return known

    def _shape(self, series: Series) -> Triple:
        slices = _frames(series) if series.kind == "cine" else series.shape[-3]
        return slices, series.shape[-2], series.shape[-1]

    def _place(self, i: int) -> tuple[int, int]:
        """Which series a sample is of, and which frame of it."""
        i = self._number(i)
        number = bisect_right(self._starts, i) - 1
        return number, i - self._starts[number]

    def _series_of(self, i: int) -> Series:
        return self._series[self._place(i)[0]]

    def _check_colours(self) -> None:
        coloured = [one.key for one in self._series if is_colour(one, self._recipe.output)]
        if coloured and self._channels == 1:
            msg = (
                f"channels is 1, and {len(coloured)} series are in colour, the first is "
                f"{coloured[0]}: take channels=3, which repeats gray images"
            )
            raise ValueError(msg)


def _check_frames_stay(policy: Policy) -> None:
    """Refuse a policy whose slices no file has, or of another size than those of the file."""
    repairs = repairs_of(policy)
    if repairs:
        msg = (
            f"policy has {repairs[0]}, which makes slices of a volume, and an ImageDataset has the "
            "frames of the files as they are: take another action, or a VolumeDataset"
        )
        raise ValueError(msg)


def _frames(series: Series) -> int:
    return math.prod(series.shape[:-2])
