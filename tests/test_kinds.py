"""Images without a place, frames that are no cine loop, and objects that are no volume."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import torchdicom as td
from builders import UNKNOWN, ct_slice, write_series
from builders_frames import encapsulated
from builders_parts import DX_IMAGE, LOCALIZER
from helpers import Backend, expect_error

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Cells

ULTRASOUND, ULTRASOUND_FRAMES = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("6.1", "3.1"))
NO_PLACE: dict[str, Any] = {"ImagePositionPatient": None, "ImageOrientationPatient": None}
NO_RESCALE: dict[str, Any] = {"RescaleSlope": None, "RescaleIntercept": None}
US: dict[str, Any] = {"Modality": "US", "SOPClassUID": ULTRASOUND_FRAMES} | NO_PLACE | NO_RESCALE
CELLS: Cells = np.arange(60, dtype=np.uint8).reshape(5, 3, 4)


def cine(**attributes: Any) -> bytes:
    """Five frames without a place: voxel (t, y, x) is 12 t + 4 y + x."""
    return ct_slice(**({"pixels": CELLS} | US | attributes))


# --- images


@pytest.mark.parametrize(
    "attributes",
    [
        {"SOPClassUID": DX_IMAGE, "Modality": "DX", **NO_PLACE},
        {"SOPClassUID": DX_IMAGE, "Modality": "MG", "ImageOrientationPatient": None},
        {"SOPClassUID": ULTRASOUND, "Modality": "US", "ImagePositionPatient": None},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "Modality": "CT", **NO_PLACE},
    ],
)
def test_image(backend: Backend, attributes: dict[str, Any]) -> None:
    volume = td.load(ct_slice(**attributes), output="stored", backend=backend)
    assert (volume.dims, volume.affine, volume.space) == (("z", "y", "x"), None, "LPS")
    assert volume.data.tolist() == [np.arange(12).reshape(3, 4).tolist()]
    assert volume.spacing_mm == pytest.approx((math.nan, 0.5, 0.25), nan_ok=True)
    assert volume.metadata["spacing_source"] == "PixelSpacing"
    assert volume.verdict == td.Verdict(ok=True)
    assert volume.coords == {}


@pytest.mark.parametrize("modality", ["CT", "MR", "PT", "NM"])
def test_slice_that_lost_its_place_is_no_image(backend: Backend, modality: str) -> None:
    with pytest.warns(td.DicomWarning):
        volume = td.load(ct_slice(Modality=modality, **NO_PLACE), backend=backend)
    (defect,) = volume.verdict.defects
    assert (defect.code, volume.affine) == ("no_position", None)
    assert "spacing_source" not in volume.metadata


def test_slice_that_lost_its_place_has_no_spacing_of_a_detector(backend: Backend) -> None:
    data = ct_slice(PixelSpacing=None, ImagerPixelSpacing=(0.2, 0.1), **NO_PLACE)
    volume = td.load(data, policy=td.Policy(no_position="allow"), backend=backend)
    assert all(map(math.isnan, volume.spacing_mm))
    assert "spacing_source" not in volume.metadata


@pytest.mark.parametrize("uid", ["", None])
def test_images_that_nothing_tells_apart(tmp_path: Path, backend: Backend, uid: str | None) -> None:
    dx = NO_PLACE | {"SOPClassUID": DX_IMAGE, "Modality": "DX", "SOPInstanceUID": uid}
    for name in ("a.dcm", "b.dcm"):
        (tmp_path / name).write_bytes(ct_slice(**dx))
    with expect_error("missing_element", element="SOPInstanceUID", path=tmp_path / "b.dcm"):
        td.load(tmp_path, backend=backend)
    assert td.load(tmp_path / "a.dcm", backend=backend).data.shape == (1, 3, 4)


@pytest.mark.parametrize("absent", ["ImagePositionPatient", "ImageOrientationPatient"])
def test_element_that_is_absent_is_named(backend: Backend, absent: str) -> None:
    attributes: dict[str, Any] = {absent: None}
    with expect_error("no_position", element=absent):
        td.load(ct_slice(**attributes), policy=td.Policy(no_position="raise"), backend=backend)


def test_position_is_kept_where_only_the_orientation_is_absent(backend: Backend) -> None:
    data = ct_slice(ImageOrientationPatient=None)
    volume = td.load(data, policy=td.Policy(no_position="allow"), backend=backend)
    assert volume.affine is None
    assert volume.provenance[0].position_mm == (-10.0, -20.0, 30.0)


# --- frames


@pytest.mark.parametrize(
    "attributes",
    [
        {"ImagePositionPatient": (0, 0, 0)},
        {"Modality": "CT"},
        {"ImageType": LOCALIZER},
    ],
)
def test_frames_that_are_no_cine(backend: Backend, attributes: dict[str, Any]) -> None:
    with expect_error("unsupported_multi_frame", element="NumberOfFrames"):
        td.load(cine(**attributes), backend=backend)


# --- what is no volume


@pytest.mark.parametrize(
    ("attributes", "element"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4"}, "SOPClassUID"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.7"}, "SOPClassUID"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.6"}, "SOPClassUID"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4", "ImageType": LOCALIZER}, "SOPClassUID"),
        (
            {"syntax": UNKNOWN, "pixel_element": encapsulated([[b"ab"]])},
            "TransferSyntaxUID",
        ),
    ],
)
def test_not_a_volume(
    tmp_path: Path, backend: Backend, attributes: dict[str, Any], element: str
) -> None:
    path = tmp_path / "other.dcm"
    path.write_bytes(ct_slice(**attributes))
    with expect_error("not_a_volume", element=element, path=path, match=r"torchdicom\.decode"):
        td.load(path, backend=backend)


def test_refusal_names_the_first_file_concerned(tmp_path: Path, backend: Backend) -> None:
    # A mosaic and a lookup table among sound slices; the first by path is told.
    mosaic = "ORIGINAL\\PRIMARY\\M\\MOSAIC"
    paths = write_series(
        tmp_path,
        4,
        Modality="MR",
        ImageType=["ORIGINAL\\PRIMARY\\M"] * 2 + [mosaic] * 2,
    )
    with expect_error("unsupported_mosaic", element="ImageType", path=paths[2]):
        td.load(tmp_path, backend=backend)
