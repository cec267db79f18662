"""The axis of time: what tells images of one place apart, and what is said of each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

import torchdicom as td
from builders import Element, element, encode
from builders_enhanced import enhanced
from builders_multiframe import write_times
from helpers import Backend, affine_of, codes, expect_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Z = (30.0, 32.0, 34.0)


def along_t(volume: td.Volume) -> dict[str, list[Any]]:
    """The coordinates along t."""
    return {name: values.tolist() for name, values in volume.coords["t"].items()}


def order(volume: td.Volume) -> list[float]:
    """Which time was written as which: its first voxel, in hundreds."""
    values: list[float] = (volume.data[:, 0, 0, 0] / 100).tolist()
    return values


# Of three times in the order of writing, the attribute, and the values along t in order.
AXES: dict[str, tuple[dict[str, Sequence[Any]], dict[str, list[Any]], list[int]]] = {
    "temporal position": (
        {"TemporalPositionIdentifier": [3, 1, 2]},
        {"TemporalPositionIdentifier": [1, 2, 3]},
        [1, 2, 0],
    ),
    "trigger time": (
        {"TriggerTime": ["62.5", "0", "31.25"]},
        {"TriggerTime": [0, 31.25, 62.5]},
        [1, 2, 0],
    ),
    "b-value": (
        {"DiffusionBValue": [1000.0, 0.0, 500.0]},
        {"DiffusionBValue": [0, 500, 1000]},
        [1, 2, 0],
    ),
    "gradient": (
        {
            "DiffusionBValue": [1000.0, 1000.0, 0.0],
            "DiffusionGradientOrientation": [(1.0, 0, 0), (0.0, 1, 0), None],
        },
        {
            "DiffusionBValue": [0, 1000, 1000],
            "DiffusionGradientOrientation": [[0, 0, 0], [0, 1, 0], [1, 0, 0]],
        },
        [2, 1, 0],
    ),
    "frame reference time": (
        {"FrameReferenceTime": ["2000.5", "0", "1000"]},
        {"FrameReferenceTime": [0, 1000, 2000.5]},
        [1, 2, 0],
    ),
    "acquisition number": (
        {"AcquisitionNumber": [3, 1, 2]},
        {"AcquisitionNumber": [1, 2, 3]},
        [1, 2, 0],
    ),
    "acquisition time": (
        {"AcquisitionTime": ["101010.5", "101010", "1010"]},
        {"AcquisitionTime": [36600, 36610, 36610.5]},
        [2, 1, 0],
    ),
    "acquisition date and time": (
        {"AcquisitionDateTime": ["20240102000001+0100", "20240101235958.25", "20240101235959"]},
        {"AcquisitionTime": [86398.25, 86399, 86401]},
        [1, 2, 0],
    ),
}


@pytest.mark.parametrize("name", AXES)
def test_attributes_that_make_the_axis(tmp_path: Path, backend: Backend, name: str) -> None:
    attributes, coords, written = AXES[name]
    write_times(tmp_path, Z, 3, **attributes)
    volume = td.load(tmp_path, backend=backend)
    assert volume.dims == ("t", "z", "y", "x")
    assert (order(volume), along_t(volume)) == (written, coords)
    assert {values.dtype for values in volume.coords["t"].values()} == {torch.float64}


def test_first_attribute_that_serves_makes_the_axis(tmp_path: Path, backend: Backend) -> None:
    write_times(
        tmp_path,
        Z,
        2,
        TemporalPositionIdentifier=[1, 1],
        TriggerTime=[40, 20],
        AcquisitionNumber=[1, 2],
    )
    volume = td.load(tmp_path, backend=backend)
    assert order(volume) == [1, 0]
    assert along_t(volume) == {"TriggerTime": [20, 40], "AcquisitionNumber": [2, 1]}


def test_attribute_that_differs_from_place_to_place_is_none(
    tmp_path: Path, backend: Backend
) -> None:
    # Slices are taken one after the other: no time is that of a whole volume.
    write_times(
        tmp_path,
        Z,
        2,
        TriggerTime=[1, 2, 3, 11, 12, 13],
        AcquisitionNumber=[1, 1, 1, 2, 2, 2],
    )
    volume = td.load(tmp_path, backend=backend)
    assert along_t(volume) == {"TriggerTime": [1, 11], "AcquisitionNumber": [1, 2]}


def test_equal_values_are_in_the_order_of_their_numbers(tmp_path: Path, backend: Backend) -> None:
    write_times(
        tmp_path,
        (30, 32),
        3,
        DiffusionBValue=[1000.0, 0.0, 1000.0],
        InstanceNumber=[6, 5, 1, 2, 3, 4],
    )
    volume = td.load(tmp_path, backend=backend)
    assert order(volume) == [1, 2, 0]


def test_equal_values_of_one_number_are_no_axis(tmp_path: Path, backend: Backend) -> None:
    write_times(tmp_path, Z, 3, DiffusionBValue=[1000.0, 0.0, 1000.0], InstanceNumber=[1, 2, 1])
    with expect_error("duplicate_positions"):
        td.load(tmp_path, backend=backend)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"TemporalPositionIdentifier": [1, None]},
        {"AcquisitionTime": ["2561", "nonsense"]},
        {"AcquisitionTime": ["1060", "101"]},
        {"AcquisitionDateTime": ["20241301", "2024"]},
    ],
)
def test_nothing_tells_them_apart(
    tmp_path: Path, backend: Backend, attributes: dict[str, Any]
) -> None:
    write_times(tmp_path, Z, 2, **attributes)
    with expect_error("duplicate_positions"):
        td.load(tmp_path, backend=backend)


def test_incomplete_repeats_with_another_number_everywhere(
    tmp_path: Path, backend: Backend
) -> None:
    paths = write_times(tmp_path, Z, 3, TemporalPositionIdentifier=[1, 2, 3])
    for path in (paths[4], paths[5], paths[8]):
        path.unlink()
    with expect_error("duplicate_positions", match="1 to 3"):
        td.load(tmp_path, backend=backend)


def test_times_of_one_slice(tmp_path: Path, backend: Backend) -> None:
    write_times(tmp_path, (30,), 3, TemporalPositionIdentifier=[1, 2, 3])
    volume = td.load(tmp_path, backend=backend)
    assert (volume.data.shape, codes(volume)) == ((3, 1, 3, 4), ["assumed_spacing"])


def test_defects_are_judged_on_the_first_time(tmp_path: Path, backend: Backend) -> None:
    write_times(tmp_path, (30, 32, 34, 38), 2, TemporalPositionIdentifier=[1, 2])
    volume = td.load(tmp_path, policy=td.Policy(missing_slices="allow"), backend=backend)
    assert volume.data.shape == (2, 4, 3, 4)
    (defect,) = volume.verdict.defects
    assert (defect.code, defect.slices, defect.measured["missing"]) == ("missing_slices", (2,), 1)


def test_acquisition_time_of_the_earliest_slice(tmp_path: Path, backend: Backend) -> None:
    write_times(
        tmp_path,
        (30, 32),
        2,
        AcquisitionNumber=[1, 2],
        AcquisitionTime=["000003", "000002", "000012", "000013"],
    )
    volume = td.load(tmp_path, backend=backend)
    assert along_t(volume) == {"AcquisitionNumber": [1, 2], "AcquisitionTime": [2, 12]}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10", 36000),
        ("1001", 36060),
        ("100102", 36062),
        ("100102.5", 36062.5),
        ("100102.000001", 36062.000001),
        ("10:01:02", 36062),
        ("10:01", 36060),
        ("235960", 86400),
        (" 100102 ", 36062),
    ],
)
def test_forms_of_times(tmp_path: Path, backend: Backend, text: str, seconds: float) -> None:
    write_times(tmp_path, Z, 2, AcquisitionNumber=[1, 2], AcquisitionTime=["095959", text])
    assert along_t(td.load(tmp_path, backend=backend))["AcquisitionTime"][1] == seconds


@pytest.mark.parametrize(
    "text", ["2400", "1060", "100161", "1001020", "100102.", "100102.1234567", "10-01", "", "1"]
)
def test_malformed_times_are_absent(tmp_path: Path, backend: Backend, text: str) -> None:
    write_times(tmp_path, Z, 2, AcquisitionNumber=[1, 2], AcquisitionTime=["095959", text])
    assert [*along_t(td.load(tmp_path, backend=backend))] == ["AcquisitionNumber"]


@pytest.mark.parametrize("day", ["20230229", "2024-01-01", "20240100", "240101"])
def test_malformed_days_are_absent(tmp_path: Path, backend: Backend, day: str) -> None:
    write_times(
        tmp_path, Z, 2, AcquisitionDate=["20240101", day], AcquisitionTime=["235959", "000001"]
    )
    # Without a day of all, the long pause is midnight.
    assert along_t(td.load(tmp_path, backend=backend))["AcquisitionTime"] == [86399, 86401]


def test_days_with_points(tmp_path: Path, backend: Backend) -> None:
    days, times = ["2023.12.31", "20240101"], ["120000", "110000"]
    write_times(tmp_path, Z, 2, AcquisitionDate=days, AcquisitionTime=times)
    assert along_t(td.load(tmp_path, backend=backend))["AcquisitionTime"] == [43200, 126000]


# --- b-values of vendors


def private(group: int, creator: str, *elements: tuple[int, str, Any]) -> list[Element]:
    """A private block, reserved as 0x11."""
    named = [Element(group << 16 | 0x11, "LO", creator)]
    return named + [Element(group << 16 | 0x1100 | n, vr, value) for n, vr, value in elements]


def siemens(b_value: int) -> list[Element]:
    return private(
        0x0019, "SIEMENS MR HEADER", (0x0C, "IS", b_value), (0x0E, "FD", (0.0, b_value / 1000, 0))
    )


def philips(b_value: int) -> list[Element]:
    gradient = [(0xB0 + k, "FL", b_value / 1000 * (k == 1)) for k in range(3)]
    return [
        *private(0x2001, "Philips Imaging DD 001", (0x03, "FL", b_value)),
        *private(0x2005, "Philips MR Imaging DD 001", *gradient),
    ]


@pytest.mark.parametrize("vendor", [siemens, philips], ids=lambda one: one.__name__)
def test_b_values_of_vendors(tmp_path: Path, backend: Backend, vendor: Any) -> None:
    write_times(tmp_path, Z, 2, extra=[vendor(1000), vendor(500)])
    volume = td.load(tmp_path, backend=backend)
    assert along_t(volume) == {
        "DiffusionBValue": [500, 1000],
        "DiffusionGradientOrientation": [[0, 0.5, 0], [0, 1, 0]],
    }


def test_b_values_of_ge(tmp_path: Path, backend: Backend) -> None:
    # The gradient beside it, (0019,xxBB) to (0019,xxBD), is in the space of the image.
    extra = [
        private(0x0043, "GEMS_PARM_01", (0x39, "IS", (1_000_000_000 + b_value, 8, 0, 0)))
        + private(0x0019, "GEMS_ACQU_01", (0xBB, "DS", 1), (0xBC, "DS", 0), (0xBD, "DS", b_value))
        for b_value in (1000, 500)
    ]
    write_times(tmp_path, Z, 2, extra=extra)
    assert along_t(td.load(tmp_path, backend=backend)) == {"DiffusionBValue": [500, 1000]}


def test_b_value_of_the_standard_counts_before_that_of_a_vendor(
    tmp_path: Path, backend: Backend
) -> None:
    write_times(tmp_path, Z, 2, DiffusionBValue=[7.0, 9.0], extra=[siemens(1000), siemens(500)])
    assert along_t(td.load(tmp_path, backend=backend)) == {"DiffusionBValue": [7, 9]}


@pytest.mark.parametrize(
    "extra",
    [
        [Element(0x0019100C, "IS", "5")],
        private(0x0019, "SIEMENS MR HEADER", (0x0C, "IS", "many")),
        private(0x2001, "Philips Imaging DD 001", (0x03, "FL", b"\0\0")),
        private(0x2001, "Philips Imaging DD 001", (0x03, "FL", float("nan"))),
        private(0x0019, "SIEMENS CSA HEADER", (0x0C, "IS", "5")),
    ],
    ids=["no creator", "text", "two bytes", "no number", "another creator"],
)
def test_malformed_private_values_are_absent(
    tmp_path: Path, backend: Backend, extra: list[Element]
) -> None:
    write_times(tmp_path, Z, 2, AcquisitionNumber=[1, 2], extra=[extra, siemens(0)])
    assert [*along_t(td.load(tmp_path, backend=backend))] == ["AcquisitionNumber"]


def test_numbers_that_are_malformed_are_errors(tmp_path: Path, backend: Backend) -> None:
    paths = write_times(tmp_path, Z, 2, TriggerTime=["1,5", "2"])
    with expect_error("invalid_decimal_string", path=paths[0]) as caught:
        td.load(tmp_path, backend=backend)
    assert caught.value.element == "(0018,1060) TriggerTime"
    assert td.decode(paths[0], backend=backend).shape == (1, 3, 4)


def test_an_attribute_that_stands_there_twice(tmp_path: Path, backend: Backend) -> None:
    paths = write_times(tmp_path, Z, 2, TemporalPositionIdentifier=[1, 1])
    for path in paths[3:]:
        data = path.read_bytes()
        one = encode([element("TemporalPositionIdentifier", 1)])
        path.write_bytes(
            data.replace(one, one + encode([element("TemporalPositionIdentifier", 2)]))
        )
    with expect_error("invalid_multiplicity", path=paths[3]) as caught:
        td.load(tmp_path, backend=backend)
    assert caught.value.element == "(0020,0100) TemporalPositionIdentifier"


# --- of enhanced files


@pytest.mark.parametrize(
    ("own", "coords"),
    [
        ({"TemporalPositionIndex": [2, 1]}, {"TemporalPositionIdentifier": [1, 2]}),
        ({"NominalCardiacTriggerDelayTime": [9.5, 2.0]}, {"TriggerTime": [2, 9.5]}),
        (
            {"NominalPercentageOfCardiacPhase": [50, 25]},
            {"NominalPercentageOfCardiacPhase": [25, 50]},
        ),
        ({"DiffusionBValue": [800.0, 0.0]}, {"DiffusionBValue": [0, 800]}),
        (
            {"DiffusionBValue": [8.0, 8.0], "DiffusionGradientOrientation": [(1, 0, 0), (0, 0, 1)]},
            {"DiffusionGradientOrientation": [[0, 0, 1], [1, 0, 0]]},
        ),
        ({"TemporalPositionTimeOffset": [1.5, 0.0]}, {"FrameReferenceTime": [0, 1500]}),
        ({"FrameAcquisitionNumber": [2, 1]}, {"AcquisitionNumber": [1, 2]}),
        (
            {"FrameAcquisitionDateTime": ["20240101000001", "20231231235959.5"]},
            {"AcquisitionTime": [86399.5, 86401]},
        ),
    ],
)
def test_attributes_of_frames(
    backend: Backend, own: dict[str, Any], coords: dict[str, list[Any]]
) -> None:
    per_frame: dict[str, Any] = {keyword: list(values) * 3 for keyword, values in own.items()}
    per_frame["ImagePositionPatient"] = [(0, 0, z) for z in Z for _ in range(2)]
    volume = td.load(enhanced(6, per_frame=per_frame), backend=backend)
    assert volume.data[:, :, 0, 0].tolist() == [[100, 300, 500], [0, 200, 400]]
    assert along_t(volume) == coords


def test_frames_of_one_value_are_in_the_order_of_the_file(backend: Backend) -> None:
    # All frames have the InstanceNumber of the file, and images without diffusion are many.
    own: dict[str, Any] = {
        "ImagePositionPatient": [(0, 0, z) for z in Z for _ in range(3)],
        "DiffusionBValue": [0.0, 500.0, 0.0] * 3,
    }
    volume = td.load(enhanced(9, per_frame=own), backend=backend)
    assert volume.data[:, :, 0, 0].tolist() == [[0, 300, 600], [200, 500, 800], [100, 400, 700]]
    assert along_t(volume) == {"DiffusionBValue": [0, 0, 500]}


def test_frames_of_one_value_alone_are_repeats(backend: Backend) -> None:
    places = [(0, 0, z) for z in Z for _ in range(2)]
    own: dict[str, Any] = {"ImagePositionPatient": places, "TemporalPositionIndex": [1] * 6}
    with expect_error("duplicate_positions"):
        td.load(enhanced(6, per_frame=own), backend=backend)


def test_diffusion_that_differs_within_a_time_is_no_coordinate(
    tmp_path: Path, backend: Backend
) -> None:
    write_times(
        tmp_path,
        (30, 32),
        2,
        AcquisitionNumber=[1, 2],
        DiffusionBValue=[0.0, 0.0, 500.0, 500.0],
        DiffusionGradientOrientation=[None, None, (1.0, 0, 0), (0.0, 1, 0)],
    )
    assert along_t(td.load(tmp_path, backend=backend)) == {"AcquisitionNumber": [1, 2]}


# --- parts of a series


def four(folder: Path) -> Path:
    write_times(folder, Z, 4, TemporalPositionIdentifier=[1, 2, 3, 4])
    return folder


@pytest.mark.parametrize(
    ("wanted", "times"),
    [(2, [2]), (-1, [3]), (slice(1, 3), [1, 2]), (range(0, 4, 2), [0, 2]), ([3, 0, 0], [3, 0, 0])],
)
def test_times_that_are_asked_for(
    tmp_path: Path, backend: Backend, wanted: Any, times: list[int]
) -> None:
    volume = td.load(four(tmp_path), t=wanted, slices=[2, 0], backend=backend)
    expected = [[100 * t + 20, 100 * t] for t in times]
    assert volume.data[:, :, 0, 0].tolist() == expected
    assert along_t(volume) == {"TemporalPositionIdentifier": [t + 1 for t in times]}
    assert len(volume.provenance) == 2 * len(times)
    assert [one.position_mm[2] for one in volume.provenance[:2]] == [34, 30]
    assert affine_of(volume)[2].tolist() == [-4, 0, 0, 34]


def test_times_that_are_not_there(tmp_path: Path, backend: Backend) -> None:
    folder = four(tmp_path)
    with pytest.raises(IndexError, match=r"(?i)time 4 .* the series has 4"):
        td.load(folder, t=4, backend=backend)
    with pytest.raises(ValueError, match="none of the 4 times"):
        td.load(folder, t=slice(4, 9), backend=backend)


def test_series_without_times(tmp_path: Path, backend: Backend) -> None:
    write_times(tmp_path, Z, 1)
    with pytest.raises(ValueError, match="the series has no axis t"):
        td.load(tmp_path, t=0, backend=backend)


def test_times_of_a_cine(backend: Backend) -> None:
    data = enhanced(
        3,
        shared={"ImageOrientationPatient": None},
        per_frame={"ImagePositionPatient": [None] * 3, "TemporalPositionIndex": [5, 6, 7]},
        Modality="US",
        FrameTime=10,
    )
    volume = td.load(data, t=[2, 1], backend=backend)
    assert volume.data[:, 0, 0, 0].tolist() == [200, 100]
    assert along_t(volume) == {"FrameTime": [20, 10], "TemporalPositionIdentifier": [7, 6]}


def test_mask_and_output_of_times(tmp_path: Path, backend: Backend) -> None:
    write_times(tmp_path, Z, 2, TemporalPositionIdentifier=[1, 2], PixelPaddingValue=[110, 110])
    out = torch.empty((2, 3, 3, 4), dtype=torch.float64)
    volume = td.load(tmp_path, mask=True, out=out, dtype=torch.float64, backend=backend)
    assert volume.data is out
    assert volume.valid_mask is not None
    assert volume.valid_mask[:, :, 0, 0].tolist() == [[True] * 3, [True, False, True]]


def test_colours_of_times(tmp_path: Path, backend: Backend) -> None:
    cells = [np.full((3, 4 * 3), k, np.uint8) for k in range(6)]
    write_times(
        tmp_path,
        Z,
        2,
        TemporalPositionIdentifier=[1, 2],
        pixels=cells,
        SamplesPerPixel=[3] * 6,
        PlanarConfiguration=[0] * 6,
        Columns=[4] * 6,
        PhotometricInterpretation=["RGB"] * 6,
    )
    volume = td.load(tmp_path, backend=backend)
    assert (volume.dims, volume.data.shape) == (("t", "c", "z", "y", "x"), (2, 3, 3, 3, 4))
    assert volume.data[:, 1, :, 0, 0].tolist() == [[0, 1, 2], [3, 4, 5]]
