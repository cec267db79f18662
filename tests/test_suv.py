"""SUV by body weight (PS3.3 C.8.9.1): what they are made of, and when there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import BIG, DEFLATED, EXPLICIT, IMPLICIT, RLE, Element, encode, sequence
from builders_frames import encapsulated, rle_frame
from builders_pet import NAMES, PET, ge_scan, pet_slice, philips_factor, write_pet
from helpers import expect_error, syntax_id

if TYPE_CHECKING:
    from pathlib import Path

    from builders import Syntax
    from helpers import Backend

DOUBLE: dict[str, Any] = {"output": "suv", "dtype": torch.float64}


def factor(data: bytes, backend: Backend) -> float:
    """What stored value 1 becomes: 1 unless the file says otherwise."""
    values = td.load(data, backend=backend, **DOUBLE).data
    assert values.equal(td.decode(data, backend=backend, **DOUBLE))
    return float(values[0, 0, 1])


def refused(data: bytes, name: str, backend: Backend) -> None:
    """Refused by load and decode for this attribute; modality values are there all the same."""
    element = NAMES.get(name, name)
    for call in (td.load, td.decode):
        with expect_error("suv_not_possible", element=element, match="output='modality'"):
            call(data, output="suv", backend=backend)
        call(data, output="modality", backend=backend)


# --- values


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG, DEFLATED], ids=syntax_id)
def test_values_and_unit(backend: Backend, syntax: Syntax) -> None:
    volume = td.load(pet_slice(syntax=syntax), output="suv", backend=backend)
    assert volume.data.tolist() == [[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]]
    assert (volume.data.dtype, volume.units) == (torch.float32, "SUVbw")
    (slice_,) = volume.provenance
    assert (slice_.slope, slice_.intercept) == (1024, 0)


def test_each_slice_has_its_slope(tmp_path: Path, backend: Backend) -> None:
    write_pet(tmp_path, 3, RescaleSlope=[1024, 512, 2048], RescaleIntercept=[0, 0, 1024])
    for source in (tmp_path, td.scan(tmp_path).series[0]):
        volume = td.load(source, output="suv", backend=backend)
        assert volume.data[:, 0, :3].tolist() == [[0, 1, 2], [0, 0.5, 1], [1, 3, 5]]
        assert volume.units == "SUVbw"
    part = td.load(source, output="suv", slices=[2], region=(0, 1, 1, 3), backend=backend)
    assert part.data.tolist() == [[[3, 5]]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_each_step_is_rounded_to_double(backend: Backend, dtype: torch.dtype) -> None:
    cells = np.arange(-9, 27991, 7, dtype=np.int16).reshape(4, -1)
    attributes: dict[str, Any] = {"RescaleSlope": "1.7141", "RescaleIntercept": "0.3"}
    data = pet_slice(cells, **attributes, DecayCorrection="ADMIN", PatientWeight="71.3")
    expected = (cells.astype(np.float64) * 1.7141 + 0.3) * (71.3 * 1000.0 / 134217728.0)
    rounded = torch.from_numpy(expected)
    if dtype != torch.float64:
        rounded = torch.from_numpy(expected.astype(np.float32)).to(dtype)
    values = td.load(data, output="suv", dtype=dtype, backend=backend).data
    assert values[0].equal(rounded)


def test_reduced_and_compressed(backend: Backend) -> None:
    cells = np.array([[0, 2, 4, 6], [4, 2, 0, 10]], np.int16)
    for data in (
        pet_slice(cells),
        pet_slice(cells, syntax=RLE, pixel_element=encapsulated([[rle_frame(cells)]])),
    ):
        values = td.load(data, output="suv", reduce=1, backend=backend).data
        assert values.tolist() == [[[2, 5]]]


def test_mask_and_padding(backend: Backend) -> None:
    volume = td.load(pet_slice(PixelPaddingValue=0), output="suv", mask=True, backend=backend)
    assert volume.valid_mask is not None
    assert volume.valid_mask.flatten().tolist() == [False] + [True] * 11


def test_frames_of_one_file(backend: Backend) -> None:
    cells = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    assert td.decode(pet_slice(cells), frames=[1], output="suv", backend=backend)[0, 0, 1] == 13


# --- what is left of the dose


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"DecayCorrection": "ADMIN"}, 0.5),
        ({"DecayCorrection": "ADMIN", "RadionuclideHalfLife": None, "SeriesTime": None}, 0.5),
        ({"DecayCorrection": "ADMIN", "RadiopharmaceuticalStartTime": "soon"}, 0.5),
        ({"RadiopharmaceuticalStartTime": "084000"}, 2.0),
        ({"RadiopharmaceuticalStartTime": "120000"}, 0.5),
        ({"RadiopharmaceuticalStartTime": "10:20:00"}, 1.0),
        ({"RadiopharmaceuticalStartTime": "1020"}, 1.0),
        ({"SeriesTime": "121640", "AcquisitionTime": "121640", "RadionuclideHalfLife": 7000}, 1.0),
        ({"SeriesDate": "2024.03.10"}, 1.0),
        ({"SeriesTime": "12", "RadiopharmaceuticalStartTime": "102000.000000"}, 1.0),
        # Half a second of a half-life of half a second.
        (
            {
                "SeriesTime": "120000.75",
                "RadiopharmaceuticalStartTime": "120000.250",
                "RadionuclideHalfLife": "0.5",
            },
            1.0,
        ),
        # Before 1970, as de-identified files may be.
        ({"SeriesDate": "19600229", "AcquisitionDate": "19600229"}, 1.0),
        ({"SeriesDate": "19691231", "AcquisitionDate": "19700101"}, 1.0),
        # Twice the weight, half the dose.
        ({"PatientWeight": "131.072"}, 2.0),
        ({"RadionuclideTotalDose": "67108864"}, 2.0),
    ],
)
def test_dose(backend: Backend, attributes: dict[str, Any], expected: float) -> None:
    assert factor(pet_slice(**attributes), backend) == expected


@pytest.mark.parametrize("dose", ["1e6", "1E+10", " +10000000000 "])
def test_doses_that_can_be(backend: Backend, dose: str) -> None:
    data = pet_slice(DecayCorrection="ADMIN", RadionuclideTotalDose=dose)
    assert factor(data, backend) == 1024 * (65536.0 / float(dose))


def test_decay_is_the_power_of_the_c_library() -> None:
    # Half-lives and times whose power is no round number: the same bits from both backends.
    for half_life in ("6586.2", "1223.4", "4062.6", "76.4", "293.2"):
        for start in ("092345.123456", "115959.999999", "1001", "120000"):
            data = pet_slice(RadionuclideHalfLife=half_life, RadiopharmaceuticalStartTime=start)
            assert factor(data, "native") == factor(data, "reference")


def test_first_radiopharmaceutical_counts(backend: Backend) -> None:
    one = {
        "RadiopharmaceuticalStartTime": "102000",
        "RadionuclideTotalDose": "134217728",
        "RadionuclideHalfLife": "6000",
    }
    other = {**one, "RadionuclideTotalDose": "2e8"}
    assert factor(pet_slice(doses=[one, other]), backend) == 1
    refused(pet_slice(doses=[{}, one]), "RadionuclideTotalDose", backend)


# --- dates and times


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        # Injected at 23:10 of the day before, 6000 s before the scan.
        ({"SeriesTime": "005000", "RadiopharmaceuticalStartTime": "231000"}, 1.0),
        (
            {
                "SeriesTime": "005000",
                "RadiopharmaceuticalStartTime": "010000",
                "RadiopharmaceuticalStartDateTime": "20240309231000",
            },
            1.0,
        ),
        # A DateTime within a day before the scan goes before the time.
        ({"RadiopharmaceuticalStartDateTime": "20240310084000.0"}, 2.0),
        ({"RadiopharmaceuticalStartDateTime": "20240310120000"}, 0.5),
        (
            {
                "RadiopharmaceuticalStartDateTime": "20240309120000",
                "RadionuclideHalfLife": 86400,
            },
            1.0,
        ),
        (
            {
                "RadiopharmaceuticalStartTime": None,
                "RadiopharmaceuticalStartDateTime": "202403101020",
            },
            1.0,
        ),
        # One of another day, or after the scan, does not.
        ({"RadiopharmaceuticalStartDateTime": "20240311102000"}, 1.0),
        ({"RadiopharmaceuticalStartDateTime": "20240310120000.000001"}, 1.0),
        ({"RadiopharmaceuticalStartDateTime": "20240309115959"}, 1.0),
        ({"RadiopharmaceuticalStartDateTime": "20240310"}, 1.0),
        ({"RadiopharmaceuticalStartDateTime": "20240230084000"}, 1.0),
        # One in a time zone counts where it is that of the file.
        ({"RadiopharmaceuticalStartDateTime": "20240310084000+0100"}, 1.0),
        (
            {
                "RadiopharmaceuticalStartDateTime": "20240310084000+0100",
                "TimezoneOffsetFromUTC": "+0100",
            },
            2.0,
        ),
        (
            {
                "RadiopharmaceuticalStartDateTime": "20240310084000.5-0500",
                "TimezoneOffsetFromUTC": "+0100",
            },
            1.0,
        ),
    ],
)
def test_injection(backend: Backend, attributes: dict[str, Any], expected: float) -> None:
    series_time = attributes.get("SeriesTime", "120000")
    data = pet_slice(**{"AcquisitionTime": series_time, **attributes})
    assert factor(data, backend) == expected


def test_ge_says_when_the_scan_began(backend: Backend) -> None:
    # The series was made of another in the evening.
    late: dict[str, Any] = {"SeriesTime": "190000", "AcquisitionTime": "120500"}
    for block in (0x10, 0x11, 0xFF):
        assert factor(pet_slice(**late, extra=ge_scan("20240310120000.00", block)), backend) == 1
    assert factor(pet_slice(**late, extra=ge_scan("202403101340")), backend) == 2
    # It is of no matter where the series says it.
    assert factor(pet_slice(extra=ge_scan("20240310134000")), backend) == 1
    for missing in ("SeriesTime", "SeriesDate", "AcquisitionTime", "AcquisitionDate"):
        assert factor(pet_slice(**{missing: None}, extra=ge_scan("20240310120000")), backend) == 1
    other = [Element(0x00090010, "LO", "GEMS_PETD_02"), *ge_scan("20240310120000")[1:]]
    refused(pet_slice(**late, extra=other), "SeriesTime", backend)
    refused(pet_slice(**late, extra=ge_scan("yesterday")), "SeriesTime", backend)


def test_earliest_acquisition_of_the_whole_series_counts(tmp_path: Path, backend: Backend) -> None:
    times = ["120300", "115959", "120600"]
    paths = write_pet(tmp_path, 3, AcquisitionTime=times)
    series = td.scan(tmp_path).series[0]
    for source in (tmp_path, series):
        whole: dict[str, Any] = {}
        for options in (whole, {"slices": 0}):
            with expect_error("suv_not_possible", element=NAMES["SeriesTime"], path=paths[0]):
                td.load(source, output="suv", backend=backend, **options)
    assert td.decode(paths[0], output="suv", backend=backend)[0, 0, 1] == 1
    write_pet(tmp_path, 3, AcquisitionTime=[times[0], None, times[2]])
    with expect_error("suv_not_possible", element=NAMES["AcquisitionTime"], path=paths[1]):
        td.load(tmp_path, output="suv", backend=backend)
    # A day later it is later.
    days = ["20240310", "20240311", "20240310"]
    write_pet(tmp_path, 3, AcquisitionTime=times, AcquisitionDate=days)
    assert td.load(tmp_path, output="suv", backend=backend).data[1, 0, 1] == 1


# --- other units


@pytest.mark.parametrize("kind", [None, "", "BW"])
def test_grams_per_millilitre_are_suv(backend: Backend, kind: str | None) -> None:
    data = pet_slice(Units="GML", SUVType=kind, doses=[], PatientWeight=None, DecayCorrection=None)
    assert factor(data, backend) == 1024
    assert td.load(data, output="suv", backend=backend).units == "SUVbw"
    assert td.load(data, backend=backend).units == "GML"


@pytest.mark.parametrize("kind", ["LBM", "BSA", "IBW", "LBMJAMES128", "bw"])
def test_suv_of_another_type(backend: Backend, kind: str) -> None:
    refused(pet_slice(Units="GML", SUVType=kind), "SUVType", backend)


def test_counts_of_philips(backend: Backend) -> None:
    for block in (0x10, 0x42):
        data = pet_slice(Units="CNTS", extra=philips_factor("0.0009765625", block), doses=[])
        assert factor(data, backend) == 1
    for value in ("0", "-1", "abc", "", "1\\2"):
        refused(pet_slice(Units="CNTS", extra=philips_factor(value)), "(7053,1000)", backend)
    refused(pet_slice(Units="CNTS"), "(7053,1000)", backend)


@pytest.mark.parametrize("units", ["PROPCPS", "BQ", "bqml", "", None, "CM2ML", "NONE"])
def test_units_that_are_none(backend: Backend, units: str | None) -> None:
    refused(pet_slice(Units=units), "Units", backend)


# --- what is missing or unusable


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CorrectedImage", None),
        ("CorrectedImage", ""),
        ("CorrectedImage", "DECY"),
        ("CorrectedImage", "ATTN\\NODECY"),
        ("CorrectedImage", "ATTN DECY"),
        ("DecayCorrection", None),
        ("DecayCorrection", "NONE"),
        ("DecayCorrection", "start"),
        ("PatientWeight", None),
        ("PatientWeight", ""),
        ("PatientWeight", "0"),
        ("PatientWeight", "-70"),
        ("PatientWeight", "70 kg"),
        ("PatientWeight", "70\\71"),
        ("PatientWeight", "1e308"),
        ("RadionuclideTotalDose", None),
        ("RadionuclideTotalDose", "134.2"),
        ("RadionuclideTotalDose", "999999.9"),
        ("RadionuclideTotalDose", "10000000001"),
        ("RadionuclideTotalDose", "-134217728"),
        ("RadionuclideHalfLife", None),
        ("RadionuclideHalfLife", "0"),
        ("RadionuclideHalfLife", "-6000"),
        ("RadionuclideHalfLife", "1e-300"),
        ("SeriesDate", None),
        ("SeriesDate", "20240230"),
        ("SeriesDate", "00000101"),
        ("SeriesDate", "2024"),
        ("SeriesTime", None),
        ("SeriesTime", "250000"),
        ("SeriesTime", "12000"),
        ("SeriesTime", "12:0000"),
        ("SeriesTime", "120006"),
        ("SeriesTime", "120000.1234567"),
        ("AcquisitionDate", None),
        ("AcquisitionDate", "20240309"),
        ("AcquisitionTime", None),
        ("AcquisitionTime", "1260"),
        ("RadiopharmaceuticalStartTime", None),
        ("RadiopharmaceuticalStartTime", "noon"),
    ],
)
def test_refusals(backend: Backend, name: str, value: str | None) -> None:
    blamed = "SeriesTime" if (name, value) == ("AcquisitionDate", "20240309") else name
    attributes: dict[str, Any] = {name: value}
    refused(pet_slice(**attributes), blamed, backend)


def test_date_time_of_injection_that_is_of_no_use(backend: Backend) -> None:
    name = "RadiopharmaceuticalStartDateTime"
    absent: dict[str, Any] = {"RadiopharmaceuticalStartTime": None}
    for value in ("20240311102000", "20240308102000", "20240310", "20240310102000+0100"):
        refused(pet_slice(**{**absent, name: value}), name, backend)


def test_no_radiopharmaceutical(backend: Backend) -> None:
    refused(pet_slice(doses=[]), "RadionuclideTotalDose", backend)
    empty = [sequence(0x00540016)]
    refused(pet_slice(doses=[], extra=empty), "RadionuclideTotalDose", backend)


def test_radiopharmaceutical_that_is_malformed(backend: Backend) -> None:
    data = pet_slice(
        doses=[], extra=[Element(0x00540016, "SQ", encode([Element(0x00080005, "CS", "AB")]))]
    )
    with expect_error("invalid_sequence"):
        td.load(data, output="suv", backend=backend)
    # Nobody else minds.
    assert td.load(data, backend=backend).units == "BQML"
    assert factor(pet_slice(Units="GML", doses=[]), backend) == 1024


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"RescaleSlope": None}, "(0028,1053) RescaleSlope"),
        (
            {"pixels": np.zeros((2, 2), np.uint8), "PhotometricInterpretation": "PALETTE COLOR"},
            "(0028,0004) PhotometricInterpretation",
        ),
        (
            {"ModalityLUTSequence": [[Element(0x00283002, "US", (1, 0, 16))]]},
            "(0028,3000) ModalityLUTSequence",
        ),
    ],
)
def test_images_that_are_not_of_slopes(
    backend: Backend, attributes: dict[str, Any], name: str
) -> None:
    for call in (td.load, td.decode):
        with expect_error("suv_not_possible", element=name):
            call(pet_slice(**attributes), output="suv", backend=backend)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PatientWeight", "70"),
        ("DecayCorrection", "ADMIN"),
        ("RadionuclideTotalDose", "2e8"),
        ("RadionuclideHalfLife", "6001"),
        ("RadiopharmaceuticalStartTime", "1021"),
        ("RadiopharmaceuticalStartDateTime", "20240310103000"),
        ("SeriesDate", "20240309"),
        ("SeriesTime", "110000"),
        ("PatientWeight", None),
    ],
)
def test_slices_that_differ(tmp_path: Path, backend: Backend, name: str, value: str | None) -> None:
    paths = write_pet(tmp_path, 3, **{name: [PET.get(name), PET.get(name), value]})
    for source in (tmp_path, td.scan(tmp_path).series[0]):
        with expect_error("suv_not_possible", element=NAMES[name], path=paths[2]):
            td.load(source, output="suv", slices=0, backend=backend)
    assert td.load(tmp_path, backend=backend).units == "BQML"


def test_slice_without_corrections(tmp_path: Path, backend: Backend) -> None:
    paths = write_pet(tmp_path, 3, CorrectedImage=["ATTN\\DECY", "DECY\\ATTN\\SCAT", "DECY"])
    with expect_error("suv_not_possible", element=NAMES["CorrectedImage"], path=paths[2]):
        td.load(tmp_path, output="suv", backend=backend)


def test_integers_are_refused(backend: Backend) -> None:
    for options in ({"dtype": torch.int16}, {"out": torch.zeros((1, 3, 4), dtype=torch.int32)}):
        with pytest.raises(ValueError, match="output='suv' has values between integers"):
            td.load(pet_slice(), output="suv", backend=backend, **options)
