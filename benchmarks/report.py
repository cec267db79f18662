"""What a question answers, the table of it, and the file that keeps it."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RESULTS: Final = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Answer:
    """The answer to one question.

    Attributes:
        question: Its name.
        bar: What has to hold, in words.
        holds: Whether it does.
        rows: One mapping from column to number or text per line of the table.
    """

    question: str
    bar: str
    holds: bool
    rows: Sequence[Mapping[str, object]]


def spread(seconds: Sequence[float], unit: str = "ms") -> dict[str, float]:
    """Median and quartiles in "ms" or "us", as columns of a row."""
    scale = {"ms": 1e3, "us": 1e6}[unit]
    low, median, high = (round(scale * value, 2) for value in statistics.quantiles(seconds, n=4))
    return {unit: median, f"{unit}_low": low, f"{unit}_high": high}


def show(answer: Answer) -> None:
    """Print the answer as a table."""
    print(f"{answer.question}: {answer.bar}: {'holds' if answer.holds else 'MISSED'}")
    columns = list(answer.rows[0])
    lines = [columns, *([str(row[column]) for column in columns] for row in answer.rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def save(answer: Answer) -> None:
    """Keep the answer with everything that it depends on in `results/<question>.json`."""
    facts = {
        "answer": asdict(answer),
        "command": f"make bench  # {' '.join(sys.argv[1:]) or 'all questions'}",
        "commit": _commit(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": {
            "processor": _processor(),
            "cpus": len(os.sched_getaffinity(0)),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "versions": {name: version(name) for name in ("torchdicom", "torch", "numpy", "pydicom")},
    }
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(facts, indent=2) + "\n"
    (RESULTS / f"{answer.question}.json").write_text(text, encoding="utf-8")


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, cwd=RESULTS.parent, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
