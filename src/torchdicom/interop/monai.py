"""MONAI: a reader for `LoadImage`, volumes as MetaTensors, and datasets for its transforms.

Arrays have the order x, y, z and affines lead to RAS, as those of MONAI's ITKReader. The place of
every voxel is that of the DICOM files.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from torchdicom import PatchDataset, VolumeDataset, load
from torchdicom._series import Series
from torchdicom.interop._extras import needs
from torchdicom.interop._ras import (
    bridge_options,
    channels_xyz,
    contiguous_xyz,
    placed,
    ras_of_zyx,
)

with needs("monai"):
    import monai.data
    from monai.data import MetaTensor
    from monai.data.image_reader import ImageReader
    from monai.transforms import Compose
    from monai.utils import SpaceKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from torchdicom._arguments import Source
    from torchdicom._volume import Volume

    One = Source | Series
    Sample = dict[str, Any]

# Formats that other readers of MONAI know: where there are several readers, theirs to read.
_OTHER_FORMATS: Final = (
    *(".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".hdr", ".mgz"),
    *(".npy", ".npz", ".pkl", ".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".h5", ".zarr"),
)
_REFUSED: Final = {
    "out": "every image gets memory of its own",
    "mask": "a reader of MONAI returns one array; VolumeDataset(mask=True) has both",
}
# Keys of the meta dict that `_check_same` has found to be the same, up to a little.
_OF_ALL: Final = frozenset(
    {"affine", "original_affine", "original_channel_dim", "space", "spacing", "spatial_shape"}
)
_NO_CHANNEL: Final = float("nan")


class DicomReader(ImageReader):  # type: ignore[misc]  # MONAI is Any where it is not installed
    """A reader of DICOM series for MONAI's `LoadImage` and `LoadImaged`.

    ``LoadImage(reader=DicomReader(output="suv"))``, or by name,
    ``LoadImage(reader="torchdicom.interop.monai.DicomReader", output="suv")``.

    What MONAI calls a filename is a folder or a file, which is one series; a list of files, which
    are one series, too; or a list that has folders, where each is a series and a channel, all with
    the same affine. With ``expanduser=False`` it may also be a `Series` of an index, bytes, or have
    lists of files in a list.

    Arrays are (x, y, z), of radiographs and single slices, too, with z of length 1. Times and
    colours are channels, the last dim, as ``original_channel_dim`` says; of colours at several
    times those of a time stay together. Images without a place in the patient have an affine of
    their spacing alone, with a warning.

    The meta dict has, besides what MONAI needs, ``spacing`` (x, y, z in mm), ``units``,
    ``verdict``, and the technical attributes of `Volume.metadata` by keyword: nothing that
    identifies a person. Of series as channels it has those of them that are the same in all: no
    ``units`` where a CT and an MR are one image.

    `read` opens nothing. A series that is refused is an error of `get_data`: an error of `read`
    would have LoadImage try its other readers one by one, which take such series without a word.

    Args:
        **options: Those of `torchdicom.load`, without ``out`` and ``mask``.

    Raises:
        ValueError: If there is no such option, or its value is none of the allowed ones.

    Example:
        >>> reader = DicomReader()
        >>> array, meta = reader.get_data(reader.read("tests/data/sts_002/ct"))
        >>> array.shape, meta["units"], meta["space"] == "RAS"
        ((161, 143, 48), 'HU', True)
    """

    def __init__(self, **options: Any) -> None:
        """Check the options; nothing is opened."""
        self._options = _checked(options)

    def verify_suffix(self, filename: Sequence[os.PathLike[str] | str] | Any) -> bool:
        """Whether this may be DICOM: files of that have any suffix, or none."""
        return not any(_is_other(one) for one in _listed(filename))

    def read(self, data: Sequence[os.PathLike[str] | str] | Any, **options: Any) -> list[One]:
        """What there is to load, one entry for each channel.

        Args:
            data: What is to be loaded, as the class has it.
            **options: None: they belong to the constructor.

        Raises:
            ValueError: If a file's name is one of another format, which LoadImage takes to mean
                that another reader should read it.
        """
        if options:
            msg = f"options of a DicomReader are given to it, not to read: {', '.join(options)}"
            raise ValueError(msg)
        listed = _listed(data)
        for one in listed:
            if _is_other(one):
                msg = f"{one} is named as another format than DICOM: give it a reader of its own"
                raise ValueError(msg)
        if len(listed) > 1 and not any(map(_is_series, listed)):
            return [listed]
        return listed

    def get_data(self, img: Sequence[One] | One) -> tuple[NDArray[Any], dict[str, Any]]:
        """Load what `read` gave.

        Returns:
            The array, and the meta dict.

        Raises:
            DicomError: As `torchdicom.load` raises it.
            ValueError: If series that are to be channels of one image have other affines or shapes.
        """
        volumes = (load(one, **self._options) for one in _listed(img))
        made = [(_array(volume), _described(volume)) for volume in volumes]
        (array, meta), *others = made
        for other, told in others:
            _check_same(meta, told, array, other)
        if not others:
            return array, meta
        meta = _shared(meta, [told for _, told in others])
        # As MONAI's readers have it: joined along channels where there are, else along a new dim.
        if array.ndim == 4:
            return np.concatenate([one for one, _ in made], axis=-1), meta
        meta["original_channel_dim"] = 0
        return np.stack([one for one, _ in made]), meta


class DictDataset(monai.data.Dataset):  # type: ignore[misc]  # as above
    """Samples of a `VolumeDataset` or `PatchDataset` for MONAI's dictionary transforms.

    ``image``, and ``label`` and ``mask`` where there are, become MetaTensors of shape (channels, x,
    y, z) whose affine leads to RAS, so that spatial transforms keep it, and `Invertd` finds the
    way back. ``series`` and ``target`` stay; ``affine`` and ``spacing_mm``, which no transform of
    MONAI would keep, are in the MetaTensors. A patch has the affine of the patch.

    It can be given to MONAI's `DataLoader` and, as ``data``, to its CacheDataset, which keeps the
    patches of one epoch. Random patches are the same in each epoch until `set_epoch` is called.

    Args:
        dataset: What has the samples, with all its options.
        transform: Called with each sample: a `Compose` of MONAI, for example.

    Raises:
        TypeError: If `dataset` has no volumes or patches.

    Example:
        >>> import torchdicom as td
        >>> from monai.transforms import Orientationd
        >>> volumes = td.VolumeDataset("tests/data/sts_002/ct", window=(40, 400))
        >>> dataset = DictDataset(volumes, Orientationd("image", "RAS", labels=None))
        >>> tuple(dataset[0]["image"].shape)
        (1, 161, 143, 48)
    """

    def __init__(
        self,
        dataset: VolumeDataset | PatchDataset,
        transform: Callable[[Sample], Any] | Sequence[Callable[[Any], Any]] | None = None,
    ) -> None:
        """Nothing is read yet."""
        _check_dataset(dataset)
        # Before 1.5 MONAI's own class left it as it was given, None included.
        steps = transform if isinstance(transform, Compose) else Compose(transform)
        super().__init__(dataset, steps)

    def __getitem__(self, index: Any) -> Any:
        """A sample, or a torch Subset of samples where `index` is a slice or a list."""
        if isinstance(index, np.ndarray):
            index = index.tolist()
        return super().__getitem__(index)

    @property
    def set_epoch(self) -> Callable[[int], None]:
        """`PatchDataset.set_epoch`: another epoch has other random patches.

        MONAI's DataLoader does not call it: do so before each epoch. Its workers see it, those that
        it keeps (``persistent_workers``) too.

        Raises:
            AttributeError: If the samples are volumes, which are the same in each epoch.
        """
        made: Callable[[int], None] = self.data.set_epoch
        return made

    def _transform(self, index: int) -> Any:
        """What MONAI's Dataset calls for a sample."""
        return self.transform(_with_meta(self.data.read(index)))


def to_metatensor(volume: Volume) -> MetaTensor:
    """See `Volume.to_metatensor`."""
    meta = _described(volume)
    meta["original_channel_dim"] = 0 if len(volume.dims) > 3 else _NO_CHANNEL
    return MetaTensor(channels_xyz(volume), meta=meta)


def _with_meta(sample: Sample) -> Sample:
    affine = ras_of_zyx(sample["affine"])
    if np.isnan(affine).any():
        msg = (
            f"series {sample['series']} has no place in the patient, or slices at uneven distances,"
            " so that there is no affine for transforms to work with"
        )
        raise ValueError(msg)
    made = {key: value for key, value in sample.items() if key not in {"affine", "spacing_mm"}}
    for key in ("image", "label", "mask"):
        if key in made:
            values = contiguous_xyz(made[key].permute(0, 3, 2, 1))
            made[key] = MetaTensor(values, meta=_meta(affine, "RAS", values.shape[1:], 0))
    return made


def _meta(
    affine: NDArray[np.float64], space: str, shape: Sequence[int], channel_dim: float
) -> dict[str, Any]:
    """What MONAI needs."""
    return {
        "affine": affine.copy(),
        "original_affine": affine.copy(),
        "space": SpaceKeys.RAS if space == "RAS" else space,
        "spatial_shape": np.array(shape),
        "original_channel_dim": channel_dim,
    }


def _described(volume: Volume) -> dict[str, Any]:
    """The meta dict of a volume; strings and numbers alone besides, which MONAI can collate."""
    affine, space = placed(volume)
    shape = volume.data.shape[-1:-4:-1]
    return {
        **volume.metadata,
        "units": volume.units or "",
        "verdict": str(volume.verdict),
        "spacing": np.array(volume.spacing_mm[::-1]),
        **_meta(affine, space, shape, -1 if len(volume.dims) > 3 else _NO_CHANNEL),
    }


def _array(volume: Volume) -> NDArray[Any]:
    """The values as (x, y, z), or (x, y, z, channels)."""
    data = channels_xyz(volume)
    if len(volume.dims) == 3:
        return contiguous_xyz(data)[0].numpy()
    return np.moveaxis(contiguous_xyz(data).numpy(), 0, -1)


def _check_dataset(dataset: object) -> None:
    if not isinstance(dataset, (VolumeDataset, PatchDataset)):
        kind = type(dataset).__name__
        msg = f"dataset must be a VolumeDataset or a PatchDataset, not {kind}"
        raise TypeError(msg)


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    bridge_options(options, _REFUSED)
    if options.get("dtype") is torch.bfloat16:
        msg = "dtype cannot be torch.bfloat16: readers of MONAI give NumPy arrays, which have none"
        raise ValueError(msg)
    return options


def _check_same(
    meta: dict[str, Any], other: dict[str, Any], array: NDArray[Any], values: NDArray[Any]
) -> None:
    """That two series can be channels of one image."""
    names = [told.get("SeriesInstanceUID", "without UID") for told in (meta, other)]
    which = f"series {names[0]} and {names[1]} cannot be channels of one image"
    if array.shape[:3] != values.shape[:3] or array.ndim != values.ndim:
        msg = f"{which}: they have shapes {array.shape} and {values.shape}"
        raise ValueError(msg)
    is_near = np.allclose(meta["affine"], other["affine"], rtol=1e-6, atol=1e-3)
    if not is_near or meta["space"] != other["space"]:
        msg = f"{which}: they lie elsewhere, or have other axes. Resample one to the other"
        raise ValueError(msg)


def _shared(meta: dict[str, Any], others: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What is true of all channels.

    MONAI's own readers keep what the first file says. A tuple for each would not do: where some
    images of a batch have one and others a word, MONAI cannot collate them; keys that some lack it
    leaves out.
    """
    return {
        key: value
        for key, value in meta.items()
        if key in _OF_ALL or all(key in told and told[key] == value for told in others)
    }


def _listed(data: Any) -> list[Any]:
    return list(data) if isinstance(data, (list, tuple)) else [data]


def _is_series(one: One) -> bool:
    """Whether this alone is a series: a folder, an entry of an index, a list of files."""
    if isinstance(one, (str, os.PathLike)):
        return Path(one).is_dir()
    return isinstance(one, (Series, list, tuple))


def _is_other(one: Any) -> bool:
    """Whether the name of a file is one of another format."""
    if isinstance(one, (str, os.PathLike)):
        name = os.fsdecode(one)
        return name.lower().endswith(_OTHER_FORMATS) and not Path(name).is_dir()
    return isinstance(one, (list, tuple)) and any(map(_is_other, one))
