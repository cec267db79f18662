"""Real segmentations, held against what other programs made of them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

import torchdicom as td
from torchdicom._training._segmentation import read_segmentation

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.data
DCMQI = "dcmqi/data/segmentations"
HIGHDICOM = "highdicom/data/test_files"
STORE = "pydicom-data/data_store/data"


@pytest.mark.parametrize("orientation", [None, "RAI", "PRS"])
def test_label_of_its_images(data_dir: Path, orientation: str | None) -> None:
    """The NRRD beside it is what dcmqi made it of."""
    folder = data_dir / DCMQI / "24x38x3"
    with (folder / "nrrd/label.nrrd").open("rb") as file:
        header, data = file.read().split(b"\n\n", 1)
    assert b"space: left-posterior-superior" in header
    assert b"sizes: 24 38 3" in header
    expected = torch.from_numpy(
        np.frombuffer(gzip.decompress(data), "<i2").reshape(3, 38, 24).astype(np.uint8)
    )
    assert expected.sum() == 315
    index = td.scan(folder / "image", progress=False)
    sample = td.VolumeDataset(
        index, label=lambda _: folder / "seg/label.seg", orientation=orientation
    )[0]
    label = sample["label"][0]
    if orientation == "RAI":
        expected = expected.flip(0, 1, 2)
    elif orientation == "PRS":  # z stays, y is what x was, the other way, and x is what y was
        expected = expected.transpose(1, 2).flip(1)
    assert torch.equal(label, expected)


@pytest.mark.parametrize(
    ("name", "voxels", "first", "last"),
    [
        # Numbers of voxels and the outermost of them, as highdicom 0.28 reads these files.
        (f"{DCMQI}/liver.dcm", 107_098, [0, 145, 254], [2, 364, 155]),
        (f"{STORE}/liver_j2k.dcm", 107_098, [0, 145, 254], [2, 364, 155]),
        (f"{STORE}/liver_nonbyte_aligned.dcm", 107_098, [0, 145, 254], [2, 364, 155]),
        (f"{HIGHDICOM}/seg_image_ct_binary.dcm", 638, [0, 0, 0], [2, 15, 15]),
        (f"{HIGHDICOM}/seg_image_ct_binary_fractional.dcm", 638, [0, 0, 0], [2, 15, 15]),
        (f"{HIGHDICOM}/seg_image_ct_binary_single_frame.dcm", 1832, [0, 6, 57], [0, 94, 59]),
    ],
)
def test_as_highdicom_reads_it(
    data_dir: Path, name: str, voxels: int, first: list[int], last: list[int]
) -> None:
    found = read_segmentation(str(data_dir / name)).data.nonzero()
    assert len(found) == voxels
    assert found[0].tolist() == first
    assert found[-1].tolist() == last


def test_segments_that_overlap(data_dir: Path) -> None:
    path = str(data_dir / HIGHDICOM / "seg_image_ct_binary_overlap.dcm")
    with pytest.raises(td.UnsupportedError, match="Segments 1 and 2 overlap, in 4 voxels"):
        read_segmentation(path)


@pytest.mark.parametrize("name", ["liver_rle.dcm", "liver_deflate.dcm"])
def test_what_pydicom_does_not_decode(data_dir: Path, name: str) -> None:
    with pytest.raises(td.DecodeError, match="pydicom can't decode it") as caught:
        read_segmentation(str(data_dir / STORE / name))
    assert caught.value.code == "decoder_failed"
