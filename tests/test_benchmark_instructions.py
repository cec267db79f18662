"""What is made of counted instructions; the count itself is callgrind's."""

from __future__ import annotations

import math
from typing import Any

import pytest

from benchmarks import instructions, report, tables
from benchmarks.bars import BARS
from benchmarks.case import Case
from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.compiled import DIRECTLY
from benchmarks.instructions import Instructions

CASE = Case("CT htj2k", "codec", "folder", "truth.npy", "1.2.840.10008.1.2.4.201")
(BAR,) = [bar for bar in BARS if bar.question == "instructions" and "directly" in bar.text]


def counted(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows where the processes answer so."""
    monkeypatch.setattr(instructions, "first_frame", lambda case: case)
    monkeypatch.setattr(instructions, "_counted", lambda contender, _: answers[contender.name])
    sheet = Instructions(CASE, [one for one in CONTENDERS["codec"] if one.name in answers])
    assert sheet.unsettled == len(answers)
    sheet.run_pass()
    assert sheet.unsettled == 0
    return report.rows(sheet)


def test_a_frame_is_half_of_what_two_more_take(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, direct = counted(
        monkeypatch,
        {
            "torchdicom": {"wrong": None, "instructions": [7_000_000, 27_000_000]},
            DIRECTLY: {"wrong": "values off", "instructions": [1_000_000, 20_000_000]},
        },
    )
    assert (ours["instructions"], ours["ratio"], ours["wrong"]) == (10_000_000, 1, None)
    assert (direct["instructions"], direct["ratio"]) == (9_500_000, 0.95)
    assert direct["wrong"] == "values off"
    assert "10.00 M (1.000x)" in tables.results([ours, direct])
    assert BAR.verdict([ours, direct], 1) == {
        "text": "at most 1.05 times those of the same library directly",
        "measured": 1.053,
        "holds": False,
    }


@pytest.mark.parametrize("who", ["torchdicom", DIRECTLY])
def test_no_bar_holds_for_who_refuses(monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    answer = {"wrong": None, "instructions": [1, 21]}
    answers = {"torchdicom": answer, DIRECTLY: answer, who: {"refused": "exit status 1"}}
    rows = counted(monkeypatch, answers)
    assert all("ratio" not in row for row in rows if row["refused"] or who == "torchdicom")
    assert BAR.measure(rows) == math.inf
    assert BAR.verdict(rows, 1)["holds"] is False
