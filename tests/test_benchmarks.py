"""What judges the contenders is judged here; and the pages say what the JSON says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from benchmarks import compare, render, report, tables
from benchmarks.bars import BARS, Bar
from benchmarks.case import Case, difference
from benchmarks.questions import QUESTIONS
from helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TRUTH = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
PAGES = (
    "volume",
    "threads",
    "cold",
    "memory",
    "codecs",
    "enhanced",
    "multiframe",
    "headers",
    "index",
    "instructions",
)
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


def test_an_index_of_other_counts_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    path.write_text("[2, 200]", encoding="utf-8")
    case = Case("200 files", "index", str(tmp_path), str(path), "1.2")
    assert difference(case, (2, 200)) is None
    assert difference(case, (2, 199)) == "(series, frames) are (2, 199) instead of (2, 200)"


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


def test_the_command_says_how_to_ask_the_same() -> None:
    assert report._command([]) == "make bench"
    assert report._command(["--out", "elsewhere"]) == "make bench"
    arguments = ["rle", "--out", "elsewhere", "--case", "a b"]
    assert report._command(arguments) == "make bench ARGS=\"rle --case 'a b'\""


def test_quartiles_are_those_of_the_values() -> None:
    assert report._spread("ms", [1, 2]) == {"ms": 1.5, "ms_low": 1.25, "ms_high": 1.75}
    assert report._spread("ms", [3]) == {"ms": 3, "ms_low": 3, "ms_high": 3}


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


@pytest.mark.parametrize(
    ("first", "second", "apart"),
    [
        ({"ratio": 10.0}, {"ratio": 12.0}, 0.2),
        ({"ratio": 10.0, "interval": [8.0, 12.5]}, {"ratio": 12.0}, 0),
        ({"ratio": 10.0, "interval": [8.0, 12.5]}, {"ratio": 15.0}, 0.2),
        ({"ratio": 30.0}, {"ratio": 16.0, "interval": [12.8, 20.0]}, 0.5),
        ({"ratio": 8.0, "interval": [6.0, 10.0]}, {"ratio": 15.0, "interval": [12.0, 19.0]}, 0.2),
        ({"mb": 100.0}, {"mb": 150.0}, 0.5),
    ],
)
def test_intervals_have_to_meet(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], apart: float
) -> None:
    for name, row in (("a", first), ("b", second)):
        (tmp_path / name).mkdir()
        rows = [{"case": "native", "contender": "x", "threads": 1, **row}]
        (tmp_path / name / "volume.json").write_text(json.dumps({"rows": rows}), encoding="utf-8")
    both = (tmp_path / "a", tmp_path / "b")
    assert [found for found, _ in compare.changes(*both)] == [pytest.approx(apart)]
    assert [found for found, _ in compare.changes(*both[::-1])] == [pytest.approx(apart)]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"ratio": 2.04}, "2.0x"),
        ({"ratio": 2.0, "interval": [1.46, 2.74]}, "1.5 to 2.7x"),
        ({"ratio": 20.0, "interval": [14.6, 27.4]}, "15 to 27x"),
        ({"ratio": 9.9, "interval": [9.3, 10.6]}, "9.3 to 11x"),
        ({"ratio": 30.0, "interval": [29.6, 30.4]}, "30x"),
    ],
)
def test_a_ratio_is_printed_as_it_is_known(row: dict[str, Any], expected: str) -> None:
    assert tables._ratio(row) == expected


def is_current() -> bool:
    """Whether the answers are to the present questions, of which every syntax is one."""
    rows = tables.read(report.RESULTS, "threads")["rows"]
    return any(row["case"] == "rle" for row in rows)


@pytest.mark.parametrize("name", render.answered())
def test_every_answer_holds(name: str) -> None:
    answer = tables.read(report.RESULTS, name)
    assert answer["rows"]
    assert all(bar["holds"] for bar in answer["bars"])
    texts = [bar.text.format(limit=f"{bar.limit:g}") for bar in BARS if bar.question == name]
    found = [bar["text"] for bar in answer["bars"]]
    # Bars are added before they are measured, but not after that.
    assert found == (texts if is_current() else [text for text in texts if text in found])


def test_every_question_has_an_answer() -> None:
    unanswered = set(QUESTIONS) - set(render.answered())
    # New questions are added before they are asked, but not after that.
    epochs = {name for name in QUESTIONS if name.startswith("epoch_")}
    if epochs <= unanswered:
        unanswered -= epochs
    assert unanswered <= (set() if is_current() else {"codecs", "instructions"})


def test_a_section_without_its_answers_is_left_out() -> None:
    assert render.is_answered("## A volume\n\n{results volume}\n\nWords.\n")
    assert render.is_answered("## Words\n\n{words} alone\n")
    assert not render.is_answered("## Both\n\n{results volume}\n\n{results nobody_asked}\n")


def test_pages_are_rendered_from_the_answers() -> None:
    text = render.PAGE.read_text(encoding="utf-8")
    assert text == render.page()
    titles = [f"\n## {QUESTIONS[name].title}\n" for name in render.answered() if name in PAGES]
    assert all(title in text for title in titles)
    assert "\0" not in text  # which some peer's error quotes
    readme = render.README.read_text(encoding="utf-8")
    assert readme == render.readme(readme)


@pytest.mark.parametrize("name", render.answered())
def test_plots_are_drawn_from_the_answers(name: str) -> None:
    rows = tables.read(report.RESULTS, name)["rows"]
    plot = (ROOT / "benchmarks" / "plots" / f"{name}.svg").read_text(encoding="utf-8")
    assert tables.digest(rows) in plot
