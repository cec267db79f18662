"""When a ratio is settled, and for how long a run goes on."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import run
from benchmarks.pairs import (
    QUICK,
    WHOLE,
    Pair,
    Plan,
    beside,
    interval,
    mean_ratio,
    ratios,
    standard_error,
)


def pairs(*found: float) -> list[Pair]:
    """Of these ratios."""
    return [Pair(ratio, 1) for ratio in found]


STEADY = [[Pair(2, 1), Pair(2.02, 1)]]
UNSTEADY = [[Pair(2, 1), Pair(3, 1)]]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(1, 4, 2), (4, None, 4), (None, 9, 9), (None, None, None)],
)
def test_ours_beside_another_is_the_mean_of_both(
    before: float | None, after: float | None, expected: float | None
) -> None:
    assert beside(before, after) == (expected and pytest.approx(expected))


def test_ratios_are_of_each_pair_by_itself() -> None:
    assert ratios([[Pair(6, 2), Pair(6, 8)], [], [Pair(1, 4)]]) == [3, 0.75, 0.25]


def test_the_error_of_a_mean_is_that_of_logarithms() -> None:
    # Of two it is half of how far they are apart, here log 1.1; of twice as many 1 / sqrt(3) of it.
    assert standard_error([pairs(1, 1.21)] * 2) == pytest.approx(0.0550274, abs=1e-7)
    assert standard_error([pairs(10, 12.1)] * 2) == pytest.approx(0.0550274, abs=1e-7)
    assert standard_error([pairs(3), pairs(3), pairs(3)]) == 0
    assert standard_error([pairs(2)]) == math.inf
    assert standard_error([pairs(2, 2, 2)]) == math.inf
    assert standard_error([]) == math.inf


def test_passes_that_differ_count_more_than_their_pairs() -> None:
    # The pairs alone would have an error of 0.0360; two passes 1.21 apart have half of log 1.21.
    assert standard_error([pairs(*[1] * 4), pairs(*[1.21] * 4)]) == pytest.approx(0.0953102)
    assert standard_error([pairs(1), [], pairs(1.21)]) == pytest.approx(0.0953102)


def test_a_ratio_that_is_not_settled_lies_in_an_interval() -> None:
    passes = [pairs(2), pairs(2.42)]
    assert mean_ratio(passes) == pytest.approx(2.2)
    assert interval(passes) == pytest.approx((2.2 / 1.21, 2.2 * 1.21))
    assert interval([pairs(2), pairs(2.02)]) is None
    assert interval([pairs(2)]) is None  # nothing is known of its error


@pytest.mark.parametrize(
    ("passes", "expected"),
    [
        (STEADY, False),
        (STEADY * 2, True),
        (UNSTEADY * 2, False),
        (UNSTEADY * 11, False),
        (UNSTEADY * 12, True),
        ([[]], False),
        ([[]] * 2, True),
        ([pairs(2), []], False),
    ],
)
def test_a_row_is_settled_by_its_error_or_its_passes(
    passes: list[list[Pair]],
    expected: bool,  # noqa: FBT001
) -> None:
    assert WHOLE.is_settled(passes) is expected


def test_a_quick_run_has_as_many_passes_for_all() -> None:
    for one in (STEADY, UNSTEADY):
        assert [QUICK.is_settled(one * count) for count in (1, 2)] == [False, True]


def test_the_error_that_settles_is_that_of_the_plan() -> None:
    assert Plan(1, 9, 0.096).is_settled([pairs(1), pairs(1.21)])
    assert not Plan(1, 9, 0.095).is_settled([pairs(1), pairs(1.21)])


class Sheet:
    """One that is settled after some passes, each of some seconds by a clock of its own."""

    now = 0.0

    def __init__(self, passes: int, seconds: float = 1) -> None:
        self.left, self.ran, self._seconds = passes, 0, seconds

    @property
    def unsettled(self) -> int:
        return 10 if self.left else 0

    def run_pass(self) -> None:
        self.left -= 1
        self.ran += 1
        Sheet.now += self._seconds


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sheet, "now", 0.0)
    monkeypatch.setattr(run, "time", SimpleNamespace(monotonic=lambda: Sheet.now))


def passes_of(sheets: dict[str, list[Any]], **options: float) -> None:
    run._run_passes(sheets, **options)


def test_a_run_ends_when_all_is_settled(capsys: pytest.CaptureFixture[str]) -> None:
    sheets = {"volume": [Sheet(2), Sheet(4)], "memory": [Sheet(1)]}
    passes_of(sheets)
    assert [sheet.ran for some in sheets.values() for sheet in some] == [2, 4, 1]
    assert capsys.readouterr().out.splitlines() == [
        "pass 1, volume: 2 s, 20 rows not settled",
        "pass 1, memory: 1 s, 0 rows not settled",
        "pass 2, volume: 2 s, 10 rows not settled",
        "pass 3, volume: 1 s, 10 rows not settled",
        "pass 4, volume: 1 s, 0 rows not settled",
    ]


def test_no_pass_starts_late(capsys: pytest.CaptureFixture[str]) -> None:
    late = Sheet(9, seconds=600)
    passes_of({"volume": [late]})
    assert late.ran == 4  # at 30 minutes, but not at 40
    assert capsys.readouterr().out.endswith("no pass 5: it is late\n")
    shorter = Sheet(9, seconds=600)
    passes_of({"volume": [shorter]}, minutes=25)
    assert shorter.ran == 3


def test_the_least_passes_are_run_however_late() -> None:
    slow = Sheet(9, seconds=6000)
    passes_of({"volume": [slow]})
    assert slow.ran == 2
