"""The judge of the traps is judged here; then torchdicom by it, and the page by the answers."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from benchmarks import render, report, tables, traps, traps_page
from benchmarks.case import OURS
from benchmarks.traps_case import Case, cells
from benchmarks.traps_judge import Judgement, is_proper, judge, short
from benchmarks.traps_readers import READERS
from builders import axial

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = Case("0", "nothing odd", 3)
GAP = Case("0", "a gap", 3, {"ImagePositionPatient": axial(0, 2, 6)}, wanted=None, codes=["gap"])
TWO = Case("0", "two", 4, {}, ["a", "b"] * 2, None, ["several"])
SHEARED = Case("0", "tilt", 3, {"ImagePositionPatient": [(0, k, 5 * k) for k in range(3)]})
PET = Case("0", "slopes", 2, {"RescaleSlope": [1, 0.25], "RescaleIntercept": 0})
# Of PLAIN, in the order z, y, x.
AFFINE = np.array([[0, 0, 0.25, -10], [0, 0.5, 0, -20], [2.5, 0, 0, 30], [0, 0, 0, 1]])


def hounsfield(*contents: int) -> np.ndarray:
    return np.stack([cells(k) - 1024.0 for k in contents])


def answer(*volumes: tuple[np.ndarray, np.ndarray | None], **other: Any) -> dict[str, Any]:
    """What a child sends."""
    plain = [
        {
            "values": values.tolist(),
            "affine": None if affine is None else affine.tolist(),
            "spacing": None,
        }
        for values, affine in volumes
    ]
    return {"volumes": plain, "refused": None, "code": None, "warnings": [], "printed": ""} | other


def turned(
    values: np.ndarray, affine: np.ndarray, order: tuple[int, ...], flipped: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The same volume with its axes in another order, and some of them backwards."""
    for axis in flipped:
        affine = affine.copy()
        affine[:3, 3] += affine[:3, axis] * (values.shape[axis] - 1)
        affine[:3, axis] *= -1
        values = np.flip(values, axis)
    return values.transpose(order), affine[:, [*order, 3]]


@pytest.mark.parametrize("flipped", [(), (0,), (1,), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_axes_may_lie_as_the_affine_says(order: tuple[int, ...], flipped: tuple[int, ...]) -> None:
    volume = turned(hounsfield(0, 1, 2), AFFINE, order, flipped)
    assert judge(PLAIN, answer(volume)) == Judgement("right")


def changed(index: Any, value: Any) -> np.ndarray:
    affine = AFFINE.copy()
    affine[index] = value
    return affine


@pytest.mark.parametrize(
    ("contents", "affine", "how"),
    [
        ([2, 1, 0], AFFINE, "order of slices reversed against the affine"),
        ([0, 2, 1], AFFINE, "slices in the order 0 2 1"),
        ([0, 1], AFFINE, "2 of 3 slices"),
        ([0, 1, 2, 2], AFFINE, "1 of 4 slices there twice"),
        ([0, 1, 2], changed((2, 0), 5), "slices 5 mm apart instead of 2.5"),
        ([0, 1, 2], changed((1, 1), -0.5), "order of rows reversed against the affine"),
        ([0, 1, 2], changed((0, 2), 0.26), "columns 0.26 mm apart instead of 0.25"),
        ([0, 1, 2], changed((0, 3), -7), "first voxel off by 3 mm"),
        ([0, 1, 2], changed((0, 3), -10.1), "first voxel off by 0.1 mm"),
        ([0, 1, 2], changed((2, 0), 2.6), "slices 2.6 mm apart instead of 2.5"),
        ([0, 1, 2], changed(slice(0, 3), 0), "slices 0 mm apart instead of 2.5"),
        ([2, 1, 0], None, "order reversed"),
        ([0, 2, 1], None, "slices in the order 0 2 1"),
    ],
)
def test_a_wrong_volume_is_found_and_described(
    contents: list[int], affine: np.ndarray | None, how: str
) -> None:
    status, found = judge(PLAIN, answer((hounsfield(*contents), affine)))
    assert (status, found.split("; ")[0]) == ("wrong", how)


@pytest.mark.parametrize(
    ("values", "how"),
    [
        (hounsfield(0, 1, 2) + 1024, "values off by up to 1024 in 3 of 3 slices"),
        (hounsfield(0, 1, 2)[:, :9], "shape (3, 9, 20)"),
        (hounsfield(0, 1, 2)[None, :, None], "shape (1, 3, 1, 16, 20)"),
    ],
)
def test_wrong_values_are_found_and_described(values: np.ndarray, how: str) -> None:
    assert judge(PLAIN, answer((values, AFFINE))) == Judgement("wrong", how)


@pytest.mark.parametrize("round_", [np.trunc, np.rint])
def test_truncated_values_are_called_so(round_: Any) -> None:
    exact = np.stack([cells(0) * 1.0, cells(1) * 0.25])
    assert judge(PET, answer((exact, AFFINE))).status == "right"
    expected = Judgement("wrong", "values truncated to integers in 1 of 2 slices")
    assert judge(PET, answer((round_(exact), AFFINE))) == expected


def test_a_shear_that_is_lost_is_measured() -> None:
    sheared = np.array([[0, 0, 0.25, 0], [1, 0.5, 0, 0], [5, 0, 0, 0], [0, 0, 0, 1]])
    values = hounsfield(0, 1, 2)
    assert judge(SHEARED, answer((values, sheared))).status == "right"
    straight = sheared.copy()
    straight[1, 0] = 0
    how = "direction of slices off by 11.3 degrees; slices 5 mm apart instead of 5.099"
    assert judge(SHEARED, answer((values, straight))) == Judgement("wrong", how)


def test_no_volume_is_right_where_a_slice_is_missing() -> None:
    even = np.array([[0, 0, 0.25, 0], [0, 0.5, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1]])
    volume = (hounsfield(0, 1, 2), even)
    how = "slices up to 1 mm from their places"
    assert judge(GAP, answer(volume)) == Judgement("wrong", how)
    assert judge(GAP, answer((volume[0], None))) == Judgement("wrong", "without a word")
    noise = judge(GAP, answer(volume, warnings=["something is deprecated"]))
    assert noise == Judgement("wrong", how)
    said = f"{how}; says: a gap of 4 mm"
    assert judge(GAP, answer(volume, warnings=["a gap of 4 mm"])) == Judgement("warns", said)
    assert judge(GAP, answer(volume, printed="hm\na gap of 4 mm\n")) == Judgement("prints", said)


def test_values_alone_are_right_where_only_the_place_is_wrong() -> None:
    case = Case("0", "no spacing", 3, wanted=None, is_about_place=True)
    values = hounsfield(0, 1, 2)
    assert judge(case, answer((values, None))) == Judgement("right")
    assert judge(case, answer((values[::-1], None))) == Judgement("wrong", "order reversed")
    assert judge(case, answer((values, AFFINE))) == Judgement("wrong", "without a word")


def test_several_series_are_right_apart_only() -> None:
    apart = AFFINE @ np.diag([2.0, 1, 1, 1])
    other = apart.copy()
    other[2, 3] += 2.5
    first, second = (hounsfield(0, 2), apart), (hounsfield(1, 3), other)
    assert judge(TWO, answer(first, second)) == Judgement("right")
    assert judge(TWO, answer(first)) == Judgement("picks", "a alone")
    assert judge(TWO, answer((hounsfield(0, 2), other))).status == "wrong"
    mixed = (hounsfield(0, 1, 2, 3), AFFINE)
    assert judge(TWO, answer(mixed)) == Judgement("wrong", "a and b interleaved")
    expected = Judgement("wrong", "2 volumes, 1 right; of another: a and b interleaved")
    assert judge(TWO, answer(first, mixed)) == expected


def test_an_image_has_spacing_and_no_place() -> None:
    case = Case("0", "image", 1, {"PixelSpacing": (0.2, 0.1)}, has_place=False)
    image = hounsfield(0)[0]
    affine = np.diag([0.2, 0.1, 1, 1])
    assert judge(case, answer((image, affine))) == Judgement("right")
    assert judge(case, answer((image.T, affine[[1, 0, 2, 3]][:, [1, 0, 2, 3]]))).status == "right"
    assert judge(case, answer((image, None))) == Judgement("right")
    how = "1 mm between columns instead of 0.1"
    assert judge(case, answer((image, np.diag([0.2, 1, 1, 1])))) == Judgement("wrong", how)


def test_refusals_and_crashes_are_answers() -> None:
    refusal = judge(GAP, answer(refused="ValueError: no:\n way", code=None))
    assert refusal == Judgement("refuses", "ValueError: no: way")
    assert judge(GAP, {"crashed": "SIGSEGV"}) == Judgement("crashes", "SIGSEGV")


def test_what_is_proper() -> None:
    assert is_proper(GAP, Judgement("refuses"), "gap")
    assert not is_proper(GAP, Judgement("refuses"), "several")
    assert not is_proper(PLAIN, Judgement("refuses"), None)
    assert is_proper(GAP, Judgement("warns"), None)
    assert not is_proper(PLAIN, Judgement("warns"), None)
    assert is_proper(PLAIN, Judgement("right"), None)
    for status in ("wrong", "prints", "picks", "crashes"):
        assert not is_proper(GAP, Judgement(status), None)


def test_messages_are_short_and_the_same_everywhere() -> None:
    assert short("a\0b\n c") == "ab c"
    assert short("ImageSeriesReader (0x55b3d87c8310): gap") == "gap"
    assert short("in /tmp/x/itkA.hxx:3: gap") == "in itkA.hxx:3: gap"
    assert len(short("a" * 1000)) == 140


def test_a_reader_that_ends_the_process_has_crashed(tmp_path: Path) -> None:
    found = traps.answers("nobody", [tmp_path, tmp_path])
    assert found == [{"crashed": "the process ends with 1"}] * 2
    assert traps._ended(-signal.SIGSEGV) == "SIGSEGV"
    assert traps._ended(-signal.SIGALRM) == "no answer in 120 s"


def test_torchdicom_is_right_or_refuses() -> None:
    rows = traps.rows([OURS])
    assert [row["case"] for row in rows if not row["proper"]] == []
    assert {row["status"] for row in rows} == {"right", "refuses", "warns"}
    assert traps.proper(rows)["holds"]
    assert not traps.proper([*rows[1:], rows[0] | {"proper": False}])["holds"]
    stored = [row for row in answered()["rows"] if row["contender"] == OURS]
    assert [(row["case"], row["status"]) for row in rows] == [
        (row["case"], row["status"]) for row in stored
    ]


def answered() -> dict[str, Any]:
    return tables.read(report.RESULTS, traps.QUESTION)


def test_every_reader_has_answered_every_trap() -> None:
    found = [(row["contender"], row["case"]) for row in answered()["rows"]]
    assert found == [(reader, case.name) for reader in READERS for case in traps.CASES]
    assert len(set(found)) == len(found)
    assert all(bar["holds"] for bar in answered()["bars"])


def test_page_says_what_was_answered() -> None:
    found = traps_page.page(answered())
    assert render.rendered("## Traps\n\n{traps}\n") == f"## Traps\n\n{found}\n"
    assert found in render.PAGE.read_text(encoding="utf-8")
    lines = found.splitlines()
    for case in traps.CASES:
        (line,) = (one for one in lines if one.startswith(f"| {case.name} |"))
        assert line.count("|") == len(READERS) + 3
    for reader in READERS:
        (line,) = (one for one in lines if one.startswith(f"| {reader} |"))
        assert sum(map(int, line.split("|")[2:-1])) == len(traps.CASES)
