"""Nuclear medicine: reconstructed slices, gates, projections (PS3.3 C.8.4.8 to C.8.4.15)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import torchdicom as td
from builders import Element
from builders_multiframe import GATED, STATIC, nuclear
from builders_parts import keys_in
from helpers import Backend, affine_of, codes, expect_error, firsts

if TYPE_CHECKING:
    from collections.abc import Sequence


def place(*position: float) -> list[Element]:
    """An item of DetectorInformationSequence, axial."""
    orientation = Element(0x00200037, "DS", (1, 0, 0, 0, 1, 0))
    return [Element(0x00200032, "DS", position), orientation]


def parts(data: bytes, backend: Backend) -> list[td.Volume]:
    """All series of a file, in the order of their first frames."""
    with expect_error("several_series") as caught:
        td.load(data, backend=backend)
    return [td.load(data, series=key, backend=backend) for key in keys_in(caught.value)]


def test_reconstructed_slices(backend: Backend) -> None:
    volume = td.load(nuclear(3), backend=backend)
    assert (volume.dims, firsts(volume)) == (("z", "y", "x"), [0, 100, 200])
    assert affine_of(volume).tolist() == [
        [0, 0, 0.25, -10],
        [0, 0.5, 0, -20],
        [4, 0, 0, 30],
        [0, 0, 0, 1],
    ]
    assert volume.verdict == td.Verdict(ok=True)


def test_sign_of_the_spacing_counts(backend: Backend) -> None:
    volume = td.load(nuclear(3, SpacingBetweenSlices=-4), backend=backend)
    assert firsts(volume) == [200, 100, 0]
    assert affine_of(volume)[2].tolist() == [4, 0, 0, 22]


def test_slice_vector_says_where_frames_are(backend: Backend) -> None:
    volume = td.load(nuclear(3, SliceVector=(3, 1, 2)), backend=backend)
    assert firsts(volume) == [100, 200, 0]


@pytest.mark.parametrize("vector", [(1, 2), (1, 2, 3, 4)])
def test_vector_of_another_length_is_absent(backend: Backend, vector: tuple[int, ...]) -> None:
    assert firsts(td.load(nuclear(3, SliceVector=vector), backend=backend)) == [0, 100, 200]


def test_slices_without_a_spacing_have_no_place(backend: Backend) -> None:
    allowed = td.Policy(no_position="allow")
    data = nuclear(3, SpacingBetweenSlices=None)
    volume = td.load(data, policy=allowed, backend=backend)
    assert (volume.affine, firsts(volume)) == (None, [0, 100, 200])
    assert codes(volume) == ["no_position"]


def test_one_reconstructed_slice(backend: Backend) -> None:
    volume = td.load(nuclear(1, SpacingBetweenSlices=None), backend=backend)
    assert (volume.provenance[0].position_mm, codes(volume)) == (
        (-10, -20, 30),
        ["assumed_spacing"],
    )


def test_place_of_the_file_where_no_detector_has_one(backend: Backend) -> None:
    data = nuclear(
        2,
        DetectorInformationSequence=[[]],
        ImagePositionPatient=(1, 2, 3),
        ImageOrientationPatient=(1, 0, 0, 0, 1, 0),
    )
    assert affine_of(td.load(data, backend=backend))[:, 3].tolist() == [1, 2, 3, 1]


def test_gates_are_times(backend: Backend) -> None:
    data = nuclear(
        6,
        ImageType=GATED,
        TimeSlotVector=(1, 1, 1, 2, 2, 2),
        SliceVector=(1, 2, 3, 1, 2, 3),
    )
    volume = td.load(data, backend=backend)
    assert volume.data[:, :, 0, 0].tolist() == [[0, 100, 200], [300, 400, 500]]
    assert volume.coords["t"]["TemporalPositionIdentifier"].tolist() == [1, 2]


def test_dynamic_slices_are_times(backend: Backend) -> None:
    data = nuclear(4, TimeSliceVector=(2, 2, 1, 1), SliceVector=(1, 2, 1, 2))
    volume = td.load(data, backend=backend)
    assert volume.data[:, :, 0, 0].tolist() == [[200, 300], [0, 100]]


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"EnergyWindowVector": (1, 1, 2, 2)}, "StackID EnergyWindow 1"),
        ({"DetectorVector": (1, 1, 2, 2)}, "StackID Detector 1"),
        ({"RRIntervalVector": (1, 1, 2, 2)}, "StackID RRInterval 1"),
        (
            {"EnergyWindowVector": (1, 1, 2, 2), "DetectorVector": (1, 1, 2, 2)},
            "StackID EnergyWindow 1, Detector 1",
        ),
    ],
)
def test_stacks(backend: Backend, attributes: dict[str, Sequence[int]], told: str) -> None:
    vectors: dict[str, Any] = {"SliceVector": (1, 2, 1, 2), **attributes}
    data = nuclear(4, **vectors)
    assert [firsts(one) for one in parts(data, backend)] == [[0, 100], [200, 300]]
    with expect_error("several_series", match=told):
        td.load(data, backend=backend)


def test_detectors_have_places_of_their_own(backend: Backend) -> None:
    data = nuclear(
        4,
        SliceVector=(1, 2, 1, 2),
        DetectorVector=(1, 1, 2, 2),
        DetectorInformationSequence=[place(0, 0, 0), place(5, 6, 7)],
    )
    origins = [affine_of(one)[:3, 3].tolist() for one in parts(data, backend)]
    assert origins == [[0, 0, 0], [5, 6, 7]]


def test_vector_without_a_change_makes_no_stacks(backend: Backend) -> None:
    data = nuclear(3, EnergyWindowVector=(1, 1, 1), DetectorVector=(1, 1, 1))
    assert firsts(td.load(data, backend=backend)) == [0, 100, 200]


def test_projections_are_a_cine(backend: Backend) -> None:
    data = nuclear(3, ImageType="ORIGINAL\\PRIMARY\\TOMO\\EMISSION")
    volume = td.load(data, backend=backend)
    assert volume.dims == ("t", "z", "y", "x")
    assert volume.data[:, 0, 0, 0].tolist() == [0, 100, 200]
    assert (volume.affine, volume.spacing_mm[1:]) == (None, (0.5, 0.25))


def test_energy_windows_of_projections_are_apart(backend: Backend) -> None:
    data = nuclear(
        4, ImageType="ORIGINAL\\PRIMARY\\DYNAMIC\\EMISSION", EnergyWindowVector=(1, 2) * 2
    )
    found = [one.data[:, 0, 0, 0].tolist() for one in parts(data, backend)]
    assert found == [[0, 200], [100, 300]]


def test_planar_image(backend: Backend) -> None:
    volume = td.load(nuclear(1, ImageType=STATIC), backend=backend)
    assert (volume.dims, volume.affine) == (("z", "y", "x"), None)
    assert volume.metadata["spacing_source"] == "PixelSpacing"


def test_single_slices_stay_classic(backend: Backend) -> None:
    slices = [
        nuclear(
            1,
            DetectorInformationSequence=None,
            ImagePositionPatient=(0, 0, 3 * k),
            ImageOrientationPatient=(1, 0, 0, 0, 1, 0),
            SOPInstanceUID=f"1.2.3.{k}",
        )
        for k in range(3)
    ]
    assert affine_of(td.load(slices, backend=backend))[2].tolist() == [3, 0, 0, 0]
