"""Contenders in turn, so that a machine that drifts drifts for all.

A run goes through all cases several times. In each pass every contender starts in a process of its
own, and ours is timed right before and right after every other: what a ratio is made of lies close
together, and what it is taken from is spread over the run.
"""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from benchmarks.case import OURS
from benchmarks.pairs import Pair, beside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.case import Case, Contender
    from benchmarks.children import Child, Children
    from benchmarks.pairs import Plan

# A time is the mean of repeats that take so long, or of so many.
_LEAST_S: Final = 0.12
_MOST_REPEATS: Final = 5
# Ours takes a part of the time of the one that it is beside: a long time is not judged by a blink.
_BESIDE: Final = 0.4
_MOST_BESIDE_S: Final = 0.5
_MOST_REPEATS_BESIDE: Final = 20


@dataclass(eq=False)
class Lane:
    """A contender in a race, and what came of it.

    Attributes:
        contender: Who runs in it.
        child: Its process, from the first pass on.
        passes: For each pass the seconds it took, each the mean of a few repeats.
        pairs: For each pass the same beside ours, where there is one of ours.
    """

    contender: Contender
    child: Child = field(init=False)
    refused: str | None = None
    wrong: str | None = None
    passes: list[list[float]] = field(default_factory=list)
    pairs: list[list[Pair]] = field(default_factory=list)
    disk_bytes: int = 0
    start_bytes: int = 0
    our_threads: int = 2

    @property
    def is_ours(self) -> bool:
        """Whether its times are what the others are divided by."""
        return self.contender.name == OURS and self.contender.threads == self.our_threads

    @property
    def seconds(self) -> list[float]:
        """Those of all passes."""
        return [seconds for one in self.passes for seconds in one]


def give_processes(lanes: Sequence[Lane], children: Children, work: str) -> None:
    """Before a pass: those that they had may have ended since."""
    found = children.of([lane.contender for lane in lanes], work)
    for lane, child in zip(lanes, found, strict=True):
        lane.child = child


class Race:
    """The contenders at a case; ours is among them.

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
        plan: Plan,
        rounds: int,
        budget_s: float,
        cold: bool = False,
    ) -> None:
        """Nobody has run yet.

        Args:
            case: The work.
            contenders: Those who compete.
            children: Where the processes are kept.
            plan: How many passes.
            rounds: How many a pass at most.
            budget_s: Seconds for one contender in a pass; who has used them up runs no more.
            cold: Drop the files from the page cache before each piece of work.
        """
        self.case = case
        self.lanes = [Lane(one, our_threads=case.our_threads) for one in contenders]
        self._children = children
        self._plan, self._rounds, self._budget_s, self._cold = plan, rounds, budget_s, cold
        self._order = random.Random(case.name)

    @property
    def waiting(self) -> list[Lane]:
        """Those whom another pass is for; ours is with them wherever there are any."""
        unsettled = [lane for lane in self.lanes if self._is_unsettled(lane)]
        return [lane for lane in self.lanes if lane in unsettled or (unsettled and lane.is_ours)]

    @property
    def unsettled(self) -> int:
        """How many rows another pass is for."""
        return sum(self._is_unsettled(lane) for lane in self.lanes)

    def _is_unsettled(self, lane: Lane) -> bool:
        return lane.refused is None and not self._plan.is_settled(lane.pairs)

    def run_pass(self) -> None:
        """Let those who wait run for some rounds; in their first pass also check the answers."""
        if not (taking := self.waiting):
            return
        give_processes(taking, self._children, self.case.work)
        absent = [lane for lane in taking if not self._prepare(lane)]
        self.lanes = [lane for lane in self.lanes if lane not in absent]
        taking = [lane for lane in taking if lane not in absent]
        ours = next(lane for lane in self.lanes if lane.is_ours)
        others = [lane for lane in taking if lane is not ours]
        before = self._time(ours)
        for _ in range(self._rounds):
            self._order.shuffle(others)
            for lane in others:
                if lane.refused is None and sum(lane.passes[-1]) < self._budget_s:
                    seconds = self._time(lane)
                    after = self._time_ours(ours, beside_s=seconds or 0)
                    own = beside(before, after)
                    if seconds is not None and own is not None:
                        lane.pairs[-1].append(Pair(seconds, own))
                    before = after
        for lane in taking:
            lane.child.ask("rest")

    def _prepare(self, lane: Lane) -> bool:
        """Make it ready, warm, and checked; false where the case is not for it."""
        is_first = not lane.passes
        lane.passes.append([])
        lane.pairs.append([])
        if lane.refused is not None:
            return True
        answer = lane.child.prepare(self.case)
        if answer.get("absent"):
            return False
        if "refused" not in answer:
            answer = lane.child.ask("check" if is_first else "warm_up")
        lane.refused = answer.get("refused")
        lane.wrong = lane.wrong or answer.get("wrong")
        return True

    def _time_ours(self, ours: Lane, beside_s: float) -> float | None:
        least_s = min(max(_LEAST_S, _BESIDE * beside_s), _MOST_BESIDE_S)
        return self._time(ours, least_s, _MOST_REPEATS_BESIDE if least_s > _LEAST_S else None)

    def _time(
        self, lane: Lane, least_s: float = _LEAST_S, repeats: int | None = None
    ) -> float | None:
        """The seconds it took, or None where it refuses."""
        if lane.refused is not None:
            return None
        if self._cold:
            answer = lane.child.ask("time_cold")
        else:
            most = repeats or _MOST_REPEATS
            answer = lane.child.ask("time", least_seconds=least_s, most_repeats=most)
        lane.refused = answer.get("refused")
        if lane.refused is not None:
            return None
        seconds = statistics.geometric_mean(answer["seconds"])
        lane.passes[-1].append(seconds)
        lane.disk_bytes = answer.get("disk_bytes", 0)
        return seconds
