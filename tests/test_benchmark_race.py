"""Who runs when in a race, what it keeps, and that no contender can break it."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from benchmarks import report
from benchmarks.case import Case, Contender
from benchmarks.children import Child, Children
from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.pydicom_loop import pydicom_loop
from benchmarks.memory import Memory
from benchmarks.pairs import Pair, Plan
from benchmarks.race import Race
from helpers import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

TWO = Plan(2, 2, 0.025)


def small_series(tmp_path: Path) -> Case:
    """The series of the demo, with the values that the loop gives as the truth."""
    folder = ROOT / "tests" / "data" / "sts_002" / "ct"
    np.save(tmp_path / "truth.npy", pydicom_loop(folder))
    return Case("native", "volume", str(folder), str(tmp_path / "truth.npy"), "1.2.840.10008.1.2.1")


def chosen(*names: str) -> list[Contender]:
    return [one for one in CONTENDERS["volume"] if one.key in names]


def test_a_race_times_everyone_against_ours(tmp_path: Path) -> None:
    case = small_series(tmp_path)
    with Children() as children:
        contenders = chosen("torchdicom [2]", "pydicom loop [1]")
        sheet = Race(case, contenders, children, plan=TWO, rounds=3, budget_s=10)
        while sheet.unsettled:
            sheet.run_pass()
    rows = report.rows(sheet)
    assert [(row["contender"], row["wrong"], row["refused"]) for row in rows] == [
        ("torchdicom", None, None),
        ("pydicom loop", None, None),
    ]
    assert rows[0]["ratio"] == 1
    each = [theirs / own for one in rows[1]["pairs"] for theirs, own in one]
    assert 0.999 * min(each) <= rows[1]["ratio"] <= 1.001 * max(each)
    assert [len(one) for one in rows[1]["pairs"]] == [3, 3]
    assert [len(one) for one in rows[0]["passes"]] == [4, 4]


def test_a_contender_that_used_up_its_budget_runs_no_more(tmp_path: Path) -> None:
    with Children() as children:
        contenders = chosen("torchdicom [2]", "pydicom loop [1]")
        case = small_series(tmp_path)
        sheet = Race(case, contenders, children, plan=TWO, rounds=3, budget_s=1e-9)
        sheet.run_pass()
    assert [len(one) for one in report.rows(sheet)[1]["pairs"]] == [1]


def test_memory_is_the_median_of_the_passes(tmp_path: Path) -> None:
    with Children() as children:
        sheet = Memory(small_series(tmp_path), chosen("torchdicom [2]"), children)
        unsettled = []
        while sheet.unsettled:
            unsettled.append(sheet.unsettled)
            sheet.run_pass()
        sheet.lanes[0].passes.append([8_000_000_000])
    assert unsettled == [1, 1, 1, 1]
    (row,) = report.rows(sheet)
    assert row["wrong"] is None
    assert 48 * 143 * 161 * 4 / 1e6 < row["mb"] < 100


def test_memory_leaves_out_who_a_case_is_not_for(tmp_path: Path) -> None:
    with Children() as children:
        contenders = chosen("torchdicom [2]", "pydicom + imagecodecs [1]")
        sheet = Memory(small_series(tmp_path), contenders, children)
        sheet.run_pass()
    assert [row["contender"] for row in report.rows(sheet)] == ["torchdicom"]


def copy_of(child: Child) -> int:
    """The process that does the work."""
    pid = child._process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return int(children)


def test_a_refusal_a_crash_and_an_absence_are_answers(tmp_path: Path) -> None:
    case = small_series(tmp_path)
    child = Child(chosen("torchdicom [2]")[0], "volume")
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
    other = Child(chosen("pydicom + imagecodecs [1]")[0], "volume")
    assert other.prepare(case) == {"absent": True}
    other.close()


def test_processes_are_kept_for_one_kind_of_work(tmp_path: Path) -> None:
    case = small_series(tmp_path)
    both = chosen("limit [1]", "pydicom loop [1]")
    with Children() as children:
        limit, loop = children.of(both, "volume")
        assert children.of(both[::-1], "volume") == [loop, limit]
        assert loop.prepare(case) == {}
        os.kill(copy_of(loop), signal.SIGKILL)
        assert "crashed" in loop.ask("check")["refused"]
        kept, new = children.of(both, "volume")
        assert kept is limit
        assert new is not loop
        (other,) = children.of(
            [scanner for scanner in CONTENDERS["scan"] if not scanner.modules][:1], "scan"
        )
        assert not limit.is_alive
        assert not new.is_alive
        assert other.is_alive
    assert not other.is_alive


CRASH = -1.0


class Scripted:
    """A contender's process that takes the seconds it is told, and writes down when it ran."""

    def __init__(self, contender: Contender, seconds: Sequence[float], log: list[str]) -> None:
        self.contender, self._seconds, self._log = contender, list(seconds), log
        self.asked: list[tuple[float, int]] = []

    def prepare(self, case: Case) -> dict[str, Any]:
        del case
        return {}

    def ask(self, method: str, **arguments: Any) -> dict[str, Any]:
        if method != "time":
            self._log.append(f"{self.contender.name} {method}")
            return {}
        seconds = self._seconds.pop(0)
        self._log.append(self.contender.name)
        self.asked.append((arguments["least_seconds"], arguments["most_repeats"]))
        return {"refused": "crashed"} if seconds == CRASH else {"seconds": [seconds]}


def scripted_race(plan: Plan, rounds: int = 1, **seconds: Sequence[float]) -> tuple[Race, Any]:
    """Of contenders by name, and the log of all of them."""
    log: list[str] = []
    contenders = [
        Contender(name, prepare=lambda _: int, threads=2 if name == "torchdicom" else 1)
        for name in seconds
    ]
    found = {one.key: Scripted(one, seconds[one.name], log) for one in contenders}

    class Found:
        def of(self, contenders: Sequence[Contender], work: str) -> list[Scripted]:
            del work
            return [found[one.key] for one in contenders]

    children: Any = Found()
    case = Case("native", "volume", "", "", "1.2")
    race = Race(case, contenders, children, plan=plan, rounds=rounds, budget_s=10)
    race._order.shuffle = lambda _: None  # type: ignore[method-assign,assignment]
    return race, log


def test_ours_is_timed_between_the_others() -> None:
    race, log = scripted_race(TWO, 2, torchdicom=[1, 4, 16, 4, 1], a=[6, 6], b=[8, 4])
    race.run_pass()
    timed = [line for line in log if " " not in line]
    others = ("a", "torchdicom", "b", "torchdicom")
    assert timed == ["torchdicom", *others, *others]
    _, a, b = race.lanes
    assert a.pairs == [[pytest.approx(Pair(6, 2)), pytest.approx(Pair(6, 8))]]
    assert b.pairs == [[pytest.approx(Pair(8, 8)), pytest.approx(Pair(4, 2))]]
    rows = report.rows(race)
    assert [row["ratio"] for row in rows] == [1, 1.5, 1.414]
    assert rows[1]["pairs"] == [[[6, 2], [6, 8]]]
    assert [row["ms"] for row in rows] == [4000, 6000, 6000]
    assert "pairs" not in rows[0]
    assert rows[0]["passes"] == [[1, 4, 16, 4, 1]]


@pytest.mark.parametrize(
    ("theirs_s", "expected"), [(0.01, (0.12, 5)), (1.0, (0.4, 20)), (9.0, (0.5, 20))]
)
def test_ours_is_timed_for_longer_beside_a_long_time(
    theirs_s: float, expected: tuple[float, int]
) -> None:
    race, log = scripted_race(TWO, torchdicom=[1] * 4, a=[theirs_s])
    race.run_pass()
    asked = race.lanes[0].child.asked  # type: ignore[attr-defined]
    assert asked == [(0.12, 5), expected]
    assert log[2:5] == ["torchdicom", "a", "torchdicom"]


def test_a_crash_ends_one_contender_alone() -> None:
    race, log = scripted_race(TWO, 2, torchdicom=[1] * 4, a=[CRASH], b=[8, 4])
    race.run_pass()
    assert [line for line in log if " " not in line][:4] == ["torchdicom", "a", "torchdicom", "b"]
    _, a, b = report.rows(race)
    assert (a["refused"], b["refused"], b["pairs"]) == ("crashed", None, [[[8, 1], [4, 1]]])
    assert [lane.child.contender.name for lane in race.waiting] == ["torchdicom", "b"]


def test_without_ours_there_are_times_and_no_ratios() -> None:
    race, _ = scripted_race(TWO, 2, torchdicom=[1, CRASH], a=[6, 5], b=[8, 4])
    race.run_pass()
    ours, a, b = report.rows(race)
    assert ours["refused"] == "crashed"
    assert a["passes"] == [[6, 5]]
    assert b["ms"] == 6000
    assert not {"ratio", "pairs"} & (a.keys() | b.keys())


def test_only_what_is_not_settled_runs_again() -> None:
    plan = Plan(least=2, most=3, error=0.025)
    race, log = scripted_race(
        plan, torchdicom=[1] * 9, steady=[2, 2.01], unsteady=[2, 3, 2], gone=[CRASH]
    )
    assert race.unsettled == 4
    race.run_pass()
    assert race.unsettled == 3
    race.run_pass()
    assert race.unsettled == 1
    del log[:]
    race.run_pass()
    assert log == [
        *("torchdicom warm_up", "unsteady warm_up"),
        *("torchdicom", "unsteady", "torchdicom"),
        *("torchdicom rest", "unsteady rest"),
    ]
    assert race.unsettled == 0
    assert race.waiting == []


def test_ours_alone_is_timed_too() -> None:
    race, _ = scripted_race(TWO, torchdicom=[1, 3], gone=[CRASH])
    race.lanes[1].refused = "no such syntax"
    while race.unsettled:
        race.run_pass()
    assert report.rows(race)[0]["passes"] == [[1], [3]]
