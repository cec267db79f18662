"""`VolumeDataset`: a series a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdicom._training._base import SeriesDataset, check_means
from torchdicom._training._labels import label_of
from torchdicom._training._recipe import make_recipe
from torchdicom._training._samples import known_grid, placed, read_box, read_whole, sample_of
from torchdicom._training._sources import channels_of
from torchdicom._training._spatial import centre_box

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from torchdicom._arguments import Output
    from torchdicom._policy import Policy
    from torchdicom._series import Series
    from torchdicom._training._recipe import LabelOf, OnError, Sample, Transform
    from torchdicom._training._sources import Sources
    from torchdicom._training._spatial import Box, Grid, Halving
    from torchdicom._window import Window


class VolumeDataset(SeriesDataset):
    """A map-style dataset of whole series, for 3D networks.

    A sample is a dict: ``image`` (Tensor of shape (channels, slices, rows, columns)), ``affine``
    (float64 Tensor of shape (4, 4), index ``(z, y, x, 1)`` to millimetres in LPS, NaN where the
    place is unknown), ``spacing_mm`` (float64 Tensor of shape (3,), along z, y and x), ``series``
    (its key), and ``mask``, ``label`` and ``target`` where they were asked for. The channels of
    colour images are red, green and blue, those of a cine its times.

    The order of things: ``reduce``, rescale, ``window`` or ``clip``, ``mean`` and ``std``,
    ``orientation``, ``spacing_mm``, ``size``, ``transform``.

    Args:
        source: A folder or file, or a list of them, which are scanned; an `Index`; a `Series` or a
            list of them.
        target: What is to be learned of a series: a callable that gets the `Series`; a mapping by
            key (a SeriesInstanceUID will do where that is one series); a pandas Series by key; or
            ``(table, "column")``, a pandas DataFrame whose index is the key, or a table of pandas
            or pyarrow with the keys in a column ``"series"``. Numbers become tensors.
        label: Called with the `Series`, once for every sample: gives its segmentation as a tensor
            of the images' shape, or as a `Volume` or the path of a NIfTI or DICOM file, which may
            have a grid of their own and are brought to the image's by nearest neighbour. Of a DICOM
            segmentation (pydicom reads it) voxels are the numbers of segments, which may not
            overlap; planes without a frame are background, and fractions count from half of the
            maximum on.
        transform: Called with each sample, and returns it. A transform of
            ``torchvision.transforms.v2`` finds ``image`` as an Image, ``label`` and ``mask`` as
            Masks. ``affine`` stays what it was before.
        output: ``"modality"``, ``"stored"``, ``"real_world"``, ``"suv"`` or ``"philips_fp"`` as in
            `load`; ``"window"``, the file's own, or a `Window`. SUV have the headers of all slices
            read each time: an index keeps nothing about the patient.
        dtype: Of ``image``, None is float32. An integer type keeps modality or stored values as
            they are.
        kinds: Which kinds of series there are samples of, see `Series.kind`.
        window: A `Window` or (center, width): values become 0 to 1.
        clip: (low, high): values are cut off there, and not scaled.
        mean: Is subtracted, a number or one for each channel.
        std: The same, to divide by.
        size: (slices, rows, columns) to pad and crop to, about the middle. Padding is -1024 for
            Hounsfield units and 0 for others, made what the window, ``mean`` and ``std`` make of
            it; the mask is False there. Of native images only what is left is read.
        spacing_mm: The distance of voxels to resample to, a number or three along z, y and x;
            linear, labels by nearest neighbour. The outer corner of the first voxel stays.
        orientation: Where x, y and z of the result are to point to, such as ``"LPS"``: the axes
            that come closest are permuted and flipped. Tensors stay z, y, x.
        reduce: How often to halve rows and columns, 0 to 8, as in `load`: JPEG 2000, HTJ2K and
            lossy JPEG decode less for it. It comes first: ``size`` counts what it leaves. A label
            that is a tensor has the shape of the whole images, and is halved along.
        mask: Whether samples have a ``mask``, False where the file has padding.
        policy: What to make of defects, as in `load`. Of a series that it repairs a sample is the
            repaired stack, and a label that is a tensor has the shape of that.
        on_error: ``"raise"``: defects that the policy raises are an error now, one for all series,
            and what cannot be read is an error then. ``"quarantine"``: series with such defects are
            not used, and of others that cannot be read another sample takes the place, which
            depends on ``seed`` and the number of the sample alone: the same on every rank.
        seed: Of the choice of samples that take the place of others.

    Raises:
        FileNotFoundError: If a path does not exist.
        SeriesError: If series have a defect that the policy raises, or there are none.
        TypeError: If an argument is of another type than it may be.
        ValueError: If its value is none of the allowed ones, two of them contradict, or ``target``
            has no value for a series.

    Warns:
        DicomWarning: Of series of other kinds, of what is in quarantine, and of files that cannot
            be read.

    Example:
        >>> import torchdicom as td
        >>> dataset = td.VolumeDataset("tests/data/sts_002/ct", window=(40, 400), size=(32, 96, 96))
        >>> dataset
        VolumeDataset(1 sample, 1 series)
        >>> sample = dataset[0]
        >>> tuple(sample["image"].shape), sample["image"].max().item()
        ((1, 32, 96, 96), 1.0)
    """

    def __init__(  # noqa: PLR0913 - all but the first are keywords
        self,
        source: Sources,
        *,
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
        size: tuple[int, int, int] | None = None,
        spacing_mm: float | Sequence[float] | None = None,
        orientation: str | None = None,
        reduce: int = 0,
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
            size=size,
            spacing_mm=spacing_mm,
            orientation=orientation,
            reduce=reduce,
            mask=mask,
            policy=policy,
            on_error=on_error,
            seed=seed,
        )
        super().__init__(source, recipe, target)
        self._grids: dict[tuple[int, Halving | None], Grid | None] = {}
        for series in self._series:
            check_means(recipe, series.key, channels_of(series, recipe.output))

    def __len__(self) -> int:
        """How many series there are."""
        return len(self._series)

    def image_shape(self, index: int) -> tuple[int, ...] | None:
        """The shape of ``image`` of a sample, see `SeriesDataset.image_shape`."""
        number = self._number(index)
        series = self._series[number]
        if self._recipe.transform is not None:
            return None
        channels = channels_of(series, self._recipe.output)
        if self._recipe.size is not None:
            return channels, *self._recipe.size
        grid = self._known_grid(number)
        return None if grid is None else (channels, *grid.shape)

    def _sample(self, i: int, out: torch.Tensor | None, num_threads: int | None) -> Sample:
        series, recipe = self._series[i], self._recipe
        grid = self._known_grid(i)
        if grid is not None:
            box = self._box(grid)
            values = read_box(series, recipe, grid, box, out=out, num_threads=num_threads)
            if values.halved != grid.halved:
                grid = self._known_grid(i, values.halved) or grid
        else:
            grid, source = read_whole(series, recipe, num_threads)
            box = self._box(grid)
            (z0, z1), (y0, y1), (x0, x1) = grid.source_box(grid.inside(box))
            part = source.at((slice(None), slice(z0, z1), slice(y0, y1), slice(x0, x1)))
            values = placed(part, series, recipe, grid, box, out=out)
        sample = sample_of(series, grid, box, values.image)
        if values.mask is not None:
            sample["mask"] = values.mask
        label = label_of(series, recipe, grid)
        if label is not None:
            sample["label"] = label.at(grid, box)
        return sample

    def _known_grid(self, i: int, halved: Halving | None = None) -> Grid | None:
        """See `known_grid`; asked for several times a sample, and worked out once a series."""
        if (i, halved) not in self._grids:
            self._grids[i, halved] = known_grid(self._series[i], self._recipe, halved)
        return self._grids[i, halved]

    def _box(self, grid: Grid) -> Box:
        size = self._recipe.size
        return grid.whole if size is None else centre_box(grid.shape, size)

    def _series_of(self, i: int) -> Series:
        return self._series[i]
