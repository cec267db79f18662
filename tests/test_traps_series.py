"""TRAPS 10 to 15, 35 and 37: what is one series, and where it lies in the patient.

Every expected value is what was written, in the builder's terms.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import torchdicom as td
from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    MR_IMAGE,
    PET_IMAGE,
    RLE,
    axial,
    ct_slice,
    default_pixels,
    write_series,
)
from builders_frames import encapsulated, rle_frame
from builders_parts import (
    AXIAL,
    CORONAL,
    DX_IMAGE,
    LOCALIZER,
    SCOUT,
    UID,
    keys_in,
    part_key,
    write_scout,
)
from helpers import Backend, affine_of, codes, expect_error, firsts, stored

if TYPE_CHECKING:
    from pathlib import Path

MR: dict[str, Any] = {"SOPClassUID": MR_IMAGE, "Modality": "MR"}


# --- 10: what splits a series

# What differs in slices 0 and 2 from 1 and 3, and the texts of the keys of both.
SPLIT: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, str]]] = {
    "SOP class": (
        {"SOPClassUID": ["1.2.840.10008.5.1.4.1.1.2", PET_IMAGE] * 2},
        {},
        {"SOPClassUID": PET_IMAGE},
    ),
    "modality": (
        {"Modality": ["MR", "XA"] * 2},
        {"Modality": "MR", "units": "/slope/intercept"},
        {"Modality": "XA", "units": "/slope/intercept"},
    ),
    "derived": (
        {"ImageType": ["ORIGINAL\\PRIMARY", "DERIVED\\PRIMARY"] * 2},
        {},
        {"ImageType": "DERIVED"},
    ),
    "phase": (
        {"ImageType": ["ORIGINAL\\PRIMARY\\M\\ND", "ORIGINAL\\PRIMARY\\ND\\PHASE MAP"] * 2},
        {"component": "M"},
        {"component": "P"},
    ),
    "real": (
        {"ImageType": ["ORIGINAL\\PRIMARY\\REAL", "ORIGINAL\\PRIMARY\\I"] * 2},
        {"component": "R"},
        {"component": "I"},
    ),
    "echo time": ({"EchoTime": ["4.60", "80"] * 2}, {"EchoTime": "4.6"}, {"EchoTime": "80"}),
    "repetition time": (
        {"RepetitionTime": ["500", "1234567.891234"] * 2},
        {"RepetitionTime": "500"},
        {"RepetitionTime": "1234567.891"},
    ),
    "flip angle": ({"FlipAngle": ["5", None] * 2}, {"FlipAngle": "5"}, {}),
    "echo number": ({"EchoNumbers": [1, 2] * 2}, {"EchoNumbers": "1"}, {"EchoNumbers": "2"}),
    "coil": (
        {"ReceiveCoilName": ["left", "right "] * 2},
        {"ReceiveCoilName": "left"},
        {"ReceiveCoilName": "right"},
    ),
    "rows": (
        {"pixels": [default_pixels() + np.int16(100 * k) for k in range(4)], "Rows": [3, 2] * 2},
        {},
        {"size": "2x4"},
    ),
    "pixel spacing": (
        {"PixelSpacing": [(0.5, 0.25), (0.5, 0.251)] * 2},
        {},
        {"PixelSpacing": "0.5\\0.251"},
    ),
    "bits": (
        {"BitsStored": [16, 12] * 2, "HighBit": [15, 11] * 2},
        {},
        {"format": "16/12/11/s/1/MONOCHROME2"},
    ),
    "photometric": (
        {"PhotometricInterpretation": ["MONOCHROME2", "MONOCHROME1"] * 2},
        {},
        {"format": "16/16/15/s/1/MONOCHROME1"},
    ),
    "unit": (
        {"RescaleType": ["HU", "OD"] * 2},
        {},
        {"units": "OD/slope/intercept"},
    ),
    "slope": ({"RescaleSlope": [1, None] * 2}, {}, {"units": "HU//intercept"}),
    "intercept": ({"RescaleIntercept": [0, None] * 2}, {}, {"units": "HU/slope/"}),
    "orientation": (
        {"ImageOrientationPatient": [AXIAL, (0, 1, 0, -1, 0, 0)] * 2},
        {},
        {"orientation": "0.000\\1.000\\0.000\\-1.000\\0.000\\0.000"},
    ),
    "position absent": (
        {"ImagePositionPatient": [(0, 0, 0), None, (0, 0, 2), None]},
        {},
        {"orientation": "none"},
    ),
}


@pytest.mark.parametrize("name", SPLIT)
def test_trap_10_series_are_split(tmp_path: Path, backend: Backend, name: str) -> None:
    attributes, first, second = SPLIT[name]
    write_series(tmp_path, 4, **attributes)
    keys = [part_key(first), part_key(second)]
    with expect_error("several_series") as caught:
        td.load(tmp_path, backend=backend)
    assert keys_in(caught.value) == keys
    lax = td.Policy(no_position="allow")
    for key, values in zip(keys, ([0, 200], [100, 300]), strict=True):
        assert firsts(stored(tmp_path, backend, series=key, policy=lax)) == values


def test_trap_10_series_of_other_uids_are_split(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 4, SeriesInstanceUID=["1.8", "1.9"] * 2)
    with expect_error("several_series") as caught:
        td.load(tmp_path, backend=backend)
    assert keys_in(caught.value) == ["1.8", "1.9"]
    assert firsts(stored(tmp_path, backend, series="1.9")) == [100, 300]


def test_trap_10_exposure_splits_nothing(tmp_path: Path, backend: Backend) -> None:
    write_series(
        tmp_path,
        4,
        ExposureTime=[500, 600, 500, 700],
        XRayTubeCurrent=[120, 200, 210, 90],
        KVP=[120, 120, 100, 100],
        AcquisitionNumber=[1, 1, 2, 2],
        SliceThickness=[2, 2, 2.5, 2.5],
        SeriesDescription=["a", "b", "a", "b"],
    )
    volume = stored(tmp_path, backend)
    assert firsts(volume) == [0, 100, 200, 300]
    assert volume.verdict == td.Verdict(ok=True)


# --- 11: localizers


def test_trap_11_localizer_of_the_same_series_is_left_out(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 4)
    # Parallel to the slices and between two of them: nothing but ImageType tells.
    scout = write_scout(
        tmp_path, ImageOrientationPatient=AXIAL, ImagePositionPatient=(-10, -20, 33)
    )
    volume = stored(tmp_path, backend)
    assert firsts(volume) == [0, 100, 200, 300]
    (defect,) = volume.verdict.defects
    assert (defect.code, defect.files) == ("localizer", (str(scout),))
    assert dict(defect.measured) == {"files": 1}
    assert volume.verdict.ok
    with expect_error("localizer", element="ImageType", path=scout):
        td.load(tmp_path, policy=td.Policy(localizer="raise"), backend=backend)


def test_trap_11_localizer_is_a_series_of_its_own(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 4)
    write_scout(tmp_path)
    volume = stored(tmp_path, backend, series=part_key(SCOUT))
    assert firsts(volume) == [777]
    assert codes(volume) == ["assumed_spacing"]
    assert volume.spacing_mm == (2.0, 0.5, 0.25)
    # The UID alone means the slices, since localizers don't count.
    assert firsts(stored(tmp_path, backend, series=UID)) == [0, 100, 200, 300]
    assert firsts(stored(tmp_path, backend, series=part_key())) == [0, 100, 200, 300]


def test_trap_11_localizers_alone_are_loaded(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 3, ImageType=LOCALIZER)
    volume = stored(tmp_path, backend)
    assert firsts(volume) == [0, 100, 200]
    assert volume.verdict == td.Verdict(ok=True)


def test_trap_11_localizer_of_another_series_is_no_defect(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 3)
    write_scout(tmp_path, SeriesInstanceUID="1.9")
    assert stored(tmp_path, backend).verdict == td.Verdict(ok=True)
    assert firsts(stored(tmp_path, backend, series="1.9")) == [777]


def test_trap_11_localizers_of_two_directions_are_two_series(
    tmp_path: Path, backend: Backend
) -> None:
    write_scout(tmp_path, "coronal.dcm")
    write_scout(tmp_path, "axial.dcm", ImageOrientationPatient=AXIAL, SOPInstanceUID="1.7")
    with expect_error("several_series"):
        td.load(tmp_path, backend=backend)
    assert codes(stored(tmp_path, backend, series=part_key(SCOUT))) == ["assumed_spacing"]


# --- 12: gantry tilt

SHEARED = [
    [0.0, 0.0, 0.25, 0.0],
    [1.0, 0.5, 0.0, 0.0],
    [5.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 1.0],
]


@pytest.mark.parametrize("attribute", [None, "11.31", "-11.31", "0"])
def test_trap_12_gantry_tilt_stays_in_the_affine(
    tmp_path: Path, backend: Backend, attribute: str | None
) -> None:
    positions = [(0, k, 5 * k) for k in range(4)]
    paths = write_series(tmp_path, 4, ImagePositionPatient=positions, GantryDetectorTilt=attribute)
    volume = td.load(tmp_path, backend=backend)
    assert affine_of(volume).tolist() == SHEARED
    assert volume.spacing_mm == (math.sqrt(26), 0.5, 0.25)
    (defect,) = volume.verdict.defects
    assert defect.code == "gantry_tilt"
    assert defect.measured["angle_degrees"] == pytest.approx(11.309932474020213)
    assert volume.verdict.ok
    with expect_error("gantry_tilt", path=paths[3]):
        td.load(tmp_path, policy=td.Policy(gantry_tilt="raise"), backend=backend)


def test_trap_12_attribute_alone_is_no_tilt(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 4, GantryDetectorTilt="15")
    assert td.load(tmp_path, backend=backend).verdict == td.Verdict(ok=True)


# --- 13: directions


def test_trap_13_spacing_between_rows_comes_first(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 3, PixelSpacing=(0.8, 0.1))
    volume = td.load(tmp_path, backend=backend)
    assert volume.spacing_mm == (2.5, 0.8, 0.1)
    assert affine_of(volume)[:3, :3].tolist() == [[0.0, 0.0, 0.1], [0.0, 0.8, 0.0], [2.5, 0.0, 0.0]]


@pytest.mark.parametrize(
    "orientation", [AXIAL, CORONAL, (-1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, -1, 0)]
)
def test_trap_13_xyz_is_right_handed_and_zyx_is_not(
    tmp_path: Path, backend: Backend, orientation: tuple[int, ...]
) -> None:
    normal = np.cross(orientation[:3], orientation[3:])
    positions = [tuple((normal * 2 * k).tolist()) for k in (0, 1, 2)]
    write_series(tmp_path, 3, ImagePositionPatient=positions, ImageOrientationPatient=orientation)
    volume = stored(tmp_path, backend)
    assert firsts(volume) == [0, 100, 200]
    assert np.linalg.det(affine_of(volume)[:3, :3].numpy()) == pytest.approx(-0.25)
    _, xyz = volume.to_ras_xyz()
    assert np.linalg.det(xyz[:3, :3].numpy()) == pytest.approx(0.25)


def test_trap_13_ras_is_a_view_of_the_same_voxels(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 3)
    volume = stored(tmp_path, backend)
    data, affine = volume.to_ras_xyz()
    assert affine.tolist() == [
        [-0.25, 0.0, 0.0, 10.0],
        [0.0, -0.5, 0.0, 20.0],
        [0.0, 0.0, 2.5, 30.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
    assert data.shape == (4, 3, 3)
    assert data.data_ptr() == volume.data.data_ptr()
    # Column 3, row 1 of slice 2.
    assert data[3, 1, 2] == 207


# --- 14: spacing of projections

DX: dict[str, Any] = {
    "SOPClassUID": DX_IMAGE,
    "Modality": "DX",
    "ImagePositionPatient": None,
    "ImageOrientationPatient": None,
}


@pytest.mark.parametrize(
    ("attributes", "spacing", "source"),
    [
        (
            {"PixelSpacing": None, "ImagerPixelSpacing": (0.2, 0.1)},
            (0.2, 0.1),
            "ImagerPixelSpacing",
        ),
        ({"ImagerPixelSpacing": (0.2, 0.1)}, (0.5, 0.25), "PixelSpacing"),
        ({}, (0.5, 0.25), "PixelSpacing"),
        ({"PixelSpacing": None}, (math.nan, math.nan), None),
    ],
)
def test_trap_14_spacing_of_a_projection_says_where_it_is_from(
    backend: Backend,
    attributes: dict[str, Any],
    spacing: tuple[float, float],
    source: str | None,
) -> None:
    volume = td.load(ct_slice(**(DX | attributes)), backend=backend)
    assert volume.affine is None
    assert volume.spacing_mm == pytest.approx((math.nan, *spacing), nan_ok=True)
    assert volume.metadata.get("spacing_source") == source
    assert (volume.dims, volume.data.shape) == (("z", "y", "x"), (1, 3, 4))
    assert volume.verdict == td.Verdict(ok=True)


def test_trap_14_spacing_at_the_detector_is_none_in_the_patient(
    tmp_path: Path, backend: Backend
) -> None:
    paths = write_series(tmp_path, 3, PixelSpacing=[None] * 3, ImagerPixelSpacing=[(0.5, 0.5)] * 3)
    with expect_error("invalid_geometry", element="PixelSpacing", path=paths[0]):
        td.load(tmp_path, backend=backend)


# --- 15: how the patient lay


@pytest.mark.parametrize("position", ["HFS", "FFP", "HFDR", None])
def test_trap_15_patient_position_moves_nothing(
    tmp_path: Path, backend: Backend, position: str | None
) -> None:
    # Positions are in the patient's own coordinates already (PS3.3 C.7.6.2.1.1).
    write_series(tmp_path, 3, PatientPosition=position)
    volume = td.load(tmp_path, backend=backend)
    assert affine_of(volume).tolist() == [
        [0.0, 0.0, 0.25, -10.0],
        [0.0, 0.5, 0.0, -20.0],
        [2.5, 0.0, 0.0, 30.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
    assert volume.metadata.get("PatientPosition") == position


def test_trap_15_quadruped_is_a_warning(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 3, AnatomicalOrientationType="QUADRUPED")
    with pytest.warns(td.DicomWarning, match="QUADRUPED") as caught:
        volume = td.load(tmp_path, backend=backend)
    assert len(caught) == 1
    assert volume.spacing_mm == (2.5, 0.5, 0.25)
    write_series(tmp_path, 3, AnatomicalOrientationType="BIPED")
    assert td.load(tmp_path, backend=backend).spacing_mm == (2.5, 0.5, 0.25)


# --- 35: one series in several forms


def test_trap_35_transfer_syntaxes_may_differ(tmp_path: Path, backend: Backend) -> None:
    frame = encapsulated([[rle_frame(default_pixels() + np.int16(400))]])
    volumes = []
    for names in ("abcdefg", "gfedcba"):
        folder = tmp_path / names
        write_series(
            folder,
            7,
            names=list(names),
            syntax=[IMPLICIT, EXPLICIT, BIG, DEFLATED, RLE, EXPLICIT, IMPLICIT],
            preamble=[True] * 5 + [False] * 2,
            meta=[True] * 6 + [False],
            pixel_element=[None] * 4 + [frame] + [None] * 2,
        )
        volumes.append(stored(folder, backend))
    for volume in volumes:
        assert volume.data.tolist() == [(default_pixels() + 100 * k).tolist() for k in range(7)]
        assert volume.verdict == td.Verdict(ok=True)


# --- 37: data that was stripped of what identifies it


def test_trap_37_removed_positions_are_said_and_ordered_by_number(
    tmp_path: Path, backend: Backend
) -> None:
    write_series(tmp_path, 4, ImagePositionPatient=[None] * 4, InstanceNumber=[30, None, 4, 20])
    with pytest.warns(td.DicomWarning) as caught:
        volume = td.load(tmp_path, output="stored", backend=backend)
    assert len(caught) == 1
    assert firsts(volume) == [200, 300, 0, 100]
    assert volume.affine is None
    assert volume.spacing_mm == pytest.approx((math.nan, 0.5, 0.25), nan_ok=True)
    assert codes(volume) == ["no_position"]
    assert all(math.isnan(x) for one in volume.provenance for x in one.position_mm)
    with pytest.raises(ValueError, match="affine"):
        volume.to_ras_xyz()


@pytest.mark.parametrize("uid", ["", None])
def test_trap_37_removed_series_uid(tmp_path: Path, backend: Backend, uid: str | None) -> None:
    write_series(tmp_path, 4, SeriesInstanceUID=uid)
    assert firsts(stored(tmp_path, backend)) == [0, 100, 200, 300]
    key = part_key(uid="")
    assert firsts(stored(tmp_path, backend, series=key)) == [0, 100, 200, 300]


def test_trap_37_series_without_uid_have_nothing_to_do_with_each_other(
    tmp_path: Path, backend: Backend
) -> None:
    write_series(tmp_path, 4, SeriesInstanceUID="", RescaleSlope=[1, None] * 2)
    write_scout(tmp_path, SeriesInstanceUID="")
    for texts, values in (({}, [0, 200]), ({"units": "HU//intercept"}, [100, 300])):
        volume = stored(tmp_path, backend, series=part_key(texts, uid=""))
        assert firsts(volume) == values
        assert volume.verdict == td.Verdict(ok=True)


def test_trap_37_one_uid_for_every_series(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 4, **MR, EchoTime=["10", "80"] * 2)
    texts = {"SOPClassUID": MR_IMAGE, "Modality": "MR", "units": "/slope/intercept"}
    keys = [part_key(texts | {"EchoTime": "10"}), part_key(texts | {"EchoTime": "80"})]
    with expect_error("several_series", match="EchoTime") as caught:
        td.load(tmp_path, backend=backend)
    assert keys_in(caught.value) == keys
    with expect_error("several_series") as caught:
        td.load(tmp_path, series=UID, backend=backend)
    assert keys_in(caught.value) == keys


def test_trap_37_another_series_uid_for_every_file(tmp_path: Path, backend: Backend) -> None:
    uids = [f"2.25.{k}" for k in range(4)]
    write_series(tmp_path, 4, SeriesInstanceUID=uids)
    with expect_error("several_series") as caught:
        td.load(tmp_path, backend=backend)
    assert keys_in(caught.value) == uids


@pytest.mark.parametrize("uid", ["", None])
def test_trap_37_removed_instance_uids_are_no_copies(
    tmp_path: Path, backend: Backend, uid: str | None
) -> None:
    write_series(tmp_path, 4, SOPInstanceUID=uid)
    volume = stored(tmp_path, backend)
    assert firsts(volume) == [0, 100, 200, 300]
    assert volume.verdict == td.Verdict(ok=True)


def test_trap_37_one_instance_uid_for_every_file(tmp_path: Path, backend: Backend) -> None:
    paths = write_series(tmp_path, 4, SOPInstanceUID="1.1", ImagePositionPatient=axial(0, 1, 2, 3))
    with expect_error("duplicate_files", path=paths[1]):
        td.load(tmp_path, backend=backend)
