"""Ask all questions, or those named, and keep the answers.

`make bench` runs this and renders the results page; `make bench ARGS="headers --quick"` asks one.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import race, report
from benchmarks.bars import BARS
from benchmarks.questions import QUESTIONS, Question, few_slices

if TYPE_CHECKING:
    from benchmarks.case import Case, Contender


def main() -> int:
    """Run, print and keep the answers.

    Returns:
        1 where a bar was missed.
    """
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("questions", nargs="*", metavar="question", help=", ".join(QUESTIONS))
    parser.add_argument("--quick", action="store_true", help="few contenders, small series")
    parser.add_argument(
        "--slack", type=float, default=1.0, help="1.25: bars a quarter lower, for busy machines"
    )
    parser.add_argument(
        "--out", type=Path, help="folder for the JSON; only whole runs go to benchmarks/results"
    )
    options = parser.parse_args()
    unknown = sorted(set(options.questions) - set(QUESTIONS))
    if unknown:
        parser.error(f"no such question: {', '.join(unknown)}; there are {', '.join(QUESTIONS)}")
    default = race.ROOT / "build" / "quick" if options.quick else report.RESULTS
    folder = options.out or default

    missed = 0
    with race.Children() as children:
        for name in options.questions or QUESTIONS:
            start = time.monotonic()
            rows = _ask(QUESTIONS[name], children, is_quick=options.quick)
            bars = [bar.verdict(rows, options.slack) for bar in BARS if bar.question == name]
            report.save(folder, name, rows, bars)
            for bar in bars:
                missed += not bar["holds"]
                print(f"{'holds ' if bar['holds'] else 'MISSED'} {bar['text']}: {bar['measured']}")
            print(f"{name}: {time.monotonic() - start:.0f} s\n", flush=True)
    return 1 if missed else 0


def _ask(question: Question, children: race.Children, *, is_quick: bool) -> list[dict[str, Any]]:
    print(question.title, flush=True)
    rows = []
    for case in question.cases(is_quick):
        contenders = question.contenders(case, is_quick=is_quick)
        found = (
            _measure_memory(case, contenders)
            if question.mode == "memory"
            else _race(question, case, contenders, children, is_quick=is_quick)
        )
        for row in found:
            _show(row)
        rows += found
    return rows


def _race(
    question: Question,
    case: Case,
    contenders: list[Contender],
    children: race.Children,
    *,
    is_quick: bool,
) -> list[dict[str, Any]]:
    lanes = race.run_race(
        case,
        contenders,
        children,
        rounds=7 if is_quick else question.rounds,
        budget_s=question.budget_s,
        cold=question.mode == "cold",
    )
    return report.timed_rows(case.name, lanes)


def _measure_memory(case: Case, contenders: list[Contender]) -> list[dict[str, Any]]:
    """Each contender in a fresh process, one at a time.

    A few slices first: libraries import and start much of what they have when it is needed.
    """
    rows = []
    for contender in contenders:
        lane = race.Lane(race.Child(contender))
        if lane.child.prepare(few_slices()) == {}:
            lane.child.ask("check")
        answer = lane.child.prepare(case) or lane.child.ask("measure_memory")
        lane.child.close()
        lane.refused, lane.wrong = answer.get("refused"), answer.get("wrong")
        if not answer.get("absent"):
            rows.append(report.memory_row(case.name, lane, answer))
    return rows


def _show(row: dict[str, Any]) -> None:
    who = f"  {row['case']:14} {row['contender']:26} {row['threads']}"
    if row["refused"]:
        print(f"{who}  refused: {row['refused']}")
        return
    numbers = f"{row['mb']:9.1f} MB" if "mb" in row else f"{row['ms']:9.1f} ms"
    if "ratio" in row:
        numbers += f"  {row['ratio']:7.2f}x"
    wrong = f"  WRONG: {row['wrong']}" if row["wrong"] else ""
    print(f"{who}{numbers}{wrong}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
