"""Peak memory of the contenders, each in a process of its own, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.cases import small
from benchmarks.race import Lane, give_processes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.case import Case, Contender
    from benchmarks.children import Children


_PASSES: Final = 4


class Memory:
    """How much they take for a case.

    Attributes:
        lanes: Those who take part; their passes hold bytes.
    """

    def __init__(self, case: Case, contenders: Sequence[Contender], children: Children) -> None:
        """Nothing is measured yet."""
        self.case, self.lanes = case, [Lane(one) for one in contenders]
        self._children = children
        self._small = small(case.work)
        self._done = 0

    @property
    def unsettled(self) -> int:
        """How many rows another pass is for: all or none, since sizes hardly vary."""
        return len(self.lanes) if self._done < _PASSES else 0

    def run_pass(self) -> None:
        """Measure everyone once.

        A small case first: libraries start much of what they have when it is needed.
        """
        self._done += 1
        give_processes(self.lanes, self._children, self.case.work)
        self.lanes = [lane for lane in self.lanes if self._measure(lane)]

    def _measure(self, lane: Lane) -> bool:
        """One of them; false where the case is not for it."""
        if lane.child.prepare(self._small) == {}:
            lane.child.ask("check")
        answer = lane.child.prepare(self.case) or lane.child.ask("measure_memory")
        lane.child.ask("rest")
        if answer.get("absent"):
            return False
        lane.refused = lane.refused or answer.get("refused")
        lane.wrong = lane.wrong or answer.get("wrong")
        if "refused" not in answer:
            lane.passes.append([answer["growth_bytes"]])
            lane.start_bytes = answer["start_bytes"]
        return True
