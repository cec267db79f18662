"""Contenders in turn, so that a machine that drifts drifts for all.

A run goes through all cases several times. In each pass every contender starts in a process of its
own, and ours is timed right before every other: what a ratio is made of lies close together, and
what it is taken from is spread over the run.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from benchmarks.case import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from typing_extensions import Self

    from benchmarks.case import Case, Contender

ROOT: Final = Path(__file__).resolve().parent.parent
_LOG: Final = ROOT / "build" / "benchmarks.log"
_TIMEOUT_S: Final = 180
Answer = dict[str, Any]


class Child:
    """The process of one contender for one kind of work."""

    def __init__(self, contender: Contender, work: str) -> None:
        """Start it."""
        self.contender = contender
        from_parent, to_child = os.pipe()
        from_child, to_parent = os.pipe()
        _LOG.parent.mkdir(exist_ok=True)
        pipes = (str(from_parent), str(to_parent))
        with _LOG.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.child", work, contender.key, *pipes],
                start_new_session=True,  # it has children
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
            self._kill()
            return {"refused": f"took more than {_TIMEOUT_S} s"}
        line = self._answers.readline()
        if not line:
            return self._crashed()
        answer: Answer = json.loads(line)
        return answer

    def prepare(self, case: Case) -> Answer:
        """Make it ready for a case."""
        return self.ask("prepare", case=asdict(case))

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
            self._kill()

    def _kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _crashed(self) -> Answer:
        return {"refused": f"crashed the process (exit status {self._process.wait()})"}


@dataclass
class Lane:
    """A contender in a race, and what came of it.

    Attributes:
        passes: For each pass the seconds it took, each the mean of a few repeats.
    """

    child: Child
    refused: str | None = None
    wrong: str | None = None
    passes: list[list[float]] = field(default_factory=list)
    disk_bytes: int = 0
    start_bytes: int = 0

    @property
    def is_ours(self) -> bool:
        """Whether its times are what the others are divided by."""
        return self.child.contender.name == OURS and self.child.contender.threads == 2

    @property
    def seconds(self) -> list[float]:
        """Those of all passes."""
        return [seconds for one in self.passes for seconds in one]


class Children:
    """The processes, kept from case to case: imports take longer than most of the work."""

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

    def get(self, contender: Contender, work: str) -> Child:
        """The process of a contender, a new one where it died."""
        key = (contender.key, work)
        child = self._children.get(key)
        if child is None or not child.is_alive:
            child = self._children[key] = Child(contender, work)
        return child


class Race:
    """The contenders at a case; ours with two threads is among them.

    Attributes:
        lanes: Those who take part, in the order given; those that the case is not for are left
            out in the first pass.
    """

    def __init__(
        self,
        case: Case,
        contenders: Sequence[Contender],
        children: Children,
        *,
        rounds: int,
        budget_s: float,
        cold: bool = False,
    ) -> None:
        """Nobody has run yet.

        Args:
            case: The work.
            contenders: Those who compete.
            children: Where the processes are kept.
            rounds: How many a pass at most.
            budget_s: Seconds for one contender in a pass; who has used them up runs no more.
            cold: Drop the files from the page cache before each piece of work.
        """
        self.case, self.lanes = case, [Lane(children.get(one, case.work)) for one in contenders]
        self._children = children
        self._rounds, self._budget_s, self._cold = rounds, budget_s, cold
        self._order = random.Random(case.name)

    def run_pass(self) -> None:
        """Let everyone run for some rounds; in the first pass also check the answers."""
        is_first = not self.lanes[0].passes
        self.lanes = [lane for lane in self.lanes if self._prepare(lane, is_first=is_first)]
        ours = next(lane for lane in self.lanes if lane.is_ours)
        others = [lane for lane in self.lanes if lane is not ours]
        for _ in range(self._rounds):
            self._order.shuffle(others)
            for lane in others:
                if lane.refused is None and sum(lane.passes[-1]) < self._budget_s:
                    self._time(ours)
                    self._time(lane)
        for lane in self.lanes:
            lane.child.ask("rest")

    def _prepare(self, lane: Lane, *, is_first: bool) -> bool:
        """Make it ready, warm, and checked; false where the case is not for it."""
        lane.passes.append([])
        if lane.refused is not None:
            return True
        lane.child = self._children.get(lane.child.contender, self.case.work)
        answer = lane.child.prepare(self.case)
        if answer.get("absent"):
            return False
        if "refused" not in answer:
            answer = lane.child.ask("check" if is_first else "warm_up")
        lane.refused = answer.get("refused")
        lane.wrong = lane.wrong or answer.get("wrong")
        return True

    def _time(self, lane: Lane) -> None:
        if lane.refused is not None:
            return
        if self._cold:
            answer = lane.child.ask("time_cold")
        else:
            answer = lane.child.ask("time", least_seconds=0.15, most_repeats=5)
        lane.refused = answer.get("refused")
        if lane.refused is None:
            lane.passes[-1].append(statistics.geometric_mean(answer["seconds"]))
            lane.disk_bytes = answer.get("disk_bytes", 0)


def ratios(lane: Lane, ours: Lane) -> Iterator[float]:
    """How many times as long as ours it took, by what ours took in the same pass."""
    for own, those in zip(ours.passes, lane.passes, strict=True):
        yield from (seconds / statistics.geometric_mean(own) for seconds in those)
