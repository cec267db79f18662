"""What judges the contenders is judged here; and the pages say what the JSON says."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import compare, race, render, report, tables
from benchmarks.bars import BARS, Bar
from benchmarks.case import Case, Contender, difference
from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.pydicom_loop import pydicom_loop
from benchmarks.memory import Memory
from benchmarks.questions import QUESTIONS
from helpers import ROOT

TRUTH = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
HALF_OFF_IN_ONE = np.array([[[0]], [[0.5]]])


@pytest.fixture
def case(tmp_path: Path) -> Case:
    np.save(tmp_path / "truth.npy", TRUTH)
    return Case("native", "volume", str(tmp_path), str(tmp_path / "truth.npy"), "1.2")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (TRUTH, None),
        (TRUTH.astype(np.float64), None),
        (TRUTH[::-1], "slices in reverse order"),
        (TRUTH.T, "shape (4, 3, 2) instead of (2, 3, 4)"),
        (TRUTH + 1024, "values off by up to 1024 (mean 1.02e+03) in 2 of 2 slices"),
        (
            TRUTH + HALF_OFF_IN_ONE,
            "values off by up to 0.5 (mean 0.25) in 1 of 2 slices",
        ),
    ],
)
def test_a_wrong_answer_is_found_and_described(
    case: Case, found: np.ndarray, expected: str | None
) -> None:
    assert difference(case, found) == expected


def test_a_lossy_answer_may_be_off_by_its_tolerance_and_no_more(case: Case) -> None:
    lossy = Case(case.name, case.work, case.folder, case.truth, "1.2", tolerance=(0.5, 2))
    assert difference(lossy, TRUTH + 0.5) is None
    assert difference(lossy, TRUTH + 0.6) is not None
    spike = TRUTH.copy()
    spike[0, 0, 0] += 3
    assert difference(lossy, spike) is not None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"1": ("s", 0.5), "2": ("s", 1.0)}, None),
        ({"1": ("s", 0.5)}, "1 of 2 files not found, 0 with other attributes"),
        (
            {"1": ("s", 0.5), "2": ("t", 1.0)},
            "0 of 2 files not found, 1 with other attributes",
        ),
        (2, None),
        (3, "3 files instead of 2"),
    ],
)
def test_a_wrong_scan_is_found(tmp_path: Path, found: Any, expected: str | None) -> None:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps({"1": ["s", 0.5], "2": ["s", 1.0]}), encoding="utf-8")
    assert difference(Case("tree", "scan", str(tmp_path), str(path), "1.2"), found) == expected


def small_series(tmp_path: Path) -> Case:
    """The series of the demo, with the values that the loop gives as the truth."""
    folder = ROOT / "tests" / "data" / "sts_002" / "ct"
    np.save(tmp_path / "truth.npy", pydicom_loop(folder))
    return Case("native", "volume", str(folder), str(tmp_path / "truth.npy"), "1.2.840.10008.1.2.1")


def chosen(*names: str) -> list[Contender]:
    return [one for one in CONTENDERS["volume"] if one.key in names]


def test_a_race_times_everyone_against_ours(tmp_path: Path) -> None:
    case = small_series(tmp_path)
    with race.Children() as children:
        contenders = chosen("torchdicom [2]", "pydicom loop [1]")
        sheet = race.Race(case, contenders, children, rounds=3, budget_s=10)
        sheet.run_pass()
        sheet.run_pass()
    rows = report.rows(sheet)
    assert [(row["contender"], row["wrong"], row["refused"]) for row in rows] == [
        ("torchdicom", None, None),
        ("pydicom loop", None, None),
    ]
    assert rows[0]["ratio"] == 1
    assert rows[1]["ratio_low"] <= rows[1]["ratio"] <= rows[1]["ratio_high"]
    assert [len(one) for one in rows[1]["passes"]] == [3, 3]
    assert [len(one) for one in rows[0]["passes"]] == [3, 3]


def test_a_contender_that_used_up_its_budget_runs_no_more(tmp_path: Path) -> None:
    with race.Children() as children:
        contenders = chosen("torchdicom [2]", "pydicom loop [1]")
        sheet = race.Race(small_series(tmp_path), contenders, children, rounds=3, budget_s=1e-9)
        sheet.run_pass()
    assert [len(one) for one in report.rows(sheet)[1]["passes"]] == [1]


def test_a_ratio_is_to_our_mean_of_the_same_pass() -> None:
    child: Any = None
    ours = race.Lane(child, passes=[[1.0, 2.0, 4.0], [4.0]])
    assert list(race.ratios(race.Lane(child, passes=[[6.0], [6.0, 8.0]]), ours)) == [3.0, 1.5, 2.0]


def test_memory_is_the_median_of_the_passes(tmp_path: Path) -> None:
    with race.Children() as children:
        sheet = Memory(small_series(tmp_path), chosen("torchdicom [2]"), children)
        sheet.run_pass()
        sheet.run_pass()
        sheet.lanes[0].passes.append([8_000_000_000])
    (row,) = report.rows(sheet)
    assert row["wrong"] is None
    assert 48 * 143 * 161 * 4 / 1e6 < row["mb"] < 100


def test_memory_leaves_out_who_a_case_is_not_for(tmp_path: Path) -> None:
    with race.Children() as children:
        contenders = chosen("torchdicom [2]", "pydicom + imagecodecs [1]")
        sheet = Memory(small_series(tmp_path), contenders, children)
        sheet.run_pass()
    assert [row["contender"] for row in report.rows(sheet)] == ["torchdicom"]


def test_quartiles_are_those_of_the_values() -> None:
    assert report._spread("ms", [1, 2]) == {"ms": 1.5, "ms_low": 1.25, "ms_high": 1.75}
    assert report._spread("ms", [3]) == {"ms": 3, "ms_low": 3, "ms_high": 3}


def copy_of(child: race.Child) -> int:
    """The process that does the work."""
    pid = child._process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return int(children)


def test_a_refusal_a_crash_and_an_absence_are_answers(tmp_path: Path) -> None:
    case = small_series(tmp_path)
    child = race.Child(chosen("torchdicom [2]")[0], "volume")
    empty = Case("native", "volume", str(tmp_path / "none"), case.truth, case.transfer_syntax)
    assert child.prepare(empty) == {}
    assert child.ask("check")["refused"].startswith("FileNotFoundError: ")
    assert child.prepare(case) == {}
    memory = child.ask("measure_memory")
    assert memory["wrong"] is None
    assert memory["growth_bytes"] > 48 * 143 * 161 * 4
    assert child.ask("check") == {"wrong": None}
    os.kill(copy_of(child), signal.SIGKILL)
    assert child.ask("check") == {"refused": "crashed the process (exit status 247)"}
    assert not child.is_alive
    child.close()
    other = race.Child(chosen("pydicom + imagecodecs [1]")[0], "volume")
    assert other.prepare(case) == {"absent": True}
    other.close()


@pytest.mark.parametrize(
    ("is_most", "measured", "slack", "holds"),
    [
        (False, 5.0, 1.0, True),
        (False, 4.9, 1.0, False),
        (False, 4.1, 1.25, True),
        (True, 5.1, 1.0, False),
        (True, 6.2, 1.25, True),
        (True, 6.3, 1.25, False),
    ],
)
def test_bars_hold_or_not(is_most: bool, measured: float, slack: float, holds: bool) -> None:  # noqa: FBT001
    bar = Bar("volume", "at {limit}", lambda _: measured, 5.0, is_most=is_most)
    assert bar.verdict([], slack)["holds"] is holds


def test_two_runs_that_differ_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, ratio in (("a", 10.0), ("b", 11.9), ("c", 12.1)):
        (tmp_path / name).mkdir()
        row = {"case": "native", "contender": "x", "threads": 1, "ratio": ratio}
        (tmp_path / name / "volume.json").write_text(json.dumps({"rows": [row]}), encoding="utf-8")

    def compared(second: str) -> int:
        monkeypatch.setattr("sys.argv", ["compare", str(tmp_path / "a"), str(tmp_path / second)])
        return compare.main()

    assert compared("b") == 0
    assert compared("c") == 1
    assert "21.0%  volume: native x 1: 10 and 12.1" in capsys.readouterr().out


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_has_an_answer_that_holds(name: str) -> None:
    answer = tables.read(report.RESULTS, name)
    assert answer["rows"]
    assert len(answer["bars"]) == sum(bar.question == name for bar in BARS)
    assert all(bar["holds"] for bar in answer["bars"])


def test_pages_are_rendered_from_the_answers() -> None:
    text = render.PAGE.read_text(encoding="utf-8")
    assert text == render.page()
    assert "\0" not in text  # which some peer's error quotes
    readme = render.README.read_text(encoding="utf-8")
    assert readme == render.readme(readme)


@pytest.mark.parametrize("name", QUESTIONS)
def test_plots_are_drawn_from_the_answers(name: str) -> None:
    rows = tables.read(report.RESULTS, name)["rows"]
    plot = (ROOT / "benchmarks" / "plots" / f"{name}.svg").read_text(encoding="utf-8")
    assert tables.digest(rows) in plot
