"""The file that keeps an answer, with everything that it depends on."""

from __future__ import annotations

import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import children, pairs, race
from benchmarks.case import OURS
from benchmarks.epoch_race import EpochRace
from benchmarks.instructions import Count, Instructions
from benchmarks.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS: Final = Path(__file__).resolve().parent / "results"
_PACKAGES: Final = (
    *("torchdicom", "torch", "numpy", "pydicom", "imagecodecs", "pylibjpeg-libjpeg"),
    *("pylibjpeg-openjpeg", "pylibjpeg-rle", "python-gdcm", "pillow", "pyjpegls", "SimpleITK"),
    *("itk", "monai", "torchio", "highdicom", "dicomsdl", "fastdicom", "dcm2niix", "nibabel"),
)


def rows(sheet: race.Race | Memory | Instructions) -> list[dict[str, Any]]:
    """One row a contender."""
    if isinstance(sheet, Instructions):
        return counted_rows(sheet.case.name, sheet.lanes)
    if isinstance(sheet, Memory):
        return [_memory_row(sheet.case.name, lane) for lane in sheet.lanes]
    found = timed_rows(sheet.case.name, sheet.lanes)
    return list(map(sheet.with_costs, found)) if isinstance(sheet, EpochRace) else found


def timed_rows(case: str, lanes: Sequence[race.Lane]) -> list[dict[str, Any]]:
    """Times in ms, and how many times ours that is, each with quartiles."""
    ours = next(lane for lane in lanes if lane.is_ours)
    found = []
    for lane in lanes:
        row = _row(case, lane)
        if lane.refused is None:
            row |= _spread("ms", [1e3 * seconds for seconds in lane.seconds])
            row |= _beside_ours(lane, ours)
            if lane.disk_bytes:
                row["disk_mb"] = round(lane.disk_bytes / 1e6, 1)
        found.append(row)
    return found


def _beside_ours(lane: race.Lane, ours: race.Lane) -> dict[str, Any]:
    """The ratio and the pairs that it is of, or the times of who has none."""
    found = pairs.ratios(lane.pairs)
    if found and ours.refused is None:
        row: dict[str, Any] = _spread("ratio", found) | {
            "ratio": _short(pairs.mean_ratio(lane.pairs))
        }
        if within := pairs.interval(lane.pairs):
            row["interval"] = [_short(end) for end in within]
        both = [[[_short(seconds) for seconds in pair] for pair in one] for one in lane.pairs]
        return {**row, "pairs": both}
    passes = [[_short(seconds) for seconds in one] for one in lane.passes]
    return {"ratio": 1.0, "passes": passes} if lane is ours else {"passes": passes}


def _memory_row(case: str, lane: race.Lane) -> dict[str, Any]:
    row = _row(case, lane)
    if lane.refused is None:
        row["mb"] = round(statistics.median(lane.seconds) / 1e6, 1)
        row["start_mb"] = round(lane.start_bytes / 1e6, 1)
    return row


def counted_rows(case: str, lanes: Sequence[Count]) -> list[dict[str, Any]]:
    """Instructions, and how many times ours that is."""
    ours = next(lane for lane in lanes if lane.contender.name == OURS)
    found = []
    for lane in lanes:
        row = _row(case, lane)
        if lane.refused is None:
            row["instructions"] = lane.instructions
            if ours.refused is None:
                row["ratio"] = _short(lane.instructions / ours.instructions)
        found.append(row)
    return found


def _row(case: str, lane: race.Lane | Count) -> dict[str, Any]:
    contender = lane.contender
    facts = {"case": case, "contender": contender.name, "threads": contender.threads}
    return {**facts, "wrong": lane.wrong, "refused": lane.refused}


def _spread(name: str, values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles."""
    several = values if len(values) > 1 else [*values, *values]  # it wants two at least
    low, median, high = statistics.quantiles(several, n=4, method="inclusive")
    return {name: _short(median), f"{name}_low": _short(low), f"{name}_high": _short(high)}


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def save(folder: Path, name: str, rows: Sequence[dict[str, Any]], bars: Sequence[object]) -> None:
    """Keep the answer in `<folder>/<question>.json`."""
    facts = {
        "question": name,
        "rows": rows,
        "bars": bars,
        "command": _command(sys.argv[1:]),
        "commit": _commit(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": {
            "processor": _processor(),
            "cpus": len(os.sched_getaffinity(0)),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "versions": {name: _version(name) for name in _PACKAGES},
    }
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(facts, indent=1) + "\n"
    (folder / f"{name}.json").write_text(text, encoding="utf-8")


def _command(arguments: list[str]) -> str:
    """How to ask the same; where the answer is kept is no part of it."""
    if "--out" in arguments:
        at = arguments.index("--out")
        arguments = arguments[:at] + arguments[at + 2 :]
    return f'make bench ARGS="{shlex.join(arguments)}"' if arguments else "make bench"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """The code that was measured; answers that were kept before this one are none of it."""
    code = [".", ":(exclude)benchmarks/results"]
    is_changed = _git("diff", "--name-only", "HEAD", "--", *code)
    commit = _git("rev-parse", "--short=12", "HEAD") or "unknown"
    return f"{commit}-dirty" if is_changed else commit


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=children.ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
