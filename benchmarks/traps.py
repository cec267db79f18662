"""Give the files of the trap tests to all readers, and judge what they make of them.

`python -m benchmarks.traps`, with `tests` among the paths; part of `make bench`.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks import report, traps_child
from benchmarks.case import OURS
from benchmarks.traps_frames import FRAMES
from benchmarks.traps_judge import is_proper, judge
from benchmarks.traps_order import ORDER
from benchmarks.traps_readers import READERS
from benchmarks.traps_series import SERIES
from benchmarks.traps_times import TIMES

QUESTION: Final = "traps"
CASES: Final = (*ORDER, *TIMES, *SERIES, *FRAMES)


def main() -> int:
    """Ask, print and keep the answers.

    Returns:
        1 where torchdicom is neither right nor a proper refusal.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.traps", description=__doc__)
    parser.add_argument("readers", nargs="*", metavar="reader", help=", ".join(READERS))
    parser.add_argument("--out", type=Path, help="folder for the JSON")
    options = parser.parse_args()
    unknown = sorted(set(options.readers) - set(READERS))
    if unknown:
        parser.error(f"no such reader: {', '.join(unknown)}; there are {', '.join(READERS)}")
    found = rows(options.readers or list(READERS))
    for row in found:
        print(f"{row['case']:80} {row['contender']:20} {row['status']:8} {row['how']}")
    bar = proper(found)
    print(f"{'holds ' if bar['holds'] else 'MISSED'} {bar['text']}: {bar['measured']}")
    if options.out or not options.readers:
        report.save(options.out or report.RESULTS, QUESTION, found, [bar])
    return 0 if bar["holds"] else 1


def rows(readers: list[str]) -> list[dict[str, Any]]:
    """A row a reader and trap."""
    with tempfile.TemporaryDirectory() as folder:
        folders = [Path(folder) / f"{number:02}" for number in range(len(CASES))]
        for case, path in zip(CASES, folders, strict=True):
            case.write(path)
        found = []
        for reader in readers:
            for case, answer in zip(CASES, answers(reader, folders), strict=True):
                judgement = judge(case, answer)
                row = {"case": case.name, "contender": reader, "threads": 1}
                row |= {"wants": "a refusal" if case.wanted is None else "a volume"}
                row |= {"proper": is_proper(case, judgement, answer.get("code"))}
                found.append(row | judgement._asdict())
    return found


def proper(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The bar: what is neither right nor a proper refusal of ours."""
    wrong = [row for row in found if row["contender"] == OURS and not row["proper"]]
    text = "torchdicom is right, refuses with the code of the matter, or warns of it"
    return {"text": f"{text}: exceptions", "measured": len(wrong), "holds": not wrong}


def answers(reader: str, folders: list[Path]) -> list[dict[str, Any]]:
    """What a reader says to each folder, in as many processes as it takes."""
    found: list[dict[str, Any]] = []
    while len(found) < len(folders):
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "answers"
            path.touch()
            rest = map(str, folders[len(found) :])
            command = [sys.executable, "-m", traps_child.__name__, reader, str(path), *rest]
            done = subprocess.run(command, check=False, cwd=Path(__file__).parents[1])
            found += map(json.loads, path.read_text(encoding="utf-8").splitlines())
        if len(found) < len(folders):
            found.append({"crashed": _ended(done.returncode)})
    return found


def _ended(status: int) -> str:
    if status == -signal.SIGALRM:
        return f"no answer in {traps_child.SECONDS} s"
    return signal.Signals(-status).name if status < 0 else f"the process ends with {status}"


if __name__ == "__main__":
    sys.exit(main())
