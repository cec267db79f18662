"""SUV of enhanced PET (PS3.3 A.56): units of frames, corrections and times of C.8.22."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import torchdicom as td
from builders_enhanced import write_enhanced
from builders_pet import OF_DOSE
from builders_quantity import DOSE, OF_FILE, RESCALE, enhanced_pet, map_in
from compare import assert_volumes_equal
from helpers import expect_error

if TYPE_CHECKING:
    from pathlib import Path

    from helpers import Backend

DOUBLE: dict[str, Any] = {"output": "suv", "dtype": torch.float64}

NAMES = {
    **{name: f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {name}" for name, (tag, *_) in OF_FILE.items()},
    **{name: f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {name}" for name, (tag, _) in OF_DOSE.items()},
    "RescaleType": "(0028,1054) RescaleType",
    "RadiopharmaceuticalInformationSequence": (
        "(0054,0016) RadiopharmaceuticalInformationSequence"
    ),
}


def refused(data: bytes, name: str, backend: Backend) -> None:
    """By load and decode, for this attribute; modality values are there all the same."""
    for call in (td.load, td.decode):
        with expect_error("suv_not_possible", element=NAMES.get(name, name)):
            call(data, output="suv", backend=backend)
        call(data, output="modality", backend=backend)


def first_row(data: bytes, backend: Backend, frame: int = 0) -> list[float]:
    """Of a frame, by load and by decode."""
    volume = td.load(data, backend=backend, **DOUBLE)
    assert volume.units == "SUVbw"
    assert volume.data.equal(td.decode(data, backend=backend, **DOUBLE))
    row: list[float] = volume.data[frame, 0].tolist()
    return row


def test_values(backend: Backend) -> None:
    data = enhanced_pet()
    assert first_row(data, backend) == [0, 1, 2, 3]
    assert first_row(data, backend, frame=1) == [100, 101, 102, 103]
    assert td.load(data, backend=backend).units == "BQML"


def test_from_an_index(tmp_path: Path, backend: Backend) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(enhanced_pet())
    (series,) = td.scan(tmp_path).series
    part = td.load(series, output="suv", slices=[1], backend=backend)
    assert part.data[0, 0].tolist() == [100, 101, 102, 103]


def test_each_frame_has_its_slope(backend: Backend) -> None:
    slopes = {"RescaleSlope": ["976.5625", "1953.125"], "RescaleIntercept": [0, "976.5625"]}
    data = enhanced_pet(shared={"RescaleType": "BQML"}, per_frame=slopes)
    assert first_row(data, backend) == [0, 1, 2, 3]
    assert first_row(data, backend, frame=1) == [201, 203, 205, 207]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"DecayCorrectionDateTime": "20240310102000"}, 0.5),
        ({"DecayCorrectionDateTime": "20240310134000"}, 2.0),
        ({"RadionuclideTotalDose": "64"}, 2.0),
        ({"PatientWeight": "131.072"}, 2.0),
        ({"RadionuclideHalfLife": "3000"}, 2.0),
        # Over midnight, and in the time zone of the file.
        (
            {
                "RadiopharmaceuticalStartDateTime": "20240309232000",
                "DecayCorrectionDateTime": "20240310010000",
            },
            1.0,
        ),
        (
            {
                "RadiopharmaceuticalStartDateTime": "20240310102000+0100",
                "DecayCorrectionDateTime": "20240310120000+0100",
                "TimezoneOffsetFromUTC": "+0100",
            },
            1.0,
        ),
    ],
)
def test_dose(backend: Backend, attributes: dict[str, Any], expected: float) -> None:
    assert first_row(enhanced_pet(**attributes), backend)[1] == expected


# --- units


def test_grams_per_millilitre_are_suv(backend: Backend) -> None:
    groups = {"RescaleSlope": "0.5", "RescaleIntercept": 0, "RescaleType": "GML"}
    absent: dict[str, Any] = {"doses": [], "PatientWeight": None, "DecayCorrectionDateTime": None}
    for kind in (None, "BW"):
        data = enhanced_pet(shared=groups, SUVType=kind, **absent)
        assert first_row(data, backend) == [0, 0.5, 1, 1.5]
    refused(enhanced_pet(shared=groups, SUVType="LBM", **absent), "SUVType", backend)


@pytest.mark.parametrize("unit", ["Bq/ml", "g/ml", "{SUVbw}g/ml", "g/ml{SUVbw}"])
@pytest.mark.parametrize("rescale", [{}, {**RESCALE, "RescaleType": "US"}])
def test_units_of_a_map(
    tmp_path: Path, backend: Backend, unit: str, rescale: dict[str, Any]
) -> None:
    slope = 1953.125 if unit == "Bq/ml" else 2.0
    maps = [map_in(unit, slope), map_in("{counts}", 7.0)]
    data = enhanced_pet(shared={**rescale, "RealWorldValueMappingSequence": maps})
    assert first_row(data, backend) == [0, 2, 4, 6]
    (tmp_path / "a.dcm").write_bytes(data)
    (series,) = td.scan(tmp_path).series
    found = td.load(series, output="suv", slices=[0], backend=backend)
    assert found.data[0, 0].tolist() == [0, 2, 4, 6]
    if rescale:
        # Which unit it is cannot be told.
        two = [*maps, map_in("Bq/ml", 1.0)]
        of_two = {**rescale, "RealWorldValueMappingSequence": two}
        refused(enhanced_pet(shared=of_two), "RescaleType", backend)


@pytest.mark.parametrize("unit", ["PROPCPS", "CNTS", "US", None])
def test_units_that_are_none(backend: Backend, unit: str | None) -> None:
    refused(enhanced_pet(shared={**RESCALE, "RescaleType": unit}), "RescaleType", backend)


def test_frames_of_two_units(backend: Backend) -> None:
    data = enhanced_pet(shared=RESCALE, per_frame={"RescaleType": ["BQML", "GML"]})
    with expect_error("suv_not_possible", element=NAMES["RescaleType"]):
        td.decode(data, output="suv", backend=backend)


# --- what is missing or unusable


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AttenuationCorrected", None),
        ("AttenuationCorrected", "NO"),
        ("DecayCorrected", None),
        ("DecayCorrected", "NO"),
        ("DecayCorrectionDateTime", None),
        ("DecayCorrectionDateTime", "20240310"),
        ("DecayCorrectionDateTime", "20240310120000+0100"),
        ("PatientWeight", None),
        ("PatientWeight", "0"),
        ("RadionuclideTotalDose", None),
        ("RadionuclideTotalDose", "134217728"),  # in Bq, as of classic PET
        ("RadionuclideTotalDose", "0.9"),
        ("RadionuclideHalfLife", None),
        ("RadionuclideHalfLife", "0"),
        ("RadiopharmaceuticalStartDateTime", None),
        ("RadiopharmaceuticalStartDateTime", "20240310120001"),
        ("RadiopharmaceuticalStartDateTime", "20240309115959"),
    ],
)
def test_refusals(backend: Backend, name: str, value: str | None) -> None:
    attributes: dict[str, Any] = {name: value}
    refused(enhanced_pet(**attributes), name, backend)


def test_no_radiopharmaceutical_or_two(backend: Backend) -> None:
    refused(enhanced_pet(doses=[]), "RadionuclideTotalDose", backend)
    refused(enhanced_pet(doses=[DOSE, DOSE]), "RadiopharmaceuticalInformationSequence", backend)


def test_files_that_differ(tmp_path: Path, backend: Backend) -> None:
    for i, weight in enumerate(("65.536", "70")):
        place = {"ImagePositionPatient": [(0, 0, 5.0 * i), (0, 0, 5.0 * i + 2.5)]}
        data = enhanced_pet(
            per_frame=place, PatientWeight=weight, options={"SOPInstanceUID": f"1.2.3.4.{i}"}
        )
        (tmp_path / f"{i}.dcm").write_bytes(data)
    with expect_error("suv_not_possible", element=NAMES["PatientWeight"], path=tmp_path / "1.dcm"):
        td.load(tmp_path, output="suv", backend=backend)


def test_enhanced_image_without_any_of_it(tmp_path: Path, backend: Backend) -> None:
    path = write_enhanced(tmp_path / "a.dcm", 2, shared=RESCALE)
    with expect_error("suv_not_possible", element=NAMES["RescaleType"], path=path):
        td.load(path, output="suv", backend=backend)


# --- both backends

WORDS = st.sampled_from(["", "x", "0", "-1", "1", "64", "71.3", "6586.2", "1e300", "7\\8", None])
MOMENTS = st.sampled_from(
    ["20240310110000", "20240309120000.5", "20240310", "202403101100+0100", "x", "", None]
)
YES = st.sampled_from(["YES", "YES", "NO", "yes ", None])
ATTRIBUTES: dict[str, st.SearchStrategy[str | None]] = {
    "AttenuationCorrected": YES,
    "DecayCorrected": YES,
    "DecayCorrectionDateTime": MOMENTS,
    "PatientWeight": WORDS,
    "RadionuclideHalfLife": WORDS,
    "RadionuclideTotalDose": WORDS,
    "RadiopharmaceuticalStartDateTime": MOMENTS,
    "SUVType": st.sampled_from(["BW", "BSA", "", None]),
    "TimezoneOffsetFromUTC": st.sampled_from(["+0100", "-0500", None]),
}
TYPES = st.sampled_from(["BQML", "BQML", "GML", "US", "bqml", None])
UNITS = st.sampled_from(["Bq/ml", "g/ml", "{SUVbw}g/ml", "mg/L"])


@st.composite
def odd_file(draw: st.DrawFn) -> bytes:
    """Up to three attributes are odd; units of the rescale or of maps, which the frames share."""
    names = draw(st.lists(st.sampled_from(sorted(ATTRIBUTES)), max_size=3, unique=True))
    shared: dict[str, Any] = {
        "RescaleType": draw(TYPES),
        **(RESCALE if draw(st.booleans()) else {}),
    }
    units = draw(st.lists(UNITS, max_size=2))
    if units:
        shared["RealWorldValueMappingSequence"] = [map_in(unit, 1.7141) for unit in units]
    attributes: dict[str, Any] = {name: draw(ATTRIBUTES[name]) for name in names}
    return enhanced_pet(shared=shared, **attributes)


def outcome(data: bytes, backend: Backend) -> Any:
    """The values, or what was refused and why."""
    try:
        return td.load(data, backend=backend, **DOUBLE)
    except td.DicomError as error:
        return error.code, error.element, error.path


@given(data=odd_file())
def test_backends_agree(data: bytes) -> None:
    native, reference = (outcome(data, backend) for backend in ("native", "reference"))
    if not isinstance(native, td.Volume):
        assert native == reference
        return
    assert_volumes_equal(native, reference)
