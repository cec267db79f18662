"""Doses (RTDOSE): planes at the offsets of the grid, in GY (PS3.3 C.8.8.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch

import torchdicom as td
from builders_multiframe import dose
from helpers import Backend, affine_of, codes, expect_error, firsts

if TYPE_CHECKING:
    from pathlib import Path

CORONAL = (1, 0, 0, 0, 0, -1)


def test_dose(backend: Backend) -> None:
    volume = td.load(dose(3), backend=backend)
    assert (volume.dims, volume.units) == (("z", "y", "x"), "GY")
    assert volume.data[:, 0, 1].tolist() == [0.5, 50.5, 100.5]
    assert affine_of(volume).tolist() == [
        [0, 0, 0.25, -10],
        [0, 0.5, 0, -20],
        [3, 0, 0, 30],
        [0, 0, 0, 1],
    ]
    assert [one.frame for one in volume.provenance] == [0, 1, 2]
    assert {(one.slope, one.intercept) for one in volume.provenance} == {(0.5, 0)}
    assert volume.verdict == td.Verdict(ok=True)


def test_kind_and_values_as_stored(tmp_path: Path, backend: Backend) -> None:
    (tmp_path / "a.dcm").write_bytes(dose(3))
    stored = td.load(tmp_path, output="stored", backend=backend)
    assert (firsts(stored), stored.units) == ([0, 100, 200], None)
    decoded = td.decode(tmp_path / "a.dcm", output="modality", backend=backend)
    assert decoded[:, 0, 1].tolist() == [0.5, 50.5, 100.5]


def test_offsets_are_along_the_normal(backend: Backend) -> None:
    # Down a coronal plane is -z: its normal is y.
    data = dose(3, offsets=(0, 2, 4), ImageOrientationPatient=CORONAL)
    volume = td.load(data, backend=backend)
    assert affine_of(volume)[:3, 0].tolist() == [0, 2, 0]
    assert [one.position_mm for one in volume.provenance] == [
        (-10, -20, 30),
        (-10, -18, 30),
        (-10, -16, 30),
    ]


@pytest.mark.filterwarnings("ignore::torchdicom.DicomWarning")
def test_one_plane_keeps_its_position(backend: Backend) -> None:
    volume = td.load(dose(1, ImageOrientationPatient=None), backend=backend)
    assert (volume.affine, volume.provenance[0].position_mm) == (None, (-10, -20, 30))


def test_coordinates_of_a_patient_who_lies_the_other_way(backend: Backend) -> None:
    data = dose(2, offsets=(30, 27), ImageOrientationPatient=(-1, 0, 0, 0, -1, 0))
    assert [one.position_mm[2] for one in td.load(data, backend=backend).provenance] == [27, 30]


def test_coordinates_need_planes_across_z(tmp_path: Path, backend: Backend) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(dose(2, offsets=(5, 8), ImageOrientationPatient=CORONAL))
    with expect_error("invalid_geometry", path=path, match="GridFrameOffsetVector"):
        td.load(path, backend=backend)


def test_uneven_offsets_are_judged(backend: Backend) -> None:
    with expect_error("uneven_spacing"):
        td.load(dose(4, offsets=(0, 3, 6, 10)), backend=backend)
    with expect_error("missing_slices"):
        td.load(dose(5, offsets=(0, 3, 6, 9, 15)), backend=backend)


@pytest.mark.parametrize(
    ("attributes", "code", "element"),
    [
        ({"GridFrameOffsetVector": None}, "missing_element", "GridFrameOffsetVector"),
        ({"GridFrameOffsetVector": (0, 3)}, "invalid_multiplicity", "GridFrameOffsetVector"),
        ({"GridFrameOffsetVector": (0, "x", 6)}, "invalid_decimal_string", "GridFrameOffsetVector"),
        ({"DoseGridScaling": None}, "missing_element", "DoseGridScaling"),
        ({"DoseGridScaling": 0}, "invalid_value", "DoseGridScaling"),
    ],
)
def test_what_a_dose_needs(
    tmp_path: Path, backend: Backend, attributes: dict[str, Any], code: str, element: str
) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(dose(3, **attributes))
    with expect_error(code, element=element, path=path):
        td.load(path, backend=backend)
    assert td.decode(path, backend=backend).shape == (3, 3, 4)


def test_dose_without_a_scale_has_stored_values(backend: Backend) -> None:
    volume = td.load(dose(2, DoseGridScaling=None), output="stored", backend=backend)
    assert firsts(volume) == [0, 100]


def test_integers_need_a_whole_scale(backend: Backend) -> None:
    with expect_error("integer_dtype"):
        td.load(dose(2), dtype=torch.int32, backend=backend)
    volume = td.load(dose(2, DoseGridScaling=2), dtype=torch.int32, backend=backend)
    assert firsts(volume) == [0, 200]


@pytest.mark.parametrize("units", ["RELATIVE", None])
def test_doses_that_are_not_in_gray(backend: Backend, units: str | None) -> None:
    assert td.load(dose(2, DoseUnits=units), backend=backend).units is None


def test_dose_of_one_frame(backend: Backend) -> None:
    volume = td.load(dose(1, offsets=(), SliceThickness=4), backend=backend)
    assert (volume.spacing_mm, codes(volume)) == ((4, 0.5, 0.25), ["assumed_spacing"])


def test_doses_of_one_frame_are_a_stack(tmp_path: Path, backend: Backend) -> None:
    for k in range(3):
        data = dose(
            1,
            offsets=(),
            ImagePositionPatient=(0, 0, 5 * k),
            SOPInstanceUID=f"1.2.3.{k}",
            DoseGridScaling=k + 1,
        )
        (tmp_path / f"{k}.dcm").write_bytes(data)
    volume = td.load(tmp_path, backend=backend)
    assert volume.data[:, 0, 2].tolist() == [2, 4, 6]
    assert affine_of(volume)[2].tolist() == [5, 0, 0, 0]


def test_dose_without_a_place(backend: Backend) -> None:
    allowed = td.Policy(no_position="allow")
    volume = td.load(dose(2, ImagePositionPatient=None), policy=allowed, backend=backend)
    assert (volume.affine, codes(volume), firsts(volume)) == (None, ["no_position"], [0, 50])


def test_coordinates_without_a_place_are_not_judged(backend: Backend) -> None:
    tilted: dict[str, Any] = {"ImageOrientationPatient": (1, 0, 0, 0, 0, -1)}
    data = dose(2, offsets=(30, 33), ImagePositionPatient=None, **tilted)
    volume = td.load(data, policy=td.Policy(no_position="allow"), backend=backend)
    assert (volume.affine, codes(volume), firsts(volume)) == (None, ["no_position"], [0, 50])
