"""The judge of the traps is judged here where a series has several times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.traps_case import Case, Slice, cells
from benchmarks.traps_judge import Judgement, judge
from builders import axial
from test_benchmark_traps import AFFINE, answer, hounsfield

if TYPE_CHECKING:
    from pathlib import Path

# The files are z0 t0, z0 t1, z1 t0, ... and so the times are contents 0 2 4 and 1 3 5.
PLACES = [(-10, -20, 30 + 2.5 * (k // 2)) for k in range(6)]
TIMES = Case("0", "two times", 6, {"ImagePositionPatient": PLACES}, times=[0, 1] * 3)
FIRST, SECOND = hounsfield(0, 2, 4), hounsfield(1, 3, 5)
BOTH = np.stack([FIRST, SECOND])


@pytest.mark.parametrize("axis", range(4))
def test_times_may_be_any_axis(axis: int) -> None:
    assert judge(TIMES, answer((np.moveaxis(BOTH, 0, axis), AFFINE))) == Judgement("right")
    assert judge(TIMES, answer((np.moveaxis(BOTH, 0, axis), None))) == Judgement("right")


def test_times_may_be_volumes() -> None:
    assert judge(TIMES, answer((SECOND, AFFINE), (FIRST, AFFINE))) == Judgement("right")
    one = judge(TIMES, answer((SECOND, AFFINE)))
    assert one == Judgement("picks", "time 1 alone")


@pytest.mark.parametrize(
    ("values", "how"),
    [
        (BOTH[::-1], "times 1, 0 in this order"),
        (BOTH[[0, 0]], "times 0, 0 in this order"),
        (BOTH[:, ::-1], "of time 0: order of slices reversed against the affine"),
        (np.stack([FIRST, SECOND[[0, 2, 1]]]), "of time 1: slices in the order 0 2 1"),
        (
            np.stack([hounsfield(0, 3, 4), hounsfield(1, 2, 5)]),
            "of time 0: time 0 and time 1 interleaved",
        ),
        (BOTH + 1, "of time 0: values off by up to 1 in 3 of 3 slices"),
        (BOTH[..., :7], "shape (2, 3, 16, 7)"),
        (hounsfield(0, 1, 2, 3, 4, 5), "time 0 and time 1 interleaved"),
        (hounsfield(0, 2, 4, 1, 3, 5), "time 0 and time 1 in one volume"),
    ],
)
def test_wrong_times_are_found_and_described(values: np.ndarray, how: str) -> None:
    status, found = judge(TIMES, answer((values, AFFINE)))
    assert (status, found.split("; ")[0]) == ("wrong", how)


def test_no_times_are_right_where_one_is_incomplete() -> None:
    places = axial(0, 2, 4, 0, 2)
    case = Case("0", "", 5, {"ImagePositionPatient": places}, wanted=None, times=[0, 0, 0, 1, 1])
    whole = np.array([[0, 0, 0.25, 0], [0, 0.5, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1]])
    volume = (hounsfield(0, 1, 2), whole)
    assert judge(case, answer(volume)) == Judgement("wrong", "without a word")


def test_four_axes_are_wrong_where_there_is_one_time() -> None:
    values = hounsfield(0, 1, 2)
    found = judge(Case("0", "", 3), answer((values[None], AFFINE)))
    assert found == Judgement("wrong", "shape (1, 3, 16, 20)")


def test_a_case_may_have_files_of_its_own(tmp_path: Path) -> None:
    written = [Slice("volume", cells(0), np.zeros(3), np.eye(3)[1], np.eye(3)[0])]
    case = Case("0", "one file", 1, files=[b"first", b"second"], written=written)
    case.write(tmp_path / "case")
    assert [path.read_bytes() for path in sorted((tmp_path / "case").iterdir())] == [
        b"first",
        b"second",
    ]
    assert case.slices() == written
