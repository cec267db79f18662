"""Segmentations that are broken, or make no label."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import torchdicom as td
from builders import JPEG_2000, Element, element, encode, part10
from builders_frames import encapsulated
from builders_segmentation import measures, orientation, segmentation
from segmentations import PLANES, X, Y, Z, blank, label_of
from torchdicom._training._segmentation import read_segmentation
from training import SHAPE, write_volume

if TYPE_CHECKING:
    from pathlib import Path


UNUSUAL = "unsupported_functional_groups"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_volume(tmp_path / "ct")


def two(**options: Any) -> bytes:
    """Two frames of ones on neighbouring planes, and what is wrong with them."""
    form: dict[str, Any] = {"points": PLANES[:2], "segments": [1, 1]}
    return segmentation(np.ones((2, *SHAPE[1:]), np.uint8), **form | options)


SLIDE = [Element(0x00480006, "UL", 100), Element(0x00480007, "UL", 100)]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"points": [PLANES[0]] * 2, "segments": [3, 5]}, "Segments 3 and 5 overlap, in 120 vox"),
        ({"points": [PLANES[0]] * 2}, "Two of its frames are segment 1 of one plane"),
        ({"extra": SLIDE}, "of a slide"),
        ({"points": [(X, Y, Z), (X, Y, Z + 6)]}, "lie 6 mm apart, and SpacingBetweenSlices is 2.5"),
        (
            {"shared": [measures(between=None, thickness=1.6), orientation()]},
            "lie 2.5 mm apart, and SliceThickness is 1.6",
        ),
        ({"points": [(X, Y, Z), (X + 1, Y, Z)], "segments": [1, 2]}, "1 mm beside one even stack"),
        (
            {
                "shared": [measures()],
                "frames": [[orientation()], [orientation((0, 1, 0, 1, 0, 0))]],
            },
            "ImageOrientationPatient is not the same",
        ),
        (
            {"shared": [orientation()], "frames": [[measures()], [measures((0.5, 0.5))]]},
            "PixelSpacing is not the same",
        ),
        ({"kind": "LABELMAP", "points": [PLANES[0]] * 2}, "Two of its label maps are of one plane"),
    ],
)
def test_what_makes_no_label(folder: Path, options: dict[str, Any], text: str) -> None:
    with pytest.raises(td.UnsupportedError, match=text) as caught:
        label_of(folder, two(**options))
    assert caught.value.code == UNUSUAL
    assert "have label= give a tensor or a Volume" in str(caught.value)
    assert str(caught.value.path).endswith("label.dcm")


def test_distances_that_are_no_multiples(folder: Path) -> None:
    points = [(X, Y, Z + at) for at in (0, 2.5, 6.0)]
    data = segmentation(np.ones((3, *SHAPE[1:]), np.uint8), points, [1] * 3)
    with pytest.raises(td.UnsupportedError, match=r"no multiples of 2\.5 mm"):
        label_of(folder, data)


def test_segment_zero(folder: Path) -> None:
    cells = np.full((1, *SHAPE[1:]), 9, np.uint8)
    cells[0, 0, 0] = 0
    data = segmentation(cells, PLANES[:1], [None], kind="LABELMAP", PixelPaddingValue=9)
    with pytest.raises(td.UnsupportedError, match="Background is 9, and there is a segment 0"):
        label_of(folder, data)


@pytest.mark.parametrize(
    ("options", "code", "where"),
    [
        ({"kind": ""}, "invalid_value", "(0062,0001) SegmentationType"),
        ({"points": [PLANES[0], None]}, "missing_element", "(0020,0032) ImagePositionPatient"),
        ({"segments": [1, None]}, "missing_element", "(0062,000b) ReferencedSegmentNumber"),
        ({"segments": [1, 0]}, "invalid_value", "(0062,000b) ReferencedSegmentNumber"),
        ({"shared": [measures()]}, "missing_element", "(0020,0037) ImageOrientationPatient"),
        ({"shared": [orientation()]}, "missing_element", "(0028,0030) PixelSpacing"),
        (
            {"shared": [measures((0, 0)), orientation()]},
            "invalid_value",
            "(0028,0030) PixelSpacing",
        ),
        (
            {"shared": [measures((0.5, 0.5, 0.5)), orientation()]},
            "invalid_value",
            "(0028,0030) PixelSpacing",
        ),
        (
            {"shared": [measures(), orientation((1, 0, 0, 1, 0, 0))]},
            "invalid_geometry",
            "(0020,0037) ImageOrientationPatient",
        ),
        (
            {"shared": [measures(between=None), orientation()]},
            "invalid_value",
            "(0018,0050) SliceThickness",
        ),
        (
            {"shared": [measures(between=-1), orientation()]},
            "invalid_value",
            "(0018,0088) SpacingBetweenSlices",
        ),
        (
            {"points": [PLANES[0], (X, Y, "3x")]},
            "invalid_value",
            "(0020,0032) ImagePositionPatient",
        ),
        ({"kind": "FRACTIONAL"}, "missing_element", "(0062,000e) MaximumFractionalValue"),
    ],
)
def test_what_is_broken(folder: Path, options: dict[str, Any], code: str, where: str) -> None:
    with pytest.raises(td.ParseError) as caught:
        label_of(folder, two(**options))
    assert (caught.value.code, caught.value.element) == (code, where)


def test_planes_without_end(folder: Path) -> None:
    with pytest.raises(td.LimitError, match="spans 4000001 planes") as caught:
        label_of(folder, two(points=[(X, Y, 0), (X, Y, 1e7)]))
    assert caught.value.code == "limit_frames"


def test_frames_that_are_not_all_there(folder: Path) -> None:
    data = segmentation(np.ones((1, *SHAPE[1:]), np.uint8), PLANES[:2], [1, 1])
    with pytest.raises(td.ParseError) as caught:
        label_of(folder, data)
    assert caught.value.code == "frame_count_mismatch"


def test_pixels_that_are_not_there(folder: Path) -> None:
    # One row more than there are bits for.
    data = two(Rows=SHAPE[1] + 1)
    with pytest.raises(td.DicomError) as caught:
        label_of(folder, data)
    assert caught.value.code == "truncated_pixels"
    # Where it became so after it was scanned.
    with pytest.raises(td.ParseError) as caught:
        read_segmentation(str(folder.parent / "label.dcm"))
    assert caught.value.code == "truncated_pixels"


def test_codestream_that_is_none(folder: Path) -> None:
    cells = np.ones((1, *SHAPE[1:]), np.uint8)
    pixels = encapsulated([[b"\xff\x4f\xff\x51" + bytes(96)]])
    data = segmentation(
        cells, PLANES[:1], [1], kind="FRACTIONAL", most=1, syntax=JPEG_2000, pixel_element=pixels
    )
    with pytest.raises(td.DecodeError) as caught:
        label_of(folder, data)
    assert caught.value.code == "decoder_failed"


def test_under_quarantine_it_is_a_failure_of_the_sample(tmp_path: Path) -> None:
    for uid in ("1.2.3.1", "1.2.3.2"):
        write_volume(tmp_path / "ct" / uid, SeriesInstanceUID=uid)
    cells = blank(1)
    cells[0, 1, 1] = 1
    (tmp_path / "1.2.3.1").write_bytes(segmentation(cells, PLANES[:1], [1]))
    (tmp_path / "1.2.3.2").write_bytes(two(points=[PLANES[0]] * 2))
    dataset = td.VolumeDataset(
        tmp_path / "ct", label=lambda series: tmp_path / series.key, on_error="quarantine"
    )
    with pytest.warns(td.DicomWarning, match=r"Series 1\.2\.3\.2 can't be read"):
        assert [one["series"] for one in dataset] == ["1.2.3.1"] * 2
    assert dataset.failures[1].code == UNUSUAL


def test_without_pydicom(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'torchdicom\[reference\]'"):
        label_of(folder, two())


def test_what_has_no_voxels(folder: Path, tmp_path: Path) -> None:
    attributes = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.481.3",
        "SOPInstanceUID": "1.2.3.9.1",
        "Modality": "RTSTRUCT",
        "SeriesInstanceUID": "1.2.3.9",
    }
    where = tmp_path / "contours.dcm"
    where.write_bytes(part10(encode([element(*pair) for pair in attributes.items()])))
    with pytest.raises(ValueError, match=r"has no images: .*contours \(RTSTRUCT\)"):
        td.VolumeDataset(folder, label=lambda _: where)[0]


def test_two_segmentations(folder: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    both.mkdir()
    for i in range(2):
        (both / str(i)).write_bytes(two(SOPInstanceUID=f"1.2.3.9.{i + 1}"))
    with pytest.raises(ValueError, match="is 2 segmentations, and must be one"):
        td.VolumeDataset(folder, label=lambda _: both)[0]
    # A folder with one is as good as its file.
    (both / "1").unlink()
    assert td.VolumeDataset(folder, label=lambda _: both)[0]["label"].sum() == 240
