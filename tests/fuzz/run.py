"""`make fuzz`: replays each corpus for its coverage, then runs each target for a while.

Fails on a finding, and where the corpus reaches less of a target's own files than it has to.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fuzz import seeds

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "build" / "fuzz" / "work"
LEAST_COVERAGE = 90.0

# Small inputs say the same sooner. A hang or a giant allocation is a finding.
LIMITS = ["-timeout=10", "-rss_limit_mb=1024", "-malloc_limit_mb=256"]
LARGEST = {"values": 100}  # else 2048 bytes
# Debian's libjxl and GDCM tell stderr about each error; libFuzzer's own lines come through all the
# same.
SILENCED = {name: ["-close_fd_mask=2"] for name in ("libjxl", "gdcm")}
DICTIONARIES = {
    "codestream": "markers",
    "gdcm": "markers",
    "libjpeg": "markers",
    "element_reader": "elements",
    "header": "elements",
    "jpeg_lossless": "markers",
    "openjpeg": "markers",
    "values": "numbers",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table that is printed.

    Attributes:
        target: The target's name.
        executions: Inputs that were run.
        seconds: How long that took.
        corpus: Inputs that reach something each.
        coverage: Percentage of lines, of the file that has the least; None where not measured.
        findings: Files that make it fail.
        note: What else to say, for the last column.
    """

    target: str
    executions: int
    seconds: float
    corpus: int
    coverage: float | None
    findings: tuple[Path, ...]
    note: str = ""

    def is_fine(self) -> bool:
        """Whether the target found nothing and its corpus reaches enough."""
        return not self.findings and (self.coverage is None or self.coverage >= LEAST_COVERAGE)

    def __str__(self) -> str:
        coverage = "-" if self.coverage is None else f"{self.coverage:.1f} %"
        speed = self.executions / max(self.seconds, 1e-9)
        return (
            f"{self.target:<15}{self.executions:>12,}{speed:>10,.0f}{self.corpus:>8}"
            f"{len(self.findings):>10}{coverage:>10}  {self.note}"
        )


HEADING = (
    f"{'target':<15}{'executions':>12}{'exec/s':>10}{'corpus':>8}{'findings':>10}{'coverage':>10}"
    "  least covered file"
)


@dataclass(frozen=True, slots=True)
class Target:
    """A program that libFuzzer drives, and its folders."""

    name: str
    build: Path

    @property
    def program(self) -> Path:
        return self.build / f"fuzz_{self.name}"

    @property
    def corpus(self) -> Path:
        return HERE / "corpus" / self.name

    @property
    def work(self) -> Path:
        """What this and earlier runs found interesting: it stays out of the repository."""
        return WORK / self.name

    @property
    def sources(self) -> list[str]:
        """The files of the core that its first lines name."""
        text = (HERE / "targets" / f"{self.name}.cpp").read_text()
        lines = re.findall(r"^// Covers: (.*)$", text, re.MULTILINE)
        return [str(ROOT / "cpp" / name) for line in lines for name in line.split()]

    def replayed(self) -> list[str]:
        """The folders that are replayed: they have to be there, and not empty."""
        folders = [self.corpus, HERE / "findings" / self.name]
        for folder in folders:
            if not folder.is_dir() or not any(folder.iterdir()):
                msg = f"{folder} is empty or not there"
                raise FileNotFoundError(msg)
        return [str(folder) for folder in folders]

    def call(
        self, *arguments: str, profile: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the program and keep what it prints."""
        # Without a name, the counters would be written into the current folder.
        profile = profile or self.build / f"{self.name}.unused.profraw"
        environment = {**os.environ, "LLVM_PROFILE_FILE": str(profile)}
        largest = f"-max_len={LARGEST.get(self.name, seeds.MAX_SEED)}"
        command = [str(self.program), largest, *LIMITS, *SILENCED.get(self.name, []), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, env=environment
        )


def coverage(target: Target, raw: Path) -> tuple[float, str]:
    """Lines of the target's own files that a run reached: the lowest percentage, and where.

    Raises:
        RuntimeError: If nothing is known of one of the files.
    """
    merged = raw.with_suffix(".profdata")
    subprocess.run(["llvm-profdata", "merge", "-sparse", raw, "-o", merged], check=True)
    export = ["llvm-cov", "export", "-summary-only", f"-instr-profile={merged}"]
    command = [*export, str(target.program), *target.sources]
    report = subprocess.run(command, capture_output=True, check=True)
    files: list[dict[str, Any]] = json.loads(report.stdout)["data"][0]["files"]
    lines = {Path(one["filename"]).name: one["summary"]["lines"]["percent"] for one in files}
    if not lines or len(lines) != len(target.sources):
        msg = f"coverage is there for {sorted(lines)} alone of {target.sources}"
        raise RuntimeError(msg)
    least = min(lines, key=lambda name: float(lines[name]))
    return float(lines[least]), least


def fuzz(target: Target, seconds: int) -> Row:
    """Replay, then mutate for so many seconds."""
    raw, log = (target.build / f"{target.name}.{end}" for end in ("profraw", "log"))
    replay = target.call("-runs=0", *target.replayed(), profile=raw)
    if replay.returncode != 0:
        log.write_text(replay.stderr)
        print(replay.stderr[-6000:], file=sys.stderr)
        return Row(target.name, 0, 0, 0, None, (log,), "fails on its corpus or findings")
    percent, least = coverage(target, raw)
    found = WORK / "findings" / target.name
    for folder in (target.work, found):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    options = [f"-max_total_time={seconds}", "-print_final_stats=1", f"-artifact_prefix={found}/"]
    if target.name in DICTIONARIES:
        options.append(f"-dict={HERE / DICTIONARIES[target.name]}.dict")
    run = target.call(*options, str(target.work), *target.replayed())
    log.write_text(run.stderr)
    findings = tuple(sorted(set(found.iterdir()) - before))
    if run.returncode != 0:
        print(run.stderr[-6000:], file=sys.stderr)
        findings = findings or (log,)
    executed = int(_last(r"stat::number_of_executed_units: *(\d+)", run.stderr))
    speed = int(_last(r"stat::average_exec_per_sec: *(\d+)", run.stderr))
    corpus = int(_last(r"corp: (\d+)/", run.stderr))
    took = executed / speed if speed else 1.0
    return Row(target.name, executed, took, corpus, percent, findings, least)


def _last(pattern: str, text: str) -> str:
    found: list[str] = re.findall(pattern, text)
    return found[-1] if found else "0"


def differential(seconds: int) -> Row:
    """The two backends against each other, in a process of its own."""
    found = WORK / "findings" / "differential"
    command = [sys.executable, "-m", "fuzz.differential", "--seconds", str(seconds)]
    run = subprocess.run(
        [*command, "--save", str(found)], capture_output=True, text=True, check=False
    )
    result = _last(r"(?m)^{.*}$", run.stdout)
    if run.returncode not in {0, 1} or result == "0":
        msg = f"the differential target ended with {run.returncode}:\n{run.stdout}{run.stderr}"
        raise RuntimeError(msg)
    told = json.loads(result)
    print(run.stderr, file=sys.stderr, end="")
    findings = tuple(Path(path) for path in told["findings"])
    note = f"seed {told['seed']}; both loaded {told['loaded']:.0%}"
    return Row(
        "differential", told["executions"], told["seconds"], told["seeds"], None, findings, note
    )


def grow(target: Target) -> None:
    """Keep the smallest inputs that reach all that seeds, corpus and earlier runs reach."""
    fresh, merged = (WORK / f"{target.name}.{end}" for end in ("seeds", "merged"))
    for folder in (fresh, merged):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    seeds.write(target.name, fresh)
    sources = [folder for folder in (fresh, target.corpus, target.work) if folder.is_dir()]
    # Without counters: each input of the corpus reaches a line or a branch of its own.
    run = target.call("-merge=1", "-use_counters=0", str(merged), *map(str, sources))
    if run.returncode != 0:
        msg = f"merging {target.name} failed:\n{run.stderr}"
        raise RuntimeError(msg)
    shutil.rmtree(target.corpus, ignore_errors=True)
    shutil.copytree(merged, target.corpus)


def main() -> int:
    """Run the targets that are named, or all, two at a time."""
    known = sorted(path.stem for path in (HERE / "targets").glob("*.cpp"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", help="names; none is all of them")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "asan")
    parser.add_argument("--grow", action="store_true", help="merge into the corpora, run nothing")
    arguments = parser.parse_args()
    names = arguments.targets or [*known, "differential"]
    if unknown := set(names) - {*known, "differential"}:
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    if arguments.seconds < 1:
        parser.error("--seconds must be 1 or more")
    targets = [Target(name, arguments.build) for name in names if name != "differential"]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        if arguments.grow:
            list(pool.map(grow, targets))
            return 0
        pending = [pool.submit(fuzz, target, arguments.seconds) for target in targets]
        if "differential" in names:
            pending.append(pool.submit(differential, arguments.seconds))
        rows = [one.result() for one in pending]
    return report(rows)


def report(rows: list[Row]) -> int:
    """Print the table, and what to do about its bad rows; the exit code."""
    print(HEADING, *rows, sep="\n")
    for row in rows:
        if row.coverage is not None and row.coverage < LEAST_COVERAGE:
            print(
                f"{row.target}: the corpus reaches {row.coverage:.1f} % of {row.note}, and "
                f"{LEAST_COVERAGE:.0f} % is the least: make fuzz, then make fuzz GROW=1"
            )
        again = f"build/asan/fuzz_{row.target}"
        if row.target == "differential":
            again = "PYTHONPATH=tests .venv/bin/python -m fuzz.differential --replay"
        for path in row.findings:
            how = "see" if path.suffix == ".log" else f"again: {again}"
            print(f"{row.target}: {how} {path}")
    return 0 if all(row.is_fine() for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
