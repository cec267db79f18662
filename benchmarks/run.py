"""Ask all questions, or those named, and keep the answers.

`make bench` runs this and renders the results page; `make bench ARGS="headers --quick"` asks one.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import instructions, race, report
from benchmarks.bars import BARS
from benchmarks.children import ROOT, Children
from benchmarks.epoch_race import EpochRace
from benchmarks.instructions import Instructions
from benchmarks.memory import Memory
from benchmarks.pairs import QUICK, WHOLE
from benchmarks.questions import QUESTIONS, Question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.case import Case

# No pass that is not one of the least starts later, so that a whole run takes less than an hour.
_LATEST_START_MINUTES: Final = 35


def main() -> int:
    """Run, print and keep the answers.

    Returns:
        1 where a bar was missed.
    """
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("questions", nargs="*", metavar="question", help=", ".join(QUESTIONS))
    parser.add_argument("--quick", action="store_true", help="few contenders, small series")
    parser.add_argument(
        "--case", action="append", default=[], help="one case, such as rle; no bars are judged"
    )
    parser.add_argument(
        "--slack", type=float, default=1.0, help="1.25: bars a quarter lower, for busy machines"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=_LATEST_START_MINUTES,
        help="how long passes go on through the rows that are not settled",
    )
    parser.add_argument(
        "--out", type=Path, help="folder for the JSON; only whole runs go to benchmarks/results"
    )
    options = parser.parse_args()
    unknown = sorted(set(options.questions) - set(QUESTIONS))
    if unknown:
        parser.error(f"no such question: {', '.join(unknown)}; there are {', '.join(QUESTIONS)}")
    is_part = options.quick or options.case
    folder = options.out or (ROOT / "build" / "quick" if is_part else report.RESULTS)
    asked = options.questions or list(QUESTIONS)
    counts = any(QUESTIONS[name].mode == "instructions" for name in asked)
    if counts and not instructions.is_possible():
        parser.error(instructions.MISSING)
    with Children() as children:
        sheets = {
            name: _sheets(QUESTIONS[name], children, options.case, is_quick=options.quick)
            for name in asked
        }
        found = {sheet.case.name for some in sheets.values() for sheet in some}
        if unknown := sorted(set(options.case) - found):
            parser.error(f"{', '.join(unknown)} is a case of none of {', '.join(asked)}")
        _run_passes(sheets, options.minutes)
    missed = 0
    for name in asked:
        rows = [row for sheet in sheets[name] for row in report.rows(sheet)]
        bars = [
            bar.verdict(rows, options.slack)
            for bar in BARS
            if bar.question == name and not options.case and bar.is_asked(rows)
        ]
        report.save(folder, name, rows, bars)
        missed += _show(QUESTIONS[name], rows, bars)
    return 1 if missed else 0


def _run_passes(
    sheets: Mapping[str, Sequence[race.Race | Memory | Instructions]],
    minutes: float = _LATEST_START_MINUTES,
) -> None:
    """Pass after pass, each with the rows that are not settled, until all are or it is late."""
    start = time.monotonic()
    number = 0
    while any(sheet.unsettled for some in sheets.values() for sheet in some):
        number += 1
        if number > WHOLE.least and time.monotonic() - start > 60 * minutes:
            print(f"no pass {number}: it is late", flush=True)
            return
        for name, some in sheets.items():
            _run_pass(f"pass {number}, {name}", [sheet for sheet in some if sheet.unsettled])


def _run_pass(title: str, sheets: Sequence[race.Race | Memory | Instructions]) -> None:
    start = time.monotonic()
    for sheet in sheets:
        sheet.run_pass()
    if sheets:
        left = sum(sheet.unsettled for sheet in sheets)
        took_s = time.monotonic() - start
        print(f"{title}: {took_s:.0f} s, {left} rows not settled", flush=True)


def _sheets(
    question: Question, children: Children, wanted: Sequence[str], *, is_quick: bool
) -> list[race.Race | Memory | Instructions]:
    """What runs in each pass for a question: a race a case, or what is measured else."""
    return [
        _sheet(question, case, children, is_quick=is_quick)
        for case in question.cases(is_quick)
        if not wanted or case.name in wanted
    ]


def _sheet(
    question: Question, case: Case, children: Children, *, is_quick: bool
) -> race.Race | Memory | Instructions:
    contenders = question.contenders(case, is_quick=is_quick)
    if question.mode == "instructions":
        return Instructions(case, contenders)
    if question.mode == "memory":
        return Memory(case, contenders, children)
    kind = EpochRace if question.mode == "epoch" else race.Race
    return kind(
        case,
        contenders,
        children,
        plan=QUICK if is_quick else WHOLE,
        rounds=question.rounds,
        budget_s=question.budget_s,
        cold=question.mode == "cold",
    )


def _show(question: Question, rows: list[dict[str, Any]], bars: list[dict[str, Any]]) -> int:
    """Print an answer; how many bars were missed?"""
    print(f"\n{question.title}")
    for row in rows:
        _show_row(row)
    for bar in bars:
        print(f"{'holds ' if bar['holds'] else 'MISSED'} {bar['text']}: {bar['measured']}")
    return sum(not bar["holds"] for bar in bars)


def _show_row(row: dict[str, Any]) -> None:
    who = f"  {row['case']:14} {row['contender']:26} {row['threads']}"
    if row["refused"]:
        print(f"{who}  refused: {row['refused']}")
        return
    if "instructions" in row:
        numbers = f"{row['instructions'] / 1e6:9.2f} M instructions"
    else:
        numbers = f"{row['mb']:9.1f} MB" if "mb" in row else f"{row['ms']:9.1f} ms"
    if "ratio" in row:
        numbers += f"  {row['ratio']:7.2f}x"
    wrong = f"  WRONG: {row['wrong']}" if row["wrong"] else ""
    print(f"{who}{numbers}{wrong}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
