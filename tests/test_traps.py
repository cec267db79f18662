"""TRAPS 1 to 8: the order of slices, their distances, and slices that are not there or there twice.

Every expected value is what was written, in the builder's terms.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import torchdicom as td
from builders import axial, write_series
from builders_parts import AXIAL, CORONAL, flat, keys_in, part_key, write_more, write_scout
from helpers import Backend, affine_of, expect_error, firsts, stored

Vector = tuple[float, float, float]


def only_defect(volume: td.Volume) -> td.Defect:
    (defect,) = volume.verdict.defects
    return defect


# --- 1: the order


def test_trap_01_order_is_by_position_and_by_nothing_else(tmp_path: Path, backend: Backend) -> None:
    # File i lies at places[i]; names, InstanceNumber and SliceLocation each tell another order.
    places = [3, 0, 4, 1, 2]
    write_series(
        tmp_path,
        5,
        names=["a.dcm", "b.dcm", "c.dcm", "d.dcm", "e.dcm"],
        pixels=[flat(k) for k in places],
        InstanceNumber=[1, 5, 2, 4, 3],
        SliceLocation=[0, 40, 10, 30, 20],
        ImagePositionPatient=[(-7, 11 + 2.5 * k, 40) for k in places],
        ImageOrientationPatient=CORONAL,
    )
    volume = stored(tmp_path, backend)
    assert firsts(volume) == [0, 1, 2, 3, 4]
    assert [Path(one.path).name[0] for one in volume.provenance] == ["b", "d", "e", "a", "c"]


def test_trap_01_position_is_the_centre_of_the_first_voxel(
    tmp_path: Path, backend: Backend
) -> None:
    places = [(-7, 11 + 2.5 * k, 40) for k in range(3)]
    write_series(tmp_path, 3, ImagePositionPatient=places, ImageOrientationPatient=CORONAL)
    assert affine_of(td.load(tmp_path, backend=backend)).tolist() == [
        [0.0, 0.0, 0.25, -7.0],
        [2.5, 0.0, 0.0, 11.0],
        [0.0, -0.5, 0.0, 40.0],
        [0.0, 0.0, 0.0, 1.0],
    ]


# --- 2: the normal


def test_trap_02_first_file_is_a_localizer(tmp_path: Path, backend: Backend) -> None:
    scout = write_scout(tmp_path, "0000-scout.dcm")
    names = ["3.dcm", "1.dcm", "4.dcm", "2.dcm"]
    write_series(tmp_path, 4, names=names)
    volume = stored(tmp_path, backend)
    assert firsts(volume) == [0, 100, 200, 300]
    assert affine_of(volume)[:3, 0].tolist() == [0.0, 0.0, 2.5]
    assert only_defect(volume).files == (str(scout),)
    assert volume.verdict.ok


def test_trap_02_first_file_is_of_another_orientation(tmp_path: Path, backend: Backend) -> None:
    (odd,) = write_more(tmp_path, 0, 1, ImageOrientationPatient=CORONAL, SOPInstanceUID="1.9")
    write_more(tmp_path, 1, 4)
    with expect_error("several_series") as caught:
        td.load(tmp_path, backend=backend)
    assert keys_in(caught.value)[1] == part_key()
    volume = stored(tmp_path, backend, series=part_key())
    assert firsts(volume) == [100, 200, 300, 400]
    assert affine_of(volume)[:3, 0].tolist() == [0.0, 0.0, 2.5]
    defect = only_defect(volume)
    assert (defect.code, defect.files) == ("mixed_orientation", (str(odd),))


def test_trap_02_first_file_is_written_with_noise(tmp_path: Path, backend: Backend) -> None:
    noisy = (0.99999, 0.0009, 0, 0, 1, 0)
    write_series(tmp_path, 4, ImageOrientationPatient=[noisy, AXIAL, AXIAL, AXIAL])
    affine = affine_of(td.load(tmp_path, backend=backend))
    assert affine.tolist() == [
        [0.0, 0.0, 0.25, -10.0],
        [0.0, 0.5, 0.0, -20.0],
        [2.5, 0.0, 0.0, 30.0],
        [0.0, 0.0, 0.0, 1.0],
    ]


# --- 3: tolerance of the orientation


@pytest.mark.parametrize(
    "noisy", [(1, 0, 0, 0, 0.9999, 0.0009), (0.9995, 0, 0, 0, 1, 0), (1, 0, 0, 0.0009, 1, 0)]
)
def test_trap_03_rounded_cosines_are_one_orientation(
    tmp_path: Path, backend: Backend, noisy: tuple[float, ...]
) -> None:
    write_series(tmp_path, 5, ImageOrientationPatient=[AXIAL, noisy, AXIAL, noisy, AXIAL])
    volume = td.load(tmp_path, backend=backend)
    assert affine_of(volume)[:3, 1:3].tolist() == [[0.0, 0.25], [0.5, 0.0], [0.0, 0.0]]
    assert volume.verdict == td.Verdict(ok=True)


def test_trap_03_other_orientations_are_split(tmp_path: Path, backend: Backend) -> None:
    turned = (0.9999, 0.0141, 0, -0.0141, 0.9999, 0)
    write_series(tmp_path, 4, ImageOrientationPatient=[AXIAL, turned, AXIAL, turned])
    other = {"orientation": "1.000\\0.014\\0.000\\-0.014\\1.000\\0.000"}
    with expect_error("several_series") as caught:
        td.load(tmp_path, backend=backend)
    assert keys_in(caught.value) == [part_key(), part_key(other)]
    assert firsts(stored(tmp_path, backend, series=part_key())) == [0, 200]
    assert firsts(stored(tmp_path, backend, series=part_key(other))) == [100, 300]


@pytest.mark.parametrize(
    "wrong",
    [
        (1.01, 0, 0, 0, 1, 0),
        (1, 0, 0, 0, 0.99, 0),
        (1, 0, 0, 0.01, 1, 0),
        (1, 0, 0, 1, 0, 0),
        (0, 0, 0, 0, 0, 0),
    ],
)
def test_trap_03_cosines_that_are_no_axes(
    tmp_path: Path, backend: Backend, wrong: tuple[float, ...]
) -> None:
    paths = write_series(tmp_path, 3, ImageOrientationPatient=wrong)
    with expect_error("invalid_geometry", element="ImageOrientationPatient", path=paths[0]):
        td.load(tmp_path, backend=backend)


# --- 4: tolerance of the position


@pytest.mark.parametrize(
    ("positions", "step"),
    [
        (axial(0.0, 0.3, 0.7, 1.0, 1.3, 1.7, 2.0), 2.0 / 6),
        (axial(0, 4.1, 7.92, 12.04, 16), 4.0),
        (axial(0, 0.999996, 2.000004, 3), 1.0),
        ([(0, 0, 0), (0.04, 0, 4), (0, -0.04, 8), (0, 0, 12)], 4.0),
    ],
    ids=["written to 0.1 mm", "3 % of the step", "float32", "sideways"],
)
def test_trap_04_rounding_is_no_gap(
    tmp_path: Path, backend: Backend, positions: list[Vector], step: float
) -> None:
    write_series(tmp_path, len(positions), ImagePositionPatient=positions)
    volume = td.load(tmp_path, backend=backend)
    assert volume.verdict == td.Verdict(ok=True)
    assert affine_of(volume)[:3, 0].tolist() == [0.0, 0.0, step]


def test_trap_04_gap_among_rounded_positions_is_found(tmp_path: Path, backend: Backend) -> None:
    paths = write_series(tmp_path, 5, ImagePositionPatient=axial(0, 4.05, 8, 16.05, 20))
    with expect_error("missing_slices", path=paths[2]):
        td.load(tmp_path, backend=backend)


# --- 5: the spacing


def test_trap_05_spacing_is_the_step_of_positions(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 4, step_mm=0.5, SliceThickness=5, SpacingBetweenSlices=16)
    volume = td.load(tmp_path, backend=backend)
    assert volume.spacing_mm == (0.5, 0.5, 0.25)
    assert affine_of(volume)[:3, 0].tolist() == [0.0, 0.0, 0.5]
    assert volume.verdict == td.Verdict(ok=True)


def test_trap_05_one_slice_has_its_thickness_and_says_so(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 1, SliceThickness=5, SpacingBetweenSlices=16)
    volume = td.load(tmp_path, backend=backend)
    assert volume.spacing_mm == (5.0, 0.5, 0.25)
    defect = only_defect(volume)
    assert (defect.code, dict(defect.measured)) == ("assumed_spacing", {"spacing_mm": 5.0})


# --- 6: oblique series


@pytest.mark.parametrize(
    ("orientation", "step"),
    [
        ((0.8, 0.6, 0, 0, 0, -1), (-1.5, 2.0, 0.0)),  # z stays where it is
        ((1, 0, 0, 0, 0.8, -0.6), (0.0, 1.5, 2.0)),
        ((0.8, 0.6, 0, -0.36, 0.48, 0.8), (1.2, -1.6, 1.5)),
    ],
)
def test_trap_06_oblique_spacing_is_the_distance_in_space(
    tmp_path: Path, backend: Backend, orientation: tuple[float, ...], step: Vector
) -> None:
    positions = [tuple(round(v * k, 9) for v in step) for k in (2, 0, 1, 4, 3)]
    write_series(tmp_path, 5, ImagePositionPatient=positions, ImageOrientationPatient=orientation)
    volume = stored(tmp_path, backend)
    assert firsts(volume) == [100, 200, 0, 400, 300]
    assert volume.spacing_mm[0] == pytest.approx(2.5, abs=1e-12)
    assert affine_of(volume)[:3, 0].tolist() == pytest.approx(list(step), abs=1e-12)
    assert volume.verdict == td.Verdict(ok=True)


# --- 7: missing slices


def test_trap_07_gaps_of_whole_steps_are_missing_slices(tmp_path: Path, backend: Backend) -> None:
    paths = write_series(tmp_path, 6, ImagePositionPatient=axial(0, 2, 6, 8, 10, 16))
    with expect_error("missing_slices", element="ImagePositionPatient", path=paths[1]):
        td.load(tmp_path, backend=backend)
    volume = stored(tmp_path, backend, policy=td.Policy(missing_slices="allow"))
    assert firsts(volume) == [0, 100, 200, 300, 400, 500]
    assert affine_of(volume)[:3, 0].tolist() == [0.0, 0.0, 16.0 / 5]
    defect = only_defect(volume)
    assert (defect.code, defect.slices) == ("missing_slices", (1, 4))
    assert defect.files == (str(paths[1]), str(paths[4]))
    assert dict(defect.measured) == {"missing": 3, "step_mm": 2}
    assert not volume.verdict.ok


def test_trap_07_other_gaps_are_uneven(tmp_path: Path, backend: Backend) -> None:
    paths = write_series(tmp_path, 6, ImagePositionPatient=axial(0, 2, 5, 8, 10, 12))
    with expect_error("uneven_spacing", element="ImagePositionPatient"):
        td.load(tmp_path, backend=backend)
    volume = stored(tmp_path, backend, policy=td.Policy(uneven_spacing="allow"))
    assert firsts(volume) == [0, 100, 200, 300, 400, 500]
    defect = only_defect(volume)
    # Even steps would be 2.4 mm: off by 0, 0.4, 0.2, 0.8, 0.4 and 0, and 0.1 is tolerated.
    assert (defect.code, defect.slices) == ("uneven_spacing", (1, 2, 3, 4))
    assert defect.files == tuple(str(path) for path in paths[1:5])
    assert dict(defect.measured) == pytest.approx(
        {"largest_mm": 0.8, "tolerance_mm": 0.1, "step_mm": 2}
    )
    assert not volume.verdict.ok


# --- 8: one position twice


def test_trap_08_same_file_twice_is_one_slice(tmp_path: Path, backend: Backend) -> None:
    paths = write_series(tmp_path, 4)
    copies = [tmp_path / "again.dcm", tmp_path / "more" / "once.dcm"]
    copies[1].parent.mkdir()
    for copy in copies:
        shutil.copy(paths[2], copy)
    volume = stored(tmp_path, backend)
    assert firsts(volume) == [0, 100, 200, 300]
    assert volume.provenance[2].path == str(paths[2])
    defect = only_defect(volume)
    assert (defect.code, defect.files) == ("duplicate_files", tuple(map(str, copies)))
    assert dict(defect.measured) == {"copies": 2}
    assert volume.verdict.ok


def test_trap_08_first_copy_by_path_stays(tmp_path: Path, backend: Backend) -> None:
    paths = write_series(tmp_path, 4)
    shutil.copy(paths[0], tmp_path / "0000-copy.dcm")
    volume = stored(list(reversed(paths)), backend)
    assert volume.verdict == td.Verdict(ok=True)
    volume = stored(tmp_path, backend)
    assert volume.provenance[0].path == str(tmp_path / "0000-copy.dcm")
    assert only_defect(volume).files == (str(paths[0]),)


@pytest.mark.parametrize("action", ["drop", "raise"])
def test_trap_08_one_instance_with_other_bytes_is_no_copy(
    tmp_path: Path, backend: Backend, action: str
) -> None:
    paths = write_series(tmp_path, 4, SOPInstanceUID=["1.1", "1.2", "1.2", "1.3"])
    chosen: Any = {"duplicate_files": action}
    with expect_error("duplicate_files", element="SOPInstanceUID", path=paths[2]) as caught:
        td.load(tmp_path, policy=td.Policy(**chosen), backend=backend)
    assert str(paths[1]) in str(caught.value)


@pytest.mark.parametrize(
    ("numbers", "kept"),
    [([1, 2, 3, 4], 1), ([1, 3, 2, 4], 2), ([1, 7, None, 4], 1), ([1, None, 7, 4], 2)],
)
@pytest.mark.parametrize("names", ["0123", "0213"])
def test_trap_08_two_instances_at_one_position_are_a_conflict(
    tmp_path: Path, backend: Backend, names: str, numbers: list[int | None], kept: int
) -> None:
    paths = write_series(
        tmp_path,
        4,
        names=[f"{name}.dcm" for name in names],
        InstanceNumber=numbers,
        ImagePositionPatient=axial(0, 2, 2, 4),
    )
    other = paths[3 - kept]
    with expect_error("duplicate_positions", element="ImagePositionPatient", path=other):
        td.load(tmp_path, backend=backend)
    volume = stored(tmp_path, backend, policy=td.Policy(duplicate_positions="drop"))
    assert firsts(volume) == [0, 100 * kept, 300]
    assert volume.spacing_mm[0] == 2.0
    defect = only_defect(volume)
    assert (defect.code, defect.slices, defect.files) == (
        "duplicate_positions",
        (1,),
        (str(other),),
    )
    assert dict(defect.measured) == {"repeats": 1, "least": 1, "most": 2}
