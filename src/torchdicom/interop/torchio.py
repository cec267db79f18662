"""TorchIO: images, label maps and subjects of DICOM series, read when their data is asked for.

Tensors are (channels, x, y, z) and affines lead to RAS, as TorchIO has them. Channels are times or
colours.

The shear of a tilted gantry is in the affine, which TorchIO's transforms, and .mha and .nrrd files,
keep. In NIfTI it saves axes at right angles: voxels of a sheared image lie elsewhere there. Such an
image is therefore a `DicomWarning` where it is read; load it with
``policy=torchdicom.Policy(gantry_tilt="resample")``, or write the volume by
`torchdicom.interop.nibabel.to_nibabel`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from torchdicom import VolumeDataset, load, scan
from torchdicom._series import Series
from torchdicom._training._labels import label_of
from torchdicom._training._samples import known_grid
from torchdicom._volume import Volume
from torchdicom.interop._extras import needs
from torchdicom.interop._ras import (
    bridge_options,
    channels_xyz,
    contiguous_xyz,
    ras_of_zyx,
    warn_of_shear,
)
from torchdicom.interop._torchio_lazy import SeriesBackend, affine_of

with needs("torchio"):
    import torchio

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray

    Place = str | os.PathLike[str]
    OneSeries = Place | Sequence[Place] | Series
    Given = OneSeries | Volume
    TensorAndAffine = tuple[torch.Tensor, NDArray[Any]]

_REFUSED: Final = {
    "out": "every image gets memory of its own",
    "mask": "TorchIO's images have one tensor; torchdicom.VolumeDataset(mask=True) has both",
}


def scalar_image(source: Given, **options: Any) -> torchio.ScalarImage:
    """A `torchio.ScalarImage` of a series, which is read when its data is first asked for.

    Args:
        source: A folder, a file, or a list of files, which are one series; a `Series` of an index;
            or a `Volume`, which shares its memory with the image.
        **options: Those of `torchdicom.load`, without ``out`` and ``mask``.

    Raises:
        ValueError: If there is no such option, its value is none of the allowed ones, or the
            source is a Volume, for which there are none. What is wrong with the files is raised
            where the image is read.
        TypeError: If the source is of another type.

    Example:
        >>> import torch
        >>> image = scalar_image("tests/data/sts_002/ct", dtype=torch.int16)
        >>> tuple(image.data.shape), image.data.dtype
        ((1, 161, 143, 48), torch.int16)
    """
    if isinstance(source, Volume):
        if options:
            msg = f"a Volume is loaded already: there are no options for it: {', '.join(options)}"
            raise ValueError(msg)
        return _in_memory(channels_xyz(source), affine_of(source))
    reader = SeriesReader(source, **options)
    return torchio.ScalarImage(_path_of(source), reader=reader)


def label_map(series: OneSeries, label: Any) -> torchio.LabelMap:
    """A `torchio.LabelMap` of a series' segmentation, on its grid, made when it is asked for.

    Args:
        series: An entry of an index, or a folder, a file or a list of files that are one volume.
        label: As in `VolumeDataset`: the path of a NIfTI or DICOM file, or a callable that is given
            the series and returns a path, a tensor of its shape (slices, rows, columns), or a
            `Volume`. What has a grid of its own is brought to the series' by nearest neighbour.

    Raises:
        SeriesError: If the series has a defect.
        ValueError: If there are several.
        TypeError: If the series is of another type, a Volume among them.

    Example:
        >>> import torchdicom as td
        >>> series = td.scan("tests/data/sts_002/ct")[0]
        >>> bones = label_map(series, lambda one: one.load().data > 300)
        >>> tuple(bones.data.shape), bones.data.dtype
        ((1, 161, 143, 48), torch.uint8)
    """
    reader = LabelReader(series, label)
    return torchio.LabelMap(_path_of(reader.series), reader=reader)


def subject(source: Given, label: Any = None, **options: Any) -> torchio.Subject:
    """A `torchio.Subject` with ``image``, ``label`` if there is one, and ``series``, its key.

    Nothing is read before TorchIO loads it, but headers where the source is no `Series`.

    Args:
        source: As in `scalar_image`. Of a Volume ``series`` is the SeriesInstanceUID, or empty.
        label: As in `label_map`; none of a Volume.
        **options: Of the image, as in `scalar_image`; with a label none that choose or leave out
            voxels, which would give image and label different grids.

    Raises:
        ValueError: If the source is not one series, or a Volume and there is a label; and as in
            `scalar_image`.
        TypeError: If the source is of another type.

    Example:
        >>> one = subject("tests/data/sts_002/ct", label=lambda series: series.load().data > 300)
        >>> sorted(one), one.spatial_shape
        (['image', 'label', 'series'], (161, 143, 48))
    """
    if isinstance(source, Volume):
        if label is not None:
            msg = (
                "a label goes with the series: hand in that, not a Volume, which is loaded already"
            )
            raise ValueError(msg)
        key = source.metadata.get("SeriesInstanceUID", "")
        return torchio.Subject(image=scalar_image(source, **options), series=key)
    cut = sorted({"slices", "t", "region", "reduce", "policy"} & options.keys())
    if label is not None and cut:
        msg = f"{', '.join(cut)} cannot be given with a label: it has the grid of the whole series"
        raise ValueError(msg)
    series = _one_series(source, options.pop("series", None))
    images = {"image": scalar_image(series, **options)}
    if label is not None:
        images["label"] = label_map(series, label)
    return torchio.Subject(**images, series=series.key)


class SeriesReader:
    """The ``reader=`` of a TorchIO image, for use without `scalar_image`.

    With `source` it reads that, whatever path TorchIO hands it; without, the path, a folder or a
    file. For TorchIO 2 it is a lazy reader as well: shape and affine come of headers, and parts of
    an image are read as parts. This was written from TorchIO's documentation and is tested
    without TorchIO 2, with which it has not run yet.

    Args:
        source: As in `scalar_image`, but no Volume.
        **options: Those of `torchdicom.load`, without ``out`` and ``mask``.

    Raises:
        ValueError: If there is no such option, or its value is none of the allowed ones.

    Example:
        >>> image = torchio.ScalarImage("tests/data/sts_002/ct", reader=SeriesReader())
        >>> image.orientation
        ('L', 'P', 'S')
    """

    def __init__(self, source: OneSeries | None = None, **options: Any) -> None:
        """Nothing is read yet."""
        self._source = source
        self._options = bridge_options(options, _REFUSED)

    def __call__(self, path: str | os.PathLike[str]) -> TensorAndAffine:
        """The tensor of shape (channels, x, y, z), and the affine to RAS."""
        volume = load(path if self._source is None else self._source, **self._options)
        return contiguous_xyz(channels_xyz(volume)), affine_of(volume)

    def create_backend(self, request: Any) -> SeriesBackend:
        """What a lazy reader of TorchIO 2 gives; of the request only the path counts."""
        source = request.path if self._source is None else self._source
        options = dict(self._options)
        return SeriesBackend(_one_series(source, options.pop("series", None)), options)

    def __deepcopy__(self, memo: object) -> SeriesReader:
        """Itself: TorchIO copies a subject for each sample, and nothing here ever changes."""
        return self


class LabelReader:
    """The ``reader=`` of `label_map`.

    Args:
        series: The series.
        label: As in `label_map`.
    """

    def __init__(self, series: Any, label: Any) -> None:
        """Check both; nothing is read yet but headers."""
        self.series = _one_series(series, None)
        given = _Same(label) if isinstance(label, (str, os.PathLike)) else label
        dataset = VolumeDataset(self.series, label=given, kinds=(self.series.kind,))
        self._recipe = replace(dataset._recipe, transform=None)  # noqa: SLF001 - its checks are there

    def __call__(self, path: str | os.PathLike[str]) -> TensorAndAffine:  # noqa: ARG002 - TorchIO's
        """The tensor of shape (channels, x, y, z), and the affine to RAS."""
        grid = known_grid(self.series, self._recipe)
        label = None if grid is None else label_of(self.series, self._recipe, grid)
        if grid is None or label is None:
            msg = f"series {self.series.key} has no size in its headers, so that no label fits it"
            raise ValueError(msg)
        values = label.at(grid, grid.whole).permute(0, 3, 2, 1)
        affine = ras_of_zyx(grid.affine)
        warn_of_shear(affine, f"series {self.series.key}")
        return contiguous_xyz(values), affine

    def __deepcopy__(self, memo: object) -> LabelReader:
        """Itself, see `SeriesReader`."""
        return self


class _Same:
    """A callable for `label=` that gives one path; it goes along to other processes."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path

    def __call__(self, _: Series) -> str | os.PathLike[str]:
        return self._path


def _in_memory(tensor: torch.Tensor, affine: NDArray[Any]) -> torchio.ScalarImage:
    if _is_2():
        return torchio.ScalarImage(tensor, affine=affine)
    return torchio.ScalarImage(tensor=tensor, affine=affine)


def _is_2() -> bool:
    """Whether images take their source, whatever it is, as their first argument: never run yet."""
    return int(torchio.__version__.partition(".")[0]) >= 2


def _path_of(source: Any) -> Path:
    """What TorchIO takes for the place of an image: the folder or file, or the first of several."""
    if isinstance(source, Series):
        return Path(source.paths[0])
    if isinstance(source, (list, tuple)) and source:
        return _path_of(source[0])
    if isinstance(source, (str, os.PathLike)):
        return Path(source)
    msg = (
        f"source must be a folder, files or a Series, not {type(source).__name__}; scalar_image "
        "and subject take a Volume, too: torchdicom.load(...) of anything else"
    )
    raise TypeError(msg)


def _one_series(source: Any, series: str | None) -> Series:
    """The entry of an index."""
    if isinstance(source, Series):
        return source
    _path_of(source)
    found = list(scan(source, progress=False))
    chosen = [one for one in found if series in (one.key, one.series_instance_uid)]
    volumes = [one for one in found if one.kind == "volume"]
    for these in (chosen, found, volumes):
        if len(these) == 1:
            return these[0]
    keys = ", ".join(repr(one.key) for one in found) or "none"
    msg = f"source must be one series, and it has {len(found)}: {keys}. Hand in one of the index"
    raise ValueError(msg)
