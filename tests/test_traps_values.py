"""TRAPS 17 to 20 and 28: what values are, and what a window makes of them.

Every expected value is what was written, in the builder's terms.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import MR_IMAGE, ct_slice
from builders_forms import modality_lut, real_world, real_world_item, voi_lut, voi_luts
from builders_pet import NAMES, ge_scan, pet_slice, scale_slope, write_pet
from helpers import expect_error
from windows import image, shown

if TYPE_CHECKING:
    from pathlib import Path

    from helpers import Backend


def row_of(data: bytes, backend: Backend, **options: Any) -> list[float]:
    """The first row of a load in double."""
    volume = td.load(data, dtype=torch.float64, backend=backend, **options)
    row: list[float] = volume.data[0, 0].tolist()
    return row


# --- 17: stored values, then the rescale, then the window, then whether white is low


def test_trap_17_a_window_is_one_of_rescaled_values(backend: Backend) -> None:
    # 0 to 3 are -10, -5, 0 and 5; the window is -10 to 10.
    window: dict[str, Any] = {
        "WindowCenter": 0,
        "WindowWidth": 20,
        "VOILUTFunction": "LINEAR_EXACT",
    }
    data = image([0, 1, 2, 3], RescaleSlope=5, RescaleIntercept=-10, **window)
    assert row_of(data, backend) == [-10, -5, 0, 5]
    assert row_of(data, backend, output="stored") == [0, 1, 2, 3]
    assert row_of(data, backend, output="window") == [0, 0.25, 0.5, 0.75]


def test_trap_17_a_voi_lut_is_one_of_modality_lut_values(backend: Backend) -> None:
    tables = [modality_lut([12, 10, 11]), voi_luts(voi_lut([0, 51, 255], first=10, bits=8))]
    data = image([0, 1, 2], extra=tables, RescaleSlope=None, RescaleIntercept=None)
    assert row_of(data, backend) == [12, 10, 11]
    assert row_of(data, backend, output="window") == [1, 0, 0.2]


def test_trap_17_a_real_world_map_is_never_mixed_in(backend: Backend) -> None:
    # It maps stored values, whatever the rescale is, and only where it is asked for.
    maps = real_world(real_world_item(first=0, last=9, unit="g/ml", slope=0.5, intercept=1))
    data = image([0, 2, 4], RescaleSlope=10, RescaleIntercept=3, extra=[maps])
    assert row_of(data, backend) == [3, 23, 43]
    assert row_of(data, backend, output="real_world") == [1, 2, 3]
    assert td.load(data, output="real_world", backend=backend).units == "g/ml"
    alone = image([0, 2, 4], RescaleSlope=None, RescaleIntercept=None, extra=[maps])
    assert row_of(alone, backend) == [1, 2, 3]


@pytest.mark.parametrize(
    ("attributes", "units"),
    [
        ({"Modality": "CT"}, "HU"),
        ({"Modality": "CT", "RescaleType": "HU"}, "HU"),
        ({"Modality": "CT", "RescaleType": "OD"}, "OD"),
        ({"Modality": "CT", "RescaleType": "US"}, None),
        ({"Modality": "MR", "SOPClassUID": MR_IMAGE}, None),
        ({"Modality": "MR", "SOPClassUID": MR_IMAGE, "RescaleType": "HU"}, "HU"),
        ({"Modality": "PT", "Units": "BQML"}, "BQML"),
    ],
)
def test_trap_17_the_unit_is_what_the_file_says(
    backend: Backend, attributes: dict[str, Any], units: str | None
) -> None:
    assert td.load(ct_slice(**attributes), backend=backend).units == units


# --- 18: the functions of a window


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        # C.11.2.1.2.1: (x - 1.5) / 3 + 0.5, so that 0 is 0 and 3 is 1.
        (None, [0, 0, 1 / 3, 2 / 3, 1, 1]),
        ("LINEAR", [0, 0, 1 / 3, 2 / 3, 1, 1]),
        # C.11.2.1.3.2: (x - 2) / 4 + 0.5.
        ("LINEAR_EXACT", [0, 0, 0.25, 0.5, 0.75, 1]),
        # C.11.2.1.3.1: 1 / (1 + exp(-4 (x - 2) / 4)).
        ("SIGMOID", [1 / (1 + math.exp(2 - x)) for x in (-1, 0, 1, 2, 3, 4)]),
    ],
)
def test_trap_18_functions(backend: Backend, function: str | None, expected: list[float]) -> None:
    named: dict[str, Any] = {"WindowCenter": 2, "WindowWidth": 4, "VOILUTFunction": function}
    assert shown(image([-1, 0, 1, 2, 3, 4], **named), backend) == pytest.approx(expected, abs=1e-15)


def test_trap_18_a_window_of_1_is_a_step(backend: Backend) -> None:
    data = image([38, 39, 40], WindowCenter=40, WindowWidth=1)
    assert shown(data, backend) == [0, 0, 1]


# --- 19: white where values are low


def test_trap_19_monochrome1_changes_nothing_but_a_window(backend: Backend) -> None:
    named: dict[str, Any] = {"WindowCenter": 2, "WindowWidth": 4, "VOILUTFunction": "LINEAR_EXACT"}
    for photometric, expected in (
        ("MONOCHROME2", [0, 0.25, 1]),
        ("MONOCHROME1", [1, 0.75, 0]),
    ):
        data = image([0, 1, 4], PhotometricInterpretation=photometric, **named)
        assert row_of(data, backend, output="window") == expected
        assert row_of(data, backend, output=td.Window(2, 4)) == expected
        assert row_of(data, backend, output="stored") == [0, 1, 4]
        assert row_of(data, backend) == [0, 1, 4]
    philips = {"PhotometricInterpretation": "MONOCHROME1", "extra": scale_slope(0.5)}
    assert row_of(image([0, 1, 4], **philips), backend, output="philips_fp") == [0, 2, 8]
    pet = pet_slice(PhotometricInterpretation="MONOCHROME1")
    assert row_of(pet, backend, output="suv") == [0, 1, 2, 3]


# --- 20: Philips' display values and values in floating point


def test_trap_20_philips_has_two_kinds_of_values(backend: Backend) -> None:
    # Display values k * 2 + 4; in floating point (k * 2 + 4) / (2 * 0.125).
    mr: dict[str, Any] = {"SOPClassUID": MR_IMAGE, "Modality": "MR", "Manufacturer": "Philips"}
    rescale: dict[str, Any] = {"RescaleSlope": 2, "RescaleIntercept": 4}
    data = ct_slice(**mr, **rescale, extra=scale_slope(0.125))
    assert row_of(data, backend) == [4, 6, 8, 10]
    assert row_of(data, backend, output="philips_fp") == [16, 24, 32, 40]
    assert td.load(data, output="philips_fp", backend=backend).units is None
    with expect_error("philips_fp_not_possible", element="(2005,100E)"):
        td.load(ct_slice(**mr, **rescale), output="philips_fp", backend=backend)


# --- 28: SUV


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        # 65.536 kg, 2^27 Bq and a slope of 2^10; half of the dose is left after 6000 s.
        ({}, [0, 1, 2, 3]),
        ({"DecayCorrection": "ADMIN"}, [0, 0.5, 1, 1.5]),
        ({"RadiopharmaceuticalStartTime": "084000"}, [0, 2, 4, 6]),
        # Injected before midnight.
        (
            {
                "SeriesTime": "000500",
                "AcquisitionTime": "000500",
                "RadiopharmaceuticalStartTime": "222500",
            },
            [0, 1, 2, 3],
        ),
        # A DateTime 23 h after the scan is that of the wrong day: the time counts.
        ({"RadiopharmaceuticalStartDateTime": "20240311110000"}, [0, 1, 2, 3]),
        # The series was made a day after the scan, and GE says when that was.
        ({"SeriesDate": "20240311", "extra": ge_scan("20240310120000.00")}, [0, 1, 2, 3]),
        ({"Units": "GML", "SUVType": "BW", "RescaleSlope": 0.5}, [0, 0.5, 1, 1.5]),
    ],
)
def test_trap_28_suv(backend: Backend, attributes: dict[str, Any], expected: list[float]) -> None:
    data = pet_slice(**attributes)
    assert row_of(data, backend, output="suv") == expected
    assert td.load(data, output="suv", backend=backend).units == "SUVbw"


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("Units", {"Units": "PROPCPS"}),
        ("CorrectedImage", {"CorrectedImage": "DECY\\SCAT"}),
        ("DecayCorrection", {"DecayCorrection": "NONE"}),
        ("PatientWeight", {"PatientWeight": None}),
        ("PatientWeight", {"PatientWeight": 0}),
        ("RadionuclideTotalDose", {"RadionuclideTotalDose": "370"}),
        ("RadionuclideHalfLife", {"RadionuclideHalfLife": None}),
        ("SeriesTime", {"SeriesDate": "20240311"}),
        ("RadiopharmaceuticalStartTime", {"RadiopharmaceuticalStartTime": None}),
        ("SUVType", {"Units": "GML", "SUVType": "LBM"}),
        ("(7053,1000)", {"Units": "CNTS"}),
    ],
)
def test_trap_28_anything_else_is_refused(
    backend: Backend, name: str, attributes: dict[str, Any]
) -> None:
    with expect_error("suv_not_possible", element=NAMES.get(name, name)):
        td.load(pet_slice(**attributes), output="suv", backend=backend)


def test_trap_28_one_patient_a_series(tmp_path: Path, backend: Backend) -> None:
    paths = write_pet(tmp_path, 3, PatientWeight=["65.536", "65.536", "70"])
    with expect_error("suv_not_possible", element=NAMES["PatientWeight"], path=paths[2]):
        td.load(tmp_path, output="suv", backend=backend)


def test_trap_28_each_slice_has_its_slope(tmp_path: Path, backend: Backend) -> None:
    cells = np.full((2, 2), 3, np.int16)
    write_pet(tmp_path, 3, pixels=[cells] * 3, RescaleSlope=[1024, 2048, 512])
    values = td.load(tmp_path, output="suv", backend=backend).data
    assert values[:, 0, 0].tolist() == [3, 6, 1.5]
