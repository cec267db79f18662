"""DICOM as images of nnU-Net v2, and its predictions as NIfTI in their place.

nnU-Net finds a reader by the name that dataset.json has for it. Import this module in the script
that runs nnU-Net, at its top, and ``"overwrite_image_reader_writer": "DicomIO"`` is found, by its
worker processes too. For nnU-Net's own commands run ``python -m torchdicom.interop.nnunet`` once
in its environment, which makes one file there that imports this one.

An image of a case is a DICOM file, a folder, or a file of `write_series_file`, which is what
dataset.json has: nnU-Net wants files there. ``file_ending`` is that of labels and predictions,
``".nii.gz"``. Its predictor takes all three, as lists of images and a name for each prediction.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import torch

from torchdicom._load import load
from torchdicom._training._label_files import bare_volume, read_label
from torchdicom._training._labels import nearest
from torchdicom._volume import turned
from torchdicom.interop._extras import needs
from torchdicom.interop._placed import array_of, check_space

with needs("nnunet", "nnunetv2", "nibabel"):
    import nibabel
    import nnunetv2.imageio
    from nnunetv2.imageio import base_reader_writer

    from torchdicom.interop.nibabel import to_nibabel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdicom._volume import Volume

    _Array = np.ndarray[Any, Any]

_SERIES_FILE: Final = ".series.json"
_NIFTI: Final = (".nii", ".nii.gz")
# In voxels: what NIfTI's floats may move a corner, and far from half a voxel.
_SAME_GRID: Final = 0.05


class DicomIO(base_reader_writer.BaseReaderWriter):  # type: ignore[misc]  # has no types
    """The reader and writer for nnU-Net's ``overwrite_image_reader_writer``.

    A label read after an image is brought to the order of the image's voxels, whatever that of
    its own axes is, and refused where it has other voxels; see `write_label`. Without an image
    before it, as nnU-Net evaluates, its axes are turned to RAS, so that a label and a prediction
    of one image have one order.
    """

    # What nnU-Net may give to read_images; the NIfTI of labels and predictions is not asked about.
    supported_file_endings: ClassVar[list[str]] = [_SERIES_FILE, ".dcm"]

    def __init__(self) -> None:
        """No image has been read."""
        self._image: Volume | None = None

    def read_images(self, image_fnames: Sequence[str]) -> tuple[_Array, dict[str, Any]]:
        """The channels of a case, of series that have the same voxels.

        Args:
            image_fnames: One series each; of several times or of colours it is several channels.

        Returns:
            Float32 array of shape (channels, slices, rows, columns), and the properties that
            `write_seg` needs.

        Raises:
            DicomError: If one is not exactly one sound volume.
            ValueError: If one is NIfTI, or their voxels are not at the same places.
        """
        volumes = [_load(name) for name in image_fnames]
        first = volumes[0]
        for name, other in zip(image_fnames, volumes, strict=True):
            check_space(other, "nnU-Net")
            if _shape(other) != _shape(first) or not _same_place(other.affine, first.affine):
                msg = (
                    f"the images {image_fnames[0]} and {name} of one case have other voxels, of "
                    f"shapes {_shape(first)} and {_shape(other)}: resample one to the other first"
                )
                raise ValueError(msg)
        self._image = first
        channels = [array_of(one.data.reshape(-1, *_shape(one))) for one in volumes]
        return np.concatenate(channels, dtype=np.float32, casting="unsafe"), _properties(first)

    def read_seg(self, seg_fname: str) -> tuple[_Array, dict[str, Any]]:
        """A label: NIfTI, a DICOM segmentation or a DICOM volume.

        Returns:
            Float32 array of shape (1, slices, rows, columns), in the order of the image read
            before it, and properties for `write_seg`.

        Raises:
            ValueError: If it has other voxels than that image.
        """
        label = read_label(os.fspath(seg_fname))
        if len(label.dims) != 3:
            msg = f"the label {seg_fname} has dims {label.dims}, and must have z, y and x alone"
            raise ValueError(msg)
        image = self._image
        if image is None:
            label = _towards_ras(label)
        elif image.affine is None or label.affine is None:
            if _shape(label) != _shape(image):
                _refuse_grid(seg_fname, label, image)
            label = bare_volume(label.data, image.affine, {})
        else:
            if not _is_turned(label, torch.linalg.solve(label.affine, image.affine), image):
                _refuse_grid(seg_fname, label, image)
            label = _on_grid(label, label.affine, image, image.affine)
        # Not its own type: nnU-Net writes -1 into it, and reads labels as floats elsewhere too.
        return array_of(label.data.float())[None], _properties(label)

    def write_seg(self, seg: _Array, output_fname: str, properties: dict[str, Any]) -> None:
        """A segmentation as NIfTI, with the place of the image that it is of.

        Args:
            seg: Integers of shape (slices, rows, columns).
            output_fname: Ends in .nii or .nii.gz, as file_ending of dataset.json says.
            properties: Those of `read_images` or `read_seg`.

        Raises:
            ValueError: If the name is not that of NIfTI, a number not that of a label, or the shape
                not that of the image.
        """
        _check_nifti(output_fname)
        _check_labels(seg, output_fname)
        place, shape = (properties["torchdicom"][name] for name in ("affine", "shape"))
        if seg.shape != tuple(shape):
            msg = (
                f"the segmentation for {output_fname} has shape {seg.shape}, and its image, whose "
                f"place it would get, {tuple(shape)}: bring it to the image's voxels first"
            )
            raise ValueError(msg)
        affine = None if place is None else torch.tensor(place, dtype=torch.float64)
        small = seg.astype(np.uint8 if seg.max(initial=0) <= 255 else np.uint16)
        nibabel.save(to_nibabel(bare_volume(torch.from_numpy(small), affine, {})), output_fname)


def write_series_file(file: str | Path, source: str | Path, *, series: str | None = None) -> None:
    """A file that stands for a series, since nnU-Net takes no folders.

    Args:
        file: To write; ends in ``.series.json``.
        source: The DICOM file or folder; kept relative to ``file``.
        series: Its key, where the folder has several.

    Raises:
        FileNotFoundError: If there is no source.
        ValueError: If ``file`` has another ending.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = f"{folder}/case_0000.series.json"
        ...     write_series_file(file, "tests/data/sts_002/ct")
        ...     image, properties = DicomIO().read_images([file])
        >>> image.shape, [round(mm, 4) for mm in properties["spacing"]]
        ((1, 48, 143, 161), [3.27, 0.9766, 0.9766])
    """
    if not os.fspath(file).endswith(_SERIES_FILE):
        msg = f"the file of a series ends in {_SERIES_FILE}, and {file} does not"
        raise ValueError(msg)
    if not Path(source).exists():
        msg = f"there is no {source} to write a file of a series for"
        raise FileNotFoundError(msg)
    relative = os.path.relpath(Path(source).resolve(), Path(file).resolve().parent)
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(json.dumps({"source": relative, "series": series}) + "\n")


def write_label(file: str | Path, label: str | Path, image: str | Path) -> None:
    """A label on the voxels of an image, by nearest neighbour, as NIfTI for nnU-Net.

    Args:
        file: To write; ends in .nii or .nii.gz.
        label: NIfTI, a DICOM segmentation or a DICOM volume, of any grid; background where it
            does not reach.
        image: As in `DicomIO.read_images`.

    Raises:
        ValueError: If one of the two has no place in the patient, or nothing of the label lies in
            the image.
    """
    _check_nifti(os.fspath(file))
    volume, drawn = _load(os.fspath(image)), read_label(os.fspath(label))
    check_space(volume, "nnU-Net")
    if volume.affine is None or drawn.affine is None or len(drawn.dims) != 3:
        msg = f"the label {label} and the image {image} must both be volumes with a place"
        raise ValueError(msg)
    placed = _on_grid(drawn, drawn.affine, volume, volume.affine)
    if bool(drawn.data.any()) and not bool(placed.data.any()):
        msg = f"nothing of the label {label} lies in the image {image}: they are no pair"
        raise ValueError(msg)
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(to_nibabel(placed), file)


def install() -> Path:
    """Let nnU-Net's own commands find `DicomIO`: one file in its package that imports this one."""
    file = Path(nnunetv2.imageio.__path__[0]) / "torchdicom_reader_writer.py"
    file.write_text("from torchdicom.interop.nnunet import DicomIO\n")
    return file


def _load(name: str) -> Volume:
    if name.lower().endswith(_NIFTI):
        msg = (
            f"{name} is NIfTI, and images that DicomIO reads are DICOM: of NIfTI alone nnU-Net's "
            "own NibabelIO makes cases, and a case has one reader"
        )
        raise ValueError(msg)
    if not name.endswith(_SERIES_FILE):
        return load(name)
    told = json.loads(Path(name).read_text())
    return load(Path(name).resolve().parent / told["source"], series=told["series"])


def _shape(volume: Volume) -> tuple[int, int, int]:
    slices, rows, columns = (volume.data.shape[volume.dims.index(dim)] for dim in "zyx")
    return slices, rows, columns


def _same_place(one: torch.Tensor | None, other: torch.Tensor | None) -> bool:
    if one is None or other is None:
        return one is other
    return torch.allclose(one, other, rtol=1e-5, atol=1e-3)


def _properties(volume: Volume) -> dict[str, Any]:
    """Plain values: nnU-Net pickles them, and compares those that it calls nibabel's."""
    z, y, x = volume.spacing_mm
    y, x = (1.0 if math.isnan(mm) else mm for mm in (y, x))
    # What nnU-Net asks for where an image is flat.
    z = 999 * max(1.0, y, x) if math.isnan(z) else z
    ours: dict[str, Any] = {"affine": None, "shape": _shape(volume)}
    told: dict[str, Any] = {"spacing": [z, y, x], "torchdicom": ours}
    if volume.affine is not None:
        ours["affine"] = volume.affine.tolist()
        told["nibabel_stuff"] = {"original_affine": volume.to_ras_xyz()[1].numpy()}
    return told


def _is_turned(label: Volume, at: torch.Tensor, image: Volume) -> bool:
    """Whether the two have the same voxels, up to the order and direction of axes.

    Args:
        label: Of any grid.
        at (Tensor of shape (4, 4)): Indices of the image to those of the label.
        image: Of any grid.
    """
    exact = at[:3]
    turn = exact.round()
    axes = turn[:, :3].abs()
    if not bool((axes.sum(0) == 1).all()) or not bool((axes.sum(1) == 1).all()):
        return False
    image_shape = torch.tensor(_shape(image), dtype=torch.float64)
    shape = torch.tensor(_shape(label), dtype=torch.float64)
    far = (exact - turn).abs() @ torch.cat([image_shape, torch.ones(1).double()])
    starts = torch.where(turn[:, :3].sum(1) < 0, shape - 1, 0.0)
    return (
        bool((far < _SAME_GRID).all())
        and torch.equal(axes @ image_shape, shape)
        and torch.equal(turn[:, 3].abs(), starts)
    )


def _on_grid(
    label: Volume, label_affine: torch.Tensor, image: Volume, affine: torch.Tensor
) -> Volume:
    data = nearest(label.data[None], label_affine, affine, _shape(image))[0]
    return bare_volume(data, affine, {})


def _towards_ras(label: Volume) -> Volume:
    """The same voxels with axes that run as closely to R, A and S as they can."""
    if label.affine is None:
        return label
    data, affine = label.to_ras_xyz()
    image = nibabel.Nifti1Image(data.numpy(), affine.numpy(), dtype=data.numpy().dtype)
    image = nibabel.as_closest_canonical(image)
    affine = turned(torch.tensor(np.asarray(image.affine, np.float64)))
    array = np.ascontiguousarray(np.asanyarray(image.dataobj).transpose(2, 1, 0))
    return bare_volume(torch.from_numpy(array), affine, {})


def _refuse_grid(name: str, label: Volume, image: Volume) -> None:
    msg = (
        f"the label {name} has other voxels than the image read before it, of shapes "
        f"{_shape(label)} and {_shape(image)}: torchdicom.interop.nnunet.write_label brings it to "
        "them"
    )
    raise ValueError(msg)


def _check_nifti(name: str) -> None:
    if not name.lower().endswith(_NIFTI):
        msg = f'{name} is not the name of NIfTI: "file_ending" of dataset.json must be ".nii.gz"'
        raise ValueError(msg)


def _check_labels(seg: _Array, name: str) -> None:
    """That all values are whole numbers of 16 bits."""
    if seg.dtype.kind not in "biu":
        whole = np.isfinite(seg) & (seg == np.trunc(seg))
        if not whole.all():
            msg = f"labels of {name} must be whole numbers, and one is {seg[~whole].flat[0]}"
            raise ValueError(msg)
    if seg.min(initial=0) < 0 or seg.max(initial=0) > 65535:
        msg = f"labels of {name} are {seg.min()} to {seg.max()}, not 0 to 65535"
        raise ValueError(msg)


# nnU-Net looks for a class of this name in each module of its imageio. Done on import, so that a
# worker process that gets the class has it there, too.
base_reader_writer.DicomIO = DicomIO

if __name__ == "__main__":
    print(install())  # noqa: T201 - a command
