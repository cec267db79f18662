"""One sample: the values of a box of a series, and what goes with them."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from torchdicom._errors import SeriesError
from torchdicom._training._sources import counts_stay, photometric_of, units_of
from torchdicom._training._spatial import (
    Grid,
    Halving,
    copied,
    grid_of,
    halving_of,
    shape_of,
    slices_in,
)
from torchdicom._training._stacks import stack_of
from torchdicom._training._values import load_finished

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._series import Series
    from torchdicom._training._recipe import Recipe, Sample, Transform
    from torchdicom._training._spatial import Box, Triple
    from torchdicom._volume import Volume

# Air, where the unit is Hounsfield's.
_AIR_HU = -1024.0


class Values(NamedTuple):
    """The voxels of a box.

    Attributes:
        image (Tensor of shape (channels, slices, rows, columns)): Values, finished.
        mask (bool Tensor of shape (1, slices, rows, columns)): False where there is no value; None
            where none is wanted.
        halved: In which way rows and columns of the series were halved.
    """

    image: torch.Tensor
    mask: torch.Tensor | None
    halved: Halving = Halving()

    def at(self, where: tuple[slice, ...]) -> Values:
        """A part of them, in memory of its own."""
        mask = None if self.mask is None else copied(self.mask[where])
        return Values(copied(self.image[where]), mask)


def known_grid(series: Series, recipe: Recipe, halved: Halving | None = None) -> Grid | None:
    """The grid of the samples of a series; None where only a load tells how many slices it has.

    `halved` is as `Values` have it. Without it the grid may lie half a pixel beside, of its own.
    """
    if 0 in series.shape[-3:] or not counts_stay(recipe.policy):
        return None
    stack = stack_of(series, recipe)
    halved = halved or Halving(recipe.reduce)
    return _grid(recipe, stack.shape, stack.affine, stack.spacing_mm, halved)


def read_whole(series: Series, recipe: Recipe, num_threads: int | None) -> tuple[Grid, Values]:
    """Everything of a series whose grid is not known, as it is, and the grid for samples of it."""
    volume = _load(series, recipe, None, None, num_threads)
    values = _values_of(volume, series)
    shape: Triple = (volume.data.shape[-3], volume.data.shape[-2], volume.data.shape[-1])
    grid = _grid(recipe, shape, volume.affine, volume.spacing_mm, Halving())
    halved = halving_of(recipe.reduce, stack_of(series, recipe).affine, (0, 0), volume.affine)
    return replace(grid, halved=halved), values


def read_box(
    series: Series,
    recipe: Recipe,
    grid: Grid,
    box: Box,
    *,
    out: torch.Tensor | None,
    num_threads: int | None,
) -> Values:
    """The values of a box, of which no more is read than it needs.

    Args:
        series: The series.
        recipe: How its values are made.
        grid: Its grid.
        box: In the grid, or reaching beyond it, where voxels are padding.
        out (Tensor of shape (channels, slices, rows, columns)): Where to put them, or None.
        num_threads: Threads for this call.
    """
    inside = grid.inside(box)
    if grid.is_plain and inside == box:
        volume = _load(series, recipe, (grid, box), out, num_threads)
        values = _values_of(volume, series, out)
    else:
        volume = _load(series, recipe, (grid, grid.source_box(inside)), None, num_threads)
        values = placed(_values_of(volume, series), series, recipe, grid, box, out=out)
    if not recipe.reduce:
        return values
    (z, _), (y, _), _ = grid.source_box(inside)
    halved = halving_of(recipe.reduce, stack_of(series, recipe).affine, (z, y), volume.affine)
    return values._replace(halved=halved)


def read_boxes(
    series: Series, recipe: Recipe, grid: Grid, boxes: Sequence[Box], num_threads: int | None
) -> list[Values]:
    """The values of several boxes of one read.

    Of the slices that any of them needs, the rows and columns that all of them lie in are read.
    """
    sources = [grid.source_box(grid.inside(box)) for box in boxes]
    slices = sorted({z for (z0, z1), _, _ in sources for z in range(z0, z1)})
    low_y, low_x = (min(source[axis][0] for source in sources) for axis in (1, 2))
    high_y, high_x = (max(source[axis][1] for source in sources) for axis in (1, 2))
    around = ((0, 0), (low_y, high_y), (low_x, high_x))
    volume = _load(series, recipe, (grid, around), None, num_threads, slices)
    whole = _values_of(volume, series)
    found = []
    for box, ((z0, z1), (y0, y1), (x0, x1)) in zip(boxes, sources, strict=True):
        first = slices.index(z0)
        z = slice(first, first + z1 - z0)
        y, x = slice(y0 - low_y, y1 - low_y), slice(x0 - low_x, x1 - low_x)
        part = whole.at((slice(None), z, y, x))
        found.append(placed(part, series, recipe, grid, box, out=None))
    return found


def placed(
    source: Values,
    series: Series,
    recipe: Recipe,
    grid: Grid,
    box: Box,
    *,
    out: torch.Tensor | None,
) -> Values:
    """The values of a box from those of the source box of what of it lies in the grid."""
    inside = grid.inside(box)
    image, mask = source.image, source.mask
    wide = image if image.dtype in {torch.float32, torch.float64} else image.float()
    is_resampled = grid.steps != (1.0, 1.0, 1.0)
    part = grid.resampled(wide if is_resampled else image, inside, nearest=False)
    valid = None
    if mask is not None:
        # What has no part in a value has weight 0, and leaves a 0 here.
        invalid = grid.resampled((~mask).float(), inside, nearest=False)
        valid = invalid == 0
    if inside == box:
        return Values(_into(out, part.to(recipe.dtype)), valid)
    canvas = out
    if canvas is None:
        canvas = torch.empty((len(part), *shape_of(box)), dtype=recipe.dtype)
    where = (slice(None), *slices_in(inside, box))
    canvas.copy_(padding_of(series, recipe, len(part)).reshape(-1, 1, 1, 1))
    canvas[where] = part.to(recipe.dtype)
    if valid is not None:
        padded = torch.zeros((1, *shape_of(box)), dtype=torch.bool)
        padded[where] = valid
        valid = padded
    return Values(canvas, valid)


def padding_of(series: Series, recipe: Recipe, channels: int) -> torch.Tensor:
    """What stands where there is no image, for each channel: air or 0, finished like a value.

    With the window of the file it is black, 0, before ``mean`` and ``std``.
    """
    is_air = recipe.output == "modality" and units_of(series) == "HU"
    value = torch.full((channels,), _AIR_HU if is_air else 0.0, dtype=torch.float64)
    finish = recipe.finish
    if finish is not None:
        if finish.window == "file":
            value = torch.zeros_like(value)
        elif finish.window is not None:
            low, width = finish.window
            value = ((value - low) / width).clamp(0, 1)
            value = 1 - value if photometric_of(series) == "MONOCHROME1" else value
        if finish.clip is not None:
            value = value.clamp(*finish.clip)
        if finish.mean:
            mean, std = (
                torch.tensor(one, dtype=torch.float64) for one in (finish.mean, finish.std)
            )
            value = (value - mean) / std
    if not recipe.dtype.is_floating_point:
        value = value.clamp(min=torch.iinfo(recipe.dtype).min)
    return value.to(recipe.dtype)


def sample_of(series: Series, grid: Grid, box: Box, image: torch.Tensor) -> Sample:
    """What every sample has."""
    return {
        "image": image,
        "affine": grid.affine_of(box),
        "spacing_mm": grid.spacing_tensor(),
        "series": series.key,
    }


def transformed(transform: Transform, sample: Sample) -> Sample:
    """The sample that a transform makes of one."""
    key = sample["series"]
    try:
        made = _call(transform, sample)
    except Exception as error:
        if sys.version_info >= (3, 11):
            error.add_note(f"This was transform= with a sample of series {key}.")
        raise
    if isinstance(made, dict):
        return made
    msg = f"transform must return the sample, a dict, not {type(made).__name__}"
    raise TypeError(msg)


def _call(transform: Transform, sample: Sample) -> Any:
    """Transforms of torchvision are told which tensors are images and masks."""
    v2 = sys.modules.get("torchvision.transforms.v2")
    if v2 is None or not isinstance(transform, v2.Transform):
        return transform(sample)
    from torchvision import tv_tensors  # noqa: PLC0415 - it is imported already

    told = dict(sample, image=tv_tensors.Image(sample["image"]))
    for name in ("label", "mask"):
        if name in told:
            told[name] = tv_tensors.Mask(told[name])
    made = transform(told)
    if not isinstance(made, dict):
        return made
    return {
        name: value.as_subclass(torch.Tensor) if isinstance(value, tv_tensors.TVTensor) else value
        for name, value in made.items()
    }


def channel_first(volume: Volume, series: Series) -> torch.Tensor:
    """Of shape (channels, slices, rows, columns): times or colours become channels."""
    if "t" in volume.dims and "c" in volume.dims:
        msg = (
            f"Series {series.key} has times and colours, and a sample has one dim for both: "
            "torchdicom.ImageDataset has its frames one by one, with kinds=('volume',) and "
            "channels=3"
        )
        raise SeriesError(msg, code="not_a_volume")
    return volume.data if volume.data.ndim == 4 else volume.data.unsqueeze(0)


def _grid(
    recipe: Recipe,
    shape: Triple,
    affine: torch.Tensor | None,
    spacing_mm: tuple[float, float, float],
    halved: Halving,
) -> Grid:
    return grid_of(
        shape,
        affine,
        spacing_mm,
        orientation=recipe.orientation,
        wanted_mm=recipe.spacing_mm,
        halved=halved,
    )


def _load(
    series: Series,
    recipe: Recipe,
    part: tuple[Grid, Box] | None,
    out: torch.Tensor | None,
    num_threads: int | None,
    slices: list[int] | None = None,
) -> Volume:
    """A box of a series, in its own voxels; all of it where there is no part.

    `slices` takes the place of those of the box.
    """
    options: dict[str, Any] = {}
    if part is not None:
        grid, (z, (y0, y1), (x0, x1)) = part
        depth, rows, columns = grid.source_shape
        if slices is not None and len(slices) != depth:
            options["slices"] = slices
        elif slices is None and z != (0, depth):
            options["slices"] = slice(*z)
        if (y0, y1, x0, x1) != (0, rows, 0, columns):
            options["region"] = _whole_pixels(
                (y0, y1, x0, x1), stack_of(series, recipe).shape, grid.halved.step
            )
    if out is not None and len(out) == 1 and len(series.dims) == 3:
        out = out[0]
    volume = load_finished(series, recipe, out=out, num_threads=num_threads, **options)
    if part is not None:
        expected = len(slices) if slices is not None else part[1][0][1] - part[1][0][0]
        _check_slices(series, volume.data.shape[-3], expected)
    return volume


def _whole_pixels(
    region: tuple[int, int, int, int], shape: Triple, step: int
) -> tuple[int, int, int, int]:
    """A region of halved rows and columns in those that there are."""
    y0, y1, x0, x1 = (edge * step for edge in region)
    _, rows, columns = shape
    return y0, min(y1, rows), x0, min(x1, columns)


def _check_slices(series: Series, found: int, expected: int) -> None:
    """That a series has the slices that a scan counted, under other tolerances too."""
    if found == expected:
        return
    msg = (
        f"{found} slices of series {series.key} were loaded, and by the scan there are {expected}: "
        "under the tolerances of the policy some are repeats of others"
    )
    raise SeriesError(msg, code="duplicate_positions")


def _values_of(volume: Volume, series: Series, out: torch.Tensor | None = None) -> Values:
    image = channel_first(volume, series) if out is None else out
    mask = volume.valid_mask
    if mask is not None:
        mask = mask.all(0, keepdim=True) if mask.ndim == 4 else mask.unsqueeze(0)
    return Values(image, mask)


def _into(out: torch.Tensor | None, image: torch.Tensor) -> torch.Tensor:
    return image if out is None else out.copy_(image)
