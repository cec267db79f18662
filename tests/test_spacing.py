"""How the distance between slices is judged: jitter is no gap, and a gap is no jitter."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

import torchdicom as td
from builders import axial, ct_slice, write_series
from helpers import Backend, affine_of, expect_error

if TYPE_CHECKING:
    from pathlib import Path

Vector = tuple[float, float, float]


@pytest.mark.parametrize(
    ("thickness", "step"), [("3", 3.0), (None, 1.0), ("0", 1.0), ("-2", 1.0), ("0.625", 0.625)]
)
def test_one_slice_assumes_its_thickness(
    backend: Backend, thickness: str | None, step: float
) -> None:
    volume = td.load(ct_slice(SliceThickness=thickness), backend=backend)
    assert affine_of(volume).tolist() == [
        [0.0, 0.0, 0.25, -10.0],
        [0.0, 0.5, 0.0, -20.0],
        [step, 0.0, 0.0, 30.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
    (defect,) = volume.verdict.defects
    assert (volume.verdict.ok, defect.code) == (True, "assumed_spacing")
    assert defect.measured == {"spacing_mm": step}


def test_tilted_gantry_keeps_its_shear(tmp_path: Path, backend: Backend) -> None:
    positions = [(0, k, 5 * k) for k in range(4)]
    write_series(tmp_path, 4, ImagePositionPatient=positions)
    volume = td.load(tmp_path, backend=backend)
    assert affine_of(volume).tolist() == [
        [0.0, 0.0, 0.25, 0.0],
        [1.0, 0.5, 0.0, 0.0],
        [5.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 1.0],
    ]
    (defect,) = volume.verdict.defects
    assert (volume.verdict.ok, defect.code) == (True, "gantry_tilt")
    assert defect.measured["angle_degrees"] == pytest.approx(math.degrees(math.atan2(1, 5)))


@pytest.mark.parametrize("degrees", [-45, 45])
def test_tilt_at_the_limit(tmp_path: Path, backend: Backend, degrees: int) -> None:
    sideways = math.copysign(5, degrees)
    write_series(tmp_path, 4, ImagePositionPatient=[(0, sideways * k, 5 * k) for k in range(4)])
    (defect,) = td.load(tmp_path, backend=backend).verdict.defects
    assert defect.code == "gantry_tilt"
    assert defect.measured["angle_degrees"] == pytest.approx(45)


def test_slices_side_by_side_are_no_stack(tmp_path: Path, backend: Backend) -> None:
    # The last one along the normal is the first by name.
    positions = [(5.01 * k, 0, 5 * k) for k in (3, 2, 1, 0)]
    paths = write_series(tmp_path, 4, ImagePositionPatient=positions)
    with expect_error("invalid_geometry", element="ImagePositionPatient", path=paths[0]):
        td.load(tmp_path, backend=backend)


@pytest.mark.parametrize(
    "positions",
    [
        axial(0, 4.1, 7.92, 12.04, 16),
        axial(0, 4.05, 8, 11.9, 16.1),
        axial(0.0, 0.3, 0.7, 1.0, 1.3, 1.7, 2.0),
        [(0, 0, 0), (0.1, 0, 4), (-0.1, 0.1, 8), (0, 0, 12)],
    ],
    ids=["3 %", "1 %", "written to 0.1 mm", "sideways"],
)
def test_jitter_of_positions_is_no_gap(
    tmp_path: Path, backend: Backend, positions: list[Vector]
) -> None:
    write_series(tmp_path, len(positions), ImagePositionPatient=positions)
    volume = td.load(tmp_path, backend=backend)
    assert volume.verdict == td.Verdict(ok=True)
    first, last = positions[0], positions[-1]
    step = [(b - a) / (len(positions) - 1) for a, b in zip(first, last, strict=True)]
    assert affine_of(volume)[:3, 0].tolist() == step


def test_missing_slices_are_counted(tmp_path: Path, backend: Backend) -> None:
    write_series(tmp_path, 5, ImagePositionPatient=axial(0, 2, 8, 10, 12))
    with expect_error("missing_slices", match="2") as caught:
        td.load(tmp_path, backend=backend)
    assert "0001.dcm" in str(caught.value)


@pytest.mark.parametrize(
    ("position", "is_near"),
    [
        (("1e9", 0, 0), True),
        ((0, "-1e9", 0), True),
        (("1.0000001e9", 0, 0), False),
        ((0, 0, "-1e10"), False),
        ((0, "1e300", 0), False),
        (("1e308", "-1e308", "1e308"), False),
    ],
)
def test_position_that_no_patient_has(
    tmp_path: Path, backend: Backend, position: tuple[Any, ...], *, is_near: bool
) -> None:
    path = tmp_path / "far.dcm"
    path.write_bytes(ct_slice(ImagePositionPatient=position))
    if is_near:
        volume = td.load(path, backend=backend)
        assert affine_of(volume)[:3, 3].tolist() == [float(x) for x in position]
        return
    with expect_error("invalid_geometry", element="ImagePositionPatient", path=path):
        td.load(path, backend=backend)


def test_position_is_judged_before_the_rest_of_a_slice(tmp_path: Path, backend: Backend) -> None:
    far, no_spacing = axial(0, 1, 2e9, 3), (0, 1)
    paths = write_series(
        tmp_path, 4, ImagePositionPatient=far, ImageOrientationPatient=(1, 0, 0, 1, 0, 0)
    )
    with expect_error("invalid_geometry", element="ImageOrientationPatient", path=paths[0]):
        td.load(tmp_path, backend=backend)
    one = ct_slice(ImagePositionPatient=far[2], PixelSpacing=no_spacing)
    with expect_error("invalid_geometry", element="ImagePositionPatient"):
        td.load(one, backend=backend)


@pytest.mark.parametrize(
    ("positions", "code", "slice_"),
    [
        # Repeats don't make the step smaller, however many there are ...
        (axial(0, 0.03, 5, 5.03, 10, 10.03), "duplicate_positions", 1),
        (axial(0, 0, 0, 0, 2, 4), "duplicate_positions", 1),
        (axial(0, 3, 6, 6.1, 9), "duplicate_positions", 3),
        # ... and small steps are no repeats where all are small: here three of them are missing.
        (axial(0, 0.04, 0.08, 0.12, 0.24), "missing_slices", 3),
        # The smaller side of a pixel is 0.25 mm.
        (axial(0, 0.002, 0.004, 0.006), "duplicate_positions", 1),
        (axial(1, 1), "duplicate_positions", 1),
        (axial(1, 1.0024), "duplicate_positions", 1),
    ],
)
def test_step_is_that_of_the_slices(
    tmp_path: Path, backend: Backend, positions: list[Vector], code: str, slice_: int
) -> None:
    paths = write_series(tmp_path, len(positions), ImagePositionPatient=positions)
    with expect_error(code, element="ImagePositionPatient", path=paths[slice_]):
        td.load(tmp_path, backend=backend)


@pytest.mark.parametrize(
    ("step", "pixel"), [(0.003, (0.5, 0.25)), (0.0001, (0.001, 0.009)), (0.02, (1, 1))]
)
def test_very_thin_slices(
    tmp_path: Path, backend: Backend, step: float, pixel: tuple[float, float]
) -> None:
    write_series(
        tmp_path, 4, ImagePositionPatient=axial(*(k * step for k in range(4))), PixelSpacing=pixel
    )
    volume = td.load(tmp_path, backend=backend)
    assert volume.verdict == td.Verdict(ok=True)
    assert volume.spacing_mm[0] == pytest.approx(step)


@pytest.mark.parametrize(
    ("heights", "kept", "codes", "step"),
    [
        ((0, 0.03, 5, 5.03, 10, 10.03), [0, 2, 4], ["duplicate_positions"], 5.0),
        ((0, 0, 0, 0, 2, 4), [0, 4, 5], ["duplicate_positions"], 2.0),
        ((0, 3, 6, 6.1, 9), [0, 1, 2, 4], ["duplicate_positions"], 3.0),
        ((0, 0.002, 0.004, 0.006), [0], ["duplicate_positions", "assumed_spacing"], 1.0),
        ((1, 1), [0], ["duplicate_positions", "assumed_spacing"], 1.0),
        # What is left is judged like any other series.
        ((0, 0, 2, 6, 8), [0, 2, 3, 4], ["duplicate_positions", "missing_slices"], 8 / 3),
        ((0, 2, 2, 4.6, 6), [0, 1, 3, 4], ["duplicate_positions", "uneven_spacing"], 2.0),
    ],
)
def test_repeats_that_are_dropped(
    tmp_path: Path,
    backend: Backend,
    heights: tuple[float, ...],
    kept: list[int],
    codes: list[str],
    step: float,
) -> None:
    paths = write_series(tmp_path, len(heights), ImagePositionPatient=axial(*heights))
    lax = td.Policy(duplicate_positions="drop", missing_slices="allow", uneven_spacing="allow")
    volume = td.load(tmp_path, policy=lax, backend=backend)
    assert [one.path for one in volume.provenance] == [str(paths[k]) for k in kept]
    assert [one.code for one in volume.verdict.defects] == codes
    assert set(volume.verdict.defects[0].files) == {str(p) for p in paths} - {
        str(paths[k]) for k in kept
    }
    assert volume.verdict.defects[0].measured["repeats"] == len(heights) - len(kept)
    assert volume.spacing_mm[0] == pytest.approx(step)
