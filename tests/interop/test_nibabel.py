"""Volumes as NIfTI: where voxels are, in what types, and what a file keeps."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import pytest
import torch

import torchdicom as td
from landmarks import INDEX, RAS_MM, SHAPE, VALUE, brightest, place, write_landmark
from torchdicom.interop.nibabel import to_nibabel
from volumes import counted, sheared, volume_of

if TYPE_CHECKING:
    from pathlib import Path


def kept(image: Any, folder: Path) -> Any:
    """The image as a file has it."""
    nibabel.save(image, folder / "image.nii.gz")
    return nibabel.load(folder / "image.nii.gz")


def test_landmark(tmp_path: Path) -> None:
    volume = td.load(write_landmark(tmp_path / "ct"))
    image = to_nibabel(volume)
    assert image.shape == SHAPE[::-1]
    for one in (image, kept(image, tmp_path)):
        index = brightest(one.dataobj)
        assert index == INDEX[::-1]
        assert np.asarray(one.dataobj)[index] == VALUE
        for affine in (one.affine, one.get_sform(), one.get_qform()):
            assert place(affine, index) == RAS_MM
        assert (int(one.header["sform_code"]), int(one.header["qform_code"])) == (1, 1)
        assert one.header.get_xyzt_units() == ("mm", "unknown")
    assert np.array_equal(image.affine, volume.to_ras_xyz()[1].numpy())
    assert image.get_data_dtype() == np.float32


def test_memory_is_shared() -> None:
    volume = volume_of(counted(2, 3, 4))
    image = to_nibabel(volume)
    volume.data[1, 2, 3] = -7
    assert image.dataobj[3, 2, 1] == -7


def test_metadata_is_in_a_comment(tmp_path: Path) -> None:
    volume = td.load(write_landmark(tmp_path / "ct"))
    (extension,) = kept(to_nibabel(volume), tmp_path).header.extensions
    told = json.loads(extension.get_content())
    assert told["Modality"] == "CT"
    assert (told["units"], told["verdict"], told["space"]) == ("HU", "ok", "LPS")


def test_shear_is_in_the_sform_alone(tmp_path: Path) -> None:
    image = kept(to_nibabel(volume_of(counted(2, 3, 4), affine=sheared())), tmp_path)
    assert int(image.header["qform_code"]) == 0
    assert place(image.affine, (3, 2, 1)) == (1.0, -10.0, 9.0)


def test_without_a_place_there_is_no_code(tmp_path: Path) -> None:
    image = kept(to_nibabel(volume_of(counted(1, 3, 4), affine=None)), tmp_path)
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (0, 0)
    assert image.header.get_zooms() == (1.0, 2.0, 1.0)


@pytest.mark.parametrize(
    ("name", "values", "step", "unit"),
    [
        ("FrameTime", (0.0, 40.0, 80.0), 0.04, "sec"),
        ("AcquisitionTime", (100.0, 102.0, 104.0), 2.0, "sec"),
        ("FrameReferenceTime", (0.0, 10.0, 50.0), 0.0, "unknown"),
        ("DiffusionBValue", (0.0, 1.0, 2.0), 0.0, "unknown"),
    ],
)
def test_times(
    tmp_path: Path, name: str, values: tuple[float, ...], step: float, unit: str
) -> None:
    coords = {"t": {name: torch.tensor(values, dtype=torch.float64)}}
    volume = volume_of(counted(3, 2, 4, 5), "tzyx", coords=coords)
    image = kept(to_nibabel(volume), tmp_path)
    assert image.shape == (5, 4, 2, 3)
    assert image.dataobj[4, 3, 1, 2] == 119
    assert image.header.get_zooms() == pytest.approx((1, 2, 3, step))
    assert image.header.get_xyzt_units() == ("mm", unit)


def test_colours(tmp_path: Path) -> None:
    image = kept(to_nibabel(volume_of(counted(3, 2, 3, 4, dtype=torch.uint8), "czyx")), tmp_path)
    assert image.shape == (4, 3, 2)
    assert tuple(np.asarray(image.dataobj)[3, 2, 1].tolist()) == (23, 47, 71)


def test_colours_of_more_bits_are_refused() -> None:
    with pytest.raises(ValueError, match=r"colours are int32, .* scale them to 0\.\.255"):
        to_nibabel(volume_of(counted(3, 1, 2, 2, dtype=torch.int32), "czyx"))


@pytest.mark.parametrize(
    ("dtype", "kept_as"),
    [
        (torch.int8, np.int8),
        (torch.uint16, np.uint16),
        (torch.int64, np.int64),
        (torch.float64, np.float64),
        (torch.bfloat16, np.float32),
        (torch.float16, np.float32),
    ],
)
def test_types(tmp_path: Path, dtype: torch.dtype, kept_as: Any) -> None:
    image = kept(to_nibabel(volume_of(counted(2, 3, 4, dtype=dtype))), tmp_path)
    assert image.get_data_dtype() == kept_as
    assert image.dataobj[3, 2, 1] == 23


def test_mask_is_an_image_of_its_own() -> None:
    volume = volume_of(counted(2, 3, 4), valid_mask=counted(2, 3, 4) > 22)
    assert volume.valid_mask is not None
    image = to_nibabel(replace(volume, data=volume.valid_mask))
    assert image.get_data_dtype() == np.uint8
    assert np.argwhere(np.asarray(image.dataobj)).tolist() == [[3, 2, 1]]


def test_places_of_a_transducer_are_refused() -> None:
    with pytest.raises(ValueError, match=r"space 'VOLUME'\), and NIfTI has places in the patient"):
        to_nibabel(volume_of(counted(1, 2, 2), space="VOLUME"))


@pytest.mark.data
def test_reference_of_another_converter(data_dir: Path, tmp_path: Path) -> None:
    """Every voxel of theirs is found in ours by its place in the patient."""
    folder = data_dir / "mirp/test/data/sts_images/STS_002/MR_T1"
    theirs: Any = nibabel.load(folder / "nifti/image/image.nii.gz")
    ours = kept(to_nibabel(td.load(folder / "dicom/image")), tmp_path)
    turn = np.linalg.solve(ours.affine, theirs.affine)
    assert np.allclose(turn, np.rint(turn), atol=1e-3)
    at = np.rint(turn).astype(int)
    index = np.indices(theirs.shape).reshape(3, -1)
    found = np.asarray(ours.dataobj)[tuple(at[:3, :3] @ index + at[:3, 3:])]
    assert np.array_equal(found, np.asarray(theirs.dataobj).ravel())
