"""Contenders in turn, round by round, so that a machine that drifts drifts for all."""

from __future__ import annotations

import json
import os
import random
import select
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from benchmarks.case import OURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from benchmarks.case import Case, Contender

ROOT: Final = Path(__file__).resolve().parent.parent
_LOG: Final = ROOT / "build" / "benchmarks.log"
_TIMEOUT_S: Final = 180
_LEAST_ROUNDS: Final = 3
Answer = dict[str, Any]


class Child:
    """The process of one contender."""

    def __init__(self, contender: Contender) -> None:
        """Start it."""
        self.contender = contender
        from_parent, to_child = os.pipe()
        from_child, to_parent = os.pipe()
        _LOG.parent.mkdir(exist_ok=True)
        with _LOG.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.child", str(from_parent), str(to_parent)],
                pass_fds=(from_parent, to_parent),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )
        os.close(from_parent)
        os.close(to_parent)
        self._requests: IO[bytes] = os.fdopen(to_child, "wb", buffering=0)
        self._answers: IO[str] = os.fdopen(from_child)

    def ask(self, method: str, **arguments: object) -> Answer:
        """Have it do something; a crash or a hang is an answer too."""
        try:
            self._requests.write(json.dumps({"do": method, **arguments}).encode() + b"\n")
        except BrokenPipeError:
            return self._crashed()
        if not select.select([self._answers], [], [], _TIMEOUT_S)[0]:
            self._process.kill()
            self._process.wait()
            return {"refused": f"took more than {_TIMEOUT_S} s"}
        line = self._answers.readline()
        if not line:
            return self._crashed()
        answer: Answer = json.loads(line)
        return answer

    def prepare(self, case: Case) -> Answer:
        """Make it ready for a case."""
        return self.ask("prepare", case=asdict(case), contender=self.contender.key)

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """Let it end."""
        self._requests.close()
        self._answers.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _crashed(self) -> Answer:
        return {"refused": f"crashed the process (exit status {self._process.wait()})"}


@dataclass
class Lane:
    """A contender in a race, and what came of it.

    Attributes:
        seconds: For each round that it was in, the median of its repeats.
    """

    child: Child
    refused: str | None = None
    wrong: str | None = None
    seconds: dict[int, float] = field(default_factory=dict)
    disk_bytes: int = 0

    @property
    def is_ours(self) -> bool:
        """Whether its times are what the others are divided by."""
        return self.child.contender.name == OURS and self.child.contender.threads == 2


class Children:
    """The processes, kept from case to case: starting them takes longer than most of the work."""

    def __init__(self) -> None:
        """None yet."""
        self._children: dict[tuple[str, str], Child] = {}

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let all of them end."""
        for child in self._children.values():
            child.close()

    def get(self, contender: Contender, case: Case) -> Child:
        """The process of a contender, a new one where it died."""
        key = (contender.key, case.work)
        child = self._children.get(key)
        if child is None or not child.is_alive:
            child = self._children[key] = Child(contender)
        return child


def run_race(
    case: Case,
    contenders: Sequence[Contender],
    children: Children,
    *,
    rounds: int,
    budget_s: float,
    cold: bool = False,
) -> list[Lane]:
    """Run the rounds of a case.

    Args:
        case: The work.
        children: Where the processes are kept.
        contenders: Those who compete; ours with two threads is in every round.
        rounds: How many at most. A contender that has used up its budget runs no more,
            after the first three.
        budget_s: Seconds for one contender.
        cold: Drop the files from the page cache before each piece of work.

    Returns:
        A lane for each that takes part, in the order given; those that the case is not for are
        left out.
    """
    lanes = [Lane(children.get(contender, case)) for contender in contenders]
    lanes = [lane for lane in lanes if _prepare(lane, case)]
    order = random.Random(case.name)
    for index in range(rounds):
        running = [lane for lane in lanes if lane.refused is None]
        order.shuffle(running)
        for lane in running:
            if lane.is_ours or index < _LEAST_ROUNDS or sum(lane.seconds.values()) < budget_s:
                _run(lane, index, cold=cold)
    for lane in lanes:
        lane.child.ask("rest")
    return lanes


def _prepare(lane: Lane, case: Case) -> bool:
    """Make it ready, warm, and checked; false where the case is not for it."""
    answer = lane.child.prepare(case)
    if answer.get("absent"):
        return False
    if "refused" not in answer:
        answer = lane.child.ask("check")
    lane.refused, lane.wrong = answer.get("refused"), answer.get("wrong")
    return True


def _run(lane: Lane, index: int, *, cold: bool) -> None:
    if cold:
        answer = lane.child.ask("time_cold")
    else:
        answer = lane.child.ask("time", least_seconds=0.3, most_repeats=7)
    lane.refused = answer.get("refused")
    if lane.refused is None:
        lane.seconds[index] = statistics.median(answer["seconds"])
        lane.disk_bytes = answer.get("disk_bytes", 0)


def ratios(lane: Lane, ours: Lane) -> list[float]:
    """How many times as long as ours it took, round by round."""
    return [seconds / ours.seconds[index] for index, seconds in lane.seconds.items()]
