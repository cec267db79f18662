"""DICOM segmentations as `label=`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import PIXEL_DATA, Element, ct_slice
from builders_parts import DX_IMAGE
from builders_segmentation import identification, measures, orientation, position, segmentation
from segmentations import PLANES, X, Y, Z, blank, label_of, marks
from training import SHAPE, STEP, ULTRASOUND, ramp, write_volume

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_volume(tmp_path / "ct")


def test_frames_in_any_order_and_planes_without_one(folder: Path) -> None:
    # 10 x 11 pixels: no frame starts where a byte does, but for the first.
    cells = blank(3, (10, 11))
    cells[0, 2, 3] = cells[1, 9, 10] = cells[2, 0, 0] = cells[2, 9, 7] = 1
    points = [PLANES[z] for z in (5, 1, 2)]
    label = label_of(folder, segmentation(cells, points, [1, 1, 4]))
    assert label.dtype == torch.uint8
    assert label.shape == (1, *SHAPE)
    assert marks(label) == [[1, 9, 10, 1], [2, 0, 0, 4], [2, 9, 7, 4], [5, 2, 3, 1]]


def test_segments_of_one_plane(folder: Path) -> None:
    cells = blank(3)
    cells[0, 4, :3] = cells[1, 4, 3:5] = cells[2, 6, 6] = 1
    points = [PLANES[3], PLANES[3], PLANES[3]]
    label = label_of(folder, segmentation(cells, points, [2, 7, 300]))
    assert label.dtype == torch.int32
    assert marks(label) == [
        [3, 4, 0, 2], [3, 4, 1, 2], [3, 4, 2, 2], [3, 4, 3, 7], [3, 4, 4, 7], [3, 6, 6, 300],
    ]  # fmt: skip


@pytest.mark.parametrize(("most", "least"), [(255, 128), (200, 100), (3, 2)])
def test_fractional_counts_from_half_on(folder: Path, most: int, least: int) -> None:
    cells = blank(1)
    cells[0, 1, :4] = [0, least - 1, least, most]
    data = segmentation(cells, [PLANES[0]], [1], kind="FRACTIONAL", most=most)
    assert marks(label_of(folder, data)) == [[0, 1, 2, 1], [0, 1, 3, 1]]


def test_binary_of_a_byte_a_voxel(folder: Path) -> None:
    """Against the standard, and seen: what is not 0 counts."""
    cells = blank(2)
    cells[0, 1, 2], cells[1, 3, 4] = 1, 255
    data = segmentation(
        cells,
        PLANES[:2],
        [1, 2],
        pixel_element=Element(PIXEL_DATA, "OB", cells.tobytes()),
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
    )
    assert marks(label_of(folder, data)) == [[0, 1, 2, 1], [1, 3, 4, 2]]


@pytest.mark.parametrize("background", [None, 0, 9])
@pytest.mark.parametrize("kind", ["uint8", "uint16"])
def test_label_map(folder: Path, kind: str, background: int | None) -> None:
    cells = np.full((2, *SHAPE[1:]), background or 0, kind)
    cells[0, 1, 2], cells[1, 3, 4] = 5, 200
    points = [PLANES[6], PLANES[2]]
    data = segmentation(cells, points, [None, None], kind="LABELMAP", PixelPaddingValue=background)
    label = label_of(folder, data)
    assert label.dtype == (torch.uint8 if kind == "uint8" else torch.int32)
    assert marks(label) == [[2, 3, 4, 200], [6, 1, 2, 5]]


def test_groups_of_each_frame_or_of_all(folder: Path) -> None:
    cells = blank(2)
    cells[:, 3, 8] = 1
    own = [[measures(), orientation()], [measures(), orientation()]]
    data = segmentation(cells, PLANES[4:6], [None, None], shared=[identification(6)], frames=own)
    assert marks(label_of(folder, data)) == [[4, 3, 8, 6], [5, 3, 8, 6]]
    # All frames of one plane.
    one = blank(1)
    one[0, 2, 2] = 1
    shared = [measures(), orientation(), position(PLANES[7])]
    data = segmentation(one, [None], [1], shared=shared)
    assert marks(label_of(folder, data)) == [[7, 2, 2, 1]]


def test_grid_of_its_own(folder: Path) -> None:
    """Sagittal, of other voxels: where a block in millimetres lies, is where it is found."""
    # Rows run along z downwards, columns along y; planes along -x.
    cells = blank(5, (6, 4))
    cells[1:4, 2:4, 1] = 1
    spacing = (STEP, 0.5)
    points = [(X + 2.0 - 0.25 * i, Y + 1.0, Z + 12.5) for i in range(5)]
    groups = [measures(spacing, 0.25), orientation((0, 1, 0, 0, 0, -1))]
    label = label_of(folder, segmentation(cells, points, [3] * 5, shared=groups))
    # Plane i: x = 2.0 - 0.25 i mm, column 8 - i. Row r: slice 5 - r. Column c: row 2 + c.
    expected = [[z, 3, x, 3] for z in (2, 3) for x in (5, 6, 7)]
    assert marks(label) == expected


def test_oblique_and_even_steps_beside_the_normal(folder: Path) -> None:
    """Planes that are sheared, as a tilted gantry has them, are where their positions say."""
    cells = blank(3)
    cells[:, 5, 5] = 1
    points = [(X, Y + 0.5 * i, Z + STEP * i) for i in range(3)]
    label = label_of(folder, segmentation(cells, points, [1] * 3))
    assert marks(label) == [[0, 5, 5, 1], [1, 6, 5, 1], [2, 7, 5, 1]]


@pytest.mark.parametrize(
    ("between", "thickness", "planes", "expected"),
    [
        # Each plane is as thick as one slice of the images, which are 2.5 mm apart.
        (2.5, None, (1, 5), [1, 5]),
        (None, 2.5, (1, 5), [1, 5]),
        ("2.500001", "5", (1, 2, 5), [1, 2, 5]),
        # Thicker than far apart: neighbours lie as close as they get.
        (None, 4, (1, 2, 4), [1, 2, 4]),
        # One plane of two slices, about its middle, and the edge of it.
        (5, None, (2,), [1, 2]),
        (7.5, None, (2,), [1, 2, 3]),
    ],
)
def test_distance_of_planes(
    folder: Path,
    between: Any,
    thickness: Any,
    planes: tuple[int, ...],
    expected: list[int],
) -> None:
    cells = np.ones((len(planes), *SHAPE[1:]), np.uint8)
    groups = [measures(between=between, thickness=thickness), orientation()]
    points = [PLANES[z] for z in planes]
    label = label_of(folder, segmentation(cells, points, [1] * len(planes), shared=groups))
    assert label[0].flatten(1).all(1).nonzero()[:, 0].tolist() == expected
    assert label.sum() == len(expected) * 120


def test_with_other_options(folder: Path, tmp_path: Path) -> None:
    cells = blank(1)
    cells[0, 3, 8] = 1
    data = segmentation(cells, [PLANES[5]], [2])
    turned = label_of(folder, data, orientation="RAI", size=(8, 10, 12))
    assert marks(turned) == [[2, 6, 3, 2]]
    path = tmp_path / "label.dcm"
    patches = td.PatchDataset(
        folder, (1, 1, 1), patches_per_volume=2, mode="foreground", label=lambda _: path
    )
    assert [one["position"].tolist() for one in patches] == [[5, 3, 8]] * 2
    images = td.ImageDataset(
        folder, kinds=("volume",), output="modality", label=lambda _: path, size=(5, 4)
    )
    # Of three columns and two rows the one about their middle: 3 * 2 + 1 is column 7, none is 8.
    assert [one["label"].sum().item() for one in images] == [0] * 8


@pytest.mark.parametrize("uid", ["1.1", "1.2", None])
def test_frame_of_reference(tmp_path: Path, uid: str | None) -> None:
    folder = tmp_path / "ct"
    folder.mkdir()
    frame = Element(0x00200052, "UI", "1.1")
    for z, point in enumerate(PLANES):
        data = ct_slice(
            ramp()[z], extra=[frame], ImagePositionPatient=point, SOPInstanceUID=f"1.2.{z}"
        )
        (folder / f"{z}.dcm").write_bytes(data)
    cells = blank(1)
    cells[0, 1, 1] = 1
    data = segmentation(cells, [PLANES[0]], [1], frame_of_reference=uid)
    if uid == "1.2":
        with pytest.raises(ValueError, match=r"another frame of reference .*1\.2 and 1\.1"):
            label_of(folder, data)
        return
    assert marks(label_of(folder, data)) == [[0, 1, 1, 1]]


def test_projection(tmp_path: Path) -> None:
    """A radiograph has no place, and its segmentation has none: frames are segments of it."""
    path = tmp_path / "dx.dcm"
    path.write_bytes(ct_slice(**ULTRASOUND | {"Modality": "DX", "SOPClassUID": DX_IMAGE}))
    cells = blank(2, (3, 4))
    cells[0, 1, 2] = cells[1, 0, 3] = 1
    nowhere: dict[str, Any] = {"points": [None, None], "segments": [1, 2], "shared": []}
    (tmp_path / "label").write_bytes(segmentation(cells, **nowhere))
    images = td.ImageDataset(path, output="stored", label=lambda _: tmp_path / "label")
    assert images[0]["label"].tolist() == [[[0, 0, 0, 2], [0, 0, 1, 0], [0, 0, 0, 0]]]
    # Of another size, or of the same one twice, or of a volume, it is an error.
    (tmp_path / "label").write_bytes(segmentation(blank(2, (4, 3)), **nowhere))
    with pytest.raises(ValueError, match=r"label of shape \(1, 1, 4, 3\)"):
        images[0]
    (tmp_path / "label").write_bytes(segmentation(cells, **nowhere | {"segments": [1, 1]}))
    with pytest.raises(td.UnsupportedError, match="Two of its frames are segment 1 of one plane"):
        images[0]
    data = segmentation(blank(2), **nowhere, frame_of_reference="1.1")
    write_volume(tmp_path / "ct")
    with pytest.raises(td.ParseError) as caught:
        label_of(tmp_path / "ct", data)
    assert caught.value.code == "missing_element"
    with pytest.raises(ValueError, match=r"label of shape \(1, 1, 10, 12\)"):
        label_of(tmp_path / "ct", segmentation(blank(2), **nowhere))
