"""Volumes as images of SimpleITK, held against what it reads itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch

import torchdicom as td
from landmarks import INDEX, LPS_MM, SHAPE, VALUE, write_landmark
from torchdicom.interop.simpleitk import to_sitk
from volumes import counted, sheared, volume_of

if TYPE_CHECKING:
    from pathlib import Path


def read_by_itself(folder: Path) -> sitk.Image:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def test_landmark(tmp_path: Path) -> None:
    image = to_sitk(td.load(write_landmark(tmp_path)))
    assert image.GetSize() == SHAPE[::-1]
    index = INDEX[::-1]
    assert image.GetPixel(index) == VALUE == sitk.GetArrayViewFromImage(image).max()
    assert image.TransformIndexToPhysicalPoint(index) == pytest.approx(LPS_MM, abs=1e-9)
    assert image.TransformPhysicalPointToIndex(LPS_MM) == index


def test_it_is_what_simpleitk_reads(tmp_path: Path) -> None:
    equal_to_its_own(write_landmark(tmp_path))


@pytest.mark.data
def test_it_is_what_simpleitk_reads_of_a_real_series(data_dir: Path) -> None:
    equal_to_its_own(data_dir / "mirp/test/data/sts_images/STS_002/CT/dicom/image")


def equal_to_its_own(folder: Path) -> None:
    ours, theirs = to_sitk(td.load(folder)), read_by_itself(folder)
    assert ours.GetSize() == theirs.GetSize()
    assert ours.GetSpacing() == pytest.approx(theirs.GetSpacing(), abs=1e-6)
    assert ours.GetOrigin() == pytest.approx(theirs.GetOrigin(), abs=1e-6)
    assert ours.GetDirection() == pytest.approx(theirs.GetDirection(), abs=1e-6)
    values = [sitk.GetArrayViewFromImage(one) for one in (ours, theirs)]
    assert np.array_equal(*values)


def test_metadata_is_text(tmp_path: Path) -> None:
    image = to_sitk(td.load(write_landmark(tmp_path)))
    told = {name: image.GetMetaData(name) for name in image.GetMetaDataKeys()}
    assert (told["Modality"], told["SliceThickness"]) == ("CT", "2.0")
    assert (told["units"], told["verdict"], told["space"]) == ("HU", "ok", "LPS")


def test_colours_are_vectors() -> None:
    image = to_sitk(volume_of(counted(3, 2, 3, 4, dtype=torch.uint8), "czyx"))
    assert image.GetPixel(3, 2, 1) == (23, 47, 71)
    assert image.GetPixelIDTypeAsString() == "vector of 8-bit unsigned integer"


def test_times_are_a_fourth_dim() -> None:
    coords = {"t": {"FrameTime": torch.tensor([0.0, 40, 80], dtype=torch.float64)}}
    image = to_sitk(volume_of(counted(3, 2, 4, 5), "tzyx", coords=coords))
    assert image.GetSize() == (5, 4, 2, 3)
    assert image.GetPixel(4, 3, 1, 2) == 119
    assert image.GetSpacing() == (1, 2, 3, 0.04)
    assert image.TransformIndexToPhysicalPoint((4, 3, 1, 2)) == pytest.approx((0, 11, 9, 0.08))


def test_colours_of_several_times() -> None:
    image = to_sitk(volume_of(counted(2, 3, 2, 3, 4), "tczyx"))
    assert image.GetPixel(3, 2, 1, 1) == (95, 119, 143)
    assert image.GetSpacing()[3] == 1


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (torch.bool, "8-bit unsigned integer"),
        (torch.bfloat16, "32-bit float"),
        (torch.int64, "64-bit signed integer"),
        (torch.uint16, "16-bit unsigned integer"),
    ],
)
def test_types(dtype: torch.dtype, name: str) -> None:
    image = to_sitk(volume_of(counted(1, 1, 2).to(dtype)))
    assert (image.GetPixelIDTypeAsString(), image.GetPixel(1, 0, 0)) == (name, 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"affine": sheared()}, r'SimpleITK cannot carry\. .*Policy\(gantry_tilt="resample"\)'),
        ({"affine": None}, r"no affine, .*sitk\.GetImageFromArray"),
        ({"space": "VOLUME"}, r"those of its transducer"),
    ],
)
def test_what_it_cannot_have_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        to_sitk(volume_of(counted(2, 3, 4), **changes))


@pytest.mark.data
def test_a_tilted_gantry_is_carried_once_it_is_resampled(data_dir: Path) -> None:
    known = json.loads((data_dir / "_digests" / "d2n-tilt.json").read_text())
    folder = data_dir / known["dicom_dir"]
    with pytest.raises(ValueError, match="SimpleITK cannot carry"):
        to_sitk(td.load(folder))
    volume = td.load(folder, policy=td.Policy(gantry_tilt="resample"))
    assert volume.affine is not None
    image = to_sitk(volume)
    far = volume.affine @ torch.tensor([1.0, 2, 3, 1], dtype=torch.float64)
    assert image.TransformIndexToPhysicalPoint((3, 2, 1)) == pytest.approx(far[:3].tolist())
